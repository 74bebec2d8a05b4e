"""Many rows in one round: past the statement compiler, which costs more than the database does.

Their ids are known before they are written: from one sequence (PostgreSQL) or one counter (SQLite).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    BindParameter,
    Connection,
    Dialect,
    LargeBinary,
    Select,
    String,
    Table,
    Text,
    Update,
    bindparam,
    column,
    func,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.visitors import replacement_traverse

from pro_service.store.schema import AnyRow
from pro_service.store.session import Session

Convert = Callable[[Any], Any]

AnySelect: TypeAlias = Select[*tuple[Any, ...]]
"""A question for whatever columns."""

REMEMBERED = 1 << 16
"""Values whose conversion is kept: rows of one batch share most of their instants."""

FIRST, LARGEST = 16, 4096


def row_ids(session: Session, first: int = FIRST) -> Iterator[int]:
    """Endless fresh ids, fetched in blocks that grow from the first; a rollback leaves a gap, never a repetition."""
    block = first
    while True:
        if session.get_bind().dialect.name == "postgresql":
            yield from session.execute(_NEXT_OF_SEQUENCE, {"n": block}).scalars().all()
        else:
            end = session.execute(_NEXT_OF_COUNTER, {"n": block}).scalar_one()
            yield from range(end - block, end)
        block = min(block * 16, LARGEST)


def last_id(connection: Connection) -> int:
    """The highest id handed out: a database where it has fallen is an older one."""
    if connection.dialect.name == "postgresql":
        return int(connection.execute(text("SELECT last_value FROM row_ids")).scalar_one())
    statement = text("SELECT CAST(value AS INTEGER) FROM installation WHERE key = 'next_id'")
    return int(connection.execute(statement).scalar_one())


_NEXT_OF_SEQUENCE = text("SELECT nextval('row_ids') FROM generate_series(1, :n)")
_NEXT_OF_COUNTER = text(
    "UPDATE installation SET value = CAST(value AS INTEGER) + :n WHERE key = 'next_id' RETURNING CAST(value AS INTEGER)"
)


class Bulk:
    """Inserts rows of one shape. Every row names the same columns in the same order."""

    def __init__(self, connection: Connection, table: Table, columns: Sequence[str]) -> None:
        dialect = connection.dialect
        self._connection = connection
        mark = "?" if dialect.paramstyle == "qmark" else "%s"
        quoted = ", ".join(dialect.identifier_preparer.format_column(table.c[name]) for name in columns)
        self._statement = f"INSERT INTO {table.name} ({quoted}) VALUES ({', '.join([mark] * len(columns))})"  # noqa: S608 -- names of our own tables
        self._copying = f"COPY {table.name} ({quoted}) FROM STDIN"
        self._converts: list[tuple[int, Convert]] = []
        for at, name in enumerate(columns):
            kind = table.c[name].type
            # Bytes are understood as they are, and no two ciphertexts are alike: nothing to convert or remember.
            convert = None if isinstance(kind, LargeBinary) else kind.dialect_impl(dialect).bind_processor(dialect)
            if convert is not None:
                self._converts.append((at, lru_cache(REMEMBERED)(convert)))

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert these rows in one round."""
        self.insert([self.written(row.values()) for row in rows])

    def written(self, row: Iterable[Any]) -> tuple[Any, ...]:
        """One row's values as the driver takes them."""
        values = list(row)
        for at, convert in self._converts:
            if values[at] is not None:
                values[at] = convert(values[at])
        return tuple(values)

    def insert(self, written: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows that are as the driver takes them, in one round."""
        if len(written) > 1 and self._connection.dialect.name == "postgresql":
            self._copy(written)
        else:
            self._connection.exec_driver_sql(self._statement, written)

    def _copy(self, written: Sequence[tuple[Any, ...]]) -> None:
        """Give PostgreSQL all rows as one stream, for speed alone: half of what one statement for each row takes."""
        errors: Any = self._connection.dialect.loaded_dbapi
        cursor: Any = self._connection.connection.cursor()
        try:
            with cursor, cursor.copy(self._copying) as stream:
                for row in written:
                    stream.write_row(row)
        except errors.Error as fault:
            # As SQLAlchemy wraps what a statement raises.
            raise DBAPIError.instance(self._copying, None, fault, errors.Error, hide_parameters=True) from fault


def change(connection: Connection, statement: Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Carry out one statement for many rows; each row names every parameter that the statement leaves open.

    KeyError names a parameter that a row lacks. For statements that live as long as the program: each is compiled once.
    """
    if rows:
        _compiled(statement, connection.dialect).carry_out(connection, rows)


def change_apart(connection: Connection, statement: Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """As `change`, for rows each of which changes another row of the table.

    PostgreSQL is given all of them in one statement: half of what one for each takes. It takes their locks in an order
    of its own, so the caller holds them already where somebody else may want several of these rows.
    """
    if len(rows) > 1 and connection.dialect.name == "postgresql":
        _together(statement, connection.dialect).carry_out(connection, rows)
    else:
        change(connection, statement, rows)


def ask(connection: Connection, statement: AnySelect, given: Mapping[str, Any]) -> AnyRow:
    """The first row that answers a question asked all the time, its values as the driver has them.

    KeyError names a parameter that is not given, IndexError says that there is no row; no parameter may stand for a
    list.
    """
    return rows(connection, statement, given)[0]


def rows(connection: Connection, statement: AnySelect, given: Mapping[str, Any]) -> Sequence[AnyRow]:
    """The rows that answer such a question, as `ask` gives them."""
    return _compiled(statement, connection.dialect).asked(connection, given)


@lru_cache(maxsize=128)
def _compiled(statement: Update | AnySelect, dialect: Dialect) -> "_Compiled":
    return _Compiled(statement, dialect)


class _Compiled:
    """A statement as the driver takes it, and how each of its parameters is written."""

    def __init__(self, statement: Update | AnySelect, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        self._statement = str(compiled)
        self._positional = bool(compiled.positional)
        self._parameters: list[tuple[str, Convert | None, Any]] = []
        """(name, how its values are written, the value itself where the statement holds it: then the name is empty)"""
        self._names: list[str] = list(compiled.positiontup if self._positional else compiled.binds)
        for name in self._names:
            bound = compiled.binds[name]
            convert = bound.type.dialect_impl(dialect).bind_processor(dialect)
            if bound.required:
                self._parameters.append((name, convert, None))
            else:
                value = bound.effective_value
                self._parameters.append(("", None, value if convert is None else convert(value)))

    def carry_out(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        connection.exec_driver_sql(self._statement, [self._given(row) for row in rows])

    def asked(self, connection: Connection, given: Mapping[str, Any]) -> Sequence[AnyRow]:
        return connection.exec_driver_sql(self._statement, self._given(given)).all()

    def _given(self, row: Mapping[str, Any]) -> Any:
        values = tuple([self._written(row, *parameter) for parameter in self._parameters])
        return values if self._positional else dict(zip(self._names, values, strict=True))

    @staticmethod
    def _written(row: Mapping[str, Any], name: str, convert: Convert | None, value: Any) -> Any:
        if not name:
            return value
        return row[name] if convert is None else convert(row[name])


@lru_cache(maxsize=128)
def _together(statement: Update, dialect: Dialect) -> "_Together":
    return _Together(statement, dialect)


class _Together:
    """For speed alone: a statement whose parameters are columns of a table, given as one array for each of them."""

    def __init__(self, statement: Update, dialect: Dialect) -> None:
        binds = statement.compile(dialect=dialect).binds
        # Text, for a cast to a shorter type would cut what does not fit instead of refusing it.
        types = {
            name: Text() if isinstance(bound.type, String) else bound.type
            for name, bound in binds.items()
            if bound.required
        }
        arrays = [bindparam(name, type_=ARRAY(kind)) for name, kind in types.items()]
        columns = [column(name, kind) for name, kind in types.items()]
        given = func.unnest(*arrays).table_valued(*columns, name="given").render_derived(name="given")

        def from_table(element: object, **_: object) -> Any:
            return given.c[element.key] if isinstance(element, BindParameter) and element.key in types else None

        joined: Any = replacement_traverse(statement, {}, from_table)
        compiled = joined.compile(dialect=dialect)
        self._statement = str(compiled)
        self._converts = {name: kind.dialect_impl(dialect).bind_processor(dialect) for name, kind in types.items()}
        self._fixed = {name: bound.effective_value for name, bound in compiled.binds.items() if name not in types}

    def carry_out(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        arrays = {
            name: [row[name] if convert is None else convert(row[name]) for row in rows]
            for name, convert in self._converts.items()
        }
        connection.exec_driver_sql(self._statement, self._fixed | arrays)

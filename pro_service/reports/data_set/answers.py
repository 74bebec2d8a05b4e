"""The rows of `data/answers.csv`: every version of every answer that was stored by the instant."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Integer, Select, String, bindparam, case, cast, func, literal_column, select
from sqlalchemy.sql.expression import ColumnElement, type_coerce

from pro_service.exports.data_tables import labels
from pro_service.exports.tables import Cell
from pro_service.reports.data_set.frame import Frame, Member, everybody
from pro_service.store.schema import audit_trail, responses, windows
from pro_service.store.session import Session

a, r, w = audit_trail.c, responses.c, windows.c
_IDS: BindParameter[Sequence[int]] = bindparam("ids", expanding=True)
_AS_OF: BindParameter[datetime] = bindparam("as_of", type_=r.recorded_at.type)


def rows(session: Session, frame: Frame) -> Iterator[tuple[Cell, ...]]:
    """Yield the rows, cells as `exports.data_tables.answers` names them; all of a participant one after the other."""
    shape = frame.shape
    names, slugs = labels(shape), {key: item.slug for key, item in shape.items.items()}
    items = {key: place for place, key in enumerate(shape.items)}
    numbers, statement = shape.numbers, _statement(sqlite=session.get_bind().dialect.name == "sqlite")
    for members in everybody(session, frame):
        known: dict[int, Member] = {one.id: one for one in members}
        asked = {"ids": list(known), "as_of": frame.as_of}
        places = {one.id: place for place, one in enumerate(members)}
        found = session.execute(statement, asked).all()
        order = sorted(
            found, key=lambda row: (places[row[1]], numbers.get(row[2], 0), row[3], items.get(row[4], 0), row[5])
        )
        reasons = _reasons_gone(session, [one.id for one in members if one.erased])
        yield from _cells(order, known, slugs, names, reasons)


def _reasons_gone(session: Session, erased: Sequence[int]) -> frozenset[int]:
    """Return the answers of erased participants that had a typed reason; the trail still says that there was one."""
    if not erased:
        return frozenset()
    told = select(a.entity_id).where(a.participant_id.in_(erased), a.entity == "response", a.reason.is_not(None))
    return frozenset(session.scalars(told))


def _cells(
    order: Sequence[Any],
    known: dict[int, Member],
    slugs: dict[str, str],
    names: dict[tuple[str, int], str],
    reasons_gone: frozenset[int],
) -> Iterator[tuple[Cell, ...]]:
    first: dict[tuple[object, ...], str] = {}
    who = visit = None
    for row, after in zip(order, [*order[1:], None], strict=False):
        row_id, person, code, schedule, item, version, value, declined, cleared, source = row[:10]
        received, recorded, in_window, entered_by, reason, text, current, exact = row[10:]
        if (who, visit) != (person, code):
            who, visit = person, code
            first.clear()
        same = (item, exact, source, value, declined)
        carried = first.get(same) if schedule > 1 and version == 1 else None
        first.setdefault(same, recorded)
        newest = after is None or after[1:5] != row[1:5]
        yield (
            row_id,
            known[person].code,
            known[person].site,
            code,
            schedule,
            slugs[item],
            version,
            int(newest and current),
            value,
            names.get((item, value)) if value is not None else None,
            declined,
            cleared,
            source,
            None if source == "import" else received,
            recorded,
            carried,
            in_window,
            entered_by,
            int(carried is None and (bool(reason) or row_id in reasons_gone)),
            text,
        )


def _statement(*, sqlite: bool) -> Select[Any]:
    """Build the query; the database writes what the file holds, faster than this program."""

    def text(column: ColumnElement[Any]) -> ColumnElement[Any]:
        if sqlite:
            return func.substr(type_coerce(column, String), 1, 19).op("||")("Z")
        return func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')

    def number(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return type_coerce(column, Integer) if sqlite else cast(column, Integer)

    standing = w.cancelled_at.is_(None) | (w.cancelled_at > _AS_OF)
    return (
        select(r.id, r.participant_id, w.code, w.schedule, r.item, r.version, r.value)
        .add_columns(number(r.declined), number(r.cleared), r.source, text(r.received_at), text(r.recorded_at))
        .add_columns(
            number(r.in_window), case((r.entered_by.is_not(None), literal_column("'U'") + cast(r.entered_by, String)))
        )
        .add_columns(case((r.reason.is_not(None), 1), else_=0), r.inbound_id, case((standing, 1), else_=0))
        .add_columns(type_coerce(r.received_at, String) if sqlite else r.received_at)
        .join(windows, w.id == r.window_id)
        .where(r.participant_id.in_(_IDS), r.recorded_at <= _AS_OF)
    )

"""Answers given with a card say so; statisticians; questions that data managers and monitors ask about the data.

Answers that were given with a card before this stay as they were written, `web`.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
QUERIES = "queries"
WAITS = sa.text("closed_at IS NULL")
SOURCES = (
    "source IN ('sms', 'web', 'telephone', 'clinic', 'import')",
    "source IN ('sms', 'web', 'card', 'telephone', 'clinic', 'import')",
)
ROLES = (
    "role IN ('coordinator', 'assessor', 'investigator', 'data-manager', 'monitor', 'administrator')",
    "role IN ('coordinator', 'assessor', 'investigator', 'data-manager', 'monitor', 'statistician', 'administrator')",
)
AS_IT_IS: Mapping[str, str] = MappingProxyType({})


def upgrade() -> None:
    _check("responses", "source", *SOURCES)
    _check("roles", "role", *ROLES)
    _queries()


def _queries() -> None:
    op.create_table(
        QUERIES,
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("visit", sa.String(length=20), nullable=False, comment="The time point: a visit may have no window"),
        sa.Column("item", sa.String(length=40), comment="NULL = about the visit"),
        sa.Column("question", sa.Text(), nullable=False, comment="Where the sealed words are: see typed_reasons"),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("opened_by", ID, nullable=True),
        sa.Column("answer", sa.Text(), comment="Where the sealed words are; NULL = a new value answers it"),
        sa.Column("answered_at", INSTANT),
        sa.Column("answered_by", ID, nullable=True),
        sa.Column("closed_at", INSTANT),
        sa.Column("closed_by", ID, nullable=True),
        sa.CheckConstraint("answer IS NULL OR answered_at IS NOT NULL", name=op.f("ck_queries_answered_at_an_instant")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_queries_study_id_studies")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_queries_participant_id_participants")
        ),
        *(
            sa.ForeignKeyConstraint([name], ["users.id"], name=op.f(f"fk_queries_{name}_users"))
            for name in ("opened_by", "answered_by", "closed_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queries")),
        comment="Questions about one value or one visit, asked of its site; each instant is set once",
    )
    op.create_index(op.f("ix_queries_participant_id"), QUERIES, ["participant_id"])
    op.create_index("ix_queries_waiting", QUERIES, ["study_id", "id"], sqlite_where=WAITS, postgresql_where=WAITS)


def _check(table: str, column: str, before: str, after: str, read: Mapping[str, str] = AS_IT_IS) -> None:
    """Let a column take other values than before; `read` says how a column is copied, where not as it is.

    SQLite changes no constraint, so the table is made anew, with its indexes and triggers as they were. No other table
    refers to one of these.
    """
    bind, name = op.get_bind(), f"ck_{table}_{column}"
    if bind.dialect.name == "postgresql":
        op.drop_constraint(op.f(name), table, type_="check")
        op.create_check_constraint(op.f(name), table, after)
        return
    made = "SELECT type, sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY rowid"
    found = bind.exec_driver_sql(made, (table,)).all()
    definition = next(sql for kind, sql in found if kind == "table")
    if before not in definition:
        message = f"{table}: its constraint {name} is not the one that earlier migrations made"
        raise ValueError(message)
    anew = re.sub(rf'^CREATE TABLE "?{table}"?', f"CREATE TABLE {table}_anew", definition).replace(before, after)
    names = [row.name for row in bind.exec_driver_sql(f"PRAGMA table_info({table})")]
    columns = ", ".join(f'"{one}"' for one in names)
    values = ", ".join(read.get(one, f'"{one}"') for one in names)
    for statement in (
        anew,
        f"INSERT INTO {table}_anew ({columns}) SELECT {values} FROM {table}",  # noqa: S608
        f"DROP TABLE {table}",
        f"ALTER TABLE {table}_anew RENAME TO {table}",
        *(sql for kind, sql in found if kind != "table"),
    ):
        bind.exec_driver_sql(statement)


def downgrade() -> None:
    op.drop_table(QUERIES)
    # The release before knows no such role.
    op.execute("DELETE FROM roles WHERE role = 'statistician'")
    _check("roles", "role", *reversed(ROLES))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE responses DISABLE TRIGGER responses_no_update")
        op.execute("UPDATE responses SET source = 'web' WHERE source = 'card'")
        op.execute("ALTER TABLE responses ENABLE TRIGGER responses_no_update")
    # The trail goes on saying `card`: to this release such an answer differs from what was written.
    _check(
        "responses", "source", *reversed(SOURCES), read={"source": "CASE source WHEN 'card' THEN 'web' ELSE source END"}
    )

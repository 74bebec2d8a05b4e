"""Since when a telephone number or an address is a participant's; answers from mails and WhatsApp say so.

Answers that came from mails and WhatsApp before this stay as they were written, `web` and `sms`.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
SOURCES = (
    "source IN ('sms', 'web', 'card', 'telephone', 'clinic', 'import')",
    "source IN ('sms', 'web', 'card', 'email', 'whatsapp', 'telephone', 'clinic', 'import')",
)
KNOWN_BEFORE = "CASE source WHEN 'email' THEN 'web' WHEN 'whatsapp' THEN 'sms' ELSE source END"
AS_IT_IS: Mapping[str, str] = MappingProxyType({})
SINCE = """
UPDATE participants SET phone_since =
  (SELECT max(replaced_at) FROM former_telephones WHERE former_telephones.participant_id = participants.id)
WHERE id IN (SELECT participant_id FROM former_telephones)
"""


def upgrade() -> None:
    for name, what in (("phone_since", "number"), ("email_since", "address")):
        comment = f"When the {what} took the place of another, or of none; NULL = the first"
        op.add_column("participants", sa.Column(name, INSTANT, nullable=True, comment=comment))
    op.execute(SINCE)
    _source(*SOURCES)


def _source(before: str, after: str, read: Mapping[str, str] = AS_IT_IS) -> None:
    """Let an answer come from other sources than before; `read` says how a column is copied, where not as it is.

    SQLite changes no constraint, so the table is made anew, with its indexes and triggers as they were.
    """
    bind, name = op.get_bind(), "ck_responses_source"
    if bind.dialect.name == "postgresql":
        op.drop_constraint(op.f(name), "responses", type_="check")
        op.create_check_constraint(op.f(name), "responses", after)
        return
    made = "SELECT type, sql FROM sqlite_master WHERE tbl_name = 'responses' AND sql IS NOT NULL ORDER BY rowid"
    found = bind.exec_driver_sql(made).all()
    definition = next(sql for kind, sql in found if kind == "table")
    if before not in definition:
        message = f"responses: its constraint {name} is not the one that earlier migrations made"
        raise ValueError(message)
    anew = re.sub(r'^CREATE TABLE "?responses"?', "CREATE TABLE responses_anew", definition).replace(before, after)
    names = [row.name for row in bind.exec_driver_sql("PRAGMA table_info(responses)")]
    columns = ", ".join(f'"{one}"' for one in names)
    values = ", ".join(read.get(one, f'"{one}"') for one in names)
    for statement in (
        anew,
        f"INSERT INTO responses_anew ({columns}) SELECT {values} FROM responses",  # noqa: S608
        "DROP TABLE responses",
        "ALTER TABLE responses_anew RENAME TO responses",
        *(sql for kind, sql in found if kind != "table"),
    ):
        bind.exec_driver_sql(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE responses DISABLE TRIGGER responses_no_update")
        op.execute(f"UPDATE responses SET source = {KNOWN_BEFORE} WHERE source IN ('email', 'whatsapp')")  # noqa: S608
        op.execute("ALTER TABLE responses ENABLE TRIGGER responses_no_update")
    # The trail goes on saying what was written: to the release before, such an answer differs from it.
    _source(*reversed(SOURCES), read={"source": KNOWN_BEFORE})
    for name in ("phone_since", "email_since"):
        op.drop_column("participants", name)

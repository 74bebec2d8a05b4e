"""When a participant asked to be called, and in which part of the day."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
NAMES = ("asked_at", "part_of_day")


def upgrade() -> None:
    comment = "When the participant last asked for this call"
    op.add_column("escalations", sa.Column("asked_at", INSTANT, nullable=True, comment=comment))
    # With its column: SQLite adds no constraint later.
    op.execute(
        "ALTER TABLE escalations ADD COLUMN part_of_day VARCHAR(9) CONSTRAINT ck_escalations_part_of_day "
        "CHECK (part_of_day IN ('morning', 'afternoon', 'evening'))"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "COMMENT ON COLUMN escalations.part_of_day IS "
            "'In which part of the day they asked for it; NULL = at any time'"
        )
    # Until now the task of a wish was raised with it.
    op.execute("UPDATE escalations SET asked_at = raised_at WHERE reason = 'asked_for_call'")


def downgrade() -> None:
    for name in reversed(NAMES):
        op.drop_column("escalations", name)

"""Telephones that staff leave for texts about urgent tasks, with their agreement and its hours."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE = "staff_telephones"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("user_id", ID, autoincrement=False, nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False, comment="Sealed with the system's key"),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("agreed_at", INSTANT, nullable=False, comment="When its owner agreed to texts about urgent tasks"),
        sa.Column(
            "hours_from", sa.Time(), comment="Texts come at these hours of the task's site only; NULL = at any hour"
        ),
        sa.Column("hours_until", sa.Time()),
        sa.Column("ended_at", INSTANT, comment="Since when no text goes to it"),
        sa.Column("ended_for", sa.String(length=12)),
        sa.Column("message_id", ID, nullable=True),
        sa.CheckConstraint(
            "ended_for IN ('stopped', 'opted_out', 'bad_number')", name=op.f("ck_staff_telephones_ended_for")
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_for IS NULL)", name=op.f("ck_staff_telephones_ended_for_a_reason")
        ),
        sa.CheckConstraint(
            "(hours_from IS NULL) = (hours_until IS NULL)", name=op.f("ck_staff_telephones_hours_have_both_ends")
        ),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_staff_telephones_message_id_messages")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_staff_telephones_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_staff_telephones")),
        comment="Telephones of staff for urgent tasks; `message_id`: the last text that was queued to this number",
    )
    op.create_index(op.f("ix_staff_telephones_phone_index"), TABLE, ["phone_index"])


def downgrade() -> None:
    op.drop_table(TABLE)

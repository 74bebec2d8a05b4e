"""When a text of unknown fate is asked about, and what holds a way out back: pace, stop, quarantine."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
UNCERTAIN = sa.text("state = 'uncertain'")


def upgrade() -> None:
    channels = op.create_table(
        "channels",
        sa.Column("name", sa.String(length=10), nullable=False),
        sa.Column("free_at", INSTANT, nullable=True, comment="When the sender may send its next segment"),
        sa.Column("day", sa.Date(), nullable=True, comment="The UTC day that `sent` counts"),
        sa.Column("sent", sa.Integer(), server_default="0", nullable=False, comment="Segments claimed on that day"),
        sa.Column(
            "stopped_until",
            INSTANT,
            nullable=True,
            comment="The provider refuses us, not a text: nothing goes until then",
        ),
        sa.Column("stopped_by", sa.String(length=40), nullable=True, comment="The code of that refusal"),
        sa.Column(
            "quarantined_at",
            INSTANT,
            nullable=True,
            comment="The database may be older than what was sent: nothing goes",
        ),
        sa.Column("quarantine_reason", sa.String(length=40), nullable=True),
        sa.Column(
            "known_until",
            INSTANT,
            nullable=True,
            comment="In quarantine: until when this database certainly knows what was sent",
        ),
        sa.Column("pulled_until", INSTANT, nullable=True, comment="Replies up to here were fetched from the provider"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_channels")),
        comment="Each way out: its pace, what stops it, and how far the provider was asked",
    )
    op.bulk_insert(channels, [{"name": "sms"}, {"name": "email"}])
    op.add_column(
        "attempts",
        sa.Column("missed_at", INSTANT, nullable=True, comment="When the provider, asked, first did not know of it"),
    )
    op.add_column(
        "messages",
        sa.Column(
            "ask_at",
            INSTANT,
            nullable=True,
            comment="When the provider is asked next what became of an uncertain text",
        ),
    )
    # What is uncertain already is old enough to be asked about at once.
    op.execute("UPDATE messages SET ask_at = queued_at WHERE state = 'uncertain' AND channel = 'sms'")
    op.create_index(
        op.f("ix_messages_to_ask"),
        "messages",
        ["ask_at"],
        unique=False,
        sqlite_where=UNCERTAIN,
        postgresql_where=UNCERTAIN,
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_messages_to_ask"), table_name="messages")
    op.drop_column("messages", "ask_at")
    op.drop_column("attempts", "missed_at")
    op.drop_table("channels")

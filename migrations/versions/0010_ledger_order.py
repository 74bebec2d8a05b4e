"""The ledger of messages is read in the very order of its index: a tick gives thousands of texts the same instant."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NEW = "ix_messages_study_id_queued_at_id"
OLD = "ix_messages_study_id_queued_at"


def upgrade() -> None:
    op.create_index(NEW, "messages", ["study_id", "queued_at", "id"])
    op.drop_index(OLD, "messages")


def downgrade() -> None:
    op.create_index(OLD, "messages", ["study_id", "queued_at"])
    op.drop_index(NEW, "messages")

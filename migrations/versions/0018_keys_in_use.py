"""Participants by the key that wraps theirs: which keys are in use is asked whenever the service starts."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

INDEX = "ix_participants_data_key"


def upgrade() -> None:
    op.create_index(INDEX, "participants", ["data_key"])


def downgrade() -> None:
    op.drop_index(INDEX, table_name="participants")

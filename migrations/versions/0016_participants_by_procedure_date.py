"""Participants in the order of their procedure dates, and those whose procedure is to be confirmed."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

IN_ORDER = "ix_participants_study_id_procedure_date_code"
TO_CONFIRM = "ix_participants_to_confirm"
PLANNED = sa.text("confirmed_at IS NULL AND withdrawn_at IS NULL AND died_at IS NULL")


def upgrade() -> None:
    op.create_index(IN_ORDER, "participants", ["study_id", "procedure_date", "code"])
    op.create_index(
        TO_CONFIRM, "participants", ["study_id", "procedure_date"], sqlite_where=PLANNED, postgresql_where=PLANNED
    )


def downgrade() -> None:
    op.drop_index(TO_CONFIRM, table_name="participants")
    op.drop_index(IN_ORDER, table_name="participants")

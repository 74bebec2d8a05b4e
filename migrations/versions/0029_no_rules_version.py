"""Two columns that nothing ever wrote or read are gone: `rules_version` of studies and of participants."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TABLES = ("studies", "participants")


def upgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "rules_version")


def downgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("rules_version", sa.Integer(), nullable=False, server_default="0"))

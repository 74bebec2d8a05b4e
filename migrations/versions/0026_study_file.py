"""A version of a study keeps the file it was loaded from."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "protocol_versions",
        sa.Column(
            "file", sa.Text(), nullable=True, comment="The study file as it was loaded; NULL = before that was kept"
        ),
    )


def downgrade() -> None:
    op.drop_column("protocol_versions", "file")

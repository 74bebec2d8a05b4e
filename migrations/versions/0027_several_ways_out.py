"""Several ways to telephones: a text that came in says which it came by, and a provider's codes may be words."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

CAME_BY = "The way it came by, as in `channels`"
WORDS = "What it says, and everything as it came; encrypted"
AS_THEY_CAME = "All parameters as they came, encrypted"
CARRIES = "The way out that carries it (`core.providers`)"
OF_TELEPHONE = "Of the telephone; NULL = left before that was kept"


def upgrade() -> None:
    op.add_column("inbound", sa.Column("channel", sa.String(10), nullable=False, server_default="sms", comment=CAME_BY))
    op.add_column("staff_telephones", sa.Column("country", sa.String(2), nullable=True, comment=OF_TELEPHONE))
    op.execute("INSERT INTO channels (name, sent) VALUES ('verimor', 0)")
    if op.get_bind().dialect.name == "postgresql":
        # SQLite keeps any length, and no comment.
        op.alter_column("receipts", "error", type_=sa.String(40))
        op.alter_column("inbound", "raw", comment=WORDS, existing_comment=AS_THEY_CAME)
        op.alter_column("messages", "channel", comment=CARRIES)


def downgrade() -> None:
    op.execute("DELETE FROM channels WHERE name = 'verimor'")
    op.drop_column("staff_telephones", "country")
    op.drop_column("inbound", "channel")
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("receipts", "error", type_=sa.String(10))
        op.alter_column("inbound", "raw", comment=AS_THEY_CAME, existing_comment=WORDS)
        op.alter_column("messages", "channel", comment=None, existing_comment=CARRIES)

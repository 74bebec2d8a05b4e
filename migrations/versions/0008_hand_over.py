"""Tasks that one colleague hands to another, and until when somebody is away."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
PEOPLE = ("handed_to", "handed_by")
HANDED = sa.text("resolved_at IS NULL AND handed_to IS NOT NULL")


def upgrade() -> None:
    for name in PEOPLE:
        key = f"fk_escalations_{name}_users"
        if op.get_bind().dialect.name == "sqlite":
            # A constraint is added with its column or not at all there.
            op.execute(f"ALTER TABLE escalations ADD COLUMN {name} INTEGER CONSTRAINT {key} REFERENCES users (id)")
        else:
            op.add_column("escalations", sa.Column(name, ID, nullable=True))
            op.create_foreign_key(key, "escalations", "users", [name], ["id"])
    op.add_column("escalations", sa.Column("handed_at", INSTANT, nullable=True))
    op.create_index("ix_escalations_handed", "escalations", ["handed_to"], sqlite_where=HANDED, postgresql_where=HANDED)
    comment = "Not at work: tasks and mails go to the stand-in until then"
    op.add_column("users", sa.Column("away_until", INSTANT, nullable=True, comment=comment))


def downgrade() -> None:
    op.drop_column("users", "away_until")
    op.drop_index("ix_escalations_handed", table_name="escalations")
    for name in ("handed_at", *PEOPLE):
        op.drop_column("escalations", name)

"""Each telephone that wrote to us has a key of its own, which goes with its owner.

Texts that are here already stay under the installation's key until the service has sealed them anew, while it runs: a
large inbox need not keep it waiting.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE, COLUMN = "telephone_keys", "telephone_key_id"
FOREIGN = "fk_inbound_telephone_key_id_telephone_keys"
OLD = sa.text(f"{COLUMN} IS NULL")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False, comment="Random once the key is destroyed"),
        sa.Column(
            "key",
            sa.LargeBinary(),
            comment="Wrapped; destroyed when the last participant with this telephone is erased",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telephone_keys")),
        sa.UniqueConstraint("phone_index", name=op.f("uq_telephone_keys_phone_index")),
        comment="One key for each telephone that wrote to us: what came from it can be erased with its owner",
    )
    op.create_index(op.f("ix_telephone_keys_key"), TABLE, ["key"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"ALTER TABLE inbound ADD COLUMN {COLUMN} INTEGER CONSTRAINT {FOREIGN} REFERENCES {TABLE} (id)")
    else:
        op.add_column("inbound", sa.Column(COLUMN, ID, nullable=True))
        op.create_foreign_key(FOREIGN, "inbound", TABLE, [COLUMN], ["id"])
    op.create_index("ix_inbound_old_key", "inbound", ["id"], sqlite_where=OLD, postgresql_where=OLD)


def downgrade() -> None:
    # Texts that are sealed with these keys cannot be read after this.
    op.drop_index("ix_inbound_old_key", table_name="inbound")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(FOREIGN, "inbound", type_="foreignkey")
    op.drop_column("inbound", COLUMN)
    op.drop_table(TABLE)

"""Time stamps of seals by an authority outside: kept as they came, never changed."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE = "audit_timestamps"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("seal", ID, autoincrement=False, nullable=False),
        sa.Column("stored_at", INSTANT, nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False, comment="RFC 3161, over the seal's anchor as text"),
        sa.PrimaryKeyConstraint("seal", name=op.f("pk_audit_timestamps")),
        comment="What a time-stamping authority said of a seal; append-only",
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {TABLE}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{TABLE} is append-only'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {TABLE}_no_change BEFORE UPDATE OR DELETE ON {TABLE} "
            f"FOR EACH ROW EXECUTE FUNCTION {TABLE}_is_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {TABLE}_no_truncate BEFORE TRUNCATE ON {TABLE} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_is_append_only()"
        )
        return
    same = f"SELECT 1 FROM {TABLE} WHERE seal = NEW.seal"  # noqa: S608
    for name, when in (
        ("update", f"BEFORE UPDATE ON {TABLE} "),
        ("delete", f"BEFORE DELETE ON {TABLE} "),
        ("replace", f"BEFORE INSERT ON {TABLE} WHEN EXISTS ({same}) "),
    ):
        op.execute(f"CREATE TRIGGER {TABLE}_no_{name} {when}BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END")


def downgrade() -> None:
    op.drop_table(TABLE)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION {TABLE}_is_append_only()")

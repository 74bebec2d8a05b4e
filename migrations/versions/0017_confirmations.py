"""Investigators confirm versions before their texts leave; studies that are running go on without one."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE = "confirmations"


def upgrade() -> None:
    op.add_column(
        "protocol_versions",
        sa.Column(
            "marks", sa.Text(), comment="What its file calls unsettled, JSON; NULL = loaded before that was kept"
        ),
    )
    op.add_column(
        "protocol_versions",
        sa.Column(
            "ran_unconfirmed_at", INSTANT, comment="When confirmations were introduced, if its study was running then"
        ),
    )
    op.create_table(
        TABLE,
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("protocol_version_id", ID, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="Of the version, as it was read"),
        sa.Column("confirmed_at", INSTANT, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_confirmations_study_id_studies")),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"],
            ["protocol_versions.id"],
            name=op.f("fk_confirmations_protocol_version_id_protocol_versions"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_confirmations_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmations")),
        sa.UniqueConstraint("protocol_version_id", name=op.f("uq_confirmations_protocol_version_id")),
        comment="Which investigator confirmed which version, so that its texts may leave; append-only",
    )
    _append_only(TABLE)
    # Nobody signed these, so no signature is made up: what is noted is that their study was running.
    now = datetime.now(UTC)
    text = now.isoformat(timespec="microseconds")[:-6] + "Z"
    running = sa.text(
        "UPDATE protocol_versions SET ran_unconfirmed_at = :now WHERE study_id IN (SELECT study_id FROM participants)"
    )
    op.get_bind().execute(running, {"now": text if op.get_bind().dialect.name == "sqlite" else now})


def _append_only(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()"
        )
        return
    same = f"SELECT 1 FROM {table} WHERE id = NEW.id OR protocol_version_id = NEW.protocol_version_id"  # noqa: S608
    for name, when in (
        ("update", f"BEFORE UPDATE ON {table} "),
        ("delete", f"BEFORE DELETE ON {table} "),
        ("replace", f"BEFORE INSERT ON {table} WHEN EXISTS ({same}) "),
    ):
        op.execute(f"CREATE TRIGGER {table}_no_{name} {when}BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END")


def downgrade() -> None:
    op.drop_table(TABLE)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION {TABLE}_is_append_only()")
    op.drop_column("protocol_versions", "ran_unconfirmed_at")
    op.drop_column("protocol_versions", "marks")

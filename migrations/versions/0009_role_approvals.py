"""Roles wait for an investigator's word; who said that a treatment was revealed; the morning's digest."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BY = ("granted_by", "approved_by", "refused_by")
PENDING = sa.text("approved_at IS NULL AND refused_at IS NULL AND revoked_at IS NULL")
REVELATIONS = "revelations"


def upgrade() -> None:
    _approvals()
    _revelations()
    op.add_column(
        "users",
        sa.Column("digest", sa.Boolean(), server_default=sa.true(), nullable=False, comment="A mail of the day's work"),
    )
    op.add_column(
        "sites", sa.Column("digest_at", INSTANT, comment="When its staff's next digest falls due; NULL = to be found")
    )
    op.create_index(op.f("ix_sites_digest_at"), "sites", ["digest_at"])


def _approvals() -> None:
    for name, comment in (
        ("approved_at", "Since when it holds; NULL = it waits for an investigator, or was refused"),
        ("refused_at", None),
    ):
        op.add_column("roles", sa.Column(name, INSTANT, comment=comment))
    for name in BY:
        foreign = f"fk_roles_{name}_users"
        if op.get_bind().dialect.name == "sqlite":
            # In one statement: SQLite adds no constraint later, and a copy of the table would break what refers to it.
            op.execute(f"ALTER TABLE roles ADD COLUMN {name} INTEGER CONSTRAINT {foreign} REFERENCES users (id)")
        else:
            op.add_column("roles", sa.Column(name, ID, nullable=True))
            op.create_foreign_key(foreign, "roles", "users", [name], ["id"])
    # Every role so far held from when it was given.
    op.execute("UPDATE roles SET approved_at = granted_at")
    op.create_index(op.f("ix_roles_pending"), "roles", ["study_id"], sqlite_where=PENDING, postgresql_where=PENDING)


def _revelations() -> None:
    op.create_table(
        REVELATIONS,
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=True),
        sa.Column("inbound_id", ID, nullable=True),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("at", INSTANT, nullable=False, comment="When it was noted"),
        sa.Column("source", sa.String(length=8), nullable=False, comment="Where it was revealed; never what was said"),
        sa.CheckConstraint("source IN ('text', 'call', 'visit', 'other')", name=op.f("ck_revelations_source")),
        sa.CheckConstraint("(source = 'text') = (inbound_id IS NOT NULL)", name=op.f("ck_revelations_text_of_inbox")),
        sa.CheckConstraint(
            "participant_id IS NOT NULL OR inbound_id IS NOT NULL", name=op.f("ck_revelations_about_somebody")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_revelations_study_id_studies")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_revelations_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(["inbound_id"], ["inbound.id"], name=op.f("fk_revelations_inbound_id_inbound")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_revelations_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revelations")),
        sa.UniqueConstraint("inbound_id", name=op.f("uq_revelations_inbound_id")),
        comment="Each time a participant revealed the treatment: append-only, for those who lead the study",
    )
    op.create_index(op.f("ix_revelations_study_id_id"), REVELATIONS, ["study_id", "id"])
    op.create_index(op.f("ix_revelations_participant_id"), REVELATIONS, ["participant_id"])
    op.execute(
        "INSERT INTO revelations (id, study_id, participant_id, inbound_id, user_id, at, source) "
        "SELECT id, study_id, participant_id, inbound_id, user_id, at, 'text' FROM inbox_actions "
        "WHERE action = 'reveal' AND study_id IS NOT NULL"
    )
    _append_only(REVELATIONS)


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
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def downgrade() -> None:
    op.drop_index(op.f("ix_sites_digest_at"), table_name="sites")
    op.drop_column("sites", "digest_at")
    op.drop_column("users", "digest")
    op.drop_table(REVELATIONS)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION {REVELATIONS}_is_append_only()")
    # Without approvals every role that stands would hold: those that nobody approved end here.
    op.execute("UPDATE roles SET revoked_at = granted_at WHERE approved_at IS NULL AND revoked_at IS NULL")
    op.drop_index(op.f("ix_roles_pending"), table_name="roles")
    for name in (*BY, "refused_at", "approved_at"):
        op.drop_column("roles", name)

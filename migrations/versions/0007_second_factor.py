"""Staff's second factor, recovery codes, links that set a password once, and what a session knows of its person."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
STAFF = sa.text("actor_kind = 'staff'")


def upgrade() -> None:
    # Nothing could set a second factor up before: what stands there is nobody's.
    op.execute("UPDATE users SET totp = NULL, totp_step = NULL")
    for column in (
        sa.Column("totp_at", INSTANT, comment="When the second factor was set up; NULL = there is none"),
        sa.Column(
            "factor_required", sa.Boolean(), server_default=sa.false(), nullable=False, comment="Invited, or reset"
        ),
    ):
        op.add_column("users", column)
    if op.get_bind().dialect.name == "postgresql":
        comment = "Secret of the second factor, encrypted; counts once `totp_at` is set"
        op.alter_column("users", "totp", existing_type=sa.LargeBinary(), comment=comment)
    for column in (
        sa.Column("factor_at", INSTANT, comment="When the second factor was shown in this session"),
        sa.Column("confirmed_at", INSTANT, comment="When the password was last typed in this session"),
        sa.Column("agent", sa.String(60), comment="Browser and system, as far as a person needs to know theirs again"),
    ):
        op.add_column("logins", column)
    _tickets()
    _recovery_codes()
    op.create_index(
        op.f("ix_audit_trail_staff"), "audit_trail", ["actor", "id"], sqlite_where=STAFF, postgresql_where=STAFF
    )


def _tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("made_by", ID, nullable=True),
        sa.Column("purpose", sa.String(12), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token in the address"),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True, comment="Used, or replaced by a newer one"),
        sa.CheckConstraint("purpose IN ('invitation', 'reset')", name=op.f("ck_tickets_purpose")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tickets_user_id_users")),
        sa.ForeignKeyConstraint(["made_by"], ["users.id"], name=op.f("fk_tickets_made_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("token", name=op.f("uq_tickets_token")),
        comment="Links in mails to staff that set a password, once",
    )
    op.create_index(op.f("ix_tickets_user_id"), "tickets", ["user_id"])


def _recovery_codes() -> None:
    op.create_table(
        "recovery_codes",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False, comment="Keyed hash"),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True, comment="Used, or replaced by newer ones"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint("user_id", "code", name=op.f("uq_recovery_codes_user_id_code")),
        comment="In place of the second factor, each once",
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_trail_staff"), table_name="audit_trail")
    op.drop_table("recovery_codes")
    op.drop_table("tickets")
    for name in ("agent", "confirmed_at", "factor_at"):
        op.drop_column("logins", name)
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("users", "totp", existing_type=sa.LargeBinary(), comment=None)
    for name in ("factor_required", "totp_at"):
        op.drop_column("users", name)

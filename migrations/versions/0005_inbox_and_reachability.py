"""Texts that wait for a person and what people did with them; tests of whether a telephone can be reached."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
WAITS = sa.text("handed_at IS NOT NULL AND handled_at IS NULL")
OPEN = sa.text("confirmed_at IS NULL AND failed_at IS NULL")
GIVEN = {
    "OptOutMentioned": "stop_word",
    "Proxy": "proxy_answer",
    "Media": "picture",
    "WrongNumber": "wrong_number",
    "Safety": "safety_word",
    "fault": "fault",
    "unattributed": "shared_telephone",
}
"""How a text was read -> why a person has to look at it, as far as that alone tells."""


def upgrade() -> None:
    for name, comment in (
        ("handed_at", "When the rules gave it to a person"),
        ("handled_at", "When a person had dealt with it"),
    ):
        op.add_column("inbound", sa.Column(name, INSTANT, nullable=True, comment=comment))
    op.add_column("inbound", sa.Column("handed_for", sa.String(length=40), nullable=True, comment="Why to a person"))
    for reading, reason in GIVEN.items():
        op.execute(
            sa.text(
                "UPDATE inbound SET handed_at = interpreted_at, handed_for = :reason WHERE reading = :reading"
            ).bindparams(reason=reason, reading=reading)
        )
    op.create_index(op.f("ix_inbound_waits"), "inbound", ["received_at"], sqlite_where=WAITS, postgresql_where=WAITS)
    op.create_index(op.f("ix_inbound_handed_at"), "inbound", ["handed_at"])
    _actions()
    _reach()


def _actions() -> None:
    table = "inbox_actions"
    op.create_table(
        table,
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=True),
        sa.Column("inbound_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=True),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("detail", sa.String(length=80), nullable=True, comment="Which item, template or task"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "action IN ('record', 'answer', 'call', 'reveal', 'done')", name=op.f("ck_inbox_actions_action")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_inbox_actions_study_id_studies")),
        sa.ForeignKeyConstraint(["inbound_id"], ["inbound.id"], name=op.f("fk_inbox_actions_inbound_id_inbound")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_inbox_actions_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_inbox_actions_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_actions")),
        sa.UniqueConstraint("inbound_id", "action", name=op.f("uq_inbox_actions_inbound_id_action")),
        comment="What people did with a text, each thing once; append-only, also the log of texts that reveal",
    )
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


def _reach() -> None:
    op.create_table(
        "reach_tests",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("token", sa.LargeBinary(), nullable=True, comment="SHA-256 of the token in the address"),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.Column("confirmed_by", sa.String(length=10), nullable=True),
        sa.Column("failed_at", INSTANT, nullable=True),
        sa.Column("failure", sa.String(length=20), nullable=True),
        sa.CheckConstraint("confirmed_by IN ('reply', 'link', 'staff')", name=op.f("ck_reach_tests_confirmed_by")),
        sa.CheckConstraint("failure IN ('undelivered', 'unconfirmed', 'staff')", name=op.f("ck_reach_tests_failure")),
        sa.CheckConstraint("started_at < expires_at", name=op.f("ck_reach_tests_runs_forward")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_reach_tests_study_id_studies")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_reach_tests_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_reach_tests_message_id_messages")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_reach_tests_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reach_tests")),
        sa.UniqueConstraint("token", name=op.f("uq_reach_tests_token")),
        comment="Whether a text reaches a participant, tried before they leave the clinic",
    )
    op.create_index(op.f("ix_reach_tests_participant_id"), "reach_tests", ["participant_id"])
    op.create_index(
        op.f("ix_reach_tests_open"), "reach_tests", ["expires_at"], sqlite_where=OPEN, postgresql_where=OPEN
    )


def downgrade() -> None:
    op.drop_table("reach_tests")
    op.drop_table("inbox_actions")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION inbox_actions_is_append_only()")
    op.drop_index(op.f("ix_inbound_handed_at"), table_name="inbound")
    op.drop_index(op.f("ix_inbound_waits"), table_name="inbound")
    for name in ("handed_for", "handled_at", "handed_at"):
        op.drop_column("inbound", name)

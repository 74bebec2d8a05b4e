"""Who was erased, and what became of the provider's copies of their texts."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE, COPIES = "erasures", "provider_copies"
WAITS = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.add_column(
        "participants",
        sa.Column(
            "erased_at", INSTANT, comment="When contact data, texts and keys were destroyed; nothing is asked any more"
        ),
    )
    op.create_table(
        TABLE,
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("erased_at", INSTANT, nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column(
            "key_fingerprints",
            sa.Text(),
            nullable=False,
            comment="JSON: place of each destroyed key -> SHA-256 of the key",
        ),
        sa.Column("row_ids", sa.Text(), nullable=False, comment="JSON: table -> rows that were emptied or deleted"),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_erasures_study_id_studies")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_erasures_participant_id_participants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
        sa.UniqueConstraint("participant_id", name=op.f("uq_erasures_participant_id")),
        comment="Who was erased, so that an older copy of this database is erased again; append-only",
    )
    _append_only()
    op.create_table(
        COPIES,
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("provider_id", sa.String(length=64), nullable=False),
        sa.Column("next_try_at", INSTANT, nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("outcome", sa.String(length=8)),
        sa.Column("error", sa.String(length=40)),
        sa.CheckConstraint(
            "outcome IN ('deleted', 'redacted', 'unknown', 'kept')", name=op.f("ck_provider_copies_outcome")
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name=op.f("ck_provider_copies_ended_somehow")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_provider_copies_study_id_studies")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_provider_copies_participant_id_participants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_copies")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_provider_copies_provider_id")),
        comment="The provider's copies of texts of erased people, and what became of each",
    )
    op.create_index(op.f("ix_provider_copies_participant_id"), COPIES, ["participant_id"])
    op.create_index("ix_provider_copies_due", COPIES, ["next_try_at"], sqlite_where=WAITS, postgresql_where=WAITS)


def _append_only() -> None:
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
    same = f"SELECT 1 FROM {TABLE} WHERE id = NEW.id OR participant_id = NEW.participant_id"  # noqa: S608
    for name, when in (
        ("update", f"BEFORE UPDATE ON {TABLE} "),
        ("delete", f"BEFORE DELETE ON {TABLE} "),
        ("replace", f"BEFORE INSERT ON {TABLE} WHEN EXISTS ({same}) "),
    ):
        op.execute(f"CREATE TRIGGER {TABLE}_no_{name} {when}BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END")


def downgrade() -> None:
    op.drop_table(COPIES)
    op.drop_table(TABLE)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION {TABLE}_is_append_only()")
    op.drop_column("participants", "erased_at")

"""Staff ask for the erasure of a participant, and an investigator decides."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE = "erasure_requests"
WAITS = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("asked_by", ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="Where the sealed words are: see typed_reasons"),
        sa.Column("ended_at", INSTANT, comment="NULL = it waits for an investigator"),
        sa.Column("ended_by", ID, nullable=True),
        sa.Column("outcome", sa.String(length=9)),
        sa.Column("answer", sa.Text(), comment="Why it was refused: where the sealed words are"),
        sa.CheckConstraint("outcome IN ('erased', 'refused', 'withdrawn')", name=op.f("ck_erasure_requests_outcome")),
        sa.CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name=op.f("ck_erasure_requests_ended_somehow")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_erasure_requests_study_id_studies")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_erasure_requests_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["users.id"], name=op.f("fk_erasure_requests_asked_by_users")),
        sa.ForeignKeyConstraint(["ended_by"], ["users.id"], name=op.f("fk_erasure_requests_ended_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_requests")),
        comment="Staff ask for the erasure of a participant, and an investigator decides; at most one waits for each",
    )
    op.create_index(
        "ix_erasure_requests_open",
        TABLE,
        ["participant_id"],
        unique=True,
        sqlite_where=WAITS,
        postgresql_where=WAITS,
    )


def downgrade() -> None:
    op.drop_table(TABLE)

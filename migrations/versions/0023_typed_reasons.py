"""Reasons that people type about a participant are sealed with the participant's key."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE = "typed_reasons"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False, comment="Random bytes and what was typed, encrypted"),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_typed_reasons_study_id_studies")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_typed_reasons_participant_id_participants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_typed_reasons")),
        comment="Reasons that people typed: rows of other tables hold a reference and a hash in their place",
    )
    op.create_index(op.f("ix_typed_reasons_participant_id"), TABLE, ["participant_id"])


def downgrade() -> None:
    # Reasons that are sealed there cannot be read after this.
    op.drop_table(TABLE)

"""Longer codes on cards: a short one works on beside the long one that is printed for it, until that one is used."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ONE = "uq_entry_codes_participant_id"
ONE_OF_A_LENGTH = "uq_entry_codes_participant_id_signs"


def upgrade() -> None:
    op.add_column(
        "entry_codes",
        sa.Column(
            "signs",
            sa.Integer(),
            nullable=False,
            server_default="8",
            comment="How long it is: 12, or 8 on a card of an earlier release",
        ),
    )
    with op.batch_alter_table("entry_codes") as codes:
        codes.alter_column("signs", existing_type=sa.Integer(), server_default=None)
        codes.drop_constraint(ONE, type_="unique")
        codes.create_unique_constraint(ONE_OF_A_LENGTH, ["participant_id", "signs"])
    # Whether there are short ones is asked whenever one is typed, and there will be none.
    op.create_index("ix_entry_codes_signs", "entry_codes", ["signs", "study_id"])


def downgrade() -> None:
    # The release before reads eight signs alone: where there are two codes, the short one is the one that works.
    op.execute(
        "DELETE FROM entry_codes WHERE signs > 8 AND participant_id IN "
        "(SELECT participant_id FROM entry_codes WHERE signs = 8)"
    )
    op.drop_index("ix_entry_codes_signs", table_name="entry_codes")
    with op.batch_alter_table("entry_codes") as codes:
        codes.drop_constraint(ONE_OF_A_LENGTH, type_="unique")
        codes.create_unique_constraint(ONE, ["participant_id"])
        codes.drop_column("signs")

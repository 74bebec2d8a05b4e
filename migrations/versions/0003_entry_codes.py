"""A personal code on each participant's card, and how often a wrong one may be typed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    op.create_table(
        "entry_codes",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column(
            "code",
            sa.LargeBinary(),
            nullable=False,
            comment="Encrypted, so that the card can be printed again",
        ),
        sa.Column(
            "code_index",
            sa.LargeBinary(),
            nullable=False,
            comment="Keyed hash, by which it is found",
        ),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_entry_codes_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_entry_codes_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry_codes")),
        sa.UniqueConstraint("code_index", name=op.f("uq_entry_codes_code_index")),
        sa.UniqueConstraint("participant_id", name=op.f("uq_entry_codes_participant_id")),
        comment="The personal code on each participant's card; a new one takes the old one's place",
    )
    tries = op.create_table(
        "entry_tries",
        sa.Column(
            "place",
            sa.LargeBinary(),
            nullable=False,
            comment="Keyed hash of a network address, or a name for many",
        ),
        sa.Column("owed_until", INSTANT, nullable=True, comment="Until when the wrong codes so far are paid off"),
        sa.Column("served_at", INSTANT, nullable=True, comment="When a right code last came from there"),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_entry_tries")),
        comment="How much guessing is left to each address, and to all of them together",
    )
    op.create_index("ix_entry_tries_owed_until", "entry_tries", ["owed_until"], unique=False)
    # The rows of all addresses together are taken by every try, so they are there from the beginning.
    op.bulk_insert(tries, [{"place": b"everybody"}, {"place": b"acquainted"}])


def downgrade() -> None:
    op.drop_table("entry_tries")
    op.drop_table("entry_codes")

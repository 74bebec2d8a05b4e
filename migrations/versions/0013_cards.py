"""Whether a participant has a card: when it was made, and when it was handed over."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
DUE = sa.text("channel = 'sms-card' AND card_handed_at IS NULL")
COLUMNS = {
    "card_made_at": "When the code on their card was made; NULL = there is no card",
    "card_handed_at": "When the card was handed over: as staff say, or by its first use",
}


def upgrade() -> None:
    for name, comment in COLUMNS.items():
        op.add_column("participants", sa.Column(name, INSTANT, nullable=True, comment=comment))
    op.execute(
        "UPDATE participants SET card_made_at = "
        "(SELECT c.made_at FROM entry_codes c WHERE c.participant_id = participants.id)"
    )
    # A form that no text opened was opened by the card: it is in its participant's hands.
    op.execute(
        "UPDATE participants SET card_handed_at = (SELECT min(l.created_at) FROM links l "
        "WHERE l.participant_id = participants.id AND l.message_id IS NULL) WHERE card_made_at IS NOT NULL"
    )
    op.drop_column("entry_codes", "made_at")
    op.create_index(
        "ix_participants_card_due", "participants", ["study_id", "code"], sqlite_where=DUE, postgresql_where=DUE
    )
    # Without a card or a number somebody is to be told now, and not when the next text would have been due.
    op.execute(
        "UPDATE participants SET look_at = enrolled_at WHERE withdrawn_at IS NULL AND died_at IS NULL "
        "AND (phone IS NULL OR (channel = 'sms-card' AND card_made_at IS NULL))"
    )


def downgrade() -> None:
    op.drop_index("ix_participants_card_due", table_name="participants")
    op.add_column("entry_codes", sa.Column("made_at", INSTANT, nullable=True))
    op.execute(
        "UPDATE entry_codes SET made_at = "
        "(SELECT p.card_made_at FROM participants p WHERE p.id = entry_codes.participant_id)"
    )
    with op.batch_alter_table("entry_codes") as codes:
        codes.alter_column("made_at", existing_type=INSTANT, nullable=False)
    for name in COLUMNS:
        op.drop_column("participants", name)

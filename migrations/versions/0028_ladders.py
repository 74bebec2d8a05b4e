"""Ladders: a participant's further channels, and consent and reach of mails and of WhatsApp messages."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TEXTS = "Consent to texts; NULL = none by SMS"
MESSAGES = "Consent to messages; NULL = calls only"
REFUSED = "Wrong number, or texts to it refused for good by the provider"
WRONG = "Wrong number, or refused for good by the provider"
CARD = "channel = 'sms-card'"
LADDER = "(channel = 'sms-card' OR channel_2 = 'sms-card' OR channel_3 = 'sms-card')"


def upgrade() -> None:
    for name, kind, comment in (
        ("channel_2", sa.String(20), "Asks where the first channel leads nowhere"),
        ("channel_3", sa.String(20), "Asks where those before it lead nowhere"),
        ("email_consented_at", _instant(), "Consent to mails; NULL = none"),
        ("email_unreachable_at", _instant(), "Since when the address takes no mails"),
        ("whatsapp_consented_at", _instant(), "Consent to WhatsApp messages; NULL = none"),
        ("whatsapp_unreachable_at", _instant(), "Since when the telephone is not reached by WhatsApp"),
    ):
        op.add_column("participants", sa.Column(name, kind, nullable=True, comment=comment))
    op.execute("INSERT INTO channels (name, sent) VALUES ('email-link', 0), ('whatsapp', 0)")
    _card_due(LADDER)
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("participants", "consented_at", comment=TEXTS, existing_comment=MESSAGES)
        op.alter_column("participants", "unreachable_at", comment=REFUSED, existing_comment=WRONG)


def downgrade() -> None:
    _card_due(CARD)
    op.execute("DELETE FROM channels WHERE name IN ('email-link', 'whatsapp')")
    for name in ("channel_2", "channel_3", "email_consented_at", "email_unreachable_at"):
        op.drop_column("participants", name)
    for name in ("whatsapp_consented_at", "whatsapp_unreachable_at"):
        op.drop_column("participants", name)
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("participants", "consented_at", comment=MESSAGES, existing_comment=TEXTS)
        op.alter_column("participants", "unreachable_at", comment=WRONG, existing_comment=REFUSED)


def _card_due(whose: str) -> None:
    where = sa.text(f"{whose} AND card_handed_at IS NULL")
    op.drop_index("ix_participants_card_due", "participants")
    op.create_index(
        "ix_participants_card_due",
        "participants",
        ["study_id", "code"],
        sqlite_where=where,
        postgresql_where=where,
    )


def _instant() -> sa.types.TypeEngine[object]:
    """Timestamp with time zone on PostgreSQL; 27 characters of text on SQLite."""
    return sa.DateTime(timezone=True) if op.get_bind().dialect.name == "postgresql" else sa.String(27)

"""Mails about somebody's account: a link that sets a password once, and a notice of what was changed.

Apart from the words (`mails`), which `transaction` needs for alerts: a transaction cannot need what needs transactions.
"""

import secrets
from datetime import timedelta

from pro_service.store.staff import accounts, links
from pro_service.store.staff.links import Purpose
from pro_service.store.vault import token_hash
from pro_service.use_cases import mails
from pro_service.use_cases.transaction import Transaction

TOKEN_BYTES = 24
LASTS: dict[Purpose, timedelta] = {"invitation": timedelta(days=7), "reset": timedelta(hours=1)}
"""How long a link works."""


def queue_link(tx: Transaction, user_id: int, purpose: Purpose) -> str:
    """Make a link that sets a password once, queue the mail with it where mails can be sent, and return its address."""
    token, until = secrets.token_urlsafe(TOKEN_BYTES), tx.now + LASTS[purpose]
    ticket_id = links.make(tx.writer, user_id, purpose, token_hash(token), until)
    # The mail's row refers to the user, who may be new, and their language is read from the database.
    tx.write_now()
    address = f"{tx.rt.settings.public_base_url}/welcome/{token}"
    if tx.rt.mail is not None:
        body = mails.link(_language(tx, user_id), purpose, address, until)
        links.queue_mail(tx.writer, user_id, purpose, f"t:{ticket_id}", body, until)
    return address


def queue_notice(tx: Transaction, user_id: int, what: str) -> None:
    """Queue a notice of what was changed about somebody's account, in case it was somebody else who changed it."""
    if tx.rt.mail is not None:
        body = mails.notice(_language(tx, user_id), what, tx.rt.settings.public_base_url)
        links.queue_mail(tx.writer, user_id, "notice", f"n:{next(tx.writer.ids)}", body)


def _language(tx: Transaction, user_id: int) -> str:
    found = accounts.account_of(tx.session, user_id)
    return mails.DEFAULT if found is None else found.language or mails.DEFAULT

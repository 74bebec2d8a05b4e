"""Mails to staff about their own accounts: a link that sets a password once, and what was changed."""

import secrets
from datetime import timedelta

from pro_service.runtime import Runtime
from pro_service.store.participants.writer import Writer
from pro_service.store.staff import accounts, links
from pro_service.store.staff.links import Purpose
from pro_service.store.vault import token_hash
from pro_service.use_cases import letters

TOKEN_BYTES = 24
LASTS: dict[Purpose, timedelta] = {"invitation": timedelta(days=7), "reset": timedelta(hours=1)}


def link(rt: Runtime, writer: Writer, user_id: int, purpose: Purpose) -> str:
    """Make a link that sets a password once, and mail it where mails can be sent; gives its address.

    Flushes: the mail's row refers to the user's and the ticket's.
    """
    token, until = secrets.token_urlsafe(TOKEN_BYTES), writer.now + LASTS[purpose]
    ticket_id = links.make(writer, user_id, purpose, token_hash(token), until)
    writer.flush()
    address = f"{rt.settings.public_base_url}/welcome/{token}"
    if rt.mail is not None:
        body = letters.link(_language(writer, user_id), purpose, address, until)
        links.queue_mail(writer, user_id, purpose, f"t:{ticket_id}", body, until)
    return address


def notice(rt: Runtime, writer: Writer, user_id: int, what: str) -> None:
    """Tell somebody what was changed about their account: if it was not they, somebody should know."""
    if rt.mail is not None:
        body = letters.notice(_language(writer, user_id), what, rt.settings.public_base_url)
        links.queue_mail(writer, user_id, "notice", f"n:{next(writer.ids)}", body)


def _language(writer: Writer, user_id: int) -> str:
    found = accounts.account_of(writer.session, user_id)
    return letters.DEFAULT if found is None else found.language or letters.DEFAULT

"""People's mailboxes: a mail relay played on this machine, and pages on which its mails are read.

A mail program's own button is played too: where a mail names an address that ends such mails (List-Unsubscribe, RFC
8058), it calls that by POST.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import islice
from threading import Lock

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Blueprint, abort, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from pro_service.simulator.faults import Dice, Fate
from pro_service.simulator.postman import Postman

NOBODY = "nobody@"
"""Addresses that begin so have no mailbox: the relay refuses them."""
LATER = "451 4.3.0 try again later"
LARGEST_MAIL = 1024 * 1024
_MOST_SHOWN = 200
_STOP = re.compile(r"<(https?://[^>]+)>")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as its reader sees it."""

    number: int
    to: str
    sender: str
    subject: str
    body: str
    message_id: str
    at: datetime
    stop: str = ""
    """What the mail program calls when its reader wants no more of these mails."""


# Without slots: aiosmtpd looks at every attribute of its handler, and before Python 3.11.3 (Debian 12 has 3.11.2) a
# dataclass with slots has a __weakref__ that cannot be looked at.
@dataclass
class Mailboxes:
    """All mails, the newest `keep` of them. A mail that comes a second time (its Message-ID) is one mail."""

    clock: Callable[[], datetime]
    postman: Postman
    dice: Dice
    keep: int = 20_000
    _mails: deque[Mail] = field(default_factory=deque)
    _known: set[tuple[str, str]] = field(default_factory=set)
    _number: int = 0
    _lock: Lock = field(default_factory=Lock)

    async def handle_RCPT(  # noqa: N802 -- as aiosmtpd asks
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take an address, unless it has no mailbox."""
        if address.startswith(NOBODY):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep one mail; on a bad day refuse it for now, answer late, or say nothing of having kept it."""
        fate = self.dice.fate()
        if fate in (Fate.TOO_MANY_REQUESTS, Fate.UNAVAILABLE):
            return LATER
        if fate is Fate.LATE_ACCEPT:
            await asyncio.sleep(self.dice.faults.hang_seconds)
        letter = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        if isinstance(letter, EmailMessage):
            for address in envelope.rcpt_tos:
                self._keep(address, letter)
        if fate is Fate.ACCEPT_THEN_HANG:
            await asyncio.sleep(self.dice.faults.hang_seconds)
        return LATER if fate is Fate.ACCEPT_THEN_500 else "250 OK"

    def _keep(self, address: str, letter: EmailMessage) -> None:
        body, stop = letter.get_body(("plain",)), _STOP.search(str(letter["List-Unsubscribe"] or ""))
        with self._lock:
            self._number += 1
            mail = Mail(
                number=self._number,
                to=address.lower(),
                sender=str(letter["From"] or ""),
                subject=str(letter["Subject"] or ""),
                body="" if body is None else str(body.get_content()).strip(),
                message_id=str(letter["Message-ID"] or ""),
                at=self.clock(),
                stop="" if stop is None or letter["List-Unsubscribe-Post"] is None else stop[1],
            )
            known = (mail.to, mail.message_id)
            if known in self._known:
                return
            self._known.add(known)
            self._mails.appendleft(mail)
            while len(self._mails) > self.keep:
                oldest = self._mails.pop()
                self._known.discard((oldest.to, oldest.message_id))

    def mails(self, address: str = "", most: int = _MOST_SHOWN) -> list[Mail]:
        """Return the newest mails, of one mailbox or of all, the newest first."""
        with self._lock:
            found = (mail for mail in self._mails if address in ("", mail.to))
            return list(islice(found, most))

    def addresses(self) -> list[tuple[str, Mail]]:
        """Return each mailbox with its newest mail, the newest first."""
        newest: dict[str, Mail] = {}
        for mail in self.mails():
            newest.setdefault(mail.to, mail)
        return list(newest.items())

    def unsubscribe(self, mail: Mail) -> bool:
        """Press the mail program's button; whether the study took it."""
        return self.postman.press(mail.stop, {"List-Unsubscribe": "One-Click"})


def listening(boxes: Mailboxes, host: str, port: int) -> Controller:
    """Return a running relay; OSError where the port is taken. `stop()` ends it."""
    relay = Controller(boxes, hostname=host, port=port, data_size_limit=LARGEST_MAIL)
    relay.start()
    return relay


def create_mailboxes(boxes: Mailboxes) -> Blueprint:
    """Make the pages of the mailboxes, and their JSON view."""
    pages = Blueprint("mailboxes", __name__, url_prefix="/mailboxes")

    @pages.get("/")
    def overview() -> ResponseReturnValue:
        return _page(boxes, "")

    @pages.get("/<address>")
    def mailbox(address: str) -> ResponseReturnValue:
        return _page(boxes, address.lower())

    @pages.post("/<address>/<int:number>/unsubscribe")
    def unsubscribe(address: str, number: int) -> ResponseReturnValue:
        mail = next((one for one in boxes.mails(address.lower()) if one.number == number and one.stop), None)
        if mail is None:
            abort(404, "There is no such mail, or it names no address that ends it.")
        if not boxes.unsubscribe(mail):
            abort(502, "The study did not take it.")
        return redirect(url_for("mailboxes.mailbox", address=address, ended=number), 303)

    @pages.get("/all.json")
    def as_json() -> ResponseReturnValue:
        return jsonify(
            [
                {
                    "to": mail.to,
                    "subject": mail.subject,
                    "body": mail.body,
                    "message_id": mail.message_id,
                    "stop": mail.stop,
                    "at": f"{mail.at:%Y-%m-%dT%H:%M:%SZ}",
                }
                for mail in boxes.mails(most=boxes.keep)
            ]
        )

    return pages


def _page(boxes: Mailboxes, address: str) -> str:
    addresses = boxes.addresses()
    shown = address or (addresses[0][0] if addresses else "")
    return render_template(
        "mailboxes.html", addresses=addresses, chosen=address, shown=shown, mails=boxes.mails(shown) if shown else []
    )

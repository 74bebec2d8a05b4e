"""E-mail through an SMTP relay, with one Message-ID however often it is tried.

To staff in plain text; to participants in simple HTML too, with the address that ends their mails at one press in their
mail program (List-Unsubscribe, RFC 2369 and 8058: the relay's DKIM signature has to cover both headers).
"""

import re
import smtplib
import ssl
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Literal

from pro_service.core.addresses import is_this_machine
from pro_service.gateways.email_codes import KINDS
from pro_service.gateways.kinds import Kind
from pro_service.gateways.outgoing import Accepted, GatewayError, Outgoing, Refused, Unavailable, Uncertain

IMPLICIT_TLS_PORT = 465
TIMEOUT_SECONDS = 20.0

_STATUS = re.compile(r"5\.(\d{1,3})\.\d")
LONGEST_LINE = 998
"""Characters of a line (RFC 5322)."""
_PERMANENT = 500
_GOOD = range(200, 300)
_ADDRESS = re.compile(r"https?://[^\s<>]*[^\s<>.,;:!?)]")
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9.-]+")


class EmailGateway:
    """One SMTP conversation a mail. TLS from the first byte on port 465, else STARTTLS where it is offered.

    A mail has no list to ask about later, so an uncertain one is sent again under the same Message-ID and the
    receiving side recognises it.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        mail_from: str,
        username: str | None = None,
        password: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        clock: Callable[[], datetime] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Keep where the relay is. `clock` dates the mails (else the relay does); `timeout` in seconds."""
        self._host, self._port, self._timeout = host, port, timeout
        self._mail_from, self._clock = mail_from, clock
        self._credentials = (username, password or "") if username else None
        self._tls = tls or ssl.create_default_context()

    def send(self, outgoing: Outgoing) -> Accepted:
        """Hand one mail to the relay; the sid is its Message-ID. Raise Refused, Unavailable or Uncertain."""
        letter = self._letter(outgoing)
        relay = self._connected()
        try:
            self._signed_in(relay)
            self._addressed(relay, outgoing.to)
            _handed_over(relay, letter)
        except (smtplib.SMTPException, OSError) as fault:
            # Nothing but the envelope was said so far. `from None`: the relay's words may name the address.
            raise _sorted_out(getattr(fault, "smtp_code", None), "configuration") from None
        finally:
            relay.close()  # not QUIT: a relay that is slow to say goodbye has still taken the mail
        return Accepted(str(letter["Message-ID"]), "accepted")

    def _letter(self, outgoing: Outgoing) -> EmailMessage:
        # An address in a header is never broken over two lines: mail programs would not find it.
        letter = EmailMessage(policy=SMTP.clone(max_line_length=LONGEST_LINE))
        try:
            letter["From"], letter["To"] = self._mail_from, outgoing.to
            letter["Subject"] = outgoing.subject or ""
        except ValueError:  # a line break where a header is: somebody tries to write headers of their own
            raise Refused(kind="template") from None
        domain = parseaddr(self._mail_from)[1].rpartition("@")[2] or "localhost"
        # A colon ends what mail programs read of an id: two references would become one.
        stem = _NOT_IN_AN_ID.sub(".", outgoing.reference or str(outgoing.message_id))
        letter["Message-ID"] = f"<{stem}@{domain}>"
        if self._clock is not None:
            letter["Date"] = format_datetime(self._clock())
        letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notices in answer
        letter.set_content(outgoing.body, charset="utf-8")
        if outgoing.unsubscribe:
            letter["List-Unsubscribe"] = f"<{outgoing.unsubscribe}>"
            letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
            letter.add_alternative(_html(outgoing.body), subtype="html", charset="utf-8")
        return letter

    def _connected(self) -> smtplib.SMTP:
        try:
            if self._port == IMPLICIT_TLS_PORT:
                return smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=self._tls)
            return smtplib.SMTP(self._host, self._port, timeout=self._timeout)
        except smtplib.SMTPResponseException as answer:
            raise Unavailable(answer.smtp_code) from None
        except (smtplib.SMTPException, OSError):
            raise Unavailable from None

    def _signed_in(self, relay: smtplib.SMTP) -> None:
        relay.ehlo_or_helo_if_needed()
        private = self._port == IMPLICIT_TLS_PORT or is_this_machine(self._host)
        if self._port != IMPLICIT_TLS_PORT and relay.has_extn("starttls"):
            relay.starttls(context=self._tls)
            relay.ehlo()
            private = True
        if self._credentials is None:
            return
        if not private:  # never a password in the clear, even if somebody removed STARTTLS
            raise Refused(kind="configuration")
        try:
            relay.login(*self._credentials)
        except smtplib.SMTPNotSupportedError:
            raise Refused(kind="configuration") from None
        except smtplib.SMTPAuthenticationError as answer:
            raise _sorted_out(answer.smtp_code, "credentials") from None

    def _addressed(self, relay: smtplib.SMTP, to: str) -> None:
        if not to.isascii():  # would need SMTPUTF8 all the way
            raise Refused("NO_MAILBOX", KINDS["NO_MAILBOX"])
        code, _ = relay.mail(parseaddr(self._mail_from)[1])
        if code not in _GOOD:
            raise _sorted_out(code, "configuration")
        code, reply = relay.rcpt(to)
        if code not in _GOOD:
            raise _of_address(code, reply)


def _html(text: str) -> str:
    """Return a mail's words as simple HTML: each paragraph, and what is an address as a link; no picture, no style."""
    written = _ADDRESS.sub(r'<a href="\g<0>">\g<0></a>', escape(text.strip()))
    paragraphs = (part.replace("\n", "<br>\n") for part in re.split(r"\n{2,}", written))
    return "<!doctype html>\n<html><body>\n" + "\n".join(f"<p>{part}</p>" for part in paragraphs) + "\n</body></html>\n"


def _handed_over(relay: smtplib.SMTP, letter: EmailMessage) -> None:
    try:
        code, reply = relay.data(letter.as_bytes())
    except smtplib.SMTPDataError as answer:  # said no before the text began
        raise _sorted_out(answer.smtp_code, "template") from None
    except (smtplib.SMTPException, OSError):
        raise Uncertain from None
    if code in _GOOD:
        return
    if _STATUS.match(reply.decode("ascii", "replace")):
        # Many look for the mailbox only now.
        raise _of_address(code, reply, "template")
    raise _sorted_out(code, "template")


def _of_address(code: int, reply: bytes, else_kind: Kind | None = None) -> GatewayError:
    """Return the error for an address that the relay does not take: there is no such mailbox, or it may not have this.

    The enhanced status tells the two apart (RFC 3463: 5.1 and 5.2 are of the address and the mailbox); without one the
    reply is taken to mean the mailbox, as RFC 5321 has it. `else_kind`: what anything else is, if not of the address.
    """
    if code < _PERMANENT:
        return Unavailable(code)
    status = _STATUS.match(reply.decode("ascii", "replace"))
    of_mailbox = status is None or status[1] in ("1", "2")
    if not of_mailbox and else_kind is not None:
        return Refused(code, else_kind)
    word: Literal["NO_MAILBOX", "ADDRESS_REFUSED"] = "NO_MAILBOX" if of_mailbox else "ADDRESS_REFUSED"
    return Refused(word, KINDS[word])


def _sorted_out(code: int | None, kind: Kind) -> GatewayError:
    """Return the error for an SMTP reply (RFC 5321, 4.2.1).

    4xx may be tried again, 5xx may not; no reply is a lost connection.
    """
    if code is not None and code >= _PERMANENT:
        return Refused(code, kind)
    return Unavailable(code)

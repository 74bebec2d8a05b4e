"""A real SMTP host that keeps what it is given."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.peers import servers


@dataclass
class MailHost:
    """A running host. `answer` is what it says to the next messages: put a 4xx or 5xx there to have them refused."""

    host: str = "127.0.0.1"
    port: int = field(default_factory=servers.free_port)
    answer: str = "250 OK"
    at_rcpt: bool = False
    """It says so to the address already, not to the words."""
    hangs_up: bool = False
    """It keeps a message, and is gone before it says so."""
    received: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Say whether there is such an address."""
        if self.at_rcpt:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep one message, as aiosmtpd asks."""
        if self.answer.startswith("2"):
            message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
            if isinstance(message, EmailMessage):
                self.received.append(message)
            self.recipients.extend(envelope.rcpt_tos)
        if self.hangs_up and server.transport is not None:
            server.transport.close()
        return self.answer


@contextmanager
def running() -> Iterator[MailHost]:
    """Run a mail host while the block runs."""
    kept = MailHost()
    controller = Controller(kept, hostname=kept.host, port=kept.port)
    controller.start()
    try:
        yield kept
    finally:
        controller.stop()

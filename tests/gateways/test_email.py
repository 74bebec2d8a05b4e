"""E-mail through a real SMTP host, and through hosts that refuse, hang and disappear."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from pro_service.gateways.email import EmailGateway
from pro_service.gateways.outgoing import Accepted, GatewayError, Outgoing, Refused, Unavailable, Uncertain
from tests.peers.mail import MailHost
from tests.peers.servers import free_port

NOON = datetime(2026, 1, 20, 12, tzinfo=UTC)
ALERT = Outgoing(
    5,
    "coordinator@example.org",
    "P-001 · week 2: görüşme gerekli\nhttps://pro.example.org/participants/P-001",
    subject="P-001 · week 2 · missed",
    reference="alert-5",
)


def gateway(port: int, *, credentials: tuple[str, str] | None = None, timeout: float = 5.0) -> EmailGateway:
    return EmailGateway(
        "127.0.0.1",
        port,
        mail_from="PRO Service <pro@clinic.example.org>",
        clock=lambda: NOON,
        username=credentials and credentials[0],
        password=credentials and credentials[1],
        timeout=timeout,
    )


def outcome(sender: EmailGateway, mail: Outgoing = ALERT) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        sender.send(mail)
    return caught.value


def test_a_mail_arrives_whole(mail_host: MailHost) -> None:
    accepted = gateway(mail_host.port).send(ALERT)
    mail = mail_host.received[0]
    assert accepted == Accepted("<alert-5@clinic.example.org>", "accepted")
    assert mail["Message-ID"] == accepted.sid
    assert (mail["Subject"], mail["To"]) == (ALERT.subject, ALERT.to)
    assert mail["From"] == "PRO Service <pro@clinic.example.org>"
    assert mail["Date"].datetime == NOON
    assert mail.get_content().splitlines() == ALERT.body.splitlines()
    assert mail.get_content_type() == "text/plain"


def test_a_second_try_is_the_same_mail(mail_host: MailHost) -> None:
    for _ in range(2):
        gateway(mail_host.port).send(ALERT)
    assert len({mail["Message-ID"] for mail in mail_host.received}) == 1


def test_a_passing_no_is_unavailable(mail_host: MailHost) -> None:
    mail_host.answer = "451 try again later"
    error = outcome(gateway(mail_host.port))
    assert isinstance(error, Unavailable)
    assert error.code == 451


def test_a_lasting_no_is_refused(mail_host: MailHost) -> None:
    mail_host.answer = "554 coordinator@example.org: not this text"
    error = outcome(gateway(mail_host.port))
    assert isinstance(error, Refused)
    assert (error.code, error.kind) == (554, "template")
    assert "coordinator" not in f"{error}{error!r}"


def test_nobody_there_is_unavailable() -> None:
    assert isinstance(outcome(gateway(free_port())), Unavailable)


@pytest.mark.parametrize("subject", ["P-001\nBcc: everybody@example.org", "P-001\r\nX: y"])
def test_a_subject_cannot_write_headers(mail_host: MailHost, subject: str) -> None:
    error = outcome(gateway(mail_host.port), Outgoing(1, ALERT.to, "text", subject=subject))
    assert isinstance(error, Refused)
    assert mail_host.received == []


@contextmanager
def conversation(*said: bytes, then: Callable[[socket.socket], None]) -> Iterator[int]:
    """Listen once; say each line when its turn comes, then do something with the connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as heard:
                for line in said:
                    connection.sendall(line)
                    heard.readline()
                then(connection)

        thread = Thread(target=talk)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


def hang_until_gone(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


UP_TO_DATA = (b"220 hi\r\n", b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n")


def test_silence_after_the_text_is_uncertain() -> None:
    with conversation(*UP_TO_DATA, b"354 go on\r\n", then=hang_until_gone) as port:
        assert isinstance(outcome(gateway(port, timeout=0.3)), Uncertain)


def test_a_connection_lost_with_the_text_is_uncertain() -> None:
    with conversation(*UP_TO_DATA, b"354 go on\r\n", then=lambda _: None) as port:
        assert isinstance(outcome(gateway(port)), Uncertain)


def test_silence_before_the_text_is_unavailable() -> None:
    with conversation(b"220 hi\r\n", b"250 hi\r\n", then=hang_until_gone) as port:
        assert isinstance(outcome(gateway(port, timeout=0.3)), Unavailable)


@pytest.mark.parametrize("greeting", [b"421 too busy\r\n", b"554 go away\r\n"])
def test_a_host_that_is_not_ready_is_unavailable(greeting: bytes) -> None:
    with conversation(greeting, then=lambda _: None) as port:
        assert isinstance(outcome(gateway(port)), Unavailable)


class Strict:
    """A host that knows one mailbox."""

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address != ALERT.to:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@contextmanager
def host(**options: Any) -> Iterator[int]:
    controller = Controller(Strict(), hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def test_an_unknown_mailbox_is_a_bad_address() -> None:
    with host() as port:
        error = outcome(gateway(port), Outgoing(1, "nobody@example.org", "text", subject="s"))
    assert isinstance(error, Refused)
    assert (error.code, error.kind) == ("NO_MAILBOX", "bad_number")


@pytest.mark.parametrize(
    "said, code, kind",
    [
        ("550 5.1.1 nobody@example.org: no such user", "NO_MAILBOX", "bad_number"),
        ("552 5.2.2 mailbox full for good", "NO_MAILBOX", "bad_number"),
        # The relay's own rules say nothing of the mailbox: nobody is unreachable for them.
        ("550 5.7.1 we do not relay", "ADDRESS_REFUSED", "blocked"),
        ("554 5.7.1 not to them", "ADDRESS_REFUSED", "blocked"),
    ],
)
def test_what_a_relay_says_of_an_address_is_told_apart(mail_host: MailHost, said: str, code: str, kind: str) -> None:
    mail_host.answer, mail_host.at_rcpt = said, True
    error = outcome(gateway(mail_host.port))
    assert isinstance(error, Refused)
    assert (error.code, error.kind) == (code, kind)
    assert "nobody" not in f"{error}{error!r}"


def test_an_address_that_needs_more_than_ascii_is_refused() -> None:
    with host() as port:
        error = outcome(gateway(port), Outgoing(1, "görüşme@example.org", "text", subject="s"))
    assert isinstance(error, Refused)
    assert error.kind == "bad_number"


def _only_the_clinic(_server: SMTP, _session: Session, _envelope: Envelope, _way: str, data: object) -> AuthResult:
    return AuthResult(success=getattr(data, "password", b"") == b"right", handled=False)


def test_the_relay_lets_us_in_with_the_right_password_only() -> None:
    with host(authenticator=_only_the_clinic, auth_require_tls=False) as port:
        gateway(port, credentials=("clinic", "right")).send(ALERT)
        error = outcome(gateway(port, credentials=("clinic", "wrong")))
    assert isinstance(error, Refused)
    assert (error.code, error.kind) == (535, "credentials")


def test_a_relay_that_knows_no_passwords_is_a_fault_of_the_configuration() -> None:
    with host() as port:
        error = outcome(gateway(port, credentials=("clinic", "right")))
    assert isinstance(error, Refused)
    assert error.kind == "configuration"


def test_a_tls_that_cannot_be_trusted_gets_no_mail(untrusted: ssl.SSLContext) -> None:
    with host(tls_context=untrusted) as port:
        assert isinstance(outcome(gateway(port)), Unavailable)


def test_a_trusted_tls_is_used_where_it_is_offered(untrusted: ssl.SSLContext, certificate: str) -> None:
    trusting = ssl.create_default_context(cafile=certificate)
    with host(tls_context=untrusted, require_starttls=True) as port:
        sender = EmailGateway("127.0.0.1", port, mail_from="p@example.org", clock=lambda: NOON, tls=trusting)
        assert sender.send(ALERT).status == "accepted"

"""The simulated mailboxes: mails are taken over SMTP, read on a page, and ended at one press."""

from collections.abc import Iterator

import pytest
import requests

from pro_service.gateways.email import EmailGateway
from pro_service.gateways.outgoing import Outgoing, Refused
from pro_service.simulator.mailbox import Mailboxes, listening
from tests.gateways.conftest import Scripted, simulator
from tests.peers.servers import free_port

ADDRESS = "Reader@example.org"


@pytest.fixture
def relay(webhooks: Scripted) -> Iterator[tuple[EmailGateway, str]]:
    """Return a way to send mails to the simulated mailboxes, and where their pages are."""
    port = free_port()
    with simulator(webhooks) as (app, url):
        host = listening(app.extensions["mailboxes"], "127.0.0.1", port)
        try:
            yield EmailGateway("127.0.0.1", port, mail_from="Clinic <pro@example.org>"), url
        finally:
            host.stop()


def mail(to: str, reference: str = "p.1.invitation", stop: str = "") -> Outgoing:
    return Outgoing(1, to, f"Soru\n{stop}", subject="Size birkaç sorumuz var", reference=reference, unsubscribe=stop)


def test_a_mail_is_read_and_its_button_calls_the_study(relay: tuple[EmailGateway, str], webhooks: Scripted) -> None:
    gateway, url = relay
    stop = f"{webhooks.url}/q/token/stop"
    gateway.send(mail(ADDRESS, stop=stop))
    # Given twice under one Message-ID it is one mail.
    gateway.send(mail(ADDRESS, stop=stop))
    (kept,) = requests.get(f"{url}/mailboxes/all.json", timeout=5).json()
    assert (kept["to"], kept["subject"], kept["stop"]) == (ADDRESS.lower(), "Size birkaç sorumuz var", stop)
    page = requests.get(f"{url}/mailboxes/{ADDRESS}", timeout=5).text
    assert "Size birkaç sorumuz var" in page
    assert f'href="{stop}"' in page
    ended = requests.post(f"{url}/mailboxes/{ADDRESS}/1/unsubscribe", timeout=5)
    assert "The study has taken it" in ended.text
    call = webhooks.next()
    assert (call.path, call.form) == ("/q/token/stop", {"List-Unsubscribe": "One-Click"})
    assert requests.post(f"{url}/mailboxes/{ADDRESS}/9/unsubscribe", timeout=5).status_code == 404


def test_an_address_without_a_mailbox_is_refused(relay: tuple[EmailGateway, str]) -> None:
    with pytest.raises(Refused) as caught:
        relay[0].send(mail("nobody@example.org"))
    assert (caught.value.code, caught.value.kind) == ("NO_MAILBOX", "bad_number")


def test_the_relay_can_look_at_its_handler_on_the_python_of_debian_12() -> None:
    # It gets every attribute. With slots that failed before Python 3.11.3, on a __weakref__ of another class.
    assert "__slots__" not in vars(Mailboxes)

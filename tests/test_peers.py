"""The peers themselves: they start, they answer, and nothing leaves this machine."""

import smtplib
import socket
from email.message import EmailMessage

import psycopg
import pytest
import requests
from playwright.sync_api import Page

from tests.peers.chromium import axe_faults
from tests.peers.emulate import Emulate
from tests.peers.mail import MailHost
from tests.peers.network import OutsideError
from tests.peers.postgres import Postgres


def test_postgresql_answers(postgres_server: Postgres) -> None:
    with psycopg.connect(postgres_server.url()) as connection:
        assert connection.info.server_version >= 180000


def test_a_copied_database_has_what_its_template_had(postgres_server: Postgres) -> None:
    with psycopg.connect(postgres_server.create("one"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    with psycopg.connect(postgres_server.create("two", "one")) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    postgres_server.drop("two")
    postgres_server.drop("one")


def test_the_emulator_keeps_a_message(emulate: Emulate) -> None:
    messages = f"{emulate.url}/2010-04-01/Accounts/{emulate.account_sid}/Messages.json"
    owner = (emulate.account_sid, emulate.auth_token)
    text = {"From": emulate.number, "To": "+15005550010", "Body": "Merhaba"}
    assert requests.post(messages, data=text, auth=owner, timeout=10).status_code == 201
    kept = requests.get(messages, auth=owner, timeout=10).json()["messages"]
    assert [message["body"] for message in kept] == ["Merhaba"]


def test_the_mail_host_keeps_a_mail(mail_host: MailHost) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Görüşme"
    mail["From"], mail["To"] = "pro@example.org", "site@example.org"
    mail.set_content("P-001")
    with smtplib.SMTP(mail_host.host, mail_host.port, timeout=10) as client:
        client.send_message(mail)
    assert mail_host.received[0]["Subject"] == "Görüşme"
    assert mail_host.recipients == ["site@example.org"]


def test_the_browser_draws_and_axe_finds_a_fault(page: Page) -> None:
    page.set_content('<html lang="tr"><head><title>Ağrı</title></head><body><main><h1>Ağrı</h1><img src="x">')
    assert page.inner_text("h1") == "Ağrı"
    assert any(fault.startswith("image-alt") for fault in axe_faults(page))


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.org", 80)])
def test_nothing_leaves_this_machine(address: tuple[str, int]) -> None:
    with pytest.raises(OutsideError):
        socket.create_connection(address, timeout=1)

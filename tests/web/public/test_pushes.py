"""What Verimor pushes: nothing gets in from elsewhere or without the secret, and the secret gets into no log."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from pro_service import logs
from pro_service.core.providers import FACTS
from pro_service.runtime import Runtime, open_runtime
from pro_service.store.schema import inbound, receipts, responses
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.tick import tick
from pro_service.web.app import create_app
from tests import support
from tests.peers import configuration
from tests.telephones import Telephones

SECRET, THEIRS = "a-secret-of-more-than-thirty-two-characters", "198.51.100.7"
PATH = f"/hooks/verimor/{SECRET}"
TEXT = {"type": "inbound", "message_id": 1234, "source_addr": "905321234567", "content": "7"}


@pytest.fixture
def phones(clock: support.SetClock) -> Telephones:
    return Telephones("verimor:", clock, facts=FACTS["verimor"])


@pytest.fixture
def rt(sqlite_url: str, clock: support.SetClock, phones: Telephones, tmp_path: Path) -> Iterator[Runtime]:
    told = {
        "VERIMOR_USERNAME": "908501234567",
        "VERIMOR_PASSWORD": "s3cret",
        "VERIMOR_SENDER": "KLINIK",
        "VERIMOR_REPLY_TO": "08501234567",
        "VERIMOR_HOOK_SECRET": SECRET,
        "VERIMOR_HOOK_ADDRESSES": f"{THEIRS}, 2001:db8::/32",
    }
    opened = support.with_clock(open_runtime(configuration.settings_for(sqlite_url, tmp_path, **told)), clock)
    assert opened.ways == ("verimor",)
    runtime = replace(opened, texts={"verimor": phones})
    yield runtime
    runtime.close()


@pytest.fixture
def client(rt: Runtime) -> Iterator[FlaskClient]:
    app = create_app(rt)
    yield app.test_client()
    app.extensions["intake"].close()


def push(client: FlaskClient, said: object, path: str = PATH, address: str = THEIRS) -> int:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    answer = client.post(path, data=body, content_type="application/json", environ_base={"REMOTE_ADDR": address})
    assert answer.status_code != 200 or answer.data == b""
    return answer.status_code


def kept(rt: Runtime) -> tuple[int, int]:
    """How many texts and receipts are kept."""
    with rt.sessions.reading() as session:
        return tuple(session.scalar(select(func.count()).select_from(one)) or 0 for one in (inbound, receipts))  # type: ignore[return-value]


@pytest.mark.parametrize(
    "path, address",
    [
        (PATH[:-1], THEIRS),
        ("/hooks/verimor/x", THEIRS),
        ("/hooks/nobody/x", THEIRS),
        (PATH, "198.51.100.8"),
        (PATH, "127.0.0.1"),
    ],
)
def test_a_push_from_elsewhere_or_to_another_address_stores_nothing(
    rt: Runtime, client: FlaskClient, path: str, address: str
) -> None:
    assert push(client, [TEXT], path, address) == 403
    assert kept(rt) == (0, 0)


def test_a_push_that_is_no_list_is_refused_and_garbage_in_a_list_is_left_out(rt: Runtime, client: FlaskClient) -> None:
    odd: list[Any] = [None, 7, "x", [], {}, {"type": "inbound"}, {"type": "outbound", "campaign_id": 1, "status": 7}]
    assert [push(client, said) for said in (b"", b"7", b"{", b"\xff")] == [400] * 4
    assert push(client, odd) == 200
    assert kept(rt) == (0, 0)
    assert [push(client, [*odd, TEXT]) for _ in range(2)] == [200, 200]
    assert kept(rt) == (1, 0)


def test_one_push_brings_an_answer_and_a_thousand_receipts(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, phones: Telephones
) -> None:
    cells = {"phone": "+905321234567", "channel": "sms-reply", "baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
    participant = support.enrolled(rt, support.load_demo(rt), "P-001", date(2026, 3, 2), **cells)
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    assert deliver(rt).accepted == 1
    token = phones.sent[-1].token
    ours = {"type": "outbound", "campaign_id": f"{1:032d}", "campaign_custom_id": token, "status": "DELIVERED"}
    strangers = [ours | {"campaign_id": number, "campaign_custom_id": f"{number:032x}"} for number in range(1000, 1999)]
    assert push(client, [*strangers, ours]) == 200
    assert kept(rt) == (0, 1)
    assert support.loaded(rt, participant).case.messages[0].state == "delivered"
    clock.now = support.at("2026-03-09 10:30")
    assert push(client, [TEXT | {"received_at": "2026-03-09 10:05:00"}]) == 200
    tick(rt)
    with rt.sessions.reading() as session:
        answers = session.execute(select(responses.c.value, responses.c.received_at).where(responses.c.source == "sms"))
        assert [tuple(answer) for answer in answers] == [(7, support.at("2026-03-09 10:05"))]


def test_the_secret_is_in_no_log(rt: Runtime, client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("DEBUG")
    try:
        push(client, [TEXT])
        push(client, b"{")
        push(client, [TEXT], address="198.51.100.8")
        rt.sessions.engine.dispose()
        push(client, [TEXT | {"message_id": "x" * 10}])
    finally:
        logging.getLogger().handlers.clear()
    said = capsys.readouterr()
    assert "/hooks/" in said.err
    assert SECRET not in said.err + said.out

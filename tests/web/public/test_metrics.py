"""`/metrics`: the figures of the reports and of the doctor, for programs of this machine and for the token's holder."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from pro_service.gateways.outgoing import Refused, Unavailable
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.store.schema import inbound
from pro_service.use_cases import backup, doctor, reporting
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import beat, tick
from pro_service.web.app import create_app
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

TOKEN = "t" * 40
NAMES = {
    "pro_messages": {"channel", "state"},
    "pro_windows": {"point", "status"},
    "pro_tasks_open": {"level"},
    "pro_oldest_ready_seconds": set(),
    "pro_inbound_unread": set(),
    "pro_tick_age_seconds": set(),
    "pro_tick_seconds": set(),
    "pro_backup_age_seconds": set(),
    "pro_provider_refusals": {"channel", "kind"},
    "pro_http_request_seconds": set(),
}
"""Every name, with its labels: the samples of a counter end in _total, those of a histogram in _bucket and others."""


def figures(client: FlaskClient) -> dict[tuple[str, ...], float]:
    """Return (name, values of labels…) -> figure."""
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    families = list(text_string_to_metric_families(answer.text))
    labels = {one.name: {name for sample in one.samples for name in sample.labels} - {"le"} for one in families}
    assert labels == NAMES
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


@pytest.fixture
def weeks_later(rt: Runtime, study_id: int, clock: support.SetClock) -> None:
    """Live through the weeks after three procedures: an answer, texts that are refused or not taken, a reply unread."""
    phones = Telephones(clock=clock)
    sending = replace(rt, texts={"sms": phones})
    clock.now = support.at("2026-03-02 15:00")
    for n in "123":
        cells = {"phone": f"+1202555012{n}", "channel": "sms-reply", "language": "en"}
        support.enrolled(sending, study_id, f"P-00{n}", date(2026, 3, 2), **cells)
    clock.now = support.at("2026-03-09 10:00")
    tick(sending)
    phones.faults += [Refused("21211", "bad_number"), Unavailable("30022"), Unavailable()]
    deliver(sending)
    support.answered(sending, "P-001", "W1", {"NRS-AVG": "7", "PGIC": "2"})
    clock.now = support.at("2026-04-20 10:00")
    tick(sending)
    beat(sending, "tick", timedelta(seconds=2.5))
    receive.receive(sending, text_of({"MessageSid": "SM9", "From": "+12025550123", "Body": "4", "NumMedia": "0"}))
    with sending.sessions.begin() as session:
        session.execute(update(inbound).values(interpreted_at=None))  # as if the program had ended before it was read


@pytest.fixture
def today(settings: Settings, weeks_later: None) -> Iterator[Runtime]:  # noqa: ARG001 -- what happened before
    """Return a runtime of today, as the doctor has one."""
    with_token = replace(settings, metrics_token=TOKEN)
    rt = open_runtime(with_token)
    yield replace(rt, texts={"sms": Telephones()})
    rt.close()


@databases.ON_BOTH
def test_the_figures_are_those_of_the_report_and_of_the_doctor(settings: Settings, today: Runtime) -> None:
    client = create_app(today).test_client()
    before = figures(client)
    said = {one.part: one.finding for one in doctor.examine(settings)}
    after = figures(client)

    due = {name: n for name, n in before.items() if name[0] == "pro_windows"}
    rows = reporting.compliance_rows(today, 1)
    for row in rows:
        counted = {status: n for (_, point, status), n in due.items() if point == row["code"]}
        late = counted.pop("missed_before_enrolment")
        assert (sum(counted.values()), late) == (row["due"], row["missed_before_enrolment"])
        assert {name: row[name] for name in counted if name in row} == {  # type: ignore[literal-required]
            name: n for name, n in counted.items() if name in row
        }
    assert before["pro_windows", "W1", "completed_in_window"] == 1
    assert before["pro_windows", "W1", "missed"] == 2

    unread, tasks = (before[name] for name in (("pro_inbound_unread",), ("pro_tasks_open", "E0")))
    assert (said["replies"], said["channels"]) == (f"{unread:.0f} not read yet", f"{tasks:.0f} open tasks of level E0")
    assert (unread, tasks) == (1, 1)
    for name, part in (("pro_oldest_ready_seconds", "outbox"), ("pro_tick_age_seconds", "scheduler")):
        (minutes,) = re.findall(r"(\d+) min", said[part])
        assert 1 < before[name,] // 60 <= int(minutes) <= after[name,] // 60

    assert before["pro_tick_seconds",] == 2.5
    refused = {name[1:]: n for name, n in before.items() if name[0] == "pro_provider_refusals_total"}
    assert {labels: n for labels, n in refused.items() if n} == {("sms", "bad_number"): 1, ("sms", "busy"): 1}
    assert refused["sms", "credentials"] == 0, "or its first would be no increase"
    assert before["pro_messages", "sms", "refused"] == 1
    assert (before["pro_http_request_seconds_count",], after["pro_http_request_seconds_count",]) == (0, 1)


def test_a_service_without_a_study_has_figures_too(client: FlaskClient, settings: Settings) -> None:
    answer = client.get("/metrics")
    assert "pro_tick_age_seconds +Inf\n" in answer.text
    assert "pro_oldest_ready_seconds 0.0\n" in answer.text
    assert "pro_backup_age_seconds +Inf\n" in answer.text
    backup.make(settings)
    [age] = re.findall(r"^pro_backup_age_seconds (.+)$", client.get("/metrics").text, re.MULTILINE)
    assert 0 <= float(age) < 60


@pytest.mark.parametrize(
    "address, host, headers, status",
    [
        ("127.0.0.1", "127.0.0.1:8025", {}, 200),
        ("::1", "[::1]:8025", {}, 200),
        ("127.0.0.1", "localhost", {}, 200),
        ("127.0.0.1", "pro.example.org", {}, 403),
        ("127.0.0.1", "127.0.0.1:8025", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("203.0.113.7", "127.0.0.1", {}, 403),
        ("203.0.113.7", "pro.example.org", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("203.0.113.7", "pro.example.org", {"Authorization": f"Bearer {TOKEN}t"}, 403),
        ("203.0.113.7", "pro.example.org", {"Authorization": f"Basic {TOKEN}"}, 403),
        ("203.0.113.7", "pro.example.org", {"Authorization": "Bearer ğ"}, 403),
    ],
)
def test_a_program_of_this_machine_reads_it_and_another_needs_the_token(
    rt: Runtime, address: str, host: str, headers: dict[str, str], status: int
) -> None:
    app = create_app(replace(rt, settings=replace(rt.settings, metrics_token=TOKEN)))
    asked = {"environ_base": {"REMOTE_ADDR": address}, "base_url": f"http://{host}", "headers": headers}
    answer = app.test_client().get("/metrics", **asked)
    assert answer.status_code == status
    assert TOKEN not in answer.text
    app.extensions["intake"].close()


@pytest.mark.parametrize("shown", ["Bearer ", "Bearer", ""])
def test_without_a_token_nobody_from_outside_reads_it(client: FlaskClient, shown: str) -> None:
    asked = {"environ_base": {"REMOTE_ADDR": "203.0.113.7"}, "headers": {"Authorization": shown}}
    assert client.get("/metrics", **asked).status_code == 403

"""An overdue safety task stands at the top of every page of staff, and is told to whoever monitors the service."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from pro_service.core.schedule import agenda
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tick import beat, tick
from pro_service.use_cases.transaction import transaction
from tests import support

ADVICE = {"en": "Tell the person who runs this service", "tr": "Sistem sorumlusuna"}
SAID = {
    "en": ("A safety task is overdue and still open", "Since Monday 9 March 10:00."),
    "tr": ("Bir güvenlik görevinin süresi geçti", "Başlangıç: 9 Mart Pazartesi 10:00."),
}


def ticked(rt: Runtime) -> None:
    tick(rt)
    beat(rt, "tick")


@pytest.fixture
def task(rt: Runtime, participant: int, clock: support.SetClock) -> int:
    """Return a safety task that fell due an hour ago; the scheduler is alive."""
    with transaction(rt, support.SETUP, rt.clock()) as tx:
        who = rt.loader.one(tx.session, participant)
        tx.carry_out(who, [agenda.escalate(who.case, "ES", "safety_word", tx.now)])
    clock.now += timedelta(hours=3)
    ticked(rt)
    return next(one.id for one in support.loaded(rt, participant).case.escalations if one.level == "ES")


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("role, path", [("coordinator", "/"), ("investigator", "/tasks"), ("monitor", "/account")])
def test_it_stands_at_the_top_of_every_page_until_it_is_ended(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, task: int, role: str, path: str, language: str
) -> None:
    support.coordinator(rt, role=role, language=language)
    support.sign_in(client)
    page = client.get(path).text
    assert [words for words in SAID[language] if words not in page] == []
    found = re.search(r'<div class="notice notice-bad stack" role="alert">.*?</div>', page, re.DOTALL)
    assert found is not None
    assert ADVICE[language] not in found[0], "nothing is wrong with the service"
    assert client.get("/readyz").json["alarms"] == ["safety_overdue"]  # type: ignore[index]
    calls.acknowledge(rt, support.SETUP, task)
    calls.resolve(rt, support.SETUP, task)
    clock.now += timedelta(minutes=1)
    ticked(rt)
    page = client.get(path).text
    assert SAID[language][0] not in page
    assert client.get("/readyz").json["alarms"] == []  # type: ignore[index]


@pytest.mark.parametrize("role, to", [("coordinator", "/"), ("investigator", "/tasks"), ("monitor", None)])
def test_whoever_may_end_it_is_led_to_it_from_every_other_page(
    rt: Runtime, client: FlaskClient, task: int, role: str, to: str | None
) -> None:
    support.coordinator(rt, role=role, language="en")
    support.sign_in(client)

    def led_to(path: str) -> str | None:
        banner = client.get(path).text.partition('role="alert">')[2].partition("</div>")[0]
        link = re.search(r'<a href="([^"]+)">To the task', banner)
        return None if link is None else link[1]

    assert led_to("/compliance") == to
    assert to is None or f'id="task-{task}"' in client.get(to).text or f"/escalations/{task}" in client.get(to).text
    assert to is None or led_to(to) is None, "the reader is there"


@pytest.mark.parametrize("role, named", [("coordinator", True), ("assessor", False)])
def test_once_somebody_has_taken_it_up_it_says_who_and_what_remains(
    rt: Runtime, client: FlaskClient, task: int, role: str, *, named: bool
) -> None:
    user = support.coordinator(rt, "ayse@example.org", site="IST")
    calls.acknowledge(rt, Actor("staff", f"user:{user}", "dashboard", user), task)
    support.coordinator(rt, role=role, language="en")
    support.sign_in(client)
    page = client.get("/account").text
    assert "may take it up" not in page
    assert "still to be finished" in page
    assert ("ayse@example.org has taken it up" in page) == named


def test_beside_another_alarm_the_advice_about_the_service_is_given(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, task: int
) -> None:
    assert task
    clock.now += timedelta(minutes=20)
    support.coordinator(rt, language="en")
    support.sign_in(client)
    page = client.get("/").text
    assert page.index(SAID["en"][0]) < page.index("The scheduler is not working") < page.index(ADVICE["en"])


def test_a_study_without_a_safety_task_shows_nothing(rt: Runtime, client: FlaskClient, participant: int) -> None:
    assert participant
    ticked(rt)
    support.coordinator(rt, language="en")
    support.sign_in(client)
    assert "notice-bad stack" not in client.get("/").text

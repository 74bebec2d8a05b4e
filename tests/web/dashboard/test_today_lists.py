"""The first page's lists alone: what changed and nothing else, without keeping a session; and being away."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.participants import cases
from pro_service.store.schema import logins, messages, users
from pro_service.use_cases.participants import survey
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

CALLING = support.at("2026-03-11 11:00")


@pytest.fixture
def desk(rt: Runtime, study_id: int, client: FlaskClient, clock: support.SetClock) -> FlaskClient:
    """Return a browser in which a coordinator is signed in, with one participant to call."""
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2))
    clock.now = CALLING
    tick(rt)
    support.coordinator(rt, site="IST", language="en")
    support.sign_in(client)
    return client


def chosen(page: str) -> str:
    """What the first row's box sends."""
    found = re.search(r'name="task" value="([\d.]+)"', page)
    assert found is not None
    return found[1]


def act(desk: FlaskClient, task: str, **fields: str) -> tuple[int, str]:
    answer = desk.post("/today/act", data={"csrf": support.csrf_of(desk.get("/").text), "task": task, **fields})
    return answer.status_code, answer.location or answer.text


def test_what_closes_this_week_and_next_and_what_is_to_be_confirmed_stands_on_quiet_lists(
    rt: Runtime, study_id: int, desk: FlaskClient, clock: support.SetClock
) -> None:
    # Planned, seen from Wednesday 11 March: one for a day that has passed, next week, later, and at another site.
    clock.now = support.at("2026-03-02 15:00")
    for code, day, site in (("P-002", 9, "IST"), ("P-003", 20, "IST"), ("P-004", 30, "IST"), ("P-005", 20, "BER")):
        support.enrolled(rt, study_id, code, date(2026, 3, day), site=site, messaging_consent="2026-03-02")
    clock.now = CALLING
    support.enrolled(rt, study_id, "P-006", date(2026, 3, 9))
    lists = re.sub(r"\s+", " ", desk.get("/").text.partition('id="coming"')[2].partition("</section>")[0])
    this, following, planned = lists.split("<details>")[1:]
    assert "This week: 1 window closes" in this
    assert ("12 Mar 2026" in this, "P-001 W1" in this) == (True, True)
    assert "Next week: 1 window closes" in following
    assert "P-006 W1" in following
    assert "2 procedures to confirm" in planned
    assert re.findall(r"P-\d+</a>", planned) == ["P-002</a>", "P-003</a>"]
    assert 'class="urgent">planned for 9 Mar' in planned


def test_lists_that_are_the_same_are_not_sent_again(desk: FlaskClient) -> None:
    lists = desk.get("/today")
    assert "P-001" in lists.text
    assert "<html" not in lists.text
    same = desk.get("/today", headers={"If-None-Match": lists.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    act(desk, chosen(lists.text), do="acknowledge")
    assert desk.get("/today", headers={"If-None-Match": lists.headers["ETag"]}).status_code == 200


def test_a_page_that_asks_by_itself_keeps_no_session_alive(
    rt: Runtime, desk: FlaskClient, clock: support.SetClock
) -> None:
    for _ in range(3):
        clock.now += timedelta(minutes=5)
        assert desk.get("/today").status_code == 200
    with rt.sessions.reading() as session:
        assert session.scalars(select(logins.c.seen_at)).all() == [CALLING]
    clock.now += timedelta(minutes=1)
    assert desk.get("/today").status_code == 401
    assert desk.get("/").location == "/login?next=/"


@databases.ON_BOTH
def test_a_second_press_does_nothing_and_says_what_happened(desk: FlaskClient) -> None:
    task = chosen(desk.get("/").text)
    assert act(desk, task, do="later.hour")[0] == 303
    status, page = act(desk, task, do="later.hour")
    assert (status, "Something has changed since you opened this page" in page) == (409, True)


def test_a_call_that_can_save_its_window_is_not_ended_by_a_press(desk: FlaskClient) -> None:
    task = chosen(desk.get("/").text)
    status, page = act(desk, task, do="end")
    assert (status, "This window can still be saved." in page) == (409, True)
    status, page = act(desk, task, do="hand.")
    assert (status, "Choose a colleague who works at this site." in page) == (409, True)
    assert act(desk, task, do="dance")[0] == 400


@pytest.mark.parametrize(
    "part, words, first",
    [
        (
            "evening",
            "to be asked by telephone: no message went out · asks to be called in the evening",
            "not before 11 Mar 16:00",
        ),
        (
            "afternoon",
            "to be asked by telephone: no message went out · asks to be called in the afternoon",
            "not before 11 Mar 12:00",
        ),
        ("any", "to be asked by telephone: no message went out · asks to be called", ""),
    ],
)
def test_a_wish_to_be_called_is_said_with_its_time(
    rt: Runtime, desk: FlaskClient, clock: support.SetClock, part: str, words: str, first: str
) -> None:
    with rt.sessions.reading() as session:
        found = cases.find(session, studies.all_studies(session)[0].id, "P-001")
    assert found is not None
    survey.ask_for_call(rt, support.link_to(rt, found, "W1", "a-token-of-enough-random-bits"), part)
    lists = desk.get("/today").text
    assert words in lists
    assert first in lists
    task = chosen(lists).partition(".")[0]
    page = desk.get(f"/escalations/{task}").text
    assert page.count(words) == 2  # the title and the heading
    assert ("The participant was told: Wednesday 11 March" in page) == (part != "any")
    clock.now += timedelta(minutes=5)
    desk.post(f"/escalations/{task}/call", data={"csrf": support.csrf_of(page), "outcome": "will_do_it"})
    assert "asks to be called" not in desk.get("/today").text


def test_what_is_asked_for_later_stands_below_what_can_be_called_now(
    rt: Runtime, desk: FlaskClient, study_id: int, clock: support.SetClock
) -> None:
    clock.now = support.at("2026-03-02 16:00")
    other = support.enrolled(rt, study_id, "P-002", date(2026, 3, 2))
    clock.now = CALLING
    tick(rt)
    survey.ask_for_call(rt, support.link_to(rt, other, "W1", "a-token-of-enough-random-bits"), "evening")
    support.sign_in(desk)
    lists = desk.get("/today").text
    assert lists.index("P-001") < lists.index("P-002")
    clock.now = support.at("2026-03-11 16:00")
    support.sign_in(desk)
    assert "not before" not in desk.get("/today").text


def test_mails_go_to_those_who_are_there_else_to_the_lead_else_to_all(
    rt: Runtime, study_id: int, client: FlaskClient, clock: support.SetClock
) -> None:
    letters = Telephones(kind="mail-")
    mailing = replace(rt, mail=letters)
    people = [support.coordinator(rt, f"{name}@example.org", site="IST", language="en") for name in ("one", "two")]
    lead = support.coordinator(rt, "lead@example.org", role="investigator")

    def mailed(code: str) -> set[int]:
        """Who hears of a call about another participant."""
        clock.now = support.at("2026-03-02 15:00")
        support.enrolled(rt, study_id, code, date(2026, 3, 2), baseline_nrs_avg="6", baseline_nrs_now="5")
        clock.now = CALLING
        with rt.sessions.reading() as session:
            before = set(session.scalars(select(messages.c.id)))
        tick(mailing)
        with rt.sessions.reading() as session:
            rows = session.execute(select(messages.c.id, messages.c.user_id).where(messages.c.channel == "email"))
            return {row.user_id for row in rows if row.id not in before}

    def away(name: str, back: str) -> int:
        clock.now = CALLING
        client.delete_cookie("pro_login")
        support.sign_in(client, f"{name}@example.org")
        csrf = support.csrf_of(client.get("/account").text)
        return client.post("/account/away", data={"csrf": csrf, "back": back}).status_code

    assert mailed("P-001") == set(people)
    assert [away("one", day) for day in ("2026-03-11", "tomorrow", "2026-12-31", "2026-03-20")] == [422, 422, 422, 303]
    assert mailed("P-002") == {people[1]}
    assert away("two", "2026-03-20") == 303
    assert mailed("P-003") == {lead}
    with rt.sessions.begin() as session:
        session.execute(users.update().where(users.c.id == lead).values(away_until=clock.now + timedelta(days=1)))
    assert mailed("P-004") == set(people)
    assert away("one", "") == 303
    assert mailed("P-005") == {people[0]}

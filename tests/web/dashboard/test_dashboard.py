"""The coordinators' pages: today, the grid, one participant, tasks, the entry form; each within one's sites."""

import re
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service.runtime import Runtime
from pro_service.store.participants import cases
from pro_service.store.schema import audit_trail, participants
from pro_service.use_cases.tick import beat, tick
from tests import support
from tests.peers import databases

PHONE = "+12025550123"
CALLING = support.at("2026-03-11 11:00")
"""The one-week window of a procedure on 2 March waits for a call; the baseline was left empty."""


@pytest.fixture
def user(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return a coordinator, and three participants at two sites: one to call, one at the other site, one planned."""
    del study_id
    clock.now = support.at("2026-03-02 15:00")
    study = support.load_demo(rt)
    support.enrolled(rt, study, "P-001", date(2026, 3, 2), phone=PHONE, language="tr")
    support.enrolled(rt, study, "P-002", date(2026, 3, 2), site="BER")
    support.enrolled(rt, study, "P-003", date(2026, 3, 11), messaging_consent="2026-03-02")
    clock.now = CALLING
    tick(rt)
    beat(rt, "tick")
    return support.coordinator(rt, site="IST", language="en")


@pytest.fixture
def desk(client: FlaskClient, user: int) -> FlaskClient:
    """Return a browser in which the coordinator of IST is signed in."""
    del user
    support.sign_in(client)
    return client


def send(desk: FlaskClient, page: str, path: str | None = None, **fields: object) -> tuple[int, str]:
    """Fill in the form of a page and send it; gives the status and what came back (or where it leads)."""
    html = desk.get(page).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))
    answer = desk.post(path or page, data=hidden | fields)
    return answer.status_code, answer.location or answer.text


def call_task(desk: FlaskClient) -> str:
    """The address of the call that today's page puts first."""
    found = re.search(r'class="button" href="(/escalations/\d+)">Call P-001', desk.get("/").text)
    assert found is not None
    return found[1]


def test_today_puts_whom_to_call_first_with_time_left_and_attempts(desk: FlaskClient) -> None:
    page = desk.get("/").text
    assert "Visits that can still be saved" in page
    assert "37 h left" in page
    assert "Call P-001" in page
    assert "P-002" not in page


def test_an_empty_day_is_good_news(desk: FlaskClient, rt: Runtime, clock: support.SetClock) -> None:
    clock.now = support.at("2026-03-15 11:00")
    tick(rt)
    support.sign_in(desk)
    page = desk.get("/").text
    assert "Nobody to call." in page
    assert "The next window opens on Tuesday 17 March 00:00, for P-003." in page


def test_a_silent_scheduler_is_said_in_red(desk: FlaskClient, clock: support.SetClock, rt: Runtime) -> None:
    assert "scheduler is not working" not in desk.get("/").text
    clock.now += timedelta(minutes=14)
    desk.get("/")
    clock.now += timedelta(minutes=2)
    assert "The scheduler is not working" in desk.get("/").text
    beat(rt, "tick")
    clock.now += timedelta(seconds=20)
    assert "scheduler is not working" not in desk.get("/").text


def test_the_grid_says_every_state_by_shape_and_word(desk: FlaskClient) -> None:
    page = desk.get("/participants").text
    assert 'href="/participants/P-001"' in page
    assert "P-002" not in page
    assert re.search(r'class="s-at_risk".*?#at_risk.*?37 h left', page)
    assert re.search(r'class="s-missed".*?#missed.*?missed', page)


@databases.ON_BOTH
def test_the_filter_stands_in_the_address_and_survives(desk: FlaskClient) -> None:
    page = desk.get("/participants?state=at_risk&site=IST").text
    assert "P-001" in page
    assert "P-003" not in page
    assert "state=missed&amp;site=IST" in page


@databases.ON_BOTH
@pytest.mark.parametrize(
    "typed, found",
    [
        (" p-001 ", "/participants/P-001"),
        ("P-0", "/participants?code=P-0"),
        ("", "/participants"),
        # Somebody at another site, nobody, and what could be a number: all alike, and nothing of it in an address.
        ("P-002", "/participants?nobody=1"),
        ("Q", "/participants?nobody=1"),
        ("+90 532 000 00 01", "/participants?nobody=1"),
    ],
)
def test_a_code_is_searched_from_every_page_among_those_one_may_see(desk: FlaskClient, typed: str, found: str) -> None:
    page = desk.get("/messages").text
    assert 'action="/search"' in page
    answer = desk.post("/search", data={"csrf": support.csrf_of(page), "find": typed})
    assert (answer.status_code, answer.location) == (303, found)
    shown = desk.get(found).text
    assert ("No participant you may see" in shown) == found.endswith("nobody=1")
    assert ("Codes that begin with P-0." in shown) == found.endswith("P-0")


def test_the_grid_is_put_in_order_by_links_and_says_when_the_procedure_was(desk: FlaskClient) -> None:
    page = desk.get("/participants?order=-procedure&site=IST").text
    assert 'href="/participants?site=IST&amp;order=procedure" aria-current="true">Procedure&nbsp;↓<' in page
    assert re.search(r'title="2026-03-02">.{,120}2 Mar<span> Text', page, re.DOTALL)


def test_a_participants_page_tells_the_story_without_number_or_score(desk: FlaskClient) -> None:
    send(desk, "/participants/P-001/enter/W1?mode=telephone", **{"NRS-AVG": "9", "PGIC": "2"})
    page = desk.get("/participants/P-001").text
    assert "by telephone" in page
    assert PHONE not in page
    assert not re.search(r"average pain score[^<]*\b9\b", page)
    assert "NRS-AVG: 9" not in page
    assert re.search(r"average pain score[^<]*:\s+answered", page)


def test_the_number_is_shown_once_and_the_audit_trail_says_to_whom(desk: FlaskClient, rt: Runtime) -> None:
    status, page = send(desk, "/participants/P-001", "/participants/P-001/telephone")
    assert (status, PHONE in page) == (200, True)
    assert PHONE not in desk.get("/participants/P-001").text
    with rt.sessions.reading() as session:
        a = audit_trail.c
        rows = session.execute(select(a.actor_kind, a.changes).where(a.action == "view_contact")).all()
    assert [row.actor_kind for row in rows] == ["staff"]
    assert PHONE not in rows[0].changes


def test_a_call_shows_the_exact_wording_in_the_participants_language(desk: FlaskClient) -> None:
    page = desk.get(call_task(desk)).text
    assert 'lang="tr"' in page
    assert "Son 24 saatte kalça/bacak ağrınız ORTALAMA ne kadardı?" in page
    assert "How did the call go?" in page


def test_an_answer_on_the_telephone_ends_the_call(desk: FlaskClient) -> None:
    task = call_task(desk)
    status, form = send(desk, task, f"{task}/call", outcome="completed_now")
    assert status == 303
    assert form == f"/participants/P-001/enter/W1?mode=telephone&task={task.rpartition('/')[2]}"
    status, done = send(desk, form, **{"NRS-AVG": "4", "PGIC": "2"})
    assert (status, done) == (303, "/participants/P-001?done=entered")
    assert "Nobody to call." in desk.get("/").text
    assert "Answered on the telephone" in desk.get(task).text
    status, done = send(desk, "/participants/P-001/enter/W1", cleared="PGIC", reason="of somebody else")
    assert (status, "The answer was taken away" in desk.get(done).text) == (303, True)


def test_an_outcome_is_kept_and_said(desk: FlaskClient) -> None:
    task = call_task(desk)
    status, where = send(desk, task, f"{task}/call", outcome="no_answer")
    assert status == 303
    page = desk.get(where).text
    assert "Saved: No answer." in page
    assert "It comes back on Wednesday 11 March 13:30." in page
    assert "again at 11 Mar 13:30" in desk.get("/").text


def test_what_is_missing_in_an_outcome_is_said_and_nothing_is_lost(desk: FlaskClient) -> None:
    task = call_task(desk)
    status, page = send(desk, task, f"{task}/call", outcome="withdraws")
    assert (status, "Please write a note" in page) == (422, True)
    status, page = send(desk, task, f"{task}/call", outcome="call_back_at", call_back_at="2026-03-20T10:00", note="x y")
    assert (status, "The window will have closed by then" in page, ">x y</textarea>" in page) == (422, True, True)
    status, page = send(desk, task, f"{task}/call", note="x y")
    assert (status, "choose one of the options below" in page, 'not-now" open' in page) == (422, True, False)


def test_a_stale_form_writes_nothing_and_keeps_what_was_typed(desk: FlaskClient) -> None:
    task = call_task(desk)
    page = desk.get(task).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    send(desk, "/participants/P-001/enter/W1", PGIC="2")
    answer = desk.post(f"{task}/call", data=hidden | {"outcome": "moved", "note": "to Izmir"})
    assert answer.status_code == 409
    assert "Something has changed since you opened this page" in answer.text
    assert ">to Izmir</textarea>" in answer.text


def test_an_entry_says_every_fault_and_keeps_what_was_typed(desk: FlaskClient) -> None:
    status, page = send(desk, "/participants/P-001/enter/W1", **{"NRS-AVG": "11", "PGIC": "two"})
    assert status == 422
    assert "Write a number from 0 to 10." in page
    assert "Write a whole number." in page
    assert 'value="11"' in page


def test_a_missed_window_asks_for_its_reason(desk: FlaskClient) -> None:
    link = re.search(r'href="(/escalations/\d+)">Say why', desk.get("/").text)
    assert link is not None
    assert "Why is there no answer?" in desk.get(link[1]).text
    assert send(desk, link[1], f"{link[1]}/resolve", reason="because")[0] == 422
    assert send(desk, link[1], f"{link[1]}/resolve", reason="site_error")[0] == 303
    assert "Our site&#39;s mistake" in desk.get(link[1]).text


def test_a_task_is_taken_up(desk: FlaskClient) -> None:
    task = call_task(desk)
    assert send(desk, task, f"{task}/acknowledge")[0] == 303
    assert f"taken up by {support.EMAIL}" in desk.get("/").text


def test_rates_come_with_what_was_due(desk: FlaskClient) -> None:
    page = desk.get("/compliance").text
    assert re.search(r'<th scope="row">V0.*?0 %.*?0/1.*?</tr>', page, re.DOTALL)


def test_a_rate_is_written_as_the_readers_language_does(desk: FlaskClient) -> None:
    csrf = support.csrf_of(desk.get("/").text)
    desk.post("/language", data={"csrf": csrf, "language": "tr"})
    assert re.search(r'<th scope="row">V0.*?>%0<.*?0/1.*?</tr>', desk.get("/compliance").text, re.DOTALL)


@databases.ON_BOTH
def test_another_sites_pages_are_not_there(desk: FlaskClient, rt: Runtime) -> None:
    study = support.load_demo(rt)
    with rt.sessions.reading() as session:
        a = audit_trail.c
        other = cases.find(session, study, "P-002")
        before = session.scalar(select(a.id).order_by(a.id.desc()).limit(1))
    assert other is not None
    berlin = support.loaded(rt, other).case.escalations[0].id
    for path in ("/participants/P-002", "/participants/P-002/enter/W1", f"/escalations/{berlin}"):
        assert desk.get(path).status_code == 404, path
    for path in (
        "/participants/P-002/telephone",
        "/participants/P-002/confirm",
        "/participants/P-002/enter/W1",
        f"/escalations/{berlin}/acknowledge",
        f"/escalations/{berlin}/call",
        f"/escalations/{berlin}/resolve",
    ):
        assert send(desk, "/", path, outcome="moved", PGIC="2")[0] == 404, path
    with rt.sessions.reading() as session:
        assert session.scalar(select(audit_trail.c.id).order_by(audit_trail.c.id.desc()).limit(1)) == before


def test_a_procedure_is_confirmed_by_a_button_on_its_day(
    desk: FlaskClient, rt: Runtime, clock: support.SetClock
) -> None:
    support.enrolled(rt, support.load_demo(rt), "P-004", date(2026, 3, 13), messaging_consent="2026-03-11")
    assert send(desk, "/participants/P-004", "/participants/P-004/confirm")[0] == 422
    clock.now = support.at("2026-03-13 15:00")
    support.sign_in(desk)
    ahead = desk.post(
        "/participants/P-004/confirm", data={"csrf": support.csrf_of(desk.get("/").text), "procedure_time": "16:00"}
    )
    assert (ahead.status_code, "still to come" in ahead.text) == (422, True)
    status, where = send(desk, "/participants/P-004", "/participants/P-004/confirm", procedure_time="14:10")
    assert (status, where) == (303, "/participants/P-004?done=confirmed")
    with rt.sessions.reading() as session:
        done = session.scalar(select(participants.c.procedure_end).where(participants.c.code == "P-004"))
    assert done == support.at("2026-03-13 14:10")
    assert "Active" in desk.get("/participants/P-004").text


def test_pages_are_small_enough(desk: FlaskClient, app: Flask, rt: Runtime) -> None:
    del app
    for number in range(50):
        support.enrolled(rt, support.load_demo(rt), f"Q-{number:03}", date(2026, 3, 2))
    assert len(desk.get("/participants").data) <= 64_000
    assert len(desk.get("/").data) <= 64_000

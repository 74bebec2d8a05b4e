"""The investigator's page: what waits, a decision once and with a reason, and nothing for anybody else."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.schema import audit_trail
from pro_service.use_cases.participants import change
from pro_service.use_cases.participants.change_form import ChangeForm
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tasks.calls import CallResult
from pro_service.use_cases.tick import tick
from tests import support

LEAD = "lead@example.org"
REASON = "no more calls until the visit"
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What a page says does not depend on the database behind it."""


@dataclass
class Desk:
    """An investigator's browser; one participant whom nobody reaches, and one of another site."""

    rt: Runtime
    client: FlaskClient
    office: Actor
    who: int
    task: int
    call: int
    elsewhere: int
    clock: support.SetClock
    fields: dict[str, str] = field(default_factory=dict)

    def page(self) -> str:
        """Open the page, and keep what its forms carry."""
        page = self.client.get("/decisions").text
        carried = {name: page.partition(f'name="{name}" value="')[2].partition('"')[0] for name in ("revision", "made")}
        self.fields = {"csrf": support.csrf_of(page), **carried}
        return page.partition("<main")[2]

    def decide(self, reason: str = REASON, task: int | None = None) -> tuple[int, str]:
        """Send the form of the page that was opened last."""
        answer = self.client.post(f"/decisions/{task or self.task}", data=self.fields | {"reason": reason})
        return answer.status_code, answer.location or answer.text.partition("<main")[2]

    def outcome(self) -> str | None:
        return next(e.outcome for e in support.loaded(self.rt, self.who).case.escalations if e.id == self.task)


@pytest.fixture
def desk(rt: Runtime, client: FlaskClient, study_id: int, clock: support.SetClock) -> Desk:
    """Return the desk two days after nobody was reached."""
    clock.now = support.at("2026-03-02 15:00")
    people = [
        support.enrolled(rt, study_id, code, date(2026, 3, 2), site=site)
        for code, site in (("P-001", "IST"), ("P-002", "BER"))
    ]
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    clock.now = support.at("2026-03-11 11:00")
    tick(rt)
    call = next(e.id for e in support.loaded(rt, people[0]).case.escalations if e.level == "E1")
    office = Actor(kind="staff", id="user", source="dashboard", user_id=support.coordinator(rt, site="IST"))
    calls.record(rt, office, call, CallResult("not_in_service"))
    task = next(e.id for e in support.loaded(rt, people[0]).case.escalations if e.level == "E4")
    support.coordinator(rt, LEAD, role="investigator", site="IST", language="en")
    support.sign_in(client, LEAD)
    return Desk(rt, client, office, people[0], task, call, support.to_decide(rt, people[1]), clock)


def test_a_decision_is_recorded_and_the_page_says_so(desk: Desk) -> None:
    page = desk.page()
    for said in ("P-001", "neither texts nor calls reach them any more", "due in", "Number not in service", "W1"):
        assert said in page
    assert "P-002" not in page
    status, back = desk.decide()
    assert (status, back) == (303, "/decisions?done=decided")
    page = desk.client.get(back).text
    assert "Recorded; the task has ended." in page
    assert "Nothing waits for your decision." in page
    a = audit_trail.c
    with desk.rt.sessions.reading() as session:
        kept = session.scalars(select(a.reason).where(a.action == "resolve", a.entity_id == desk.task)).all()
    assert (desk.outcome(), kept) == ("decided", [REASON])


@ON_ONE
def test_the_decision_stands_in_the_participants_story_and_in_the_trail(desk: Desk) -> None:
    desk.page()
    desk.decide()
    assert "Decided" in desk.client.get("/participants/P-001").text
    assert REASON in desk.client.get("/audit?action=resolve").text


@ON_ONE
def test_what_is_overdue_says_so(desk: Desk) -> None:
    desk.clock.now += timedelta(days=9)
    desk.client.delete_cookie("pro_login")
    support.sign_in(desk.client, LEAD)
    assert "overdue by" in desk.page()


@ON_ONE
def test_a_decision_without_words_keeps_nothing_and_names_the_field(desk: Desk) -> None:
    desk.page()
    for typed, fault in (
        (" ", "Say in a few words what was decided."),
        ("z" * 501, "Too long: at most 500 characters."),
    ):
        status, page = desk.decide(typed)
        assert status == 422
        assert 'role="alert"' in page
        assert f'aria-describedby="f-reason-{desk.task} h-reason-{desk.task}" aria-invalid="true"' in page
        assert f'<p class="fault" id="f-reason-{desk.task}">{fault}</p>' in page
        assert typed in page
    assert desk.outcome() is None


@ON_ONE
def test_a_second_press_and_a_page_of_yesterday_change_nothing(desk: Desk) -> None:
    desk.page()
    assert desk.decide()[0] == 303
    rows = support.rows_of(desk.rt)
    status, page = desk.decide("something else")
    assert status == 409
    assert "P-001: this was decided before, or the task has ended otherwise. Nothing was changed." in page
    assert "something else" in page
    assert support.rows_of(desk.rt) == rows


@ON_ONE
def test_a_stale_page_says_what_changed_and_keeps_what_was_typed(desk: Desk) -> None:
    desk.page()
    desk.clock.now += timedelta(minutes=2)
    calls.record(desk.rt, desk.office, desk.call, CallResult("moved"))
    status, page = desk.decide()
    assert (status, desk.outcome()) == (409, None)
    told = page.partition('role="alert"')[2].partition("</ul>")[0]
    assert "P-001: something has changed since you opened this page." in told
    assert "Call" in told
    assert f">\n{REASON}</textarea>" in page
    desk.page()
    assert desk.decide()[0] == 303


@ON_ONE
def test_whoever_is_blinded_does_not_read_the_reasons_of_what_changed(desk: Desk, study_id: int) -> None:
    support.coordinator(desk.rt, LEAD, role="assessor", site="BER")
    desk.page()
    desk.clock.now += timedelta(minutes=2)
    paused = ChangeForm("pause", {"until": "2026-03-20"}, "had the real one")
    change.change(desk.rt, support.SETUP, study_id, "P-001", paused)
    status, page = desk.decide()
    assert status == 409
    assert "the real one" not in page


@ON_ONE
def test_what_is_elsewhere_or_no_decision_is_not_found(desk: Desk) -> None:
    desk.page()
    for task in (desk.elsewhere, desk.call, 10**30, 999_999):
        assert desk.decide(task=task)[0] == 404
    assert desk.client.get("/decisions?task=x").status_code == 200
    assert "P-002" not in desk.client.get(f"/decisions?task={desk.elsewhere}").text


@ON_ONE
def test_the_link_of_a_mail_leads_whoever_decides_to_the_form(desk: Desk, client: FlaskClient) -> None:
    there = urlsplit(client.get(f"/escalations/{desk.task}").location)
    assert (there.path, there.fragment) == ("/decisions", f"task-{desk.task}")
    page = client.get(f"{there.path}?{there.query}").text
    assert f'id="task-{desk.task}"' in page
    assert client.get(f"/escalations/{desk.call}").location == "/participants/P-001", "a call is others' work"
    desk.page()
    desk.decide()
    assert client.get(f"/escalations/{desk.task}").location == "/participants/P-001", "it has ended"
    client.delete_cookie("pro_login")
    support.coordinator(desk.rt, "reads@example.org", role="monitor")
    support.sign_in(client, "reads@example.org")
    assert client.get(f"/escalations/{desk.elsewhere}").location == "/participants/P-002"


@ON_ONE
def test_whoever_decides_finds_the_page_first_and_nobody_else_finds_it(desk: Desk) -> None:
    nav = desk.client.get("/compliance").text.partition("<nav")[2].partition("</nav>")[0]
    assert nav.index('href="/decisions"') < nav.index('href="/participants"')
    desk.client.delete_cookie("pro_login")
    support.sign_in(desk.client)
    assert "/decisions" not in desk.client.get("/").text
    assert desk.client.get("/decisions").status_code == 403

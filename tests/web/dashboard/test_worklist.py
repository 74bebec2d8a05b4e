"""The tasks that the ladder gives to a role: taken up, ended once and with words, and nothing for anybody else."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service import paths
from pro_service.core.protocol import LevelCode
from pro_service.core.schedule.agenda import escalate
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.schema import audit_trail
from pro_service.use_cases import study
from pro_service.use_cases.participants import change
from pro_service.use_cases.participants.change_form import ChangeForm
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tasks.calls import CallResult
from pro_service.use_cases.tick import tick
from pro_service.use_cases.transaction import transaction
from tests import support
from tests.peers import databases

LEAD = "lead@example.org"
REASON = "no more calls until the visit"


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
        page = self.client.get("/tasks").text
        carried = {name: page.partition(f'name="{name}" value="')[2].partition('"')[0] for name in ("revision", "made")}
        self.fields = {"csrf": support.csrf_of(page), **carried}
        return page.partition("<main")[2]

    def decide(self, reason: str = REASON, task: int | None = None) -> tuple[int, str]:
        """Send the form of the page that was opened last."""
        answer = self.client.post(f"/tasks/{task or self.task}/end", data=self.fields | {"reason": reason})
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


@databases.ON_BOTH
def test_a_decision_is_recorded_and_the_page_says_so(desk: Desk) -> None:
    page = desk.page()
    for said in ("P-001", "neither messages nor calls reach them any more", "due in", "Number not in service", "W1"):
        assert said in page
    assert "P-002" not in page
    status, back = desk.decide()
    assert (status, back) == (303, f"/tasks?done=ended&task={desk.task}")
    page = desk.client.get(back).text
    assert "Recorded; the task has ended." in page
    assert f'id="task-{desk.task}"' not in page
    a = audit_trail.c
    with desk.rt.sessions.reading() as session:
        kept = session.scalars(select(a.reason).where(a.action == "resolve", a.entity_id == desk.task)).all()
    assert (desk.outcome(), [support.typed(desk.rt, one) for one in kept]) == ("decided", [REASON])


def test_the_decision_stands_in_the_participants_story_and_in_the_trail(desk: Desk) -> None:
    desk.page()
    desk.decide()
    assert "Decided" in desk.client.get("/participants/P-001").text
    assert REASON in desk.client.get("/audit?action=resolve").text


def test_what_is_overdue_says_so(desk: Desk) -> None:
    desk.clock.now += timedelta(days=9)
    desk.client.delete_cookie("pro_login")
    support.sign_in(desk.client, LEAD)
    assert "overdue by" in desk.page()


def test_a_decision_without_words_keeps_nothing_and_names_the_field(desk: Desk) -> None:
    desk.page()
    for typed, fault in (
        (" ", "Say in a few words what was decided or done."),
        ("z" * 501, "Too long: at most 500 characters."),
    ):
        status, page = desk.decide(typed)
        assert status == 422
        assert 'role="alert"' in page
        assert f'aria-describedby="f-reason-{desk.task} h-reason-{desk.task}" aria-invalid="true"' in page
        assert f'<p class="fault" id="f-reason-{desk.task}">{fault}</p>' in page
        assert typed in page
    assert desk.outcome() is None


def test_a_second_press_and_a_page_of_yesterday_change_nothing(desk: Desk) -> None:
    desk.page()
    assert desk.decide()[0] == 303
    rows = support.rows_of(desk.rt)
    status, page = desk.decide("something else")
    assert status == 409
    assert "P-001: This task has ended already; nothing was written." in page
    assert "something else" in page
    assert support.rows_of(desk.rt) == rows


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


def test_whoever_is_blinded_does_not_read_the_reasons_of_what_changed(desk: Desk, study_id: int) -> None:
    support.coordinator(desk.rt, LEAD, role="assessor", site="BER")
    desk.page()
    desk.clock.now += timedelta(minutes=2)
    paused = ChangeForm("pause", {"until": "2026-03-20"}, "had the real one")
    change.change(desk.rt, support.SETUP, study_id, "P-001", paused)
    status, page = desk.decide()
    assert status == 409
    assert "the real one" not in page


def test_what_is_elsewhere_or_no_decision_is_not_found(desk: Desk) -> None:
    desk.page()
    for task in (desk.elsewhere, desk.call, 10**30, 999_999):
        assert desk.decide(task=task)[0] == 404
    assert desk.client.get("/tasks?task=x").status_code == 200
    assert "P-002" not in desk.client.get(f"/tasks?task={desk.elsewhere}").text


def test_the_link_of_a_mail_leads_whoever_decides_to_the_form(desk: Desk, client: FlaskClient) -> None:
    there = urlsplit(client.get(f"/escalations/{desk.task}").location)
    assert (there.path, there.fragment) == ("/tasks", f"task-{desk.task}")
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


def test_whoever_decides_finds_the_page_first_and_nobody_else_finds_it(desk: Desk) -> None:
    nav = desk.client.get("/compliance").text.partition("<nav")[2].partition("</nav>")[0]
    assert nav.index('href="/tasks"') < nav.index('href="/participants"')
    desk.client.delete_cookie("pro_login")
    support.sign_in(desk.client)
    assert "/tasks" not in desk.client.get("/").text
    assert desk.client.get("/tasks").status_code == 403


def _raise_task(desk: Desk, level: LevelCode, reason: str, window: str | None = None) -> int:
    """Raise a task about P-001; give its id."""
    with transaction(desk.rt, support.SETUP, desk.clock.now) as tx:
        loaded = desk.rt.loader.one(tx.session, desk.who)
        about = next((one for one in loaded.case.windows if one.code == window), None)
        tx.carry_out(loaded, [escalate(loaded.case, level, reason, tx.now, about)])
    return max(e.id for e in support.loaded(desk.rt, desk.who).case.escalations if e.level == level)


def _nav(desk: Desk) -> str:
    return desk.client.get("/compliance").text.partition("<nav")[2].partition("</nav>")[0]


@databases.ON_BOTH
def test_a_safety_task_reaches_the_investigator_it_names(desk: Desk) -> None:
    task = _raise_task(desk, "ES", "safety_word")
    there = urlsplit(desk.client.get(f"/escalations/{task}").location)
    assert (there.path, there.fragment) == ("/tasks", f"task-{task}")
    page = desk.page()
    assert page.index(f'id="task-{task}"') < page.index(f'id="task-{desk.task}"'), "safety first"
    counted = re.search(r'href="/tasks"[^<]*<span class="count" title="open tasks">\s*(\d+)', _nav(desk))
    assert counted is not None
    assert int(counted[1]) == page.count('class="task" id="task-')
    answer = desk.client.post(f"/tasks/{task}/take-up", data=desk.fields)
    assert answer.location == f"/tasks?done=taken&task={task}#task-{task}"
    page = desk.page()
    assert "You have taken it up." in desk.client.get(answer.location).text
    assert f"taken up by {LEAD}" in page
    facts = next(e for e in support.loaded(desk.rt, desk.who).case.escalations if e.id == task)
    assert facts.acknowledged_at == desk.clock.now
    assert desk.decide("telephoned; she is well", task)[0] == 303
    assert f'id="task-{task}"' not in desk.page()
    facts = next(e for e in support.loaded(desk.rt, desk.who).case.escalations if e.id == task)
    assert facts.outcome == "done"


def test_what_a_colleague_has_taken_up_is_not_taken_again_but_can_be_ended(desk: Desk) -> None:
    task = _raise_task(desk, "ES", "safety_word")
    desk.page()
    calls.acknowledge(desk.rt, desk.office, task)
    answer = desk.client.post(f"/tasks/{task}/take-up", data=desk.fields)
    assert answer.status_code == 409
    assert "A colleague has taken this up already; nothing was written." in answer.text
    desk.page()
    assert desk.decide("seen at the clinic", task)[0] == 303


def test_a_missed_window_is_ended_with_the_reason_of_the_missing_value(desk: Desk) -> None:
    task = _raise_task(desk, "E3", "missed", "W1")
    page = desk.page()
    assert "Why is there no answer?" in page
    assert desk.decide("because", task)[0] == 409
    desk.page()
    assert desk.decide("too_ill", task)[0] == 303
    case = support.loaded(desk.rt, desk.who).case
    assert next(e.outcome for e in case.escalations if e.id == task) == "too_ill"


def test_another_role_that_the_ladder_names_has_its_tasks_too(
    rt: Runtime, client: FlaskClient, clock: support.SetClock
) -> None:
    protocol = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
    rungs = protocol.partition("[ladder.E3]")
    named = rungs[2].replace('roles = ["coordinator", "investigator"]', 'roles = ["coordinator", "data-manager"]', 1)
    study_id = study.load(rt, support.SETUP, rungs[0] + rungs[1] + named).study.id
    clock.now = support.at("2026-03-02 15:00")
    who = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), site="IST")
    support.coordinator(rt, LEAD, role="data-manager", site="IST", language="en")
    support.sign_in(client, LEAD)
    desk = Desk(rt, client, support.SETUP, who, 0, 0, 0, clock)
    safety, missed = _raise_task(desk, "ES", "safety_word"), _raise_task(desk, "E3", "missed", "W1")
    page = desk.page()
    assert f'id="task-{missed}"' in page
    assert f'id="task-{safety}"' not in page
    assert desk.decide("site_error", missed)[0] == 303

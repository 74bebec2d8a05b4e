"""Several tasks at once: one action, one reason; each task a change of its own, and what could not be done is said."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service.core.commands import Command
from pro_service.core.protocol import LevelCode
from pro_service.core.schedule.agenda import escalate
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.schema import audit_trail, escalations
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tick import tick
from pro_service.use_cases.transaction import transaction
from tests import support

PEOPLE = 10
COLLEAGUE = "second@example.org"
e = escalations.c


@dataclass
class Desk:
    """A coordinator's browser, and ten people whose baseline nobody entered and who are to be called."""

    rt: Runtime
    client: FlaskClient
    people: list[int]
    user: int
    colleague: int

    def raised(self, level: LevelCode) -> list[int]:
        """Return the tasks of this level, by participant."""
        with self.rt.sessions.reading() as session:
            rows = session.execute(select(e.id, e.participant_id).where(e.level == level)).all()
        of = {row.participant_id: row.id for row in rows}
        return [of[who] for who in self.people if who in of]

    def raise_one(self, who: int, level: LevelCode, reason: str) -> None:
        with transaction(self.rt, support.SETUP, self.rt.clock()) as tx:
            loaded = self.rt.loader.one(tx.session, who)
            raised: Sequence[Command] = [escalate(loaded.case, level, reason, tx.now)]
            tx.carry_out(loaded, raised)

    def send(self, page: str, to: str, tasks: Sequence[int], do: str, said: str = "") -> tuple[int, str]:
        """Choose these rows of a page that was opened before, and press once."""
        boxes = dict(re.findall(r'name="task"\s+value="((\d+)\.\d+)"', page))
        values = {int(task): value for value, task in boxes.items()}
        fields = {"csrf": support.csrf_of(page), "task": [values[task] for task in tasks], "do": do, "said": said}
        answer = self.client.post(to, data=fields)
        return answer.status_code, answer.location or answer.text.partition("<main")[2]

    def outcomes(self, tasks: Sequence[int]) -> list[str | None]:
        with self.rt.sessions.reading() as session:
            found = {row.id: row.outcome for row in session.execute(select(e.id, e.outcome).where(e.id.in_(tasks)))}
        return [found[task] for task in tasks]

    def trail(self, action: str) -> list[tuple[int | None, str | None]]:
        a = audit_trail.c
        with self.rt.sessions.reading() as session:
            rows = session.execute(select(a.entity_id, a.reason).where(a.action == action).order_by(a.id)).all()
        return [(row.entity_id, support.typed(self.rt, row.reason)) for row in rows]


@pytest.fixture
def desk(rt: Runtime, study_id: int, client: FlaskClient, clock: support.SetClock) -> Desk:
    """Return the morning of the last day but one of everybody's one-week window."""
    clock.now = support.at("2026-03-02 15:00")
    people = [support.enrolled(rt, study_id, f"P-{n:03}", date(2026, 3, 2)) for n in range(1, PEOPLE + 1)]
    clock.now = support.at("2026-03-11 11:00")
    tick(rt)
    user = support.coordinator(rt, site="IST", language="en")
    colleague = support.coordinator(rt, COLLEAGUE, site="IST", language="en")
    support.sign_in(client)
    return Desk(rt, client, people, user, colleague)


def test_a_morning_of_ten_windows_without_an_answer_takes_one_form(desk: Desk) -> None:
    missed = desk.raised("E3")
    assert len(missed) == PEOPLE
    sent = desk.send(desk.client.get("/").text, "/today/act", missed, "why.site_error", "the fax was broken")
    assert sent == (303, f"/?done=said&n={PEOPLE}")
    said = " ".join(desk.client.get(sent[1]).text.split())
    assert f"{PEOPLE} tasks: The reason is saved; the tasks have ended." in said
    assert desk.outcomes(missed) == ["site_error"] * PEOPLE
    assert len(desk.trail("explain")) == PEOPLE
    assert [one for one in desk.trail("resolve") if one[0] in missed] == [(one, "the fax was broken") for one in missed]


def test_what_cannot_be_done_with_one_is_said_of_it_and_the_others_are_done(desk: Desk) -> None:
    first, stale, taken, *others = desk.raised("E3")
    page = desk.client.get("/").text
    office = Actor("staff", f"user:{desk.colleague}", "dashboard", desk.colleague)
    calls.explain_missing(desk.rt, office, taken, "other")
    calls.record(desk.rt, office, desk.raised("E1")[1], calls.CallResult("will_do_it"))
    status, answer = desk.send(page, "/today/act", [first, stale, taken, *others], "why.site_error")
    assert status == 409
    said = answer.partition('id="undone"')[2].partition("</ul>")[0]
    assert re.findall(r"P-\d+", said) == ["P-002", "P-003"]
    assert "Something has changed since you opened this page" in said
    assert f"{PEOPLE - 2} tasks:" in answer
    assert desk.outcomes([first, stale, taken, *others]) == ["site_error", None, "other"] + ["site_error"] * 7


def test_two_tasks_of_one_participant_are_done_on_one_page(desk: Desk) -> None:
    both = [desk.raised("E1")[0], desk.raised("E3")[0]]
    page = desk.client.get("/").text
    assert desk.send(page, "/today/act", both, "later.hour", "ward round")[0] == 303
    assert desk.trail("put_off") == [(one, "ward round") for one in both]
    page = desk.client.get("/").text
    assert desk.send(page, "/today/act", both, f"hand.{desk.colleague}", "I am away")[0] == 303
    assert desk.trail("hand_over") == [(one, "I am away") for one in both]
    # A page that is older than somebody else's change does nothing with either.
    assert desk.send(page, "/today/act", both, "later.hour")[0] == 409


def test_rows_of_one_participant_stand_together(desk: Desk) -> None:
    lists = desk.client.get("/today").text.partition('id="others"')[2]
    rows = re.findall(r'<li( class="same")?>.*?<b class="code">(P-\d+)</b>', lists, re.DOTALL)
    codes = [code for _, code in rows]
    assert codes.count("P-001") > 1
    assert [bool(same) for same, _ in rows] == [n > 0 and codes[n - 1] == code for n, code in enumerate(codes)]
    assert [code for code, _ in groupby(codes)] == sorted(set(codes))


def test_the_end_of_a_safety_task_a_withdrawal_and_a_death_are_not_among_what_is_done_at_once(desk: Desk) -> None:
    desk.raise_one(desk.people[0], "ES", "safety_word")
    (safety,) = desk.raised("ES")
    page = desk.client.get("/").text
    for do, said in (
        ("end", "ended on its own page alone"),
        ("why.other", "No window was missed here"),
        ("later.hour", "A safety task cannot be put off"),
    ):
        status, answer = desk.send(page, "/today/act", [safety], do)
        assert (status, said in answer) == (409, True), do
    status, answer = desk.send(page, "/today/act", [desk.raised("E3")[0]], "end")
    assert (status, "Say why there is no answer: that ends it." in answer) == (409, True)
    assert desk.outcomes([safety, desk.raised("E3")[0]]) == [None, None]
    for do in ("withdraws", "died", "call.died", "resolve"):
        assert desk.send(page, "/today/act", [safety], do)[0] == 400, do
    assert desk.send(page, "/today/act", [safety], "acknowledge")[0] == 303


def test_whoever_has_a_list_of_their_role_chooses_several_too(desk: Desk) -> None:
    for who in desk.people[:3]:
        desk.raise_one(who, "E4", "missed_in_a_row")
    support.coordinator(desk.rt, "lead@example.org", role="investigator", language="en")
    desk.client.delete_cookie("pro_login")
    support.sign_in(desk.client, "lead@example.org")
    page = desk.client.get("/tasks").text
    mine = desk.raised("E4")
    status, where = desk.send(page, "/tasks/act", mine, "acknowledge", "board on Friday")
    assert (status, where) == (303, "/tasks?done=acknowledged&n=3")
    assert [one for one in desk.trail("acknowledge") if one[0] in mine] == [(one, "board on Friday") for one in mine]
    status, answer = desk.send(desk.client.get("/tasks").text, "/tasks/act", mine[:1], "why.other")
    assert (status, "No window was missed here" in answer) == (409, True)
    assert desk.client.get("/tasks?done=none").text.count("Choose a task first.") == 1
    assert (
        desk.client.post(
            "/tasks/act", data={"csrf": support.csrf_of(page), "task": str(desk.raised("E1")[0]), "do": "acknowledge"}
        ).status_code
        == 404
    )

"""A task that climbed is one matter with its lower ones: one row, one line of the morning's mail, one end."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from pro_service.core.case import EscalationFacts
from pro_service.gateways.twilio.hooks import text_of
from pro_service.reports import today
from pro_service.reports.statements import LEVELS
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tasks import calls, decisions, hand_over
from pro_service.use_cases.tick import beat, tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

PHONE = "+12025550123"
MORNING = "2026-03-12 09:00"
BASELINE = {"baseline_nrs_avg": "6", "baseline_nrs_now": "5"}


@dataclass
class Home:
    """Two participants with one telephone, which somebody has thanked from, and their coordinator."""

    rt: Runtime
    study_id: int
    people: tuple[int, int]
    office: Actor
    letters: Telephones

    def open(self) -> list[EscalationFacts]:
        """Return every open task that is about the text."""
        every = [e for who in self.people for e in support.loaded(self.rt, who).case.escalations]
        return [e for e in every if e.open and e.reason == "shared_telephone"]

    def shown(self, of: str = "shared_telephone") -> list[tuple[str | None, str]]:
        """Return (participant, level) of the rows on Today about one reason."""
        with self.rt.sessions.reading() as session:
            user = self.office.user_id
            page = today.today(session, self.rt.loader, self.study_id, self.rt.clock(), reader=user)
        rows = (*page.mine, *page.queue, *page.tasks)
        return [(task.participant, task.level) for task in rows if task.reason == of]

    def counted(self, *levels: str) -> int:
        """Return how many tasks the navigation counts."""
        share = (frozenset(level for level in LEVELS if level in (levels or LEVELS)), None)
        with self.rt.sessions.glance() as connection:
            return len(today.open_tasks(connection, self.study_id, [share]))


@pytest.fixture
def home(rt: Runtime, study_id: int, clock: support.SetClock) -> Home:
    """Return the home two working days after the text, in the morning: nobody has taken it up."""
    letters = Telephones(kind="mail-")
    people = [
        support.enrolled(rt, study_id, code, date(2026, 2, 2), phone=PHONE, channel="sms-reply", **BASELINE)
        for code in ("P-001", "P-002")
    ]
    user = support.coordinator(rt, "here@example.org", site="IST", language="en")
    clock.now = support.at("2026-02-03 10:00")
    receive.receive(rt, text_of({"MessageSid": "SM1", "From": PHONE, "To": "+15005550006", "Body": "thank you"}))
    office_rt = replace(rt, mail=letters)
    for moment in ("2026-02-04 17:30", "2026-02-05 08:00"):
        clock.now = support.at(moment)
        tick(office_rt)
    office = Actor("staff", f"user:{user}", "dashboard", user)
    return Home(office_rt, study_id, (people[0], people[1]), office, letters)


def test_one_text_from_a_shared_telephone_that_nobody_took_up_is_one_row(home: Home) -> None:
    assert [e.level for e in home.open()] == ["E0", "E2"]
    assert home.shown() == [("P-001", "E2")]
    assert (home.counted(), home.counted("E0", "E2"), home.counted("E2")) == (1, 1, 1)
    assert home.counted("E0") == 1, "whoever has no part in the higher level sees it where it was"


def test_the_mornings_mail_counts_the_text_once(home: Home, clock: support.SetClock) -> None:
    clock.now = support.at("2026-02-05 09:00")
    beat(home.rt, "tick")
    tick(home.rt)
    deliver(home.rt)
    (letter,) = (letter for letter in home.letters.sent if "/account" in letter.body)
    assert letter.subject == "PRO Service: your work on Thursday 5 February (1)"
    assert "Messages that wait for a person to read them: 1" in letter.body


@pytest.mark.parametrize("how", ["resolve", "decide"])
def test_whoever_ends_what_climbed_ends_all_of_it(home: Home, how: str) -> None:
    upper = home.open()[-1]
    if how == "resolve":
        calls.resolve(home.rt, home.office, upper.id)
    else:
        decisions.decide(home.rt, home.office, upper.id, "it was a thank-you")
    assert (home.open(), home.shown()) == ([], [])


def test_what_was_handed_over_and_climbed_is_one_row_too(
    home: Home, rt: Runtime, study_id: int, clock: support.SetClock
) -> None:
    clock.now = support.at("2026-03-02 15:00")
    who = support.enrolled(rt, study_id, "P-003", date(2026, 3, 2))
    clock.now = support.at("2026-03-11 11:00")
    tick(rt)
    colleague = Actor("staff", "user", "dashboard", support.coordinator(rt, "two@example.org", site="IST"))
    call = next(e for e in support.loaded(rt, who).case.escalations if e.level == "E1")
    hand_over.hand_over(rt, colleague, call.id, home.office.user_id or 0)
    assert home.shown("by_telephone") == [("P-003", "E1")]
    clock.now = support.at("2026-03-12 09:30")
    tick(rt)
    every = support.loaded(rt, who).case.escalations
    calls_open = [e for e in every if e.open and e.level in ("E1", "E2")]
    assert [e.level for e in calls_open] == ["E1", "E2"]
    assert [row for reason in {e.reason for e in calls_open} for row in home.shown(reason)] == [("P-003", "E2")]
    calls.resolve(rt, home.office, calls_open[-1].id, reason="abroad")
    assert not [e for e in support.loaded(rt, who).case.escalations if e.open and e.level in ("E1", "E2")]

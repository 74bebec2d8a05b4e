"""Texts that are read in one transaction: each as if alone, in the order they came; none lost or doubled."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count

import pytest
from sqlalchemy import select

from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.messages import inbox
from pro_service.store.schema import audit_trail, escalations, inbound, messages, participants, responses, windows
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound.interpret import interpret, interpret_unread
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.simulation.breaking import BreakingSessions, KilledError
from tests.support import SetClock

pytestmark = databases.ON_BOTH

NUMBERS = count(1)
ALONE, SHARED, BY_LINK, STRANGER = range(4)
BODIES = (
    *("7", "7", "3", "0", "10", "hiç", "7-8", "STOP", "START", "evet", "no", "yarın", "beni arayın", "5 beni arayın"),
    *("intihar", "yanlış numara", "istemiyorum", "001 4", "002 6", "dün akşam çok ağrım vardı", "👍", "help"),
)
FACTS = ("opted_out_at", "texts_held_until", "snoozed_until", "unreachable_at", "next_check_at", "revision", "faults")


@dataclass(frozen=True)
class Side:
    """People in the same situations as those of the other side."""

    letter: str
    people: tuple[int, ...]
    texts: list[int]
    """Row ids of what their telephones wrote, in order."""

    def phone(self, place: int) -> str:
        return f"+120255501{'AB'.index(self.letter)}{place}"

    def hears(self, rt: Runtime, place: int, body: str) -> int:
        """Keep one text that nobody reads yet."""
        arrival = text_of({"MessageSid": f"SM{next(NUMBERS):032d}", "From": self.phone(place), "Body": body})
        with rt.sessions.begin() as session:
            kept = inbox.keep_text(session, rt.vault, arrival, rt.clock())
        assert kept is not None
        self.texts.append(kept)
        return kept


def side(rt: Runtime, study_id: int, letter: str) -> Side:
    """Enrol one who is asked by text, two who share a telephone, and one who gets links."""
    found = Side(letter, (), [])
    how = (("001", ALONE, "sms-reply"), ("002", SHARED, "sms-reply"), ("003", SHARED, "sms-reply"))
    people = [
        support.enrolled(rt, study_id, f"{letter}-{code}", date(2026, 3, 2), phone=found.phone(place), channel=channel)
        for code, place, channel in (*how, ("004", BY_LINK, "sms-link"))
    ]
    return replace(found, people=tuple(people))


@pytest.fixture
def sides(rt: Runtime, study_id: int, clock: SetClock) -> tuple[Side, Side]:
    """Return two sides who were all just asked what may be asked."""
    found = side(rt, study_id, "A"), side(rt, study_id, "B")
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    deliver(rt)
    return found


def facts(rt: Runtime, of: Side) -> list[tuple[object, ...]]:
    """Everything that is known of one side, without what tells it from the other."""
    m, e, r, w, i, a, p = (t.c for t in (messages, escalations, responses, windows, inbound, audit_trail, participants))
    place = {person: number for number, person in enumerate(of.people)} | {None: None}
    order = {text: number for number, text in enumerate(of.texts)} | {None: None}
    actors = {f"inbound:{text}": number for text, number in order.items()}
    known: list[tuple[object, ...]] = []
    with rt.sessions.reading() as session:
        for table, columns in (
            (p, [getattr(p, name) for name in FACTS]),
            (w, [w.participant_id, w.code, w.settled, w.cancelled_at]),
            (r, [r.participant_id, r.item, r.value, r.declined, r.version, r.in_window, r.inbound_id]),
            (m, [m.participant_id, m.kind, m.frame, m.item, m.proposed, m.state, m.inbound_id]),
            (e, [e.participant_id, e.level, e.reason, e.due_at, e.resolved_at, e.outcome, e.part_of_day]),
        ):
            mine = (p.id if table is p else table.participant_id).in_(of.people)
            for row in session.execute(select(*columns).where(mine).order_by(table.id)):
                whose = place[row.participant_id] if "participant_id" in row._fields else None
                text = order[row.inbound_id] if "inbound_id" in row._fields else None
                rest = [getattr(row, name) for name in row._fields if name not in ("participant_id", "inbound_id")]
                known.append((columns[0].table.name, whose, text, *rest))
        texts = select(i.id, i.participant_id, i.reading, i.handed_for, i.interpreted_at, i.faults)
        known += [
            ("inbound", order[row.id], place[row.participant_id], *row[2:])
            for row in session.execute(texts.where(i.id.in_(of.texts)).order_by(i.id))
        ]
        trail = select(a.actor, a.action, a.entity, a.participant_id).where(a.actor.in_(list(actors)))
        known += [
            ("audit", actors[row.actor], row.action, row.entity, place[row.participant_id])
            for row in session.execute(trail.order_by(a.id))
        ]
    return sorted(known, key=lambda one: (str(one[0]), str(one[1])))


@pytest.mark.parametrize("seed", [1, 2])
def test_texts_read_together_are_read_as_each_alone(
    rt: Runtime, clock: SetClock, sides: tuple[Side, Side], seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311
    one_by_one, together = sides
    for _ in range(12):
        clock.now += timedelta(seconds=dice.choice((5, 40, 400, 4000)))
        said = [(dice.randrange(4), dice.choice(BODIES)) for _ in range(dice.randint(1, 8))]
        for place, body in said:
            interpret(rt, [one_by_one.hears(rt, place, body)])
        interpret(rt, [together.hears(rt, place, body) for place, body in said])
        if dice.random() < 0.7:
            deliver(rt)
        if dice.random() < 0.3:
            tick(rt)
        assert facts(rt, one_by_one) == facts(rt, together)
    assert {"Score", "OptOut"} <= {row[3] for row in facts(rt, together) if row[0] == "inbound"}


@pytest.mark.parametrize("boundary", ["before the commit", "after the commit"])
def test_a_process_that_is_killed_while_it_reads_neither_loses_nor_doubles(
    rt: Runtime, sides: tuple[Side, Side], boundary: str
) -> None:
    of = sides[0]

    def killed(where: str) -> None:
        if where == boundary:
            raise KilledError

    texts = [of.hears(rt, place, body) for place, body in ((ALONE, "7"), (SHARED, "3"), (BY_LINK, "7"), (ALONE, "2"))]
    dying = BreakingSessions(rt.sessions.engine, killed)
    with pytest.raises(KilledError):
        interpret(replace(rt, sessions=dying), texts)
    interpret_unread(rt)
    before = facts(rt, of)
    interpret(rt, texts)
    assert facts(rt, of) == before
    assert answers(rt, of.people) == [("NRS-AVG", 7, 1), ("NRS-AVG", 3, 1)]
    assert sum(row[0] == "audit" and row[2] == "read" for row in before) == len(texts)


def answers(rt: Runtime, people: Sequence[int]) -> list[tuple[str, int | None, int]]:
    """Item, value and version of every answer in a window, person by person."""
    r = responses.c
    mine = (r.participant_id.in_(people), r.window_id.is_not(None), r.source == "sms")
    with rt.sessions.reading() as session:
        found = session.execute(select(r.item, r.value, r.version).where(*mine).order_by(r.participant_id, r.id))
        return [(row.item, row.value, row.version) for row in found]

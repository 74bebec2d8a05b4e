"""Other words alone: whoever is moved to a version of the study with other words lives on as if nothing had happened.

Two participants of one study live the same life. At some moment the study is loaded with other words, and one of the
two is moved to it. Nothing is sent or raised by that, and from then on the same happens to both, in other words.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pro_service import paths
from pro_service.core.case import PROMPTS
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.participants import cases
from pro_service.store.schema import escalations, messages, participants, windows
from pro_service.use_cases import study
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.participants.migrate import migrate
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.support import SetClock
from tests.telephones import Telephones
from tests.use_cases.participants.changes import REASON, STAFF

MOVED, STAYS = "+12025550123", "+12025550124"
MONDAY = date(2026, 3, 2)
NEW = "(2)"
"""Stands in every text of the new version."""
NUMBERS = count(1)
DEMO = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
OTHER_WORDS: dict[str, Callable[[str], str]] = {
    "texts": lambda text: text,
    "questions": lambda text: (
        text.replace('title = "Demonstration"', 'title = "Demonstration, in other words"')
        .replace('en = "average pain score"', 'en = "pain on average"')
        .replace("On average, how strong was", "How strong, on average, was")
        .replace('en = "1 week"', 'en = "one week"')
    ),
}
"""What changes beside the texts -> the study's file with it."""


@dataclass
class Twins:
    """Two who live the same life, and the clock they live by."""

    rt: Runtime
    clock: SetClock
    phones: Telephones
    study_id: int
    folder: Path
    people: tuple[int, int]

    def until(self, text: str) -> None:
        """Live through every moment up to this one at which something is called for."""
        end = support.at(text)
        while (moment := self._next()) is not None and moment <= end:
            self.clock.now = max(self.clock.now, moment)
            self.beat()
        self.clock.now = end
        self.beat()

    def _next(self) -> datetime | None:
        with self.rt.sessions.reading() as session:
            moment = cases.earliest_check(session)
        return None if moment is None else max(moment, self.clock.now + timedelta(seconds=1))

    def beat(self) -> None:
        tick(self.rt)
        deliver(self.rt)

    def write(self, *texts: str) -> None:
        """Both write these texts, a minute and a half apart; one in quotes right after the one before."""
        for text in texts:
            self.clock.now += timedelta(seconds=2 if text.startswith("'") else 90)
            for number in (MOVED, STAYS):
                sid = f"SM{next(NUMBERS):032d}"
                body = text.strip("'")
                receive.receive(
                    self.rt, text_of({"MessageSid": sid, "From": number, "To": "+15005550006", "Body": body})
                )
            if not text.startswith("'"):
                self.beat()

    def reword(self, change: str, *, move: bool = True) -> None:
        """Load the study with other words, and move one of the two to it."""
        for file in self.folder.glob("*/*.txt"):
            file.write_text(f"{file.read_text(encoding='utf-8').strip()} {NEW}\n", encoding="utf-8")
        assert not study.load(self.rt, STAFF, OTHER_WORDS[change](DEMO), self.folder).unchanged
        if move:
            assert len(migrate(self.rt, STAFF, self.study_id, REASON, codes=["P-001"]).migrants) == 1

    def life(self, person: int) -> dict[str, list[tuple[Any, ...]]]:
        """Return everything that has happened to one of them."""
        m, e, w, p = messages.c, escalations.c, windows.c, participants.c
        told = (m.kind, m.frame, m.item, m.proposed, m.state, m.queued_at, m.accepted_at, m.useful_until)
        work = (e.level, e.reason, e.raised_at, e.due_at, e.save_by, e.resolved_at, e.outcome, e.part_of_day)
        facts = (p.opted_out_at, p.texts_held_until, p.snoozed_until, p.first_text_at, p.next_check_at, p.schedule)
        laid = (w.code, w.schedule, w.opens_at, w.closes_at, w.cancelled_at, w.settled)
        with self.rt.sessions.reading() as session:
            return {
                name: [tuple(row) for row in session.execute(statement.order_by("id"))]
                for name, statement in {
                    "texts": select(*told).where(m.participant_id == person, m.channel == "sms"),
                    "tasks": select(*work).where(e.participant_id == person),
                    "facts": select(*facts).where(p.id == person),
                    "windows": select(*laid).where(w.participant_id == person),
                }.items()
            }

    def same(self) -> bool:
        moved, stays = (self.life(person) for person in self.people)
        assert moved == stays
        return True


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Return a copy of the shipped texts, to be changed."""
    return shutil.copytree(paths.templates() / "sms", tmp_path / "sms")


@pytest.fixture
def twins(rt: Runtime, clock: SetClock, phones: Telephones, texts: Path) -> Callable[[str], Twins]:
    """Return a way to enrol two who are asked by a channel."""

    def enrolled(channel: str) -> Twins:
        study_id = study.load(rt, STAFF, DEMO, texts).study.id
        how = {"channel": channel, "language": "en", "baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
        people = [
            support.enrolled(rt, study_id, code, MONDAY, phone=phone, **how)
            for code, phone in (("P-001", MOVED), ("P-002", STAYS))
        ]
        return Twins(rt, clock, phones, study_id, texts, (people[0], people[1]))

    return enrolled


def begin_w1(twins: Twins, *texts: str) -> None:
    twins.until("2026-03-09 10:00")
    twins.write(*texts)


def waits(twins: Twins) -> None:
    """An invitation is written and has not left yet."""
    twins.until("2026-03-09 09:59")
    twins.clock.now = support.at("2026-03-09 10:00")
    tick(twins.rt)


LIVES: dict[str, tuple[str, Callable[[Twins], None]]] = {
    "before the first text": ("sms-reply", lambda twins: twins.until("2026-03-05 12:00")),
    "an invitation waits": ("sms-reply", waits),
    "an invitation": ("sms-reply", begin_w1),
    "an invitation with a link": ("sms-link", begin_w1),
    "a first reminder": ("sms-reply", lambda twins: twins.until("2026-03-10 19:00")),
    "a first reminder with a link": ("sms-link", lambda twins: twins.until("2026-03-10 19:00")),
    "a second reminder and a call": ("sms-reply", lambda twins: twins.until("2026-03-11 13:00")),
    "a missed window": ("sms-reply", lambda twins: twins.until("2026-03-13 08:00")),
    "an invitation of the second window": ("sms-link", lambda twins: twins.until("2026-04-02 10:05")),
    "a last reminder": ("sms-link", lambda twins: twins.until("2026-06-13 18:35")),
    "half an answer": ("sms-reply", lambda twins: begin_w1(twins, "7")),
    "asked again": ("sms-reply", lambda twins: begin_w1(twins, "7-8")),
    "asked again twice": ("sms-reply", lambda twins: begin_w1(twins, "7-8", "much")),
    "handed to a person": ("sms-reply", lambda twins: begin_w1(twins, "7-8", "much", "very much")),
    "a zero to confirm": ("sms-reply", lambda twins: begin_w1(twins, "no pain")),
    "a change proposed": ("sms-reply", lambda twins: begin_w1(twins, "4", "'2")),
    "answered": ("sms-reply", lambda twins: begin_w1(twins, "7", "2")),
    "asked to be asked later": ("sms-reply", lambda twins: begin_w1(twins, "tomorrow")),
    "asked to be called": ("sms-reply", lambda twins: begin_w1(twins, "call me tomorrow evening")),
    "a stop word in a sentence": ("sms-reply", lambda twins: begin_w1(twins, "please stop it now")),
    "stopped": ("sms-reply", lambda twins: begin_w1(twins, "STOP")),
    "a word that alarms": ("sms-reply", lambda twins: begin_w1(twins, "this is an emergency")),
}
"""What has happened when the words change -> (how they are asked, how they get there)."""


TEXTS_ALONE = ("an invitation waits", "a first reminder with a link", "half an answer", "a change proposed")
"""The questions stay in these: then the study's file is the same, and only its texts are others."""


@pytest.mark.shows("turn: words")
@pytest.mark.parametrize(
    "stage, change", [*((stage, "questions") for stage in LIVES), *((stage, "texts") for stage in TEXTS_ALONE)]
)
@databases.ON_BOTH
def test_other_words_send_nothing_again_and_raise_nothing_again(
    twins: Callable[[str], Twins], stage: str, change: str
) -> None:
    channel, lives = LIVES[stage]
    pair = twins(channel)
    lives(pair)
    before, sent = pair.life(pair.people[0]), len(pair.phones.to(MOVED))
    waiting = sum(text[4] == "ready" for text in before["texts"])
    pair.reword(change)
    assert pair.life(pair.people[0]) == before
    pair.beat()
    assert len(pair.phones.to(MOVED)) == sent + waiting
    assert pair.same()
    pair.clock.now += timedelta(minutes=20)
    pair.write("5", "3", "call me in the evening")
    pair.until(f"{pair.clock.now + timedelta(days=30):%Y-%m-%d} 12:00")
    assert pair.same()
    assert [text for text in pair.phones.to(MOVED)[sent + waiting :] if NEW not in text] == []
    assert [text for text in pair.phones.to(STAYS) if NEW in text] == []


@pytest.mark.shows("turn: words")
@databases.ON_BOTH
def test_loading_other_words_alone_touches_nobody_who_is_enrolled(twins: Callable[[str], Twins]) -> None:
    pair = twins("sms-reply")
    begin_w1(pair, "7")
    before, counted = [pair.life(person) for person in pair.people], support.rows_of(pair.rt)
    pair.reword("texts", move=False)
    pair.beat()
    assert [pair.life(person) for person in pair.people] == before
    grown = {name: n - counted[name] for name, n in support.rows_of(pair.rt).items() if n != counted[name]}
    assert grown == {"protocol_versions": 1, "audit_trail": 1}


def test_all_kinds_of_prompts_are_among_the_moments(twins: Callable[[str], Twins]) -> None:
    pair = twins("sms-link")
    pair.until("2026-06-13 18:35")
    assert {text[0] for text in pair.life(pair.people[0])["texts"]} >= PROMPTS

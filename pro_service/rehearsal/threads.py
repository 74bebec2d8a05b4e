"""Threads of a rehearsal: for each temperament one participant's texts, with what happened between them."""

import re
from collections.abc import Iterator

from pro_service.core.case import Case
from pro_service.rehearsal.figures import Facts
from pro_service.rehearsal.report import Bubble, Thread
from pro_service.rehearsal.run import Rehearsal
from pro_service.reports import ledger
from pro_service.store.session import Session

TOKEN = re.compile(r"(/q/)[\w-]+")
HIDDEN = r"\1…"
"""Links carry random bits: left out, or no two reports would be the same."""


def threads(rehearsal: Rehearsal, found: Facts) -> tuple[Thread, ...]:
    """Return one thread for each temperament: that of the participant with the most different events."""
    by_code = {case.participant.code: case for case in found.cases}
    shown = []
    with rehearsal.rt.sessions.reading() as session:
        for kind in rehearsal.plan.crowd.temperaments:
            codes = [code for code, one in rehearsal.people.items() if one.temperament.code == kind.code]
            candidates = [(by_code[code], _bubbles(session, rehearsal, found, by_code[code])) for code in codes]
            if not candidates:
                continue
            case, bubbles = max(candidates, key=lambda one: len({(b.side, b.code, b.detail) for b in one[1]}))
            who = case.participant
            channel = rehearsal.people[who.code].channel
            shown.append(Thread(kind.label, who.code, who.language, who.zone.key, channel, tuple(bubbles)))
    return tuple(shown)


def _bubbles(session: Session, rehearsal: Rehearsal, found: Facts, case: Case) -> list[Bubble]:
    bubbles = [
        *_texts(session, rehearsal, case.participant.id),
        *_forms(rehearsal, case.participant.code),
        *_calls(found, case.participant.code),
        *_closes(found, case),
    ]
    return sorted(bubbles, key=lambda bubble: bubble.at)


def _texts(session: Session, rehearsal: Rehearsal, participant_id: int) -> Iterator[Bubble]:
    # A reply and what it was answered with bear the same instant: the reply was first.
    vault = rehearsal.rt.vault
    for at, words, reading in ledger.words_received(session, vault, participant_id):
        yield Bubble(at, "theirs", words, code=reading)
    for at, frame, words, segments, state in ledger.words_sent(session, vault, participant_id):
        arrived = state == "delivered"
        yield Bubble(at, "ours", TOKEN.sub(HIDDEN, words), code=frame, segments=segments, arrived=arrived)


def _forms(rehearsal: Rehearsal, code: str) -> Iterator[Bubble]:
    for form in rehearsal.habits.forms.get(code, ()):
        answers = ", ".join(f"{item}: {'–' if value is None else value}" for item, value in form.answers.items())
        yield Bubble(form.at, "event", answers, code="form")


def _calls(found: Facts, code: str) -> Iterator[Bubble]:
    for row in found.calls:
        if row.participant == code:
            yield Bubble(row.called_at, "event", row.window or "", code="call", detail=row.outcome)


def _closes(found: Facts, case: Case) -> Iterator[Bubble]:
    for window in case.current:
        if window.point.prompted and window.settled is not None and window.span.closes_at <= found.now:
            yield Bubble(window.span.closes_at, "event", window.code, code="closed", detail=window.settled)

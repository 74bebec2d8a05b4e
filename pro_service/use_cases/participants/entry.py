"""Answers that staff enter: measured in the clinic, or said on the telephone."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from pro_service.core.case import WindowFacts
from pro_service.core.conversation.answers import on_answers
from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.core.protocol import Protocol
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.participants import cases, tasks
from pro_service.store.participants.cases import Loaded
from pro_service.use_cases.participants.queries import answer_by_entry
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.use_cases.transaction import Transaction, transaction

Mode: TypeAlias = Literal["clinic", "telephone"]
FORM = ""
"""Place of a fault that belongs to no single field."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was filled in. Empty is missing: what is not there stays as it was."""

    values: Mapping[str, str]
    declined: Collection[str] = ()
    cleared: Collection[str] = ()
    """Items whose saved answer is taken away; a version of its own, so that nothing is lost."""
    reason: str = ""
    mode: Mode = "clinic"
    revision: int | None = None
    task: int | None = None
    """The escalation whose call this is."""
    blind: bool = False
    """The person who enters must not learn what stands there: the same value is a new version as another would be."""


@dataclass(frozen=True, slots=True)
class Entered:
    """What was kept."""

    items: tuple[str, ...] = field(default=())
    """Items with a new version; empty when everything was as before."""


def enter(
    rt: Runtime,
    actor: Actor,
    study_id: int,
    code: str,
    window: str,
    filled: Filled,
    *,
    sites: Collection[int] | None = None,
) -> Entered:
    """Keep what staff entered for one window.

    KeyError (no such participant or window, or another site's), RejectedError with every fault, StaleError.
    """
    now = rt.clock()
    with transaction(rt, actor, now) as tx:
        loaded, facts = _found(tx, study_id, code, window, sites)
        if filled.revision is not None and loaded.case.participant.revision != filled.revision:
            raise StaleError(loaded.case.participant.revision)
        answers = _answers(loaded, facts, filled, now)
        commands = on_answers(
            loaded.case,
            facts,
            answers,
            source=filled.mode,
            received_at=now,
            now=now,
            entered_by=actor.user_id,
            reason=filled.reason.strip() or None,
            again=filled.blind,
            cleared=filled.cleared,
        )
        tx.carry_out(loaded, commands)
        if answers:
            _keep_call(tx, loaded, facts, filled)
        changed = [item for item, value in answers.items() if filled.blind or differs(facts, item, value)]
        done = (*changed, *filled.cleared)
        if done and not filled.blind:
            answer_by_entry(tx, loaded, facts.code, done, filled.reason.strip() or None)
        return Entered(done)


def show_answers(
    rt: Runtime, actor: Actor, study_id: int, code: str, window: str, *, sites: Collection[int] | None = None
) -> None:
    """Leave the audit row of who looked at the answers of one window; KeyError if there is none to be seen."""
    with transaction(rt, actor, rt.clock()) as tx:
        loaded, facts = _found(tx, study_id, code, window, sites)
        tx.writer.note(loaded, "view_answers", "window", facts.id, {"window": (None, facts.code)})


def _found(
    tx: Transaction, study_id: int, code: str, window: str, sites: Collection[int] | None
) -> tuple[Loaded, WindowFacts]:
    found = cases.find(tx.session, study_id, code)
    if found is None:
        raise KeyError(code)
    loaded = tx.rt.loader.one(tx.session, found)
    if sites is not None and loaded.site_id not in sites:
        raise KeyError(code)
    for facts in loaded.case.current:
        if facts.code == window:
            return loaded, facts
    raise KeyError(window)


def _answers(loaded: Loaded, window: WindowFacts, filled: Filled, now: datetime) -> dict[str, int | None]:
    answers, faults = read(loaded.case.protocol, window, filled)
    if now < window.span.opens_at:
        faults.append(problem("window_not_open", FORM))
    elif not answers and not filled.cleared and not faults:
        faults.append(problem("nothing_entered", FORM))
    # Whether or not it is the same: which value needs no reason would tell the value.
    changing = any(window.has_answer(item) for item in (*answers, *filled.cleared))
    late = now >= window.span.closes_at and bool(answers)
    if (changing or late) and not filled.reason.strip():
        faults.append(problem("entry_reason_missing", "reason"))
    if faults:
        raise RejectedError(tuple(faults))
    return answers


def read(protocol: Protocol, window: WindowFacts, filled: Filled) -> tuple[dict[str, int | None], list[Problem]]:
    """The answers of a form (None = declined), and everything that is wrong with it."""
    answers: dict[str, int | None] = {}
    faults = [problem("answer_not_saved", item) for item in filled.cleared if not window.has_answer(item)]
    for item in window.point.items:
        rule, typed = protocol.items[item], filled.values.get(item, "").strip()
        declined = item in filled.declined or typed == "declined"
        if declined:
            answers[item] = None
        if item in filled.cleared and window.has_answer(item) and (declined or typed):
            faults.append(problem("answer_and_declined", item))
        if not typed or typed == "declined":
            continue
        if declined:
            faults.append(problem("answer_and_declined", item))
        elif not (typed.isascii() and typed.isdigit()):
            faults.append(problem("answer_no_number", item))
        elif not rule.minimum <= int(typed) <= rule.maximum:
            faults.append(problem("answer_out_of_range", item, least=rule.minimum, most=rule.maximum))
        else:
            answers[item] = int(typed)
    return answers, faults


def differs(window: WindowFacts, item: str, value: int | None) -> bool:
    """Whether a value (None = declined) is another than the one kept."""
    answer = window.answers.get(item)
    return answer is None or not answer.given or answer.value != value or answer.declined != (value is None)


def _keep_call(tx: Transaction, loaded: Loaded, window: WindowFacts, filled: Filled) -> None:
    """A telephone entry that came from a task is its call: completed now."""
    task = next((e for e in loaded.case.escalations if e.id == filled.task), None)
    if filled.mode == "telephone" and task is not None:
        tasks.record_call(tx.writer, loaded, tasks.CallMade(task.id, window.id, "completed_now"))
        tasks.acknowledge(tx.writer, loaded, task)

"""What coordinators do with a text that no rule understood: keep its score, answer it, call, mark it, or nothing.

Each thing once a text: a second click finds it done. Everything is audited, and a page from before a
change of the participant writes nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from pro_service.core.case import BY_REPLY, Source, WindowFacts
from pro_service.core.conversation import inbox as rules
from pro_service.core.conversation.answers import editable, on_answers
from pro_service.core.problems import RejectedError, problem
from pro_service.core.providers import FACTS
from pro_service.reports import inbox as report_inbox
from pro_service.reports.inbox import Bubble, Item, Look, Reader
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.messages import inbox
from pro_service.store.messages.inbox import Act, Done
from pro_service.store.participants import cases, revelations, shared_phone, tasks
from pro_service.store.participants.cases import Loaded
from pro_service.use_cases.participants.entry import differs
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.use_cases.transaction import Transaction, transaction, words_to

Action: TypeAlias = Literal["record", "answer", "call", "reveal", "done"]
MODE = "staff-from-text"
"""How a score that a person read out of a text was entered: the text stays its source, the person who entered it."""


class DoneAlreadyError(Exception):
    """This was done with this text before; nothing was written. `done` says who did it and when."""

    def __init__(self, done: Done) -> None:
        super().__init__(f"{done.action} was done already")
        self.done = done


@dataclass(frozen=True, slots=True)
class About:
    """Which text somebody works on, as they saw it."""

    inbound_id: int
    reader: Reader
    revision: int | None = None
    """The participant's, when the page was made."""
    participant: str | None = None
    """Whose text it is, where the telephone is shared and the person knows."""


@dataclass(frozen=True, slots=True)
class Score:
    """A score as a person reads it out of a text."""

    window: str
    item: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Open:
    """One transaction about one text."""

    tx: Transaction
    study_id: int
    item: Item
    received_at: datetime
    sender_index: bytes
    loaded: Loaded | None

    @property
    def participant(self) -> Loaded:
        """The participant; RejectedError where nobody said whose text it is."""
        if self.loaded is None:
            raise RejectedError((problem("whose_text", "participant"),))
        return self.loaded


def record(rt: Runtime, actor: Actor, about: About, score: Score) -> None:
    """Keep a score that a person reads in a text, for one window and item, with the reason.

    It counts by the arrival of the text, which stays its source; the version names who entered it. KeyError (not to be
    seen), DoneAlreadyError, StaleError, RejectedError with every fault.
    """
    with _text_transaction(rt, actor, about, "record") as seen:
        loaded = seen.participant
        window, value = _read(loaded, seen, score)
        commands = on_answers(
            loaded.case,
            window,
            {score.item: value},
            source=_source(seen.item.received),
            received_at=seen.received_at,
            now=seen.tx.now,
            inbound_id=seen.item.id,
            entered_by=actor.user_id,
            reason=score.reason.strip(),
        )
        seen.tx.carry_out(loaded, commands)
        changes = {"mode": (None, MODE), "window": (None, window.code)}
        _finish(seen, Act(seen.item.id, "record", f"{window.code} {score.item}", score.reason.strip(), changes))


def _source(received: rules.Received) -> Source:
    return BY_REPLY[FACTS[received.way].medium]


def _read(loaded: Loaded, seen: _Open, score: Score) -> tuple[WindowFacts, int]:
    """The window and value meant; RejectedError with every fault at once."""
    faults, source = [], _source(seen.item.received)
    possible = {window.code: window for window in rules.windows_for(loaded.case, seen.received_at)}
    window, typed = possible.get(score.window), score.value.strip()
    rule = loaded.case.protocol.items.get(score.item)
    if window is None:
        faults.append(problem("score_window", "window"))
    if rule is None or (window is not None and score.item not in editable(window, source, seen.received_at)):
        faults.append(problem("score_item", "item"))
    if not (typed.isascii() and typed.isdigit()):
        faults.append(problem("answer_no_number", "value"))
    elif rule is not None and not rule.minimum <= int(typed) <= rule.maximum:
        faults.append(problem("score_out_of_range", "value"))
    elif window is not None and not differs(window, score.item, int(typed)):
        faults.append(problem("score_unchanged", "value"))
    if not score.reason.strip():
        faults.append(problem("score_reason_missing", "reason"))
    if faults or window is None:
        raise RejectedError(tuple(faults))
    return window, int(typed)


def answer(rt: Runtime, actor: Actor, about: About, template: str) -> None:
    """Send one of the study's texts as the answer, through the gate and the outbox.

    KeyError, DoneAlreadyError, StaleError, RejectedError (place `template`) where it may not be sent now.
    """
    with _text_transaction(rt, actor, about, "answer") as seen:
        loaded = seen.participant
        try:
            send = rules.answer_text(loaded.case, seen.item.received, template, seen.tx.now)
        except ValueError:
            raise RejectedError((problem("template_not_sendable", "template"),)) from None
        seen.tx.carry_out(loaded, [send])
        _finish(seen, Act(seen.item.id, "answer", template))


def waiting(rt: Runtime, study_id: int, *, everything: bool = False) -> list[Item]:
    """What waits for a person in a study, oldest first; or all that ever did, what waits first."""
    reader, found, more = Reader(study_id, None, strangers=True), list[Item](), True
    with rt.sessions.reading() as session:
        while more:
            look = Look("all" if everything else "open", after=found[-1].place if found else None)
            items, more = report_inbox.page(session, rt.vault, reader, look, rt.clock())
            found += items
    return found


def one(rt: Runtime, study_id: int, inbound_id: int) -> tuple[Item, list[Bubble], Sequence[Done]] | None:
    """One text with its thread and what was done with it; None if it is not in this study's inbox."""
    reader = Reader(study_id, None, strangers=True)
    with rt.sessions.reading() as session:
        item = report_inbox.one(session, rt.vault, reader, inbound_id, rt.clock())
        if item is None:
            return None
        thread = report_inbox.thread(session, rt.vault, reader, inbound_id)
        return item, thread, inbox.actions_on(session, rt.vault, inbound_id)


def previews(rt: Runtime, loaded: Loaded, received: rules.Received) -> list[tuple[str, str]]:
    """The texts that may be sent as an answer now: (name, the words as the telephone will show them)."""
    now = rt.clock()
    with rt.sessions.reading() as session:
        return [
            (name, words_to(rt, session, loaded, rules.answer_text(loaded.case, received, name, now)))
            for name in rules.sendable_answers(loaded.case, received, now)
        ]


def call(rt: Runtime, actor: Actor, about: About) -> None:
    """Make it a call: the window's own task where its answer is missing. KeyError, DoneAlreadyError, StaleError."""
    with _text_transaction(rt, actor, about, "call") as seen:
        loaded = seen.participant
        task = rules.call_task(loaded.case, seen.item.id, seen.tx.now)
        seen.tx.carry_out(loaded, [] if task is None else [task])
        _finish(seen, Act(seen.item.id, "call", None if task is None else task.level))


def reveal(rt: Runtime, actor: Actor, about: About) -> None:
    """Mark a text as one that reveals the treatment, for good: from now on few may read it.

    KeyError, DoneAlreadyError. Whether the page is stale does not matter: what a text reveals does not change.
    """
    with _text_transaction(rt, actor, about, "reveal", stale=True) as seen:
        inbox.keep_action(seen.tx.writer, seen.study_id, seen.loaded, Act(seen.item.id, "reveal"))
        revelations.note(seen.tx.writer, seen.study_id, seen.loaded, "text", seen.item.id)


def done(rt: Runtime, actor: Actor, about: About, reason: str | None = None) -> None:
    """Say that nothing more is to be done. KeyError, DoneAlreadyError, StaleError."""
    with _text_transaction(rt, actor, about, "done") as seen:
        _finish(seen, Act(seen.item.id, "done", None, (reason or "").strip() or None))


@contextmanager
def _text_transaction(
    rt: Runtime, actor: Actor, about: About, action: Action, *, stale: bool = False
) -> Iterator[_Open]:
    """One transaction about one text, with its participant's row taken first, and then the text's own."""
    with transaction(rt, actor, rt.clock()) as tx:
        item = report_inbox.one(tx.session, rt.vault, about.reader, about.inbound_id, tx.now)
        code = None if item is None else _whose(item, about.participant)
        found = None if code is None else cases.find(tx.session, about.reader.study_id, code)
        loaded = None if found is None else rt.loader.one(tx.session, found)
        row = inbox.lock_text(tx.session, about.inbound_id)
        if item is None or row is None:
            raise KeyError(about.inbound_id)
        before = next((d for d in inbox.actions_on(tx.session, rt.vault, item.id) if d.action == action), None)
        if before is not None:
            raise DoneAlreadyError(before)
        revision = None if loaded is None else loaded.case.participant.revision
        if not stale and None not in (revision, about.revision) and revision != about.revision:
            raise StaleError(revision or 0)
        arrived = min(row.received_at, row.provider_at or row.received_at)
        yield _Open(tx, about.reader.study_id, item, arrived, row.sender_index, loaded)


def _whose(item: Item, chosen: str | None) -> str | None:
    """The code of the participant: the text's own, else the one that was chosen among those whose it may be."""
    return item.participant or (chosen if chosen in item.owners else None)


def _finish(seen: _Open, act: Act) -> None:
    """Keep what was done, end the text's waiting, and the tasks that were about nothing but reading it."""
    session, writer, loaded = seen.tx.session, seen.tx.writer, seen.loaded
    inbox.keep_action(writer, seen.study_id, loaded, act)
    inbox.mark_handled(session, seen.item.id, seen.tx.now)
    _end_tasks_of_owners(seen)
    if loaded is None:
        if not inbox.has_waiting_text_from(session, seen.sender_index):
            for task in inbox.strangers_tasks(session, seen.sender_index, seen.study_id):
                tasks.resolve_unowned(writer, task, "done")
        return
    person = loaded.case.participant
    if seen.item.participant is None:
        inbox.attribute(session, seen.item.id, loaded.study_id, person.id)
        writer.note(loaded, "attribute", "inbound", seen.item.id, {"code": (None, person.code)})
    tasks.mark_changed(writer, loaded)
    if not inbox.has_waiting_text(session, person.id):
        seen.tx.carry_out(loaded, rules.resolve_reading_tasks(loaded.case))


def _end_tasks_of_owners(seen: _Open) -> None:
    """End the tasks that every owner of a shared telephone got about this one text."""
    if seen.item.participant is not None:
        return
    owners = shared_phone.with_telephone(seen.tx.session, seen.sender_index)
    for one in seen.tx.rt.loader.load(seen.tx.session, owners):
        seen.tx.carry_out(one, rules.resolve_tasks_about_text(one.case, seen.item.id))

"""What a kept text means: whose telephone, which words, what follows. Apart from keeping it, so that none is lost.

A text from a telephone that nobody has becomes a task for each study, and gets one neutral answer a day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event

from pro_service import logs
from pro_service.core.case import Case
from pro_service.core.commands import Send
from pro_service.core.conversation import unknown_sender as rules
from pro_service.core.conversation.contact_test import ReachTest
from pro_service.core.conversation.inbox import ALWAYS, reason_for_person
from pro_service.core.conversation.rules import (
    Reply,
    ask_who_sent,
    concerns_everyone,
    may_answer_text_in_doubt,
    on_reply,
    was_asked,
)
from pro_service.core.conversation.shared_phone import WHICH_PARTICIPANT, owners_named
from pro_service.core.providers import FACTS
from pro_service.core.replies.reading import compile_all
from pro_service.core.schedule.agenda import escalate, may_converse
from pro_service.gateways.outgoing import GatewayError
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.audit import Actor
from pro_service.store.bulk import last_id
from pro_service.store.messages import channels, inbox, uncertain, unknown_sender
from pro_service.store.messages.inbox import Read, Text
from pro_service.store.participants import contact_tests, shared_phone
from pro_service.store.participants.cases import Loaded, one_of_each_study
from pro_service.store.participants.writer import Words
from pro_service.store.schema import AnyRow
from pro_service.store.session import Session
from pro_service.store.staff import telephones
from pro_service.use_cases.participants import contact_test
from pro_service.use_cases.staff import telephone
from pro_service.use_cases.transaction import SCHEDULER, Transaction, paid_for, transaction

BATCH = 200
"""So many texts are looked up at once."""

TOGETHER = 8
"""So many are read in one transaction at most: those who write to SQLite meanwhile wait for it."""

AFTER_CLOSE = timedelta(hours=24)
"""So long after a window's close a text may have been written before it."""

WAIT_FOR_TIME = timedelta(minutes=15)
"""So long a text waits for the provider to say when it was written."""

READ_FOR = 30.0
"""Seconds after which a tick turns from a backlog of texts to those whose time has come."""


def interpret_unread(rt: Runtime, stop: Event | None = None) -> int:
    """Read every text nobody has read yet, oldest first, each once, for READ_FOR at most; return how many were read."""
    tried: set[int] = set()
    began = rt.monotonic()
    while rt.monotonic() - began < READ_FOR:
        with rt.sessions.reading() as session:
            # What stays unread stands in front, for it is old.
            unread = inbox.uninterpreted(session, BATCH + len(tried))
        ids = [one for one in unread if one not in tried]
        if not ids:
            return len(tried.difference(unread))
        for start in range(0, len(ids), TOGETHER):
            if stop is not None and stop.is_set():
                return len(tried)
            together = ids[start : start + TOGETHER]
            interpret(rt, together)
            tried.update(together)
    return len(tried)


def read_new(rt: Runtime, stop: Event | None = None) -> int:
    """Read what has been kept since the last time, each text once, until there is nothing new; return how many.

    The web server reads what it keeps too, but lets requests go first. What stays unread here is the tick's.
    """
    memory, found = rt.memory, 0
    if memory.read_until is None:
        prepare(rt)
    while stop is None or not stop.is_set():
        with rt.sessions.glance() as connection:
            if memory.read_until is None:
                memory.read_until = last_id(connection) - 1
            ids = inbox.kept_since(connection, memory.read_until, TOGETHER)
        if not ids:
            break
        interpret(rt, ids)
        memory.read_until = max(ids)
        found += len(ids)
    return found


def prepare(rt: Runtime) -> None:
    """Load and compile what the first texts need, a second's work: else SQLite's other writers wait for it."""
    compile_all()
    with rt.sessions.reading() as session:
        rt.loader.load(session, one_of_each_study(session), lock=False)


def interpret(rt: Runtime, ids: Sequence[int], *, in_quarantine: bool = False) -> None:
    """Read kept texts and carry out what follows, those that are clear in one transaction.

    After a fault each is read alone; one that fails alone is read again later, and in the end by a person. In a
    quarantine texts wait until it is known what was asked before them; a caller who knows says `in_quarantine`.
    """
    now = rt.clock()
    try:
        _read_in_turn(rt, _as_they_came(rt, ids, now, in_quarantine=in_quarantine), now)
    except Exception as fault:  # noqa: BLE001 -- the texts are kept; the next tick tries again
        if len(ids) > 1:
            for one in ids:
                interpret(rt, [one], in_quarantine=in_quarantine)
            return
        logs.fault("interpret", fault, inbound=ids[0])
        with rt.sessions.begin() as session:
            faults = inbox.count_fault(session, ids[0])
        if faults >= inbox.FAULTS:
            _give_to_a_person(rt, ids[0], now)


# --- whether it is clear when they were written ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An unread text."""

    text: AnyRow
    after_close: bool
    """A window of the sender's closed shortly before it came: it may have been written earlier."""
    clear: bool
    """No provider has to be asked anything before it is read."""


def _as_they_came(rt: Runtime, ids: Sequence[int], now: datetime, *, in_quarantine: bool) -> list[_Waiting]:
    """Return those of these texts that may be read by now, in the order they came in."""
    with rt.sessions.reading() as session:
        texts = inbox.still_unread(session, ids)
        if not in_quarantine and _in_quarantine(rt, session):
            # It is not known yet what was asked before them. Not for ever: one may be a cry for help.
            texts = [text for text in texts if now - text.received_at >= WAIT_FOR_TIME]
        closed = inbox.after_a_close(session, [text for text in texts if text.channel in rt.texts], AFTER_CLOSE)
        unclear = closed | {row.inbound_id for row in _unclear_questions(rt, session, [text.id for text in texts])}
    return [_Waiting(text, after_close=text.id in closed, clear=text.id not in unclear) for text in texts]


def _unclear_questions(rt: Runtime, session: Session, ids: Sequence[int]) -> Sequence[AnyRow]:
    return [row for row in uncertain.accepted_about(session, ids) if row.channel in rt.texts]


def _in_quarantine(rt: Runtime, session: Session) -> bool:
    if not rt.texts:
        return False
    known = channels.all_channels(session)
    return any(known[way].quarantined_at is not None for way in rt.texts)


def _read_in_turn(rt: Runtime, waiting: Sequence[_Waiting], now: datetime) -> None:
    """Read what is clear in as few transactions as may be, then one by one what a provider is asked about.

    Each telephone is in a transaction once: its next text sees what its last one changed.
    """
    slow = {one.text.sender_index for one in waiting if not one.clear}
    together: dict[bytes, int] = {}
    for one in waiting:
        if one.text.sender_index in slow:
            continue
        if one.text.sender_index in together:
            _read_together(rt, list(together.values()), now)
            together.clear()
        together[one.text.sender_index] = one.text.id
    if together:
        _read_together(rt, list(together.values()), now)
    for one in waiting:
        text = one.text
        if text.sender_index in slow and _time_is_known(rt, one, now) and _questions_time_is_known(rt, text, now):
            _read_together(rt, [text.id], now)


def _time_is_known(rt: Runtime, one: _Waiting, now: datetime) -> bool:
    """Whether it is clear when a text was written, as far as a window's close hangs on it.

    The webhook carries no time. After a close the provider is asked, and the earlier time counts; while it does not
    answer the text waits, but not for ever.
    """
    text = one.text
    if not one.after_close:
        return True
    try:
        record = rt.texts[text.channel].fetch(text.provider_id)
    except GatewayError as fault:
        logs.fault("interpret.time", fault, inbound=text.id)
        return bool(now - text.received_at >= WAIT_FOR_TIME)
    if record is not None and record.created_at is not None:
        with rt.sessions.begin() as session:
            inbox.set_provider_time(session, text.id, record.created_at)
    return True


def _questions_time_is_known(rt: Runtime, text: AnyRow, now: datetime) -> bool:
    """Whether it is clear which of our questions the provider had taken when a text was written.

    An answer of the provider that comes late, and a status callback, carry no time: people may have answered meanwhile.
    The provider is asked, and its time counts; while it does not answer the text waits, but not for ever.
    """
    with rt.sessions.reading() as session:
        # Now that it may be known when it was written.
        unclear = _unclear_questions(rt, session, [text.id])
    try:
        for row in unclear:
            record = rt.texts[row.channel].fetch(row.provider_id)
            if record is not None and record.created_at is not None:
                with rt.sessions.begin() as session:
                    uncertain.set_accepted(session, row, record.created_at)
    except GatewayError as fault:
        logs.fault("interpret.question", fault, inbound=text.id)
        return not timedelta() <= now - text.received_at < WAIT_FOR_TIME
    return True


# --- read ------------------------------------------------------------------------------------------------------------


def _read_together(rt: Runtime, ids: Sequence[int], now: datetime) -> None:
    """Read texts of as many telephones in one transaction; who acts is each text in its turn."""
    with transaction(rt, SCHEDULER, now) as tx:
        texts = inbox.unread(tx.session, ids)
        if not texts:
            return
        owners = shared_phone.with_telephones(tx.session, {text.sender_index for text in texts})
        everybody = sorted(one for them in owners.values() for one in them)
        loaded = {one.case.participant.id: one for one in rt.loader.load(tx.session, everybody)}
        tests = contact_tests.newest(tx.session, everybody)
        read = []
        for text in texts:
            tx.identify(Actor("participant", f"inbound:{text.id}", FACTS[text.channel].medium))
            those = [loaded[one] for one in owners[text.sender_index] if one in loaded]
            read += _interpret(tx, text, those, tests)
        inbox.mark_interpreted(tx.session, now, read)


def _interpret(tx: Transaction, row: Text, loaded: list[Loaded], tests: Mapping[int, ReachTest]) -> list[Read]:
    """Carry out what a text calls for; return how it was read, or nothing if it waits.

    `loaded`: who has its telephone; `tests`: their newest tests.
    """
    said = inbox.said(tx.rt.vault, row)
    reply = Reply(
        inbound_id=row.id,
        text=said.body,
        arrived=min(row.received_at, row.provider_at or row.received_at),
        media=said.media,
        opt_out=said.opt_out,
        medium=FACTS[row.channel].medium,
    )
    if len(loaded) > 1 and concerns_everyone(loaded[0].case, reply, tx.now):
        reading = _for_everyone(tx, loaded, reply)
        if reading in ALWAYS:
            inbox.hand_to_person(tx.session, row.id, tx.now, ALWAYS[reading])
        return [_read_as(tx, row, reading, None)]
    if _doubt_may_end(tx, loaded, row, reply):
        return []
    tested = contact_test.tests_confirmed_by(tests, loaded, reply)
    one, reply = (None, reply) if len(tested) > 1 else _one_of(loaded, reply)
    if len(tested) == 1:
        one = tested[0][0]
    if one is None:
        reading = _nobody(tx, loaded, row, reply) if loaded else take_unknown_sender(tx, row, said.sender, reply)
        return [_read_as(tx, row, reading, None)]
    reading = _confirmed(tx, *tested[0]) if tested else _read(tx, one, reply)
    tx.writer.note(one, "read", "inbound", row.id, {"reading": (None, reading)})
    return [_read_as(tx, row, reading, one)]


def _doubt_may_end(tx: Transaction, loaded: list[Loaded], row: Text, reply: Reply) -> bool:
    """Whether a text waits, unread, until it is known whether the question left that it seems to answer; not for ever.

    It is read right after the provider was asked (`delivery.reconcile`), or by the next tick.
    """
    if not timedelta() <= tx.now - row.received_at < tx.rt.settings.delivery.patience():
        return False
    return any(may_answer_text_in_doubt(one.case, reply, tx.now) for one in loaded)


def _read_as(tx: Transaction, row: Text, reading: str, whose: Loaded | None) -> Read:
    """Return how a text was read and whose it is.

    A stop holds for the telephone, also where it is one of the staff's.
    """
    if reading == "OptOut":
        telephone.stop(tx, row.sender_index)
    return Read(row.id, reading) if whose is None else Read(row.id, reading, whose.study_id, whose.case.participant.id)


# --- whose words these are -------------------------------------------------------------------------------------------


def _one_of(loaded: list[Loaded], reply: Reply) -> tuple[Loaded | None, Reply]:
    """Whose text it is, and what it says to us. Never a guess.

    It is the only owner's, that of the one whose code it begins with, or of the only one a question is open to.
    """
    if not loaded:
        return None, reply
    # Also where one is left of those who were asked to begin with it.
    places, words = owners_named(reply.text, [one.case for one in loaded])
    named, reply = [loaded[place] for place in places], replace(reply, text=words)
    if len(named) == 1:
        return named[0], reply
    asked_now = [one for one in named if _awaits(one.case, reply.arrived)]
    return (asked_now[0] if len(asked_now) == 1 else None), reply


def _awaits(case: Case, arrived: datetime) -> bool:
    for window in case.current:
        missing = window.missing()
        open_now = window.span.opens_at <= arrived < window.span.closes_at
        if open_now and missing and was_asked(case, window, missing[0], arrived):
            return True
    return False


def _nobody(tx: Transaction, loaded: list[Loaded], row: inbox.Text, reply: Reply) -> str:
    """A telephone that several share: a person finds out whose words these are, unless the sender says it now."""
    inbox.hand_to_person(tx.session, row.id, tx.now, "shared_telephone")
    for one in _one_of_each_site(loaded):
        task = escalate(one.case, "E0", "shared_telephone", tx.now)
        tx.carry_out(one, [replace(task, key=f"E0:shared_telephone:i{row.id}:p{one.case.participant.id}")])
    # One of them speaks for all, so that the limits hold for the telephone.
    asks = next((one for one in loaded if may_converse(one.case.participant)), None)
    if asks is not None:
        tx.carry_out(asks, ask_who_sent(asks.case, reply, tx.now, WHICH_PARTICIPANT))
    return "unattributed"


def _one_of_each_site(loaded: list[Loaded]) -> list[Loaded]:
    """Return who stands for a telephone in each site: one text is one task for those who read it there.

    Somebody who left the study only where nobody else is: what is open about them has ended with it.
    """
    by_site: dict[tuple[int, int], Loaded] = {}
    for one in sorted(loaded, key=lambda one: one.case.participant.left_at is not None):
        by_site.setdefault((one.study_id, one.site_id), one)
    return list(by_site.values())


def _for_everyone(tx: Transaction, loaded: list[Loaded], reply: Reply) -> str:
    """A stop or a cry for help from a shared telephone holds for all who share it; it is answered once."""
    reading, answered = "", False
    for one in loaded:
        reading, commands = on_reply(one.case, reply, tx.now)
        tx.carry_out(one, [command for command in commands if not (answered and isinstance(command, Send))])
        tx.writer.note(one, "read", "inbound", reply.inbound_id, {"reading": (None, reading)})
        answered = answered or any(isinstance(command, Send) for command in commands)
    return reading


# --- what follows ----------------------------------------------------------------------------------------------------


def _read(tx: Transaction, one: Loaded, reply: Reply) -> str:
    """Read a participant's text and carry out what follows; return how it was read."""
    reading, commands = on_reply(one.case, reply, tx.now)
    tx.carry_out(one, commands)
    if commands and not one.case.others:
        tx.foresee_next_check(one)
    why = reason_for_person(one.case, reading, commands)
    if why is not None:
        inbox.hand_to_person(tx.session, reply.inbound_id, tx.now, why)
    return reading


def _confirmed(tx: Transaction, one: Loaded, test: ReachTest) -> str:
    """A text that confirms a test is no answer to anything else."""
    contact_test.confirm_by_reply(tx, one, test)
    return contact_test.READING


def take_unknown_sender(tx: Transaction, row: Text, number: str, reply: Reply) -> str:
    """Give it to a person, and answer where the gate lets us; return how it was read. The number goes nowhere else."""
    reading = rules.read_meaning(reply.text, reply.media)
    reading = {"STOP": "OptOut", "START": "OptIn"}.get(reply.opt_out or "", reading)
    of_staff = bool(telephones.owners(tx.session, row.sender_index))
    if of_staff and reading in ("OptOut", "OptIn"):
        return reading
    inbox.hand_to_person(tx.session, row.id, tx.now, "unknown_sender")
    if of_staff:
        # A colleague's text is nobody's task, and to say that we do not know the number would be wrong.
        return "unattributed"
    known = studies.all_studies(tx.session)
    # Whose it may be nobody knows: a task without a study would be on nobody's list.
    for study in known:
        tx.writer.possible_participant(row.sender_index, study.id)
    if reading == "OptOut":
        unknown_sender.cancel(tx.session, row.sender_index, tx.now)
    stopped = unknown_sender.stopped(tx.session, row.sender_index)
    answered = unknown_sender.answered(tx.session, row.sender_index, tx.now - rules.ONCE)
    if known and rules.may_answer(number, reading, stopped=stopped, answered=answered):
        # The sender is shared by all studies, and the words name none.
        _answer(tx, known[0].id, row, number)
    return reading if reading in ("OptOut", "OptIn") else "unattributed"


def _answer(tx: Transaction, study_id: int, row: Text, number: str) -> None:
    version = studies.newest(tx.session, study_id)
    if version is None:
        return
    frames = tx.rt.wording(tx.session, version.id).frames
    body = frames[rules.language(number, tuple(frames))][rules.FRAME].strip()
    facts = FACTS[row.channel]
    words = Words(body, paid_for(body, facts), version.id, facts.way)
    unknown_sender.queue(tx.writer, study_id, row, words)


# --- what cannot be read ---------------------------------------------------------------------------------------------


def _give_to_a_person(rt: Runtime, inbound_id: int, now: datetime) -> None:
    """A task at each site of the telephone's owners; where that fails too, one that is about nobody."""
    try:
        _end_unread(rt, inbound_id, now, attributed=True)
    except Exception as fault:  # noqa: BLE001 -- one text must not stop the beat, nor be read for ever
        logs.fault("interpret", fault, inbound=inbound_id)
        _end_unread(rt, inbound_id, now, attributed=False)


def _end_unread(rt: Runtime, inbound_id: int, now: datetime, *, attributed: bool) -> None:
    with transaction(rt, SCHEDULER, now) as tx:
        row = next(iter(inbox.unread(tx.session, [inbound_id])), None)
        if row is None:
            return
        if not attributed:
            # About nobody, for even loading its owners fails: a task without a study would be on nobody's list.
            for study in studies.all_studies(tx.session):
                tx.writer.possible_participant(row.sender_index, study.id)
        owners = shared_phone.with_telephone(tx.session, row.sender_index) if attributed else ()
        for one in _one_of_each_site(rt.loader.load(tx.session, owners)):
            task = escalate(one.case, "E0", "unreadable_reply", now)
            tx.carry_out(one, [replace(task, key=f"E0:unreadable_reply:i{inbound_id}:p{one.case.participant.id}")])
        inbox.hand_to_person(tx.session, inbound_id, now, "fault")
        inbox.mark_interpreted(tx.session, now, [Read(inbound_id, "fault")])

"""The reachability test: a text before the participant leaves the clinic, confirmed by reply, by link or by staff.

Where it fails the plan becomes telephone first. Who confirms later gets texts again, unless staff said that it failed.
"""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from pro_service import logs
from pro_service.core.case import UNREACHABLE
from pro_service.core.commands import Resolve
from pro_service.core.conversation import contact_test as rules
from pro_service.core.conversation.contact_test import By, Failure, ReachTest
from pro_service.core.conversation.rules import Reply
from pro_service.core.conversation.shared_phone import owners_named
from pro_service.core.problems import Problem
from pro_service.runtime import Runtime
from pro_service.store import confirmations
from pro_service.store.audit import Actor
from pro_service.store.participants import cases, contact_tests
from pro_service.store.participants.cases import Loaded
from pro_service.store.schema import reach_tests
from pro_service.store.vault import token_hash
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.use_cases.transaction import SCHEDULER, TOKEN_BYTES, SaidAlreadyError, Transaction, transaction

Refusal: TypeAlias = Literal[
    "no_texts", "closed", "not_confirmed", "waiting", "minutes", "no_template", "no_test", "decided", "needs_reason"
]
READING = "ReachConfirmed"


class ReachRefusedError(Exception):
    """What was asked cannot be done; `code` says why, and nothing was written."""

    def __init__(self, code: Refusal) -> None:
        super().__init__(code)
        self.code = code
        self.problem = Problem(f"reach_{code}")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose test, and what the page showed."""

    study_id: int
    code: str
    sites: Collection[int] | None = None
    revision: int | None = None


def latest(rt: Runtime, participant_id: int) -> ReachTest | None:
    """The newest test of a participant."""
    with rt.sessions.reading() as session:
        return contact_tests.latest(session, participant_id)


def latest_by_code(rt: Runtime, subject: Subject) -> ReachTest | None:
    """The newest test of the participant with this code; KeyError if there is none."""
    with rt.sessions.reading() as session:
        found = cases.find(session, subject.study_id, subject.code)
        if found is None:
            raise KeyError(subject.code)
        return contact_tests.latest(session, found)


def begin(rt: Runtime, actor: Actor, subject: Subject, patience: timedelta = rules.USUAL) -> ReachTest:
    """Send the test's text. KeyError (no such participant), StaleError, ReachRefusedError.

    A participant whose gate an earlier test closed is tried again.
    """
    if not rules.SHORTEST <= patience <= rules.LONGEST:
        raise ReachRefusedError("minutes")
    with _test_transaction(rt, actor, subject) as (tx, found, before):
        if before is not None and before.open:
            raise ReachRefusedError("waiting")
        loaded = _open_again(tx, found, before) if before and rules.closed_by(found.case, before) else found
        if loaded.case.closed_at is not None:
            raise ReachRefusedError("closed")
        if not rules.may_begin(loaded.case.participant):
            raise ReachRefusedError("no_texts")
        if rt.texts_leave and not confirmations.may_send(tx.session, loaded.protocol_version_id):
            # The text would wait, and the test would say that texts do not reach this telephone.
            raise ReachRefusedError("not_confirmed")
        _queue(tx, loaded, tx.now + patience)
    with rt.sessions.reading() as session:
        test = contact_tests.latest(session, loaded.case.participant.id)
    if test is None:
        raise KeyError(subject.code)
    return test


def _open_again(tx: Transaction, loaded: Loaded, failed: ReachTest) -> Loaded:
    """The participant with the gate open that a failed test had closed."""
    opened: dict[str, Any] = {UNREACHABLE[failed.medium]: None}
    tx.writer.change(loaded, opened, "reach_again")
    person = replace(loaded.case.participant, **opened)
    return replace(loaded, case=replace(loaded.case, participant=person))


def _queue(tx: Transaction, loaded: Loaded, until: datetime) -> None:
    test_id = next(tx.writer.ids)
    person = loaded.case.participant
    send = rules.text(loaded.case, test_id, until)
    wording = tx.rt.wording(tx.session, loaded.protocol_version_id)
    if send.frame not in wording.frames[person.language]:
        raise ReachRefusedError("no_template")
    token = secrets.token_urlsafe(TOKEN_BYTES) if wording.needs_link(loaded.case, send) else None
    link = "" if token is None else f"{tx.rt.settings.public_base_url}/q/reach/{token}"
    try:
        words = tx.words(loaded, send, link=link)
    except SaidAlreadyError:
        raise ReachRefusedError("waiting") from None
    tx.writer.apply(loaded, send, words)
    # The test's row refers to the text's row in the outbox, which is found there by its key.
    tx.write_now()
    tx.writer.check_again(loaded)
    row = {
        "id": test_id,
        "study_id": loaded.study_id,
        "participant_id": person.id,
        "message_id": contact_tests.message_with(tx.session, send.key),
        "user_id": tx.writer.actor.user_id,
        "token": None if token is None else token_hash(token),
        "started_at": tx.now,
        "expires_at": until,
    }
    tx.writer.add(reach_tests, row)
    tx.writer.note(loaded, "reach_begin", "reach_test", test_id, {"expires_at": (None, until)})


def confirm_by_staff(rt: Runtime, actor: Actor, subject: Subject) -> None:
    """The participant showed the text. KeyError, StaleError, ReachRefusedError (`no_test`, `decided`)."""
    with _test_transaction(rt, actor, subject) as (tx, loaded, test):
        if test is None:
            raise ReachRefusedError("no_test")
        if not _confirmed(tx, loaded, test, "staff"):
            raise ReachRefusedError("decided")


def fail_by_staff(rt: Runtime, actor: Actor, subject: Subject, reason: str) -> None:
    """It does not work, and staff say why. KeyError, StaleError, ReachRefusedError."""
    if not reason.strip():
        raise ReachRefusedError("needs_reason")
    with _test_transaction(rt, actor, subject) as (tx, loaded, test):
        if test is None:
            raise ReachRefusedError("no_test")
        if not _failed(tx, loaded, test, "staff", reason.strip()):
            raise ReachRefusedError("decided")


def confirm_by_link(rt: Runtime, token: str) -> str | None:
    """The participant pressed the button of the text's page; return their language, None for a token nobody has."""
    with transaction(rt, Actor(kind="participant", id="link", source="web"), rt.clock()) as tx:
        found = contact_tests.by_token(tx.session, token)
        if found is None:
            return None
        loaded = rt.loader.one(tx.session, found[0])
        test = contact_tests.latest(tx.session, found[0])
        if test is not None and test.id == found[1]:
            _confirmed(tx, loaded, test, "link")
        return loaded.case.participant.language


def language_of(rt: Runtime, token: str) -> str | None:
    """In which language the page of a text speaks; None for a token nobody has. Writes nothing."""
    with rt.sessions.reading() as session:
        found = contact_tests.by_token(session, token)
        return None if found is None else rt.loader.one(session, found[0], lock=False).case.participant.language


def tests_confirmed_by(
    newest: Mapping[int, ReachTest], loaded: Sequence[Loaded], reply: Reply
) -> list[tuple[Loaded, ReachTest]]:
    """The tests that a text confirms; then it is never a score. Several only where a telephone is shared.

    `newest`: each participant's newest test.
    """
    shared = len(loaded) > 1
    places, words = owners_named(reply.text, [one.case for one in loaded]) if shared else ((0,), reply.text)
    owners = [loaded[place] for place in places if loaded]
    tests = [(one, newest.get(one.case.participant.id)) for one in owners]
    return [(one, test) for one, test in tests if test and rules.confirms(test, words, reply.arrived)]


def confirm_by_reply(tx: Transaction, loaded: Loaded, test: ReachTest) -> None:
    """The participant answered the test's text; a second time changes nothing."""
    _confirmed(tx, loaded, test, "reply")


def settle(rt: Runtime) -> int:
    """Decide every test whose time is over or whose text was lost; return how many failed."""
    now = rt.clock()
    with rt.sessions.reading() as session:
        due = contact_tests.due(session, now)
    failed = 0
    for participant_id in due:
        try:
            with transaction(rt, SCHEDULER, now) as tx:
                loaded = rt.loader.one(tx.session, participant_id)
                test = contact_tests.latest(tx.session, participant_id)
                why = None if test is None else rules.failure(test, now)
                if test is not None and why is not None:
                    failed += _failed(tx, loaded, test, why)
        except Exception as fault:  # noqa: BLE001 -- the others' tests go on
            logs.fault("reach", fault, participant=participant_id)
    return failed


def _confirmed(tx: Transaction, loaded: Loaded, test: ReachTest, by: By) -> bool:
    if not contact_tests.confirm(tx.session, test.id, tx.now, by):
        return False
    tx.writer.note(loaded, "reach_confirm", "reach_test", test.id, {"confirmed_by": (None, by)})
    if test.failure != "staff" or by == "staff":
        if rules.closed_by(loaded.case, test):
            tx.writer.change(loaded, {UNREACHABLE[test.medium]: None}, "reach_again")
        open_tasks = (e for e in loaded.case.escalations if e.open and e.key.endswith(f":t{test.id}"))
        tx.carry_out(loaded, [Resolve(task.id, "done") for task in open_tasks])
    tx.writer.check_again(loaded)
    return True


def _failed(tx: Transaction, loaded: Loaded, test: ReachTest, why: Failure, reason: str | None = None) -> bool:
    if not contact_tests.fail(tx.session, test.id, tx.now, why):
        return False
    tx.writer.note(loaded, "reach_fail", "reach_test", test.id, {"failure": (None, why)}, reason)
    tx.carry_out(loaded, rules.on_failed(loaded.case, test, tx.now))
    return True


@contextmanager
def _test_transaction(
    rt: Runtime, actor: Actor, subject: Subject
) -> Iterator[tuple[Transaction, Loaded, ReachTest | None]]:
    """One transaction about one participant, with their row taken, and their newest test."""
    with transaction(rt, actor, rt.clock()) as tx:
        found = cases.find(tx.session, subject.study_id, subject.code)
        loaded = None if found is None else rt.loader.one(tx.session, found)
        if loaded is None or (subject.sites is not None and loaded.site_id not in subject.sites):
            raise KeyError(subject.code)
        if subject.revision is not None and loaded.case.participant.revision != subject.revision:
            raise StaleError(loaded.case.participant.revision)
        yield tx, loaded, contact_tests.latest(tx.session, loaded.case.participant.id)

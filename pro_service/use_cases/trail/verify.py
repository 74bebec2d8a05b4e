"""Check the audit trail against its seals, its keys, the database's guards, and the answers it tells of."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pro_service import logs
from pro_service.core.problems import problem
from pro_service.core.trail.check import Check, Finding, against, wrong_key
from pro_service.core.trail.seals import Anchor, Header, anchor_of
from pro_service.gateways.time_stamps import NotGenuineError
from pro_service.runtime import Runtime
from pro_service.store import guards, heartbeats, seals, time_stamps
from pro_service.store.database import Session
from pro_service.store.participants import answers, cases
from pro_service.store.schema import AnyRow
from pro_service.store.seals import Checked, CheckKind
from pro_service.use_cases.trail import seal

SEALING = timedelta(minutes=10)
"""Sealing goes on if its last heartbeat is no older than this."""
EVERY_DAY = timedelta(days=1)
PAGE = 1_000

TRIGGER: Mapping[guards.Fault, str] = {
    "missing": "trail_trigger_missing",
    "disabled": "trail_trigger_disabled",
    "different": "trail_trigger_different",
}

Progress = Callable[[int, int], None]
"""Called with how many rows were checked, and how many there are."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check has found. Without findings the trail is as it was written, as far as can be seen from inside."""

    verified_rows: int
    not_covered: int
    """How many answers have no row in the trail; 0 in a check of what is new."""
    seals: int
    newest_seal: Anchor | None
    anchored: bool
    """Whether it was compared with an anchor from outside; without one the whole history may have been replaced."""
    stamps: int
    """How many time stamps were checked and are genuine."""
    unchecked_stamps: int
    """How many there are that cannot be checked without the authority's certificate."""
    stamped: Anchor | None
    """The newest seal whose time stamp was checked, and when the authority saw it."""
    stamped_at: datetime | None
    findings: tuple[Finding, ...]
    codes: Mapping[int, str]
    """Row id -> code of each participant that a finding is about."""


def verify(
    rt: Runtime, *, full: bool = True, anchor: Anchor | None = None, progress: Progress = lambda _rows, _total: None
) -> Verification:
    """Check everything, or without `full` what is new since the last check that found nothing; store the result.

    An anchor is compared in both cases.
    """
    kind: CheckKind = "full" if full else "new"
    now = rt.clock()
    with rt.sessions.reading() as session:
        start = None if full else _start(session)
        check = Check(before=start, covered=seals.covered_since(session, start))
        total = seals.count_from(session, check.settled)
        found = [*_guards(session), *_trail(rt, session, check, lambda: progress(check.rows, total))]
        # Looked for one by one only where there are any.
        not_covered = answers.count(session) - check.answers if full else 0
        if not_covered:
            found += _untold(session)
        stamps = _Stamps()
        found += stamps.checked(rt, session, start)
        newest = seals.newest(session)
        inside = wrong_key(check, found) or tuple(found)
        outside: tuple[Finding, ...] = ()
        if anchor is not None:
            outside = tuple(against(anchor, seals.header(session, anchor.number)))
        findings = (*inside, *outside)
        verification = Verification(
            verified_rows=check.rows,
            not_covered=not_covered,
            seals=seals.count(session),
            newest_seal=None if newest is None else anchor_of(newest),
            anchored=anchor is not None,
            stamps=stamps.genuine,
            unchecked_stamps=stamps.unchecked,
            stamped=stamps.newest,
            stamped_at=stamps.newest_at,
            findings=findings,
            codes=cases.codes_of(session, {one.participant for one in findings if one.participant is not None}),
        )
    with rt.sessions.begin() as session:
        # What an anchor shows is for the person who gave it: a slip in it must not be an alarm on every page.
        seen = Checked(now, 0 if newest is None else newest.number, check.rows, len(inside))
        seals.note_check(session, kind, seen)
    if verification.findings:
        kinds = sorted({finding.kind for finding in verification.findings})
        logs.event("audit.findings", count=len(verification.findings), kinds=kinds)
    return verification


def verify_now_and_then(rt: Runtime) -> None:
    """Check what is new; once a day everything."""
    now = rt.clock()
    with rt.sessions.reading() as session:
        checks, newest = seals.last_checks(session), seals.newest(session)
    last = checks.get("full")
    if last is None or now - last.at >= EVERY_DAY:
        verify(rt)
        return
    new = max((check.seal for check in checks.values()), default=0)
    if newest is not None and newest.number != new:
        verify(rt, full=False)


def _start(session: Session) -> Header | None:
    """Return the last seal up to which a check found nothing; None to begin at the first."""
    clean = [check.seal for check in seals.last_checks(session).values() if not check.findings]
    return seals.header(session, max(clean)) if clean else None


def _guards(session: Session) -> Iterator[Finding]:
    for name, fault in guards.faults(session.connection()).items():
        yield Finding("trigger", "database", None, None, problem(TRIGGER[fault], name=name))


def _trail(rt: Runtime, session: Session, check: Check, checked: Callable[[], None]) -> Iterator[Finding]:
    newest_id = seals.highest_id(session)
    for stored in seals.stored(session, rt.vault, after=0 if check.before is None else check.before.number):
        rows = list(seals.rows_of(session, stored.seal.ids))
        present = seals.ids_between(session, check.settled, stored.seal.header.settled_below)
        yield from check.seal(stored, seals.seen(rows, rt.vault), present, newest_id)
        yield from _answers(session, rows, check)
        checked()
    beat, now = heartbeats.last(session, seal.BEAT), rt.clock()
    sealing = beat is not None and now - beat <= SEALING
    for page in _pages(session, check):
        yield from check.after_the_last(seals.seen(page, rt.vault).values(), now, sealing=sealing)
        yield from _answers(session, page, check)
        checked()


@dataclass(slots=True)
class _Stamps:
    """The time stamps of seals that were checked."""

    genuine: int = 0
    unchecked: int = 0
    newest: Anchor | None = None
    newest_at: datetime | None = None

    def checked(self, rt: Runtime, session: Session, start: Header | None) -> Iterator[Finding]:
        """Check every time stamp after the seal `start` against the seal that is stored now."""
        for stamped in time_stamps.after(session, 0 if start is None else start.number):
            if rt.time_stamps is None:
                self.unchecked += 1
                continue
            header = seals.header(session, stamped.seal)
            if header is None:
                yield Finding("tail_cut", "audit_seals", stamped.seal, None, problem("trail_stamp_alone"))
                continue
            try:
                self.newest_at = rt.time_stamps.check(stamped.response, str(anchor_of(header)))
            except NotGenuineError:
                yield Finding("seal", "audit_seals", stamped.seal, None, problem("trail_stamp_differs"))
            else:
                self.genuine, self.newest = self.genuine + 1, anchor_of(header)


def _pages(session: Session, check: Check) -> Iterator[Sequence[AnyRow]]:
    """Return the rows that no seal covers, some at a time."""
    ids: list[int] = []
    for row_id in seals.ids_between(session, check.settled):
        if row_id not in check.covered:
            ids.append(row_id)
        if len(ids) == PAGE:
            yield list(seals.rows_of(session, ids))
            ids = []
    if ids:
        yield list(seals.rows_of(session, ids))


def _answers(session: Session, rows: Sequence[AnyRow], check: Check) -> Iterator[Finding]:
    """Compare the answers in these rows of the trail with the stored ones."""
    told = {row.entity_id: row for row in rows if row.entity == "response" and row.action == "answer"}
    stored = answers.by_id(session, sorted(told))
    check.answers += len(stored)
    for row_id, row in told.items():
        said, kept = json.loads(row.changes), stored.get(row_id)
        if kept is None:
            yield Finding("facts_differ", "response", row_id, row.participant_id, problem("trail_answer_gone"))
        elif (kept.participant_id, kept.said, kept.version) != (
            row.participant_id,
            _new(said, kept.item),
            _new(said, "version"),
        ):
            yield Finding("facts_differ", "response", row_id, row.participant_id, problem("trail_answer_differs"))
    yield from _baselines(session, rows, check)


def _baselines(session: Session, rows: Sequence[AnyRow], check: Check) -> Iterator[Finding]:
    """Compare the answers that came with an enrolment: its one row in the trail lists all of them."""
    enrolled = {row.participant_id: row for row in rows if row.entity == "participant" and row.action == "enrol"}
    stored = answers.imported(session, sorted(enrolled))
    for participant_id, row in enrolled.items():
        told, kept = _new(json.loads(row.changes), "baseline") or {}, stored.get(participant_id, {})
        check.answers += sum(item in told for _, item in kept)
        for item in sorted(told.keys() | {item for _, item in kept}):
            found = {row_id: said for (row_id, stored_item), said in kept.items() if stored_item == item}
            if [told.get(item)] != list(found.values()):
                code = "trail_answer_differs" if found and item in told else "trail_answer_gone"
                code = code if item in told else "trail_answer_untold"
                yield Finding("facts_differ", "response", min(found, default=None), participant_id, problem(code))


def _new(changes: Mapping[str, Sequence[object]], name: str) -> Any:
    """Return a field's new value in a row of the trail; None if the row does not hold the field."""
    return changes.get(name, (None, None))[1]


def _untold(session: Session) -> Iterator[Finding]:
    """Find the answers without a row in the trail; those of an enrolment are found beside its row."""
    for row_id, participant_id in answers.untold(session):
        yield Finding("facts_differ", "response", row_id, participant_id, problem("trail_answer_untold"))

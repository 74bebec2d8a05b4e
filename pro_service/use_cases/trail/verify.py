"""Check the audit trail against its seals, its keys, the database's guards, and the facts it tells of."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pro_service import logs
from pro_service.core.problems import problem
from pro_service.core.trail.check import Check, Finding, against, wrong_key
from pro_service.core.trail.facts import Comparison, Difference, study_differences
from pro_service.core.trail.seals import Anchor, Header, anchor_of
from pro_service.gateways.time_stamps import NotGenuineError
from pro_service.runtime import Runtime
from pro_service.store import guards, heartbeats, seals, time_stamps
from pro_service.store.participants import cases, facts
from pro_service.store.schema import AnyRow
from pro_service.store.seals import Checked, CheckKind
from pro_service.store.session import Session
from pro_service.use_cases.trail import seal

SEALING = timedelta(minutes=10)
"""Sealing goes on if its last heartbeat is no older than this."""
EVERY_DAY = timedelta(days=1)
PAGE = 1_000
PEOPLE = 200
"""Participants whose facts are compared at once."""

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
    """How many answers, windows and participants of earlier releases the trail does not hold in full.

    Among those that were compared: in a check of what is new, those that changed.
    """
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
        compared = Comparison()
        found = [*_guards(session), *_trail(rt, session, check, lambda: progress(check.rows, total), full=full)]
        found += _facts(session, None if full else check.changed, compared)
        found += _studies(session) if full else ()
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
            not_covered=compared.not_covered,
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


def _trail(
    rt: Runtime, session: Session, check: Check, checked: Callable[[], None], *, full: bool
) -> Iterator[Finding]:
    newest_id = seals.highest_id(session)
    for stored in seals.stored(session, rt.vault, after=0 if check.before is None else check.before.number):
        rows = list(seals.rows_of(session, stored.seal.ids))
        present = seals.ids_between(session, check.settled, stored.seal.header.settled_below)
        yield from check.seal(stored, seals.seen(rows, rt.vault), present, newest_id)
        check.changed.update(() if full else facts.told_of(rows))
        checked()
    beat, now = heartbeats.last(session, seal.BEAT), rt.clock()
    sealing = beat is not None and now - beat <= SEALING
    for page in _pages(session, check):
        yield from check.after_the_last(seals.seen(page, rt.vault).values(), now, sealing=sealing)
        check.changed.update(() if full else facts.told_of(page))
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


def _facts(session: Session, ids: Iterable[int] | None, compared: Comparison) -> Iterator[Finding]:
    """Compare the facts of these participants with what the trail tells of them; everybody's for None."""
    pages = _everybody(session) if ids is None else _some(sorted(ids))
    for page in pages:
        told, kept = facts.told(session, page), facts.kept(session, page)
        for one in page:
            for found in compared.differences(one, told[one], kept[one]):
                yield _differs(found, one)


def _studies(session: Session) -> Iterator[Finding]:
    """Compare how each study stands, closed or locked, with what the trail tells of it."""
    told = facts.studies_told(session)
    for study_id, kept in facts.studies_kept(session).items():
        for found in study_differences(study_id, told.get(study_id, ()), kept):
            yield _differs(found, None)


def _differs(found: Difference, participant: int | None) -> Finding:
    return Finding("facts_differ", found.entity, found.id, participant, problem(found.code, names=found.names))


def _everybody(session: Session) -> Iterator[Sequence[int]]:
    after = 0
    while page := facts.ids_after(session, after, PEOPLE):
        yield page
        after = page[-1]


def _some(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[first : first + PEOPLE] for first in range(0, len(ids), PEOPLE))

"""Participants moved to the newest version of their study's protocol: windows not yet closed are laid out by it.

Participants keep the version they were enrolled with until somebody moves them, for a reason. Participants who cannot
be moved are named, and then nobody is moved. After an interruption it goes on
where it was: those who have been moved are left alone.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pro_service.core.changes.model import Migrate
from pro_service.core.changes.plan import case_after, plan_change
from pro_service.core.changes.preview import WindowPreview, preview_windows
from pro_service.core.commands import CancelTexts
from pro_service.core.enrolment.cells import quoted
from pro_service.core.problems import ChangeRefusedError, Problem, RejectedError, problem
from pro_service.core.protocol import Protocol
from pro_service.runtime import Runtime
from pro_service.store import confirmations, studies
from pro_service.store.audit import Actor
from pro_service.store.participants import cases, schedules
from pro_service.store.participants.cases import Loaded
from pro_service.store.session import Session
from pro_service.use_cases.enrolment.enrol import newest_of
from pro_service.use_cases.participants.change import PreparedChange, carry_out
from pro_service.use_cases.participants.change_form import LONGEST_REASON
from pro_service.use_cases.transaction import transaction

BATCH = 100

Progress = Callable[[int, int], None]
"""Called with how many are through, and of how many."""


@dataclass(frozen=True, slots=True)
class Migrant:
    """What the newer version means for one participant."""

    participant: str
    windows: tuple[WindowPreview, ...]
    """Those that change: replaced by new ones, or with another status."""
    notes: tuple[Problem, ...]


@dataclass(slots=True)
class Migration:
    """Who is moved to which version, and what that means for each."""

    version: int
    unchanged: int = 0
    """Asked for, and of this version already."""
    migrants: list[Migrant] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Target:
    """The version to move to."""

    version: studies.Version
    protocol: Protocol


def migrate(
    rt: Runtime,
    actor: Actor,
    study_id: int,
    reason: str,
    *,
    codes: Collection[str] = (),
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Migration:
    """Move everybody, or those named, to the newest version. RejectedError with every fault; then nobody was moved."""
    target, ids, done = _asked_for(rt, study_id, codes)
    _refuse_reason(reason)
    faults: list[Problem] = []
    for first in range(0, len(ids), BATCH):
        batch = ids[first : first + BATCH]
        with rt.sessions.reading() as session:
            for loaded, prepared in _plans(rt, session, batch, target, rt.clock(), faults, lock=False):
                done.migrants.append(_migrant(loaded, prepared, rt.clock()))
        if progress is not None and dry_run:
            progress(first + len(batch), len(ids))
    if faults:
        raise RejectedError(tuple(faults))
    if not dry_run:
        _write(rt, actor, ids, target, reason.strip(), progress)
    return done


def _write(
    rt: Runtime, actor: Actor, ids: Sequence[int], target: _Target, reason: str, progress: Progress | None
) -> None:
    for first in range(0, len(ids), BATCH):
        batch = ids[first : first + BATCH]
        faults: list[Problem] = []
        with transaction(rt, actor, rt.clock()) as tx:
            for loaded, prepared in _plans(rt, tx.session, batch, target, tx.now, faults, lock=True):
                # Somebody else may have been quicker: who has this version is left alone.
                if loaded.protocol_version_id != target.version.id:
                    carry_out(tx, loaded, prepared, reason)
                    if rt.texts_leave and not confirmations.may_send(tx.session, loaded.protocol_version_id):
                        # Texts that wait in unconfirmed words never leave: they are asked again in the new words.
                        tx.carry_out(loaded, [CancelTexts(replies=True)])
            if faults:
                raise RejectedError(tuple(faults))
        if progress is not None:
            progress(first + len(batch), len(ids))


def _plans(
    rt: Runtime,
    session: Session,
    ids: Sequence[int],
    target: _Target,
    now: datetime,
    faults: list[Problem],
    *,
    lock: bool,
) -> list[tuple[Loaded, PreparedChange]]:
    found = []
    for loaded in rt.loader.load(session, ids, lock=lock):
        person = loaded.case.participant
        try:
            planned = plan_change(loaded.case, Migrate(target.protocol), now)
        except ChangeRefusedError as refused:
            faults += [note.at(person.code) for note in refused.notes]
            continue
        found.append((loaded, PreparedChange(planned, version_id=target.version.id)))
    return found


def _migrant(loaded: Loaded, prepared: PreparedChange, now: datetime) -> Migrant:
    then = case_after(loaded.case, prepared.plan, now)
    windows = preview_windows(loaded.case, then, prepared.plan, now)
    changed = tuple(one for one in windows if one.moved or one.status != one.old_status)
    return Migrant(loaded.case.participant.code, changed, prepared.plan.notes)


def _asked_for(rt: Runtime, study_id: int, codes: Collection[str]) -> tuple[_Target, list[int], Migration]:
    with rt.sessions.reading() as session:
        version = newest_of(session, study_id)
        if rt.texts_leave and not confirmations.may_send(session, version.id):
            # Their texts go on as they are; moved, they would wait.
            raise RejectedError((problem("version_unconfirmed", "--study", number=version.number),))
        protocol = rt.bundles.get(session, version.id).protocol
        older = {code: key for key, code in schedules.of_another_version(session, study_id, version.id)}
        unknown = [code for code in codes if code not in older and cases.find(session, study_id, code) is None]
    if unknown:
        raise RejectedError(tuple(problem("no_participant", "--participant", code=quoted(code)) for code in unknown))
    ids = [key for code, key in older.items() if not codes or code in codes]
    return _Target(version, protocol), ids, Migration(version.number, len(set(codes)) - len(ids) if codes else 0)


def _refuse_reason(reason: str) -> None:
    if not reason.strip() or len(reason.strip()) > LONGEST_REASON:
        raise RejectedError((problem("needs_reason", "--reason", most=LONGEST_REASON),))

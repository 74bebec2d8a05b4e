"""Erase the contact data of everybody in a closed study, after a day that was set, and certify it.

Each participant is erased in a transaction of their own (`participants.erase`), so that an interruption leaves nothing
half done: the scheduler, or the command again, goes on with those who are left.
"""

import importlib.metadata
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from threading import Event

from pro_service import logs
from pro_service.core.problems import RejectedError, problem
from pro_service.core.trail.seals import Anchor, anchor_of
from pro_service.runtime import Runtime
from pro_service.store import erasures, seals, studies
from pro_service.store.audit import Actor
from pro_service.store.studies import Standing
from pro_service.use_cases import closing, trusted_time
from pro_service.use_cases.participants import erase
from pro_service.use_cases.transaction import SCHEDULER, transaction

FOR = 30.0
"""Seconds after which the scheduler leaves the rest to its next beat."""

Progress = Callable[[int, int], None]
"""Called with how many were erased, and how many there are to erase."""


@dataclass(frozen=True, slots=True)
class Certified:
    """One participant whose contact data were erased, and what became of the provider's copies of their texts."""

    participant: str
    erased_at: datetime
    copies_gone: int
    copies_waiting: int
    copies_kept: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was erased of a study, as of an instant."""

    study: str
    standing: Standing
    made_at: datetime
    version: str
    """The product's version."""
    left: int
    """Participants whose contact data are still there."""
    newest_seal: Anchor | None
    simulated_telephones: bool
    """Whether all of it was for trying out."""
    erased: tuple[Certified, ...]


def plan(rt: Runtime, actor: Actor, study_id: int, after: date, reason: str) -> None:
    """Set the day after which everybody's contact data are erased. RejectedError: the study is open, or no reason."""
    reason = closing.given_reason(reason)
    with transaction(rt, actor, rt.clock()) as tx:
        studies.lock_study(tx.session, study_id)
        before = studies.standing(tx.session, study_id)
        if before.closed_at is None:
            raise RejectedError((problem("study_open", ""),))
        if before.erase_after != after:
            studies.set_standing(tx.session, study_id, erase_after=after)
            closing.note(tx, study_id, "plan_erasure", {"erase_after": (before.erase_after, after)}, reason)


def erase_due(
    rt: Runtime,
    actor: Actor = SCHEDULER,
    *,
    stop: Event | None = None,
    seconds: float | None = FOR,
    progress: Progress = lambda _done, _total: None,
) -> int:
    """Erase the contact data of everybody whose study's day is over; return how many were erased.

    A participant with whom that fails is logged, and tried again at the next call; the others go on.
    """
    if not trusted_time.is_believed(rt):
        return 0
    done, began = 0, time.monotonic()
    with rt.sessions.reading() as session:
        due = erasures.studies_to_erase(session, rt.clock().date())
    for study_id in due:
        with rt.sessions.reading() as session:
            people, day = erasures.not_erased(session, study_id), studies.standing(session, study_id).erase_after
        erased = 0
        for tried, person in enumerate(people, 1):
            if (stop is not None and stop.is_set()) or (seconds is not None and time.monotonic() - began > seconds):
                return done
            try:
                _erase(rt, actor, study_id, person.code, f"contact data of this study are erased after {day}")
            except Exception as fault:  # noqa: BLE001 -- one participant must not stop the others
                logs.fault("erase.due", fault, participant=person.id)
            else:
                erased, done = erased + 1, done + 1
            progress(tried, len(people))
        if erased:
            logs.event("study.contacts_erased", study=study_id, participants=erased)
    return done


def certificate(rt: Runtime, study_id: int) -> Certificate:
    """Return what was erased of a study so far."""
    with rt.sessions.reading() as session:
        newest = seals.newest(session)
        found = []
        for row in erasures.all_erased(session, study_id):
            made = erase.copies_of(session, row.participant_id)
            found.append(Certified(row.code, row.erased_at, made.gone, made.waiting, len(made.kept)))
        return Certificate(
            study=studies.study_code(session, study_id),
            standing=studies.standing(session, study_id),
            made_at=rt.clock(),
            version=importlib.metadata.version("pro-service"),
            left=len(erasures.not_erased(session, study_id)),
            newest_seal=None if newest is None else anchor_of(newest),
            simulated_telephones=rt.for_trying_out,
            erased=tuple(sorted(found, key=lambda one: one.participant)),
        )


def as_text(found: Certificate) -> str:
    """Return a certificate as it is filed."""
    waiting = sum(one.copies_waiting for one in found.erased)
    kept = sum(one.copies_kept for one in found.erased)
    closed, locked = found.standing.closed_at, found.standing.locked_at
    lines = [
        f"Erasure of contact data: study {found.study}",
        *(["FOR TRYING OUT ONLY. The telephones were simulated."] if found.simulated_telephones else []),
        "",
        f"Made at                {_instant(found.made_at)}, PRO Service {found.version}",
        f"Study closed           {_instant(closed)}",
        f"Data locked            {_instant(locked)}",
        f"To be erased after     {found.standing.erase_after or '-'}",
        f"Participants erased    {len(found.erased)}",
        f"Still to be erased     {found.left}",
        f"Provider's copies      {sum(one.copies_gone for one in found.erased)} gone, {waiting} waiting, {kept} kept",
        f"Newest seal            {found.newest_seal or '-'}",
        "",
        "Telephone numbers, e-mail addresses, texts, notes of calls, links and codes of cards of these participants",
        "were erased with their keys. Codes, dates and answers stay. The audit trail holds a row for each erasure.",
        "",
    ]
    lines += [f"{one.participant:<24} {_instant(one.erased_at)}" for one in found.erased]
    return "\n".join(lines) + "\n"


def _instant(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M}Z"


def _erase(rt: Runtime, actor: Actor, study_id: int, code: str, reason: str) -> None:
    try:
        erase.erase(rt, actor, study_id, code, reason)
    except RejectedError as rejected:
        # Another process has erased this participant meanwhile.
        if {fault.code for fault in rejected.faults} != {"erased_already"}:
            raise

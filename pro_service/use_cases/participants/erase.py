"""Erase a participant: contact data, texts, notes and keys go for good; code, dates and answers stay.

One transaction makes everything unreadable. What is outside the database follows it, with no transaction open, and goes
on where it was interrupted: the provider's copies are deleted, and what the database's files still hold is overwritten.
"""

import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

from pro_service import logs
from pro_service.core.case import PENDING
from pro_service.core.enrolment.cells import quoted
from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.core.providers import way_of
from pro_service.core.schedule.projection import erasing_commands
from pro_service.gateways.outgoing import Channel, Refused, Unavailable
from pro_service.runtime import Runtime
from pro_service.store import erasure_requests, erasures, heartbeats
from pro_service.store.audit import Actor, Entry
from pro_service.store.erasures import Found
from pro_service.store.participants import cases
from pro_service.store.participants.cases import Loaded
from pro_service.store.schema import AnyRow
from pro_service.store.session import Session
from pro_service.use_cases.participants.change_form import LONGEST_REASON
from pro_service.use_cases.transaction import Transaction, transaction

OUTCOME = "withdraws"
"""The outcome of tasks that name no participant: the same as when a participant leaves."""
BATCH = 50
FOR = 30.0
"""Seconds after which the scheduler leaves the rest of the copies to its next beat."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
MOST_TRIES = 36
"""With waits that grow to six hours, about a week; then the copy is listed as one that could not be deleted."""
SCRUBBED = "scrubbed"
"""The heartbeat that says when the database's files were last overwritten."""


@dataclass(slots=True)
class Copies:
    """What became of the provider's copies of one person's texts."""

    waiting: int = 0
    deleted: int = 0
    redacted: int = 0
    unknown: int = 0
    """The provider has no such copy (any more)."""
    kept: list[dict[str, str]] = field(default_factory=list)
    """Those that could not be deleted: `provider_id` and `error`."""

    @property
    def gone(self) -> int:
        """How many the provider no longer has, or has without their words."""
        return self.deleted + self.redacted + self.unknown


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an erasure did, or would do."""

    participant: str
    erased_at: datetime | None
    """None: nothing was done yet."""
    emptied: Mapping[str, int]
    """Table -> rows that were emptied, changed or deleted."""
    open_tasks: int
    safety_tasks: int
    """How many of the open tasks are about safety: they end as well."""
    waiting_texts: int
    in_doubt: int
    """Texts that the provider may or may not have a copy of."""
    shared_telephones: int
    """Telephones that somebody else has or had too: texts from them stay if the sender is not known."""
    left: Mapping[str, Sequence[int]]
    """What cannot be reached -> row ids."""
    copies: Copies
    scrubbed: bool
    """Whether the database's files were overwritten; if not, the scheduler tries again."""


# --- one participant -------------------------------------------------------------------------------------------------


def preview(rt: Runtime, study_id: int, code: str, *, sites: Collection[int] | None = None) -> Erasure:
    """Return what an erasure would do; nothing is written. RejectedError: nobody to erase."""
    with rt.sessions.reading() as session:
        return preview_of(session, find_person(rt, session, study_id, code, sites, lock=False))


def preview_of(session: Session, loaded: Loaded) -> Erasure:
    """Return what erasing this participant would do."""
    return _erasure(session, loaded, erasures.find(session, loaded.case.participant.id), None)


def erase(
    rt: Runtime, actor: Actor, study_id: int, code: str, reason: str, *, sites: Collection[int] | None = None
) -> Erasure:
    """Erase a participant for good; the rest (`finish`) follows. RejectedError: no reason, or nobody to erase."""
    refuse_reason(reason)
    now = rt.clock()
    with transaction(rt, actor, now) as tx:
        erasures.stand_in_line(tx.session)
        loaded = find_person(rt, tx.session, study_id, code, sites, lock=True)
        return carry_out(tx, loaded, now, reason.strip())


def refuse_reason(reason: str) -> None:
    """Raise RejectedError if the reason is missing or too long."""
    if not reason.strip():
        raise RejectedError((problem("reason_missing", "--reason"),))
    if len(reason.strip()) > LONGEST_REASON:
        raise RejectedError((problem("reason_too_long", "--reason", most=LONGEST_REASON),))


def find_person(
    rt: Runtime, session: Session, study_id: int, code: str, sites: Collection[int] | None, *, lock: bool
) -> Loaded:
    """Return somebody who can be erased. RejectedError: nobody has this code there, or they were erased."""
    found = cases.find(session, study_id, code)
    loaded = None if found is None else rt.loader.one(session, found, lock=lock)
    if loaded is None or (sites is not None and loaded.site_id not in sites):
        raise RejectedError((problem("no_participant", "CODE", code=quoted(code)),))
    person = loaded.case.participant
    if person.erased_at is not None:
        raise RejectedError((problem("erased_already", "CODE", code=person.code, at=person.erased_at),))
    return loaded


def carry_out(tx: Transaction, loaded: Loaded, at: datetime, reason: str, by: str | None = None) -> Erasure:
    """Make everything unreadable.

    `at`, `by`: the instant and the person of the first erasure, where a restored database repeats it; else now, and
    None.
    """
    person, session, now = loaded.case.participant, tx.session, tx.now
    found = erasures.find(session, person.id)
    result = _erasure(session, loaded, found, at)
    left = at if person.left_at is None else person.withdrawn_at
    facts = {"erased_at": at} | ({"withdrawn_at": at} if person.left_at is None else {})
    tx.carry_out(loaded, erasing_commands(loaded.case, replace(person, erased_at=at, withdrawn_at=left), now))
    tasks = erasures.open_tasks(session, found)
    for task_id in tasks:
        changes = {"outcome": (None, OUTCOME)}
        tx.writer.audit(Entry("resolve", "escalation", task_id, changes, loaded.study_id), ZoneInfo("UTC"))
    tx.writer.change(loaded, facts, "erase", reason)
    # What is emptied must be as the commands have left it: texts cancelled, tasks ended.
    tx.write_now()
    keys = erasures.fingerprints(session, tx.rt.vault, person.id, found)
    erasures.end_tasks(session, tasks, now, OUTCOME)
    erasures.empty(session, person.id, found, now)
    who = (loaded.study_id, person.id)
    erasures.add(session, next(tx.writer.ids), who, by or tx.writer.actor.id, at, {"keys": keys, "rows": found.rows})
    erasures.keep_copies(session, *who, found.provider_ids, now)
    erasure_requests.end(session, person.id, now, "erased", tx.writer.actor.user_id)
    return result


def _erasure(session: Session, loaded: Loaded, found: Found, at: datetime | None) -> Erasure:
    case = loaded.case
    tasks = [task for task in case.escalations if task.open]
    return Erasure(
        participant=case.participant.code,
        erased_at=at,
        emptied=found.counts(),
        open_tasks=len(tasks) + len(erasures.open_tasks(session, found)),
        safety_tasks=sum(task.level == "ES" for task in tasks),
        waiting_texts=sum(text.state == "ready" for text in case.messages),
        in_doubt=sum(text.state in PENDING - {"ready"} for text in case.messages),
        shared_telephones=len(found.shared),
        left=found.left,
        copies=Copies(waiting=len(found.provider_ids)),
        scrubbed=False,
    )


# --- what follows ----------------------------------------------------------------------------------------------------


def finish(rt: Runtime, done: Erasure, study_id: int) -> Erasure:
    """Delete the provider's copies and overwrite what the files still hold, at once; say what became of both."""
    with rt.sessions.reading() as session:
        participant_id = cases.find(session, study_id, done.participant)
    if participant_id is None:
        raise KeyError(done.participant)
    delete_copies(rt, participant_id=participant_id)
    scrubbed = _scrub(rt)
    with rt.sessions.reading() as session:
        return replace(done, copies=copies_of(session, participant_id), scrubbed=scrubbed)


def copies_of(session: Session, participant_id: int) -> Copies:
    """Return what became of the provider's copies so far."""
    found = Copies()
    for row in erasures.copies(session, participant_id):
        match row.outcome:
            case None:
                found.waiting += 1
            case "deleted":
                found.deleted += 1
            case "redacted":
                found.redacted += 1
            case "unknown":
                found.unknown += 1
            case _:
                found.kept.append({"provider_id": row.provider_id, "error": row.error or ""})
    return found


@dataclass(slots=True)
class FollowUp:
    """What one beat of the scheduler did after erasures."""

    copies: int = 0
    kept: int = 0
    scrubbed: int = 0


def follow_up(rt: Runtime, stop: Event | None = None) -> FollowUp:
    """Delete copies and overwrite files after erasures; called by the scheduler, and goes on at the next beat."""
    report = FollowUp()
    with rt.sessions.reading() as session:
        late = erasures.late_copies(session)
        last = erasures.last_erased_at(session)
        scrubbed = heartbeats.last(session, SCRUBBED)
    if late:
        with rt.sessions.begin() as session:
            for study_id, participant_id, provider_id in late:
                erasures.keep_copies(session, study_id, participant_id, [provider_id], rt.clock())
    report.copies, report.kept = delete_copies(rt, seconds=FOR, stop=stop)
    if last is not None and (scrubbed is None or scrubbed < last):
        report.scrubbed = int(_scrub(rt))
    return report


def delete_copies(
    rt: Runtime, *, participant_id: int | None = None, seconds: float | None = None, stop: Event | None = None
) -> tuple[int, int]:
    """Have the provider delete the copies that are due; return how many are gone, and how many it keeps."""
    if not rt.texts:
        return 0, 0
    gone = kept = 0
    tried: set[int] = set()
    began = time.monotonic()
    while not (stop is not None and stop.is_set()):
        with rt.sessions.reading() as session:
            due = erasures.due_copies(session, rt.clock(), BATCH + len(tried), participant_id)
        due = [row for row in due if row.id not in tried]
        if not due or (seconds is not None and time.monotonic() - began > seconds):
            break
        for row in due:
            tried.add(row.id)
            values = _delete_copy(rt.texts.get(way_of(row.provider_id)), row, rt.clock())
            with rt.sessions.begin() as session:
                erasures.copy_tried(session, row.id, values)
            gone += values.get("outcome") in ("deleted", "redacted", "unknown")
            kept += values.get("outcome") == "kept"
    return gone, kept


def _delete_copy(provider: Channel | None, row: AnyRow, now: datetime) -> dict[str, Any]:
    """Ask for one copy to be deleted; return the values to store."""
    if provider is None:
        # Its provider is configured no more, and may be again.
        return {"next_try_at": now + LONGEST_WAIT, "error": "unanswered"}
    try:
        return {"outcome": provider.forget(row.provider_id), "ended_at": now, "error": None}
    except Unavailable as fault:
        code = str(fault.code or "unanswered")
        if row.tries + 1 >= MOST_TRIES:
            return {"outcome": "kept", "ended_at": now, "error": code}
        return {"next_try_at": now + min(FIRST_WAIT * 2 ** min(row.tries, 10), LONGEST_WAIT), "error": code}
    except Refused as fault:
        logs.fault("erase.copy", fault, copy=row.id)
        return {"outcome": "kept", "ended_at": now, "error": str(fault.code or fault.kind)}


def _scrub(rt: Runtime) -> bool:
    """Overwrite what the files still hold, and record when; False if that is not possible now."""
    now = rt.clock()
    if not erasures.scrub(rt.sessions):
        return False
    with rt.sessions.begin() as session:
        heartbeats.beat(session, SCRUBBED, now)
    return True


# --- an older copy of the database -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Again:
    """What became of each erasure of a list, by participant."""

    erased: tuple[str, ...]
    already: tuple[str, ...]
    absent: tuple[str, ...]
    """Enrolled after this copy of the database was made."""
    unproven: tuple[str, ...]
    """Not erased: their key was damaged, or is here, so that nothing shows that the list means this person."""


def listed(rt: Runtime, study_id: int | None = None) -> list[dict[str, Any]]:
    """Return every erasure, without contact data or texts: to be kept with the backups, and for `erase_again`."""
    with rt.sessions.reading() as session:
        return as_list(erasures.all_erased(session, study_id))


def as_list(rows: Sequence[AnyRow]) -> list[dict[str, Any]]:
    """Return rows of `erasures` as a list of them holds each."""
    return [
        {
            "study": row.study,
            "participant": row.code,
            "participant_id": row.participant_id,
            "erased_at": row.erased_at,
            "by": row.actor,
            "keys": json.loads(row.key_fingerprints),
            "rows": json.loads(row.row_ids),
        }
        for row in rows
    ]


def as_text(listed: Sequence[Mapping[str, Any]]) -> str:
    """Return a list of erasures as the text that `erase_again` takes."""
    return json.dumps({"erasures": listed}, indent=1, default=lambda moment: moment.isoformat()) + "\n"


def erase_again(rt: Runtime, actor: Actor, text: str) -> Again:
    """Erase the participants of a list again, because this database is an older copy.

    Raise RejectedError, and erase nobody, if the list cannot be read, or if a participant's key here is another one:
    then the list belongs to another database.
    """
    kept = _read(text)
    known: dict[str, list[str]] = {"erased": [], "already": [], "absent": [], "unproven": []}
    to_do: list[dict[str, Any]] = []
    with rt.sessions.reading() as session:
        for one in kept:
            mark = erasures.key_fingerprint(session, rt.vault, one["participant_id"])
            wanted = one["keys"].get(f"participants|data_key|{one['participant_id']}", erasures.DAMAGED)
            if mark is None or mark == erasures.GONE:
                known["absent" if mark is None else "already"].append(one["participant"])
            elif erasures.DAMAGED in (mark, wanted):
                known["unproven"].append(one["participant"])
            elif wanted != mark:
                raise RejectedError((problem("erasures_of_another", "FILE", code=one["participant"]),))
            else:
                to_do.append(one)
    for one in to_do:
        with transaction(rt, actor, rt.clock()) as tx:
            erasures.stand_in_line(tx.session)
            loaded = rt.loader.one(tx.session, one["participant_id"])
            if loaded.case.participant.erased_at is None:
                carry_out(tx, loaded, one["erased_at"], AGAIN, one["by"])
        known["erased"].append(one["participant"])
    if to_do:
        delete_copies(rt)
        _scrub(rt)
    return Again(**{name: tuple(codes) for name, codes in known.items()})


AGAIN = "an older copy of the database was put back"


def _read(text: str) -> list[dict[str, Any]]:
    fault = RejectedError((problem("erasures_unreadable", "FILE"),))
    try:
        kept = json.loads(text)["erasures"]
        for one in kept:
            one["erased_at"] = datetime.fromisoformat(one["erased_at"])
            if not (
                isinstance(one["participant_id"], int) and isinstance(one["keys"], dict) and one["erased_at"].tzinfo
            ):
                raise fault
            if not isinstance(one["participant"], str) or not isinstance(one["by"], str):
                raise fault
    except (ValueError, KeyError, TypeError, AttributeError):
        raise fault from None
    return list(kept)


LEFT = {
    "reasons_in_trail": "erase_left_reasons_in_trail",
    "masked_contact_in_trail": "erase_left_masked_contact_in_trail",
    "reasons_in_inbox": "erase_left_reasons_in_inbox",
}
"""What an erasure cannot reach -> the problem that says so."""


def problems_of(erasure: Erasure) -> tuple[Problem, ...]:
    """Return the warnings of an erasure."""
    notes = []
    if erasure.safety_tasks:
        notes.append(problem("erase_safety", count=erasure.safety_tasks))
    if erasure.in_doubt:
        notes.append(problem("erase_in_doubt", count=erasure.in_doubt))
    if erasure.shared_telephones:
        notes.append(problem("erase_shared", count=erasure.shared_telephones))
    notes += [problem(LEFT[what], count=len(ids)) for what, ids in erasure.left.items()]
    if erasure.copies.kept:
        notes.append(problem("erase_copies_kept", count=len(erasure.copies.kept)))
    return tuple(notes)

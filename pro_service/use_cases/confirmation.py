"""Let an investigator confirm the newest version of a study: what they read first, the signature, what staff see.

The gate itself stands where texts are claimed (`store.messages.outbox.may_go`).
"""

from dataclasses import dataclass

from pro_service import logs
from pro_service.core.problems import RejectedError, problem
from pro_service.core.study_file import confirmation as rules
from pro_service.core.study_file.confirmation import Asked, Notice
from pro_service.core.study_file.differences import Difference, differences
from pro_service.core.study_file.marks import Mark
from pro_service.runtime import Runtime
from pro_service.store import confirmations, studies
from pro_service.store.audit import Actor, Entry
from pro_service.store.messages import waiting
from pro_service.store.participants.cases import zone_of
from pro_service.store.session import Session
from pro_service.store.staff import accounts, approvals, members
from pro_service.store.staff.accounts import Grant
from pro_service.store.studies import Version
from pro_service.use_cases.enrolment.enrol import newest_of
from pro_service.use_cases.staff.accounts import folded
from pro_service.use_cases.transaction import transaction

UTC = zone_of("UTC")


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """What staff are told about a study whose version is to be confirmed."""

    notice: Notice
    version: int
    """The newest."""
    held: int
    """How many texts wait; counted up to 1,000."""


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody reads before they confirm the newest version."""

    version: Version
    draft: bool
    marks: tuple[Mark, ...] | None
    """What the comments of its file leave open; None if that was not kept."""
    base: Version | None
    """The version to compare with: the last confirmed one, else the last that ran; None = there is none."""
    differences: tuple[Difference, ...]


def unconfirmed(rt: Runtime, study_id: int) -> Unconfirmed | None:
    """Return what staff are told about the confirmation of a study; None if all is well, or no text leaves."""
    if not rt.texts_leave:
        return None
    with rt.sessions.glance() as connection:
        known = confirmations.standings(connection, study_id)
        notice = rules.notice(known) if known else None
        if notice is None:
            return None
        held = 0 if notice == "runs" else waiting.count_unconfirmed(connection, study_id)
    return Unconfirmed(notice, known[0].number, held)


def review(rt: Runtime, study_id: int) -> Review:
    """Return what is to be read before the newest version is confirmed. RejectedError without a version."""
    with rt.sessions.reading() as session:
        version = newest_of(session, study_id)
        older = [one for one in studies.versions(session, study_id) if one.number < version.number]
        base = next((one for one in older if one.confirmed_at is not None), None)
        base = base or next((one for one in older if one.ran_unconfirmed_at is not None), None)
        new = rt.bundles.get(session, version.id)
        found: tuple[Difference, ...] = ()
        if base is not None:
            old = rt.bundles.get(session, base.id)
            found = differences((old.protocol, old.wording.frames), (new.protocol, new.wording.frames))
        return Review(version, new.protocol.draft, confirmations.marks(session, version.id), base, found)


def is_investigator(rt: Runtime, user_id: int, study_id: int) -> bool:
    """Whether a user may confirm the study's version."""
    with rt.sessions.reading() as session:
        return _covers(session, user_id, study_id)


def user_of(rt: Runtime, email: str) -> int:
    """Return the account of the investigator who confirms. RejectedError if there is none, or if it is disabled."""
    with rt.sessions.reading() as session:
        found = members.by_email(session, folded(email))
    if found is None or found.disabled_at is not None:
        raise RejectedError((problem("no_investigator", "--by"),))
    return found.id


def confirm(rt: Runtime, actor: Actor, study_id: int, user_id: int, reason: str, sha256: str) -> Version:
    """Confirm the newest version in this user's name; `sha256` is of the version that they read.

    RejectedError where another one is the newest by now, it is confirmed or a draft, they are no investigator of all
    of the study, or there is no reason.
    """
    reason = " ".join(reason.split())
    with transaction(rt, actor, rt.clock()) as tx:
        # Loading takes the same row: no newer version comes in between.
        studies.lock_study(tx.session, study_id)
        version = newest_of(tx.session, study_id)
        asked = Asked(
            sha256=sha256,
            newest_sha256=version.sha256,
            number=version.number,
            confirmed_at=version.confirmed_at,
            draft=rt.bundles.get(tx.session, version.id).protocol.draft,
            investigator=_covers(tx.session, user_id, study_id),
            reason=reason,
        )
        if faults := rules.refusals(asked):
            raise RejectedError(faults)
        marks = confirmations.marks(tx.session, version.id)
        row_id = confirmations.add(tx.writer, study_id, version, user_id, reason)
        changes: dict[str, tuple[object, object]] = {
            "version": (None, version.number),
            "sha256": (None, version.sha256),
            "user": (None, user_id),
            "marks": (None, None if marks is None else len(marks)),
        }
        tx.writer.audit(Entry("confirm_version", "confirmation", row_id, changes, study_id, reason=reason), UTC)
    logs.event("study.confirmed", version=version.id)
    return version


def _covers(session: Session, user_id: int, study_id: int) -> bool:
    held = accounts.grants(session, user_id)
    sites = studies.site_ids(session, study_id).values()
    return all(approvals.covers(held, Grant("investigator", study_id, site)) for site in sites)

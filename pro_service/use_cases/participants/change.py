"""Changes staff make to a participant: shown before they are made, and made as they were shown.

The preview writes nothing; the change takes the participant's row first, works the same plan out again, and carries it
out in one transaction with its reason.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from pro_service.core.case import Case
from pro_service.core.changes.plan import Plan, case_after, follows_new_version, plan_change
from pro_service.core.changes.preview import HIDDEN, ChangePreview, preview_change
from pro_service.core.commands import Record, Settle
from pro_service.core.problems import problem
from pro_service.core.protocol import Site
from pro_service.core.texts import masked, masked_address
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.audit import Actor, fingerprint
from pro_service.store.participants import cases, contact, counts, schedules, shared_phone
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.enrolment import seal_of_telephone
from pro_service.store.session import Session
from pro_service.store.vault import UnreadableError
from pro_service.use_cases import phone_numbers
from pro_service.use_cases.participants.change_form import ChangeForm, Known, read
from pro_service.use_cases.phone_numbers import Telephone
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.use_cases.transaction import Transaction, transaction

LAYS = frozenset({"reschedule", "move", "migrate"})
"""Actions that can replace windows by new ones."""
SINCE = {"phone": "phone_since", "email": "email_since"}
"""Number or address -> the fact that says since when it is the participant's."""
CARRIED = {
    "reschedule": "procedure date changed",
    "move": "moved to another site",
    "migrate": "protocol changed",
}
"""Why an answer stands in a second window."""


@dataclass(frozen=True, slots=True)
class NewContact:
    """Another number or address, or none in its place."""

    kind: Literal["phone", "email"]
    shown: tuple[str | None, str | None]
    """What there is and what will be, masked."""
    telephone: Telephone | None = None
    address: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class PreparedChange:
    """A plan to be written, with what only the store needs of it."""

    plan: Plan
    contact: NewContact | None = None
    version_id: int | None = None
    """The protocol version that holds from now on."""
    cause: str | None = None
    """Why windows are replaced by new ones, where the action does not say it."""

    @property
    def unchanged(self) -> bool:
        """Whether everything is so already."""
        return self.plan.unchanged and self.contact is None


def preview(
    rt: Runtime, study_id: int, code: str, wanted: ChangeForm, *, sites: Collection[int] | None = None
) -> ChangePreview:
    """All consequences of a change; nothing is written. KeyError, ChangeRefusedError."""
    now = rt.clock()
    with rt.sessions.reading() as session:
        loaded = _found(rt, session, study_id, code, sites, lock=False)
        return preview_of(loaded, _prepared(rt, session, loaded, wanted, now), now)


def change(
    rt: Runtime,
    actor: Actor,
    study_id: int,
    code: str,
    wanted: ChangeForm,
    *,
    revision: int | None = None,
    sites: Collection[int] | None = None,
) -> ChangePreview:
    """Make a change; return what came of it. One that has been made already changes nothing.

    KeyError (no such participant, or another site's), ChangeRefusedError with everything against it, StaleError (the
    participant has changed since `revision`).
    """
    now = rt.clock()
    with transaction(rt, actor, now) as tx:
        loaded = _found(rt, tx.session, study_id, code, sites, lock=True)
        if revision is not None and loaded.case.participant.revision != revision:
            raise StaleError(loaded.case.participant.revision)
        prepared = _prepared(rt, tx.session, loaded, wanted, now)
        if not prepared.unchanged:
            carry_out(tx, loaded, prepared, wanted.reason.strip())
        return preview_of(loaded, prepared, now)


def preview_of(loaded: Loaded, prepared: PreparedChange, now: datetime) -> ChangePreview:
    """What a person is shown of a change."""
    shown = preview_change(loaded.case, prepared.plan, now)
    new = prepared.contact
    if new is None:
        return shown
    return replace(shown, facts=((new.kind, *new.shown), *shown.facts), unchanged=False)


def _found(
    rt: Runtime, session: Session, study_id: int, code: str, sites: Collection[int] | None, *, lock: bool
) -> Loaded:
    found = cases.find(session, study_id, code)
    if found is None:
        raise KeyError(code)
    loaded = rt.loader.one(session, found, lock=lock)
    if sites is not None and loaded.site_id not in sites:
        raise KeyError(code)
    return loaded


def _prepared(rt: Runtime, session: Session, loaded: Loaded, wanted: ChangeForm, now: datetime) -> PreparedChange:
    person_id = loaded.case.participant.id
    there = contact.telephone_of(session, person_id)
    frames = rt.bundles.get(session, loaded.protocol_version_id).wording.frames
    own = phone_numbers.of_the_study(rt.carriers.senders, loaded.case.protocol)
    given = read(wanted, Known(loaded, there.phone_country, now, frames, own, rt.carriers))
    prepared = PreparedChange(plan_change(loaded.case, given.change, now))
    if prepared.plan.action == "new_address":
        return _with_contact(prepared, _new_address(rt, session, loaded, given.address))
    if prepared.plan.action != "new_telephone":
        return prepared
    new = given.telephone
    index = None if new is None else rt.vault.index("phone", new.e164)
    if index == there.phone_index:
        return _with_contact(prepared, None)
    others = () if index is None else shared_phone.with_telephone(session, index)
    shared = (problem("shared", "number"),) if any(one != person_id for one in others) else ()
    shown = contact.telephone_masked(rt.vault, loaded), None if new is None else masked(new.e164)
    prepared = replace(prepared, plan=replace(prepared.plan, notes=(*prepared.plan.notes, *shared)))
    return _with_contact(prepared, NewContact("phone", shown, telephone=new))


def _with_contact(prepared: PreparedChange, new: NewContact | None) -> PreparedChange:
    """Return what is prepared with another number or address; one that is there already stays what it was."""
    if new is not None:
        return replace(prepared, contact=new)
    facts = {name: value for name, value in prepared.plan.facts.items() if name not in SINCE.values()}
    return replace(prepared, plan=replace(prepared.plan, facts=facts))


def _new_address(rt: Runtime, session: Session, loaded: Loaded, address: str | None) -> NewContact | None:
    """Return what changes about the address; None where it is the same one."""
    try:
        if contact.read_address(session, rt.vault, loaded) == address:
            return None
    except UnreadableError:
        pass  # An address that is damaged must be replaceable.
    shown = contact.address_masked(session, rt.vault, loaded), None if address is None else masked_address(address)
    return NewContact("email", shown, address=address)


# Writing -------------------------------------------------------------------------------------------------------------


def carry_out(tx: Transaction, loaded: Loaded, prepared: PreparedChange, reason: str | None) -> None:
    """Write a plan down: what it ends, the facts, the windows, and the answers that go along."""
    carried = prepared.plan
    tx.carry_out(loaded, carried.commands)
    of_windows: schedules.Changes = {}
    if prepared.version_id is not None:
        of_windows = _keep_version(tx, loaded, prepared)
        settled = {one.window_id: one.settled for one in carried.commands if isinstance(one, Settle)}
        counts.follow(tx.session, loaded, settled, case_after(loaded.case, carried, tx.now))
    number, of_new = schedules.lay_anew(tx.writer, loaded, carried.rescheduled)
    columns, changes = _columns(tx, loaded, prepared)
    changes |= of_windows | of_new
    if number != loaded.schedule:
        columns["schedule"] = number
        changes["schedule"] = (loaded.schedule, number)
    action = carried.action
    if action in LAYS:
        before = schedules.basis(loaded)
        bases = (before, _basis(before, prepared))
        schedules.remember(tx.writer, loaded, number, prepared.cause or action, bases, reason)
    contact.change(tx.writer, loaded, columns, changes, (action, reason))
    if carried.rescheduled.new_windows:
        again = tx.rt.loader.one(tx.session, loaded.case.participant.id, lock=False)
        origins = schedules.origins(tx.session, loaded.case.participant.id)
        tx.carry_out(again, _taken_along(again.case, carried, origins))


def _columns(
    tx: Transaction, loaded: Loaded, prepared: PreparedChange
) -> tuple[dict[str, Any], dict[str, tuple[object, object]]]:
    """The columns of the participant's row that change, and what the audit trail says of them."""
    person = loaded.case.participant
    columns: dict[str, Any] = {}
    changes: dict[str, tuple[object, object]] = {}
    for name, value in prepared.plan.facts.items():
        old = getattr(person, name)
        if isinstance(value, Site):
            _move(tx, loaded, value, columns)
            if value.code != person.site.code:
                changes["site"] = (person.site.code, value.code)
        elif name == "zone":
            columns[name], changes[name] = str(value), (str(old), str(value))
        elif name not in HIDDEN:
            columns[name], changes[name] = value, (old, value)
    if prepared.contact is not None:
        kind, changes[prepared.contact.kind] = prepared.contact.kind, prepared.contact.shown
        new, seals = _contact_columns(tx, loaded, prepared.contact)
        columns |= {**new, SINCE[kind]: tx.now}
        changes[f"{kind}_seal"] = seals
    if prepared.version_id is not None:
        columns["protocol_version_id"] = prepared.version_id
        changes["protocol_version"] = (loaded.protocol_version_id, prepared.version_id)
    return columns, changes


def _contact_columns(
    tx: Transaction, loaded: Loaded, new: NewContact
) -> tuple[dict[str, Any], tuple[str | None, str | None]]:
    """Return the columns of another number or address, and the hash of it before and then."""
    person_id = loaded.case.participant.id
    if new.kind == "email":
        before = fingerprint(contact.address_of(tx.session, person_id))
        columns = contact.new_address(tx.writer, loaded, new.address)
        return columns, (before, fingerprint(columns["email"]))
    number, country = (None, None) if new.telephone is None else (new.telephone.e164, new.telephone.country)
    before = contact.telephone_seal(tx.session, person_id)
    columns = contact.new_telephone(tx.writer, loaded, number, country)
    return columns, (before, seal_of_telephone(columns))


def _move(tx: Transaction, loaded: Loaded, site: Site, columns: dict[str, Any]) -> None:
    site_id = studies.site_ids(tx.session, loaded.study_id)[site.code]
    if site_id != loaded.site_id:
        contact.move(tx.writer, loaded, site_id)
        columns["site_id"] = site_id


def _basis(before: schedules.Basis, prepared: PreparedChange) -> schedules.Basis:
    facts: Mapping[str, Any] = prepared.plan.facts
    site = facts.get("site")
    return schedules.Basis(
        procedure_date=facts.get("procedure_date", before.procedure_date),
        procedure_end=facts.get("procedure_end", before.procedure_end),
        zone=site.zone if isinstance(site, Site) else before.zone,
        version_id=prepared.version_id or before.version_id,
    )


def _keep_version(tx: Transaction, loaded: Loaded, prepared: PreparedChange) -> schedules.Changes:
    protocol = prepared.plan.protocol or loaded.case.protocol
    codes = {point.code for point in protocol.time_points}
    ended = {window.id for window in prepared.plan.rescheduled.ended}
    following = [w.id for w in loaded.case.windows if w.id not in ended and follows_new_version(w, codes, tx.now)]
    return schedules.keep_version(tx.writer, loaded, following)


def _taken_along(case: Case, carried: Plan, origins: Mapping[schedules.Given, Any]) -> Iterator[Record]:
    """The answers that the new windows take over, as they came: when, how, and who entered them."""
    windows = {window.code: window for window in case.current}
    for one in carried.rescheduled.new_windows:
        for judged in one.kept_answers:
            answer = judged.answer
            origin = origins.get((answer.item, answer.received_at, answer.source, answer.value))
            yield Record(
                window_id=windows[one.span.code].id,
                item=answer.item,
                value=answer.value,
                declined=answer.declined,
                source=answer.source,
                received_at=answer.received_at,
                in_window=judged.in_window,
                inbound_id=None if origin is None else origin.inbound_id,
                entered_by=None if origin is None else origin.entered_by,
                carried_from=None if origin is None else origin.id,
                reason=CARRIED[carried.action],
            )

"""The telephone a member of staff leaves for texts about urgent tasks: agreed to, with its hours, and ended again."""

from dataclasses import dataclass, field
from datetime import time, timedelta

from pro_service.core.enrolment.cells import CellError
from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.core.protocol import Hours
from pro_service.core.routes import preflight_number
from pro_service.core.texts import masked
from pro_service.runtime import Runtime
from pro_service.store.audit import Entry
from pro_service.store.messages import outbox, staff_texts
from pro_service.store.staff import telephones
from pro_service.store.staff.accounts import Login
from pro_service.store.staff.telephones import Number, StaffTelephone
from pro_service.use_cases import mails, phone_numbers
from pro_service.use_cases.phone_numbers import Telephone
from pro_service.use_cases.staff.accounts import UTC, staff
from pro_service.use_cases.transaction import Transaction, transaction

CONFIRMS_FOR = timedelta(hours=1)
"""How long after it was asked for the text that confirms a number may still leave."""


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed. The number stays out of the repr: that ends up in logs."""

    number: str = field(default="", repr=False)
    """Empty: the one they left before."""
    hours_from: str = ""
    hours_until: str = ""
    """Both empty: any hour."""
    agreed: bool = False


def of(rt: Runtime, login: Login) -> StaffTelephone | None:
    """Return the telephone somebody left; None if they left none."""
    with rt.sessions.reading() as session:
        return telephones.of_user(session, rt.vault, login.user_id)


def agree(rt: Runtime, login: Login, form: Form, country: str) -> None:
    """Keep somebody's agreement to texts, and confirm it by one, at most once a day.

    `country` (ISO 3166-1 alpha-2): of a number without its code. RejectedError with every fault at once.
    """
    faults: list[Problem] = []
    number, hours = _number(rt, form.number, country, faults), _hours(form, faults)
    if not form.agreed:
        faults.append(problem("not_agreed", "agreed"))
    with transaction(rt, staff(login.user_id), rt.clock()) as tx:
        before = telephones.of_user(tx.session, rt.vault, login.user_id)
        if before is None and not form.number:
            faults.append(problem("own_number_empty", "number"))
        if faults:
            raise RejectedError(tuple(faults))
        telephones.keep(tx.session, rt.vault, login.user_id, number, hours, tx.now)
        withdrawn = staff_texts.withdraw(tx.writer, login.user_id) if number else 0
        tx.writer.audit(Entry("agree_texts", "user", login.user_id, _changes(before, number, hours, withdrawn)), UTC)
        _confirm(tx, login)


def remove(rt: Runtime, login: Login) -> bool:
    """Delete somebody's number, and with it their agreement; False if there was none."""
    with transaction(rt, staff(login.user_id), rt.clock()) as tx:
        before = telephones.of_user(tx.session, rt.vault, login.user_id)
        if before is None:
            return False
        ended = staff_texts.withdraw(tx.writer, login.user_id)
        telephones.forget(tx.session, login.user_id)
        changes = {"phone": (before.masked, None), "texts_ended": (None, ended)}
        tx.writer.audit(Entry("remove_texts", "user", login.user_id, changes), UTC)
    return True


def stop(tx: Transaction, phone_index: bytes) -> None:
    """End the agreement of everybody who left this telephone: a stop came from it."""
    for user_id in telephones.owners(tx.session, phone_index):
        staff_texts.end_agreement(tx.writer, user_id, "stopped")


def _confirm(tx: Transaction, login: Login) -> None:
    """Queue the text that says what was agreed to; none where no text can be sent, or one was sent today."""
    key = f"c:{login.user_id}:{tx.now.date().isoformat()}"
    if not tx.rt.texts or outbox.existing_keys(tx.session, [key]):
        return
    body = mails.text(login.language, "agreed", {})
    facts = tx.rt.carrier(telephones.country_of(tx.session, login.user_id))
    row_id = staff_texts.queue(tx.writer, login.user_id, key, "agreed", body, tx.now + CONFIRMS_FOR, facts)
    # The telephone refers to its last text, which has to be there first.
    tx.write_now()
    telephones.remember_text(tx.session, login.user_id, row_id)


def _number(rt: Runtime, text: str, country: str, faults: list[Problem]) -> Number | None:
    if not text:
        return None
    try:
        found = phone_numbers.read(text, country)
    except CellError:
        faults.append(problem("own_number_unfit", "number"))
        return None
    if not _texted(rt, found) or found.e164 in rt.carriers.senders:
        faults.append(problem("takes_no_texts", "number"))
    return Number(found.e164, found.country)


def _texted(rt: Runtime, found: Telephone) -> bool:
    provider = rt.carrier(found.country).provider
    return found.kind == "mobile" and not preflight_number(provider, found.country, found.e164)


def _hours(form: Form, faults: list[Problem]) -> Hours | None:
    given = {"hours_from": form.hours_from, "hours_until": form.hours_until}
    read = {}
    for name, text in given.items():
        try:
            read[name] = time.fromisoformat(text) if text else None
        except ValueError:
            faults.append(problem("hour_unreadable", name))
            return None
    start, end = read["hours_from"], read["hours_until"]
    if start is None and end is None:
        return None
    if start is None or end is None:
        empty = "hours_from" if start is None else "hours_until"
        faults.append(problem("hours_need_both", empty))
        return None
    if start == end:
        faults.append(problem("hours_empty", "hours_until"))
        return None
    return Hours(start.replace(second=0, tzinfo=None), end.replace(second=0, tzinfo=None))


def _changes(
    before: StaffTelephone | None, number: Number | None, hours: Hours | None, withdrawn: int
) -> dict[str, tuple[object, object]]:
    was, at = (None, None) if before is None else (before.masked, _written(before.hours))
    changes: dict[str, tuple[object, object]] = {
        "phone": (was, was if number is None else masked(number.e164)),
        "hours": (at, _written(hours)),
    }
    return changes | ({"texts_ended": (None, withdrawn)} if withdrawn else {})


def _written(hours: Hours | None) -> str:
    return "any" if hours is None else f"{hours.start:%H:%M}-{hours.end:%H:%M}"

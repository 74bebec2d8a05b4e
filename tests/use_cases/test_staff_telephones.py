"""The telephone that a colleague leaves for urgent tasks: agreed to, confirmed, stopped, and kept from all else."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count

import pytest
from sqlalchemy import func, select

from pro_service.core.problems import RejectedError, words
from pro_service.gateways.twilio.hooks import text_of
from pro_service.reports import inbox, ledger
from pro_service.reports import messages as messages_report
from pro_service.reports.inbox import Look, Reader
from pro_service.reports.messages import Sought
from pro_service.runtime import Runtime
from pro_service.store.schema import audit_trail, escalations, inbound, messages, metadata, staff_telephones
from pro_service.store.staff.accounts import Login
from pro_service.store.staff.telephones import StaffTelephone
from pro_service.use_cases.delivery import quarantine
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.staff import administration, telephone
from pro_service.use_cases.staff.telephone import Form
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

NUMBER, OTHER = "+905321234567", "+12025550170"
CONFIRMS = "PRO Service: from now on this number gets a text when an urgent task waits too long."


@dataclass
class Colleague:
    """One coordinator who may leave a telephone, and who else writes to us."""

    rt: Runtime
    clock: support.SetClock
    phones: Telephones
    login: Login

    def leaves(self, number: str = NUMBER, start: str = "", end: str = "") -> None:
        self.clock.now += timedelta(minutes=1)
        telephone.agree(self.rt, self.login, Form(number, start, end, agreed=True), "TR")
        deliver(self.rt)

    @property
    def known(self) -> StaffTelephone | None:
        return telephone.of(self.rt, self.login)

    def audited(self) -> list[str]:
        a = audit_trail.c
        with self.rt.sessions.reading() as session:
            return list(session.scalars(select(a.action).where(a.entity == "user").order_by(a.id)))[1:]


@pytest.fixture
def colleague(rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones) -> Colleague:
    """Return a coordinator who reads English."""
    assert study_id
    user, now = support.coordinator(rt, language="en"), clock.now
    more = {"factor_at": None, "confirmed_at": None, "enrolled_at": None, "factor_required": False, "roles": ()}
    return Colleague(rt, clock, phones, Login(1, user, support.EMAIL, "en", "", now, now, **more))  # type: ignore[arg-type]


@pytest.fixture
def says(rt: Runtime, clock: support.SetClock) -> Callable[..., None]:
    """Return what lets a telephone write to us."""
    numbers = count(1)

    def say(body: str, sender: str = NUMBER, **more: str) -> None:
        clock.now += timedelta(minutes=1)
        receive.receive(rt, text_of({"MessageSid": f"SM{next(numbers):032d}", "From": sender, "Body": body} | more))
        deliver(rt)

    return say


# --- agreed ----------------------------------------------------------------------------------------------------------


@databases.ON_BOTH
def test_a_number_is_kept_sealed_masked_and_confirmed_by_one_text(
    colleague: Colleague, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    colleague.leaves("0532 123 45 67", "08:00", "20:00")
    [sent] = colleague.phones.sent
    assert (sent.to, sent.body.partition(" You")[0]) == (NUMBER, CONFIRMS)
    known = colleague.known
    assert known is not None
    assert (known.masked, known.agreed_at, known.last_state) == ("+90 5•• ••• 45 67", colleague.clock.now, "accepted")
    assert known.hours is not None
    assert (known.hours.start.hour, known.hours.end.hour) == (8, 20)
    with colleague.rt.sessions.reading() as session:
        rows = [str(tuple(row)) for table in metadata.sorted_tables for row in session.execute(select(table))]
    assert not [line for line in (*rows, caplog.text) if NUMBER[1:] in line or "1234567" in line]
    assert colleague.audited() == ["agree_texts"]


@databases.ON_BOTH
def test_at_most_one_confirming_text_a_day(colleague: Colleague) -> None:
    colleague.leaves(NUMBER)
    colleague.leaves(OTHER)
    colleague.leaves("", "08:00", "20:00")
    assert [one.to for one in colleague.phones.sent] == [NUMBER]
    known = colleague.known
    assert known is not None
    assert (known.masked, known.last_state) == ("+1 2•• ••• 01 70", None), "nothing went to this one yet"
    colleague.clock.now += timedelta(days=1)
    colleague.leaves("")
    assert [one.to for one in colleague.phones.sent] == [NUMBER, OTHER]


@pytest.mark.parametrize(
    "form, faults",
    [
        (Form(NUMBER), {"agreed": "is not agreed to"}),
        (Form("", agreed=True), {"number": "is empty"}),
        (Form("hello", agreed=True), {"number": "is no telephone number"}),
        (Form("0532 123", agreed=True), {"number": "is no telephone number"}),
        (Form("112", agreed=True), {"number": "is no telephone number"}),
        (Form("0212 555 12 12", agreed=True), {"number": "takes no texts from here"}),
        (Form("+90 533 812 34 56", agreed=True), {"number": "takes no texts from here"}),
        (Form(NUMBER, "08:00", agreed=True), {"hours_until": "needs both ends"}),
        (Form(NUMBER, "", "08:00", agreed=True), {"hours_from": "needs both ends"}),
        (Form(NUMBER, "8 am", "20:00", agreed=True), {"hours_from": "is not a time of day"}),
        (Form(NUMBER, "08:00", "08:00", agreed=True), {"hours_until": "is when it begins"}),
        (
            Form("x", "25:00", "08:00"),
            {
                "number": "is no telephone number",
                "hours_from": "is not a time of day",
                "agreed": "is not agreed to",
            },
        ),
    ],
)
def test_every_fault_is_said_beside_its_field_and_nothing_is_kept(
    colleague: Colleague, form: Form, faults: dict[str, str]
) -> None:
    with pytest.raises(RejectedError) as rejected:
        telephone.agree(colleague.rt, colleague.login, form, "TR")
    assert {fault.path: words(fault)[0] for fault in rejected.value.faults} == faults
    assert "5321234567" not in repr(form)
    assert colleague.known is None
    assert colleague.audited() == []


def test_without_texts_the_number_is_kept_all_the_same(colleague: Colleague) -> None:
    colleague.rt = replace(colleague.rt, texts={})
    colleague.leaves()
    assert colleague.known is not None
    assert colleague.known.last_state is None


@databases.ON_BOTH
def test_a_number_that_is_deleted_is_nowhere_and_what_waits_for_it_does_not_leave(colleague: Colleague) -> None:
    telephone.agree(colleague.rt, colleague.login, Form(NUMBER, agreed=True), "TR")
    assert telephone.remove(colleague.rt, colleague.login)
    assert not telephone.remove(colleague.rt, colleague.login)
    deliver(colleague.rt)
    assert colleague.phones.sent == []
    with colleague.rt.sessions.reading() as session:
        assert session.scalar(select(func.count()).select_from(staff_telephones)) == 0
    assert colleague.audited() == ["agree_texts", "remove_texts"]


@databases.ON_BOTH
def test_an_account_that_is_shut_gets_no_confirming_text(colleague: Colleague) -> None:
    telephone.agree(colleague.rt, colleague.login, Form(NUMBER, agreed=True), "TR")
    assert administration.disable(colleague.rt, support.SETUP, colleague.login.user_id)
    deliver(colleague.rt)
    assert colleague.phones.sent == []


# --- stopped, and what else comes from it ----------------------------------------------------------------------------


@pytest.mark.parametrize("body, more", [("DUR", {}), ("stop", {}), ("no more", {"OptOutType": "STOP"})])
@databases.ON_BOTH
def test_a_stop_ends_the_agreement_and_gets_no_answer(
    colleague: Colleague, says: Callable[..., None], body: str, more: dict[str, str]
) -> None:
    colleague.leaves()
    says(body, **more)
    known = colleague.known
    assert known is not None
    assert (known.ended_at, known.ended_for) == (colleague.clock.now, "stopped")
    assert len(colleague.phones.sent) == 1, "the confirming text alone"
    with colleague.rt.sessions.reading() as session:
        assert session.scalars(select(escalations.c.id)).all() == []
        assert session.scalars(select(inbound.c.reading)).all() == ["OptOut"]
        assert inbox.count(session, Reader(1, None, strangers=True), colleague.clock.now) == 0
    assert colleague.audited() == ["agree_texts", "end_texts"]
    says("hello")
    assert len(colleague.phones.sent) == 1
    colleague.leaves("")
    assert colleague.known is not None
    assert colleague.known.ended_at is None


@databases.ON_BOTH
def test_what_else_a_colleague_writes_waits_for_a_person_without_a_task_and_without_an_answer(
    colleague: Colleague, study_id: int, says: Callable[..., None]
) -> None:
    colleague.leaves()
    for body in ("ok, on my way", "7", "nefes alamıyorum"):
        says(body)
    assert len(colleague.phones.sent) == 1
    with colleague.rt.sessions.reading() as session:
        assert session.scalars(select(escalations.c.id)).all() == []
        reader = Reader(study_id, None, strangers=True)
        waiting, _ = inbox.page(session, colleague.rt.vault, reader, Look(), colleague.clock.now)
    assert [one.why for one in waiting] == ["unknown_sender"] * 3
    assert colleague.known is not None
    assert colleague.known.ended_at is None


@databases.ON_BOTH
def test_a_participant_with_the_same_number_is_read_as_a_participant_and_their_stop_is_everybodys(
    colleague: Colleague, study_id: int, says: Callable[..., None]
) -> None:
    how = {"phone": NUMBER, "channel": "sms-card", "baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
    who = support.enrolled(colleague.rt, study_id, "P-001", date(2026, 3, 2), **how)
    colleague.leaves()
    says("beni arayın")
    assert [e.reason for e in support.loaded(colleague.rt, who).case.escalations] == ["asked_for_call"]
    says("DUR")
    assert support.loaded(colleague.rt, who).case.participant.opted_out_at == colleague.clock.now
    assert colleague.known is not None
    assert colleague.known.ended_for == "stopped"


# --- kept from all else ----------------------------------------------------------------------------------------------


@databases.ON_BOTH
def test_no_report_about_participants_counts_a_text_to_staff(colleague: Colleague, study_id: int) -> None:
    how = {"phone": OTHER, "channel": "sms-reply", "baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
    support.enrolled(colleague.rt, study_id, "P-001", date(2026, 3, 2), **how)

    def figures() -> list[object]:
        with colleague.rt.sessions.reading() as session:
            return [
                messages_report.page(session, study_id, Sought()),
                messages_report.traffic(session, study_id, Sought()).routes,
                ledger.texts(session, study_id),
            ]

    before = figures()
    colleague.leaves()
    assert len(colleague.phones.sent) == 1
    assert figures() == before


@databases.ON_BOTH
def test_what_was_sent_before_a_backup_was_restored_is_not_sent_again(colleague: Colleague) -> None:
    colleague.leaves()
    [sent] = colleague.phones.sent
    with colleague.rt.sessions.begin() as session:
        # What a backup of before the sending says: the row is there, and has not left.
        session.execute(metadata.tables["attempts"].delete())
        values = {"state": "ready", "attempt": 0, "provider_id": None, "provider_status": None, "accepted_at": None}
        session.execute(messages.update().values(**values))
    quarantine.begin(colleague.rt, "by_hand", support.SETUP)
    deliver(colleague.rt)
    assert quarantine.settle(colleague.rt).adopted == 1
    deliver(colleague.rt)
    assert colleague.phones.sent == [sent]
    assert colleague.known is not None
    assert colleague.known.last_state == "accepted"

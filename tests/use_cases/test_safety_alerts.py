"""A safety word that nobody answers: who hears of it, when and how, until somebody ends the task."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Connection, event, select

from pro_service.core.routes import ROUTES
from pro_service.core.texts import contains_address, segments
from pro_service.gateways.outgoing import Outgoing, Refused, Unavailable, Uncertain
from pro_service.gateways.twilio.hooks import receipt_of, text_of
from pro_service.runtime import Bundle, Bundles, Runtime
from pro_service.store.audit import Actor
from pro_service.store.messages import overdue
from pro_service.store.schema import audit_trail, messages, participants, roles, staff_telephones, users
from pro_service.store.session import Session
from pro_service.store.staff import colleagues
from pro_service.store.staff.accounts import Login
from pro_service.use_cases import doctor, mails
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import reconcile
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.safety_alerts import AlertReport, alert, coverage
from pro_service.use_cases.staff import administration, telephone
from pro_service.use_cases.tasks import calls, hand_over
from pro_service.use_cases.tick import beat, tick
from pro_service.use_cases.watch import alarms, watch
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

PHONE = "+12025550123"
NUMBERS = {"call": "+12025550170", "other": "+12025550171", "lead": "+12025550172"}
ALARM = support.at("2026-03-14 03:10")
"""A Saturday, at night."""
DUE = ALARM + timedelta(hours=2)


@dataclass
class Stage:
    """One participant at the first site, two coordinators and an investigator, and what reaches them."""

    rt: Runtime
    clock: support.SetClock
    phones: Telephones
    letters: Telephones
    who: int
    staff: dict[str, int]
    _read: dict[str, int] = field(default_factory=lambda: {"mails": 0, "texts": 0})
    """How many mails and texts were read."""

    @property
    def task(self) -> int:
        return next(e.id for e in support.loaded(self.rt, self.who).case.escalations if e.level == "ES")

    def pass_time(self, hours: float) -> AlertReport:
        """Let time pass, and the beat beat once at its end."""
        self.clock.now += timedelta(hours=hours)
        return self.beat()

    def beat(self) -> AlertReport:
        tick(self.rt)
        report = alert(self.rt)
        deliver(self.rt)
        return report

    def mailed(self) -> Counter[str]:
        """How many mails about the task each person got since this was read last."""
        about = ("safety: please look at once", "overdue, nobody has taken it up", "taken up and still open")
        unread = self._unread("mails", self.letters)
        return Counter(one.to.partition("@")[0] for one in unread if str(one.subject).partition(": ")[2] in about)

    def _unread(self, what: str, network: Telephones) -> list[Outgoing]:
        found = network.sent[self._read[what] :]
        self._read[what] = len(network.sent)
        return [one for one in found if "/escalations/" in one.body or one.to in NUMBERS.values()]

    def texted(self) -> Counter[str]:
        """How many texts each of the staff got since this was read last."""
        names = {number: name for name, number in NUMBERS.items()}
        return Counter(names[one.to] for one in self._unread("texts", self.phones))


class WithoutInvestigator(Bundles):
    """The study's protocol, had it named coordinators alone for safety."""

    def get(self, asking: Session | Connection, version_id: int) -> Bundle:
        found = super().get(asking, version_id)
        ladder = dict(found.protocol.ladder)
        ladder["ES"] = replace(ladder["ES"], roles=("coordinator",))
        return replace(found, protocol=replace(found.protocol, ladder=ladder))


def login_of(user_id: int) -> Login:
    now = support.at("2026-03-01 09:00")
    return Login(1, user_id, "x@example.org", "en", "", now, now, None, None, None, factor_required=False, roles=())


def leaves(rt: Runtime, user_id: int, number: str, hours: tuple[str, str] = ("", "")) -> None:
    """Let somebody leave their number, without the text that confirms it."""
    form = telephone.Form(number, *hours, agreed=True)
    telephone.agree(replace(rt, texts={}), login_of(user_id), form, "TR")


def by(user: int) -> Actor:
    return Actor(kind="staff", id=f"user:{user}", source="dashboard", user_id=user)


@pytest.fixture
def stage(rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones) -> Stage:
    """Return the stage in the minute after a safety word came; the mails of the task itself have left."""
    letters = Telephones(kind="mail-")
    runtime = replace(rt, mail=letters)
    how = {"phone": PHONE, "channel": "sms-reply", "baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
    who = support.enrolled(runtime, study_id, "P-001", date(2026, 3, 2), **how)
    staff = {
        name: support.coordinator(runtime, f"{name}@example.org", role=role, language="en", **site)
        for name, role, site in (
            ("call", "coordinator", {"site": "IST"}),
            ("other", "coordinator", {"site": "IST"}),
            ("lead", "investigator", {}),
            ("far", "coordinator", {"site": "BER"}),
        )
    }
    clock.now = ALARM
    tick(runtime)
    receive.receive(runtime, text_of({"MessageSid": "SM1", "From": PHONE, "Body": "nefes alamıyorum"}))
    made = Stage(runtime, clock, phones, letters, who, staff)
    made.beat()
    assert set(made.mailed()) == {"call", "other", "lead"}
    assert made.texted() == {}
    return made


# --- who hears of it, and when ---------------------------------------------------------------------------------------


def test_before_it_is_due_nobody_hears_of_it_again(stage: Stage) -> None:
    assert stage.pass_time(1.9) == AlertReport()
    assert stage.mailed() == {}


@databases.ON_BOTH
def test_it_goes_on_every_two_hours_for_a_day_and_then_once_a_day(stage: Stage) -> None:
    leaves(stage.rt, stage.staff["lead"], NUMBERS["lead"])
    rounds = [bool(stage.pass_time(0.5).mails) for _ in range(2 * 24 * 4)]
    moments = [(number + 1) / 2 for number, mailed in enumerate(rounds) if mailed]
    assert moments == [*range(2, 26, 2), 26, 50, 74]
    assert stage.texted() == {"lead": 15}
    assert stage.mailed() == {"call": 15, "other": 15, "lead": 15}


def test_the_first_alert_is_for_those_at_work_and_the_next_for_everybody(stage: Stage) -> None:
    with stage.rt.sessions.begin() as session:
        colleagues.set_away(session, stage.staff["other"], DUE + timedelta(days=3))
    stage.pass_time(2)
    assert stage.mailed() == {"call": 1, "lead": 1}
    stage.pass_time(2)
    assert stage.mailed() == {"call": 1, "other": 1, "lead": 1}


def test_it_ends_with_the_investigator_also_where_the_ladder_does_not_name_one(stage: Stage) -> None:
    stage.rt = replace(stage.rt, bundles=WithoutInvestigator())
    stage.pass_time(2)
    assert stage.mailed() == {"call": 1, "other": 1}
    stage.pass_time(2)
    assert stage.mailed() == {"call": 1, "other": 1, "lead": 1}


@databases.ON_BOTH
def test_twice_in_a_minute_is_once(stage: Stage) -> None:
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"])
    assert stage.pass_time(2) == AlertReport(mails=3, texts=1)
    assert stage.pass_time(0.1) == AlertReport()
    before = support.rows_of(stage.rt)
    stage.beat()
    assert support.rows_of(stage.rt) == before


@databases.ON_BOTH
def test_two_schedulers_alert_once(stage: Stage) -> None:
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"])
    stage.clock.now = DUE
    start, reports = Barrier(4), list[AlertReport]()

    def scheduler() -> None:
        start.wait()
        reports.append(alert(stage.rt))

    threads = [Thread(target=scheduler) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(report.mails for report in reports) == 3
    assert sum(report.texts for report in reports) == 1


def test_after_an_outage_the_newest_alone_goes_out(stage: Stage) -> None:
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"])
    assert stage.pass_time(23) == AlertReport(mails=3, texts=1)
    assert stage.texted() == {"call": 1}
    # What the relay and the provider could not take is not made up for either.
    stage.letters.faults.extend([Unavailable(421)] * 30)
    stage.phones.faults.extend([Unavailable(503)] * 10)
    stage.pass_time(1)
    assert stage.mailed() == {"call": 1, "other": 1, "lead": 1}
    stage.pass_time(2)
    stage.letters.faults.clear()
    stage.phones.faults.clear()
    stage.pass_time(24)
    assert stage.mailed() == {"call": 1, "other": 1, "lead": 1}
    assert stage.texted() == {"call": 1}


def test_an_idle_beat_asks_one_question(stage: Stage) -> None:
    stage.clock.now = DUE - timedelta(minutes=1)
    asked: list[str] = []
    event.listen(stage.rt.sessions.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    alert(stage.rt)
    assert len([one for one in asked if one.startswith("SELECT")]) == 1


def test_the_question_uses_the_index_of_open_tasks(stage: Stage) -> None:
    asked: list[tuple[str, object]] = []
    event.listen(stage.rt.sessions.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    with stage.rt.sessions.reading() as session:
        overdue.since(session, stage.clock.now)
    statement, given = asked[-1]
    with stage.rt.sessions.engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()  # type: ignore[arg-type]
    assert "ix_escalations_open_level (study_id=? AND level=? AND due_at<?)" in str(plan)


# --- until somebody has it -------------------------------------------------------------------------------------------


def test_taken_up_it_rests_for_a_day_and_then_comes_once_a_day(stage: Stage) -> None:
    stage.pass_time(3)
    calls.acknowledge(stage.rt, by(stage.staff["call"]), stage.task)
    stage.mailed()
    heard = [stage.pass_time(6).mails for _ in range(4 * 3)]
    assert heard == [0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 3]
    assert stage.mailed() == {"call": 3, "other": 3, "lead": 3}
    assert "P-001 · W1: taken up and still open" in {one.subject for one in stage.letters.sent}


def test_ended_it_is_over(stage: Stage) -> None:
    stage.pass_time(2)
    calls.acknowledge(stage.rt, by(stage.staff["call"]), stage.task)
    calls.resolve(stage.rt, by(stage.staff["call"]), stage.task)
    stage.mailed()
    assert [stage.pass_time(12) for _ in range(6)] == [AlertReport()] * 6
    assert "safety_overdue" not in {one.code for one in alarms(stage.rt)}


def test_handed_over_it_goes_on_for_everybody_until_it_is_taken_up(stage: Stage) -> None:
    stage.pass_time(2)
    hand_over.hand_over(stage.rt, by(stage.staff["call"]), stage.task, stage.staff["other"])
    stage.mailed()
    assert stage.pass_time(2).mails == 3


@pytest.mark.parametrize("what", ["taken up", "ended"])
@databases.ON_BOTH
def test_what_waits_does_not_leave_once_somebody_has_it(stage: Stage, what: str) -> None:
    leaves(stage.rt, stage.staff["lead"], NUMBERS["lead"])
    stage.clock.now = DUE
    tick(stage.rt)
    assert alert(stage.rt) == AlertReport(mails=3, texts=1)
    calls.acknowledge(stage.rt, by(stage.staff["call"]), stage.task)
    if what == "ended":
        calls.resolve(stage.rt, by(stage.staff["call"]), stage.task)
    deliver(stage.rt)
    assert (stage.mailed(), stage.texted()) == ({}, {})
    m = messages.c
    with stage.rt.sessions.reading() as session:
        assert set(session.scalars(select(m.state).where(m.frame == "overdue"))) == {"cancelled"}


@databases.ON_BOTH
def test_one_task_that_cannot_be_read_keeps_no_other_back(stage: Stage, study_id: int) -> None:
    how = {"phone": "+12025550124", "channel": "sms-reply", "baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
    support.enrolled(stage.rt, study_id, "P-002", date(2026, 3, 2), **how)
    receive.receive(stage.rt, text_of({"MessageSid": "SM2", "From": "+12025550124", "Body": "nefes alamıyorum"}))
    with stage.rt.sessions.begin() as session:
        there_is_none = participants.update().where(participants.c.id == stage.who).values(zone="Nowhere/At-all")
        session.execute(there_is_none)
    stage.clock.now = DUE
    assert alert(stage.rt) == AlertReport(mails=3)


# --- texts -----------------------------------------------------------------------------------------------------------


def test_a_text_comes_at_the_hours_its_reader_agreed_to(stage: Stage) -> None:
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"], ("08:00", "20:00"))
    leaves(stage.rt, stage.staff["other"], NUMBERS["other"], ("22:00", "06:00"))
    leaves(stage.rt, stage.staff["lead"], NUMBERS["lead"])
    came: dict[str, list[str]] = {name: [] for name in NUMBERS}
    stage.clock.now = DUE
    for _ in range(4 * 24 + 1):
        stage.beat()
        for name in stage.texted():
            came[name].append(f"{stage.clock.now.astimezone(support.ISTANBUL):%H:%M}")
        stage.clock.now += timedelta(minutes=15)
    every_two = [f"{(5 + 2 * n) % 24:02}:10" for n in range(13)]
    assert came["lead"] == every_two
    # Of those that came due outside their hours the newest waits until the hours begin.
    assert came["call"] == ["08:10", *every_two[2:8]]
    assert came["other"] == ["05:10", "22:10", *every_two[9:]]


def test_what_cannot_leave_in_those_hours_does_not_leave_after_them(stage: Stage) -> None:
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"], ("05:00", "06:00"))
    stage.phones.faults.append(Unavailable(503))
    stage.pass_time(2)
    stage.pass_time(1)
    assert stage.texted() == {}
    with stage.rt.sessions.reading() as session:
        assert session.scalars(select(messages.c.state).where(messages.c.kind == "staff")).all() == ["expired"]


@databases.ON_BOTH
def test_its_words_are_the_site_and_the_code_and_no_address(stage: Stage) -> None:
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"])
    stage.pass_time(2)
    stage.pass_time(2)
    first, second = (one for one in stage.phones.sent if one.to == NUMBERS["call"])
    assert first.body == (
        "PRO Service, IST: P-001 needs you now. It has waited for 2 h and nobody has taken it up. Please sign in."
    )
    assert second.body != first.body, "some operators block a text that is the same as the one before"
    assert first.validity_seconds == 2 * 60 * 60
    with stage.rt.sessions.reading() as session:
        row = session.execute(select(messages).where(messages.c.kind == "staff").limit(1)).one()
    assert (row.study_id, row.participant_id, row.user_id) == (None, None, stage.staff["call"])
    assert row.escalation_id == stage.task


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("frame", ["overdue", "unfinished", "agreed"])
def test_every_text_fits_one_segment_and_passes_every_route(language: str, frame: str) -> None:
    body = mails.text(language, frame, {"site": "IUC-PAIN", "code": "TR-0417", "hours": "122"})
    assert segments(body) == 1
    assert not contains_address(body)
    assert any(route.country == "TR" and route.urls is False for route in ROUTES)


def test_nobody_who_is_shut_out_or_lost_the_role_gets_a_text(stage: Stage) -> None:
    for name, number in NUMBERS.items():
        leaves(stage.rt, stage.staff[name], number)
    stage.clock.now = DUE
    tick(stage.rt)
    assert alert(stage.rt).texts == 3
    with stage.rt.sessions.reading() as session:
        held = session.scalars(select(roles.c.id).where(roles.c.user_id == stage.staff["other"])).one()
    assert administration.revoke(stage.rt, support.SETUP, stage.staff["other"], held)
    assert administration.disable(stage.rt, support.SETUP, stage.staff["call"])
    deliver(stage.rt)
    assert stage.texted() == {"lead": 1}
    assert stage.pass_time(2) == AlertReport(mails=1, texts=1)


def test_an_account_that_is_shut_after_the_claim_gets_nothing(stage: Stage) -> None:
    """The gate of the claim stands on its own: nothing here has withdrawn the text."""
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"])
    stage.clock.now = DUE
    alert(stage.rt)
    with stage.rt.sessions.begin() as session:
        session.execute(users.update().values(disabled_at=stage.clock.now))
    deliver(stage.rt)
    assert stage.texted() == {}
    with stage.rt.sessions.begin() as session:
        session.execute(users.update().values(disabled_at=None))
        session.execute(staff_telephones.update().values(ended_at=stage.clock.now, ended_for="stopped"))
    deliver(stage.rt)
    assert stage.texted() == {}


@databases.ON_BOTH
def test_a_text_of_which_nobody_knows_whether_it_left_is_not_sent_again(stage: Stage) -> None:
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"])
    stage.phones.faults.append(Uncertain(500))
    stage.phones.takes = True
    stage.pass_time(2)
    assert stage.texted() == {"call": 1}
    for _ in range(6):
        stage.pass_time(0.2)
        reconcile(stage.rt)
    assert stage.texted() == {}
    with stage.rt.sessions.reading() as session:
        assert session.scalars(select(messages.c.state).where(messages.c.kind == "staff")).all() == ["dead"]
    assert "uncertain_delivery" not in {e.reason for e in support.loaded(stage.rt, stage.who).case.escalations}
    stage.pass_time(1)
    assert stage.texted() == {"call": 1}


@databases.ON_BOTH
def test_a_worker_that_never_came_back_leaves_it_to_the_next_alert(stage: Stage) -> None:
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"])
    stage.clock.now = DUE
    alert(stage.rt)
    m = messages.c
    with stage.rt.sessions.begin() as session:
        lost = {"state": "sending", "attempt": 1, "lease_until": DUE + timedelta(minutes=1)}
        session.execute(messages.update().where(m.kind == "staff").values(**lost))
    stage.pass_time(0.1)
    with stage.rt.sessions.reading() as session:
        assert session.scalars(select(m.state).where(m.kind == "staff")).all() == ["dead"]
    assert stage.texted() == {}


@pytest.mark.parametrize("kind, code, why", [("bad_number", 21614, "bad_number"), ("opted_out", 21610, "opted_out")])
@pytest.mark.parametrize("road", ["answer", "report"])
@databases.ON_BOTH
def test_a_telephone_that_takes_no_texts_ends_the_agreement_and_is_nobodys_task(
    stage: Stage, kind: str, code: int, why: str, road: str
) -> None:
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"])
    before = len(support.loaded(stage.rt, stage.who).case.escalations)
    if road == "answer":
        stage.phones.faults.append(Refused(code, kind))  # type: ignore[arg-type]
    stage.pass_time(2)
    if road == "report":
        report(stage, "undelivered", str(code))
    known = telephone.of(stage.rt, login_of(stage.staff["call"]))
    assert known is not None
    assert (known.ended_for, known.ended_at) == (why, stage.clock.now)
    assert len(support.loaded(stage.rt, stage.who).case.escalations) == before
    stage.texted()
    assert stage.pass_time(2).texts == 0
    a = audit_trail.c
    with stage.rt.sessions.reading() as session:
        said = session.scalars(select(a.changes).where(a.action == "end_texts")).all()
    assert len(said) == 1
    assert NUMBERS["call"] not in said[0]


def report(stage: Stage, status: str, error: str = "") -> None:
    """Let the provider say what became of the last text to a colleague."""
    sent = next(one for one in reversed(stage.phones.sent) if one.to in NUMBERS.values())
    sid = next(one.sid for one in stage.phones.records if one.to == sent.to)
    token = sent.token
    assert receive.take_receipt(
        stage.rt, receipt_of(token, {"MessageSid": sid, "MessageStatus": status, "ErrorCode": error}), "twilio"
    )


@databases.ON_BOTH
def test_what_became_of_a_text_is_known(stage: Stage) -> None:
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"])
    stage.pass_time(2)
    report(stage, "delivered")
    known = telephone.of(stage.rt, login_of(stage.staff["call"]))
    assert known is not None
    assert (known.last_frame, known.last_state, known.ended_at) == ("overdue", "delivered", None)


def test_a_text_that_the_operator_refuses_for_reasons_of_ours_goes_again_and_ends_nothing(stage: Stage) -> None:
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"])
    stage.pass_time(2)
    report(stage, "failed", "30001")
    stage.texted()
    stage.pass_time(0.5)
    assert stage.texted() == {"call": 1}


def test_another_number_by_the_time_it_leaves_is_the_one_it_goes_to(stage: Stage) -> None:
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"])
    stage.clock.now = DUE
    alert(stage.rt)
    leaves(stage.rt, stage.staff["call"], NUMBERS["other"])
    # What was queued for the old number is withdrawn; the next beat writes to the new one.
    assert alert(stage.rt).texts == 0
    deliver(stage.rt)
    assert stage.texted() == {}
    stage.pass_time(2)
    assert stage.texted() == {"other": 1}


def test_without_texts_or_without_mails_the_other_goes_on(stage: Stage) -> None:
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"])
    stage.clock.now = DUE
    assert alert(replace(stage.rt, mail=None)) == AlertReport(texts=1)
    assert alert(replace(stage.rt, texts={})) == AlertReport(mails=3)
    assert alert(replace(stage.rt, texts={}, mail=None)) == AlertReport()


# --- the alarm, the doctor -------------------------------------------------------------------------------------------


def test_an_overdue_task_is_an_alarm_taken_up_or_not(stage: Stage) -> None:
    beat(stage.rt, "tick")
    assert [one.code for one in alarms(stage.rt)] == []
    stage.pass_time(2)
    calls.acknowledge(stage.rt, by(stage.staff["call"]), stage.task)
    stage.pass_time(1)
    beat(stage.rt, "tick")
    [alarm] = [one for one in alarms(stage.rt) if one.code == "safety_overdue"]
    assert alarm.since == DUE
    for language in ("en", "tr"):
        what, remedy = mails.alarm_words(language, alarm.code)
        assert what
        assert remedy.endswith(".")


def test_those_who_run_the_service_are_left_alone_for_a_day_once_somebody_has_it(stage: Stage) -> None:
    support.coordinator(stage.rt, "admin@example.org", role="administrator")

    def told() -> int:
        beat(stage.rt, "tick")
        watch(stage.rt)
        deliver(stage.rt)
        return sum("admin@" in one.to and "safety" in (one.subject or "") for one in stage.letters.sent)

    stage.pass_time(1.9)
    calls.acknowledge(stage.rt, by(stage.staff["call"]), stage.task)
    stage.pass_time(0.2)
    assert "safety_overdue" in {one.code for one in alarms(stage.rt)}
    assert told() == 0
    stage.pass_time(24)
    assert told() == 1


def test_the_doctor_says_who_would_hear_of_it(stage: Stage, study_id: int) -> None:
    def said() -> list[tuple[str, str]]:
        return [(one.colour, one.finding) for one in doctor.safety_of(coverage(stage.rt), mailing=True, texting=True)]

    assert said() == [("yellow", "nobody's telephone is known at DEMO IST")]
    leaves(stage.rt, stage.staff["call"], NUMBERS["call"])
    assert said() == [("green", "somebody hears of it at every site that follows participants")]
    support.enrolled(stage.rt, study_id, "P-100", date(2026, 3, 10), site="BER")
    for name in ("far", "lead"):
        administration.disable(stage.rt, support.SETUP, stage.staff[name])
    assert said()[0] == ("red", "nobody would hear of a safety task at DEMO BER")

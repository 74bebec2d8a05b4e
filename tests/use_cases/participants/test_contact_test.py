"""The reachability test: a text before they leave the clinic, confirmed by reply, link or staff, or telephone first."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from itertools import count

import pytest
from sqlalchemy import select, update

from pro_service.core.conversation.contact_test import ReachTest, state
from pro_service.core.schedule.agenda import may_text
from pro_service.gateways.outgoing import Refused
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.schema import audit_trail, messages, responses
from pro_service.use_cases import closing
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.participants import contact_test
from pro_service.use_cases.participants.contact_test import ReachRefusedError, Subject
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

PHONE = "+12025550123"
Says = Callable[..., None]


@pytest.fixture
def participant(rt: Runtime, study_id: int) -> int:
    """Return somebody who was enrolled a moment ago and sits in the clinic."""
    return support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, channel="sms-reply", language="en")


@pytest.fixture
def says(rt: Runtime, clock: support.SetClock) -> Says:
    """Return what lets somebody write a text, a minute after the last."""
    numbers = count(1)

    def say(body: str) -> None:
        clock.now += timedelta(minutes=1)
        given = {"MessageSid": f"SM{next(numbers):032d}", "From": PHONE, "To": "+15005550006", "Body": body}
        receive.receive(rt, text_of(given))

    return say


@pytest.fixture
def actor(rt: Runtime, study_id: int) -> Actor:
    """Return a coordinator at work."""
    del study_id
    user_id = support.coordinator(rt)
    return Actor(kind="staff", id=f"user:{user_id}", source="dashboard", user_id=user_id)


@pytest.fixture
def whom(study_id: int) -> Subject:
    """Return whose test it is."""
    return Subject(study_id, "P-001")


@pytest.fixture
def sent(rt: Runtime, participant: int, actor: Actor, whom: Subject) -> int:
    """Return the participant, to whom the test was sent a moment ago."""
    contact_test.begin(rt, actor, whom)
    deliver(rt)
    return participant


def latest(rt: Runtime, participant: int) -> ReachTest:
    found = contact_test.latest(rt, participant)
    assert found is not None
    return found


def tasks(rt: Runtime, participant: int) -> list[tuple[str, bool]]:
    return [(e.reason, e.open) for e in support.loaded(rt, participant).case.escalations if e.reason == "reach_failed"]


def texts_go(rt: Runtime, participant: int) -> bool:
    return may_text(support.loaded(rt, participant).case.participant)


@pytest.mark.shows("reach: confirmed")
@pytest.mark.parametrize("body", ["1", "Evet", "ok", "Tamam", "yes!", "geldi", "1 teşekkürler"])
@databases.ON_BOTH
def test_a_reply_confirms_and_is_never_a_score(
    rt: Runtime, sent: int, says: Says, phones: Telephones, body: str
) -> None:
    (test_text,) = phones.to(PHONE)
    assert test_text.startswith(
        "This is a test from Istanbul Demo Clinic: do our texts reach you? Please reply with 1."
    )
    says(body)
    says(body)
    test = latest(rt, sent)
    assert (state(test), test.confirmed_by) == ("confirmed", "reply")
    with rt.sessions.reading() as session:
        assert session.scalars(select(responses.c.id)).all() == []
    assert (texts_go(rt, sent), tasks(rt, sent)) == (True, [])
    assert len(phones.sent) == 1


def test_a_number_in_an_open_window_is_a_score_once_the_test_is_long_over(
    rt: Runtime, sent: int, says: Says, clock: support.SetClock
) -> None:
    says("1")
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    deliver(rt)
    says("1")
    window = next(w for w in support.loaded(rt, sent).case.current if w.code == "W1")
    assert window.answers["NRS-AVG"].value == 1


def test_any_other_text_goes_the_usual_way(rt: Runtime, sent: int, says: Says) -> None:
    says("STOP")
    assert support.loaded(rt, sent).case.participant.opted_out_at is not None
    assert state(latest(rt, sent)) == "waiting"


@pytest.mark.shows("reach: confirmed")
def test_the_link_confirms_once_the_button_is_pressed(
    rt: Runtime, study_id: int, actor: Actor, phones: Telephones
) -> None:
    found = support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), phone=PHONE, channel="sms-link", language="tr")
    contact_test.begin(rt, actor, Subject(study_id, "P-002"))
    deliver(rt)
    token = re.search(r"/q/reach/(\S+)", phones.to(PHONE)[0])
    assert token is not None
    assert contact_test.language_of(rt, token[1]) == "tr"
    assert state(latest(rt, found)) == "waiting"
    assert contact_test.confirm_by_link(rt, token[1]) == "tr"
    assert latest(rt, found).confirmed_by == "link"
    assert contact_test.confirm_by_link(rt, "another") is None


@pytest.mark.shows("reach: confirmed")
def test_staff_confirm_what_they_were_shown_once(rt: Runtime, sent: int, actor: Actor, whom: Subject) -> None:
    contact_test.confirm_by_staff(rt, actor, whom)
    assert latest(rt, sent).confirmed_by == "staff"
    with pytest.raises(ReachRefusedError, match="decided"):
        contact_test.confirm_by_staff(rt, actor, whom)


@pytest.mark.shows("reach: telephone first")
@databases.ON_BOTH
def test_what_nobody_confirms_in_time_becomes_telephone_first(
    rt: Runtime, sent: int, clock: support.SetClock, phones: Telephones
) -> None:
    clock.now += timedelta(minutes=29)
    tick(rt)
    assert state(latest(rt, sent)) == "waiting"
    clock.now += timedelta(minutes=1)
    tick(rt)
    tick(rt)
    assert (state(latest(rt, sent)), latest(rt, sent).failure) == ("failed", "unconfirmed")
    assert (texts_go(rt, sent), tasks(rt, sent)) == (False, [("reach_failed", True)])
    clock.now = support.at("2026-03-11 11:00")
    tick(rt)
    deliver(rt)
    calls = [e for e in support.loaded(rt, sent).case.escalations if e.level == "E1"]
    assert [support.loaded(rt, sent).case.window(call.window_id or 0).code for call in calls] == ["W1"]
    assert len(phones.sent) == 1


@pytest.mark.shows("reach: telephone first")
@databases.ON_BOTH
def test_a_text_that_is_lost_fails_the_test_at_once(
    rt: Runtime, participant: int, actor: Actor, whom: Subject, phones: Telephones
) -> None:
    phones.faults.append(Refused(30006, "other"))
    contact_test.begin(rt, actor, whom)
    deliver(rt)
    tick(rt)
    assert latest(rt, participant).failure == "undelivered"
    assert (texts_go(rt, participant), tasks(rt, participant)) == (False, [("reach_failed", True)])


def test_staff_say_that_it_failed_and_why(rt: Runtime, sent: int, actor: Actor, whom: Subject, says: Says) -> None:
    with pytest.raises(ReachRefusedError, match="needs_reason"):
        contact_test.fail_by_staff(rt, actor, whom, " ")
    contact_test.fail_by_staff(rt, actor, whom, "cannot open texts on this telephone")
    assert (latest(rt, sent).failure, texts_go(rt, sent)) == ("staff", False)
    says("1")
    assert (state(latest(rt, sent)), texts_go(rt, sent)) == ("confirmed_late", False)
    with rt.sessions.reading() as session:
        a = audit_trail.c
        told = session.execute(select(a.action, a.reason).where(a.entity == "reach_test").order_by(a.id)).all()
    assert [row.action for row in told] == ["reach_begin", "reach_fail", "reach_confirm"]
    assert support.typed(rt, told[1].reason) == "cannot open texts on this telephone"


@pytest.mark.shows("reach: telephone first")
def test_who_confirms_late_gets_texts_again_and_the_task_ends(
    rt: Runtime, sent: int, says: Says, clock: support.SetClock
) -> None:
    clock.now += timedelta(minutes=45)
    tick(rt)
    assert not texts_go(rt, sent)
    says("1")
    assert (state(latest(rt, sent)), texts_go(rt, sent)) == ("confirmed_late", True)
    assert tasks(rt, sent) == [("reach_failed", False)]
    with rt.sessions.reading() as session:
        assert session.scalars(select(responses.c.id)).all() == []


def test_a_failed_test_can_be_tried_again(
    rt: Runtime, sent: int, actor: Actor, whom: Subject, says: Says, clock: support.SetClock
) -> None:
    with pytest.raises(ReachRefusedError, match="waiting"):
        contact_test.begin(rt, actor, whom)
    clock.now += timedelta(minutes=30)
    tick(rt)
    contact_test.begin(rt, actor, whom, timedelta(minutes=10))
    deliver(rt)
    says("1")
    assert (state(latest(rt, sent)), texts_go(rt, sent)) == ("confirmed", True)


@pytest.mark.parametrize("fact", ["opted_out_at", "withdrawn_at", "died_at", "unreachable_at"])
def test_no_test_goes_through_the_closed_gate(
    rt: Runtime, participant: int, actor: Actor, whom: Subject, fact: str, phones: Telephones
) -> None:
    with rt.sessions.begin() as session:
        from_now = update(messages.metadata.tables["participants"]).values({fact: rt.clock()})
        session.execute(from_now)
    with pytest.raises(ReachRefusedError, match="no_texts"):
        contact_test.begin(rt, actor, whom)
    deliver(rt)
    assert (phones.sent, contact_test.latest(rt, participant)) == ([], None)


def test_what_cannot_be_done_is_refused(rt: Runtime, participant: int, actor: Actor, whom: Subject) -> None:
    assert participant
    with pytest.raises(ReachRefusedError, match="no_test"):
        contact_test.confirm_by_staff(rt, actor, whom)
    with pytest.raises(ReachRefusedError, match="minutes"):
        contact_test.begin(rt, actor, whom, timedelta(minutes=1))
    with pytest.raises(KeyError):
        contact_test.begin(rt, actor, Subject(whom.study_id, "P-001", sites={-1}))
    with pytest.raises(KeyError):
        contact_test.begin(rt, actor, Subject(whom.study_id, "P-999"))
    with pytest.raises(StaleError):
        contact_test.begin(rt, actor, Subject(whom.study_id, "P-001", revision=999))
    closing.close(rt, actor, whom.study_id, "the last visit is over")
    with pytest.raises(ReachRefusedError, match="closed"):
        contact_test.begin(rt, actor, whom)


@databases.ON_BOTH
def test_two_tests_on_one_telephone_are_confirmed_by_nobody_knows_whom(
    rt: Runtime, sent: int, study_id: int, actor: Actor, says: Says
) -> None:
    other = support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), phone=PHONE, channel="sms-reply", language="en")
    contact_test.begin(rt, actor, Subject(study_id, "P-002"))
    deliver(rt)
    says("1")
    assert [state(latest(rt, one)) for one in (sent, other)] == ["waiting", "waiting"]
    says("P-002 1")
    assert [state(latest(rt, one)) for one in (sent, other)] == ["waiting", "confirmed"]
    with rt.sessions.reading() as session:
        assert session.scalars(select(responses.c.id)).all() == []

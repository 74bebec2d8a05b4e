"""Several providers side by side: whose text goes which way, and what each promises is kept apart."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from pro_service import paths
from pro_service.core.problems import RejectedError, words
from pro_service.core.providers import FACTS, Facts, Pace, Receipt
from pro_service.core.texts import segments
from pro_service.gateways.outgoing import Outgoing, Record, Refused, Unavailable, Uncertain
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.messages import channels
from pro_service.store.schema import attempts, inbound, messages, participants
from pro_service.store.vault import token_hash
from pro_service.use_cases import doctor, study
from pro_service.use_cases.delivery import quarantine
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import reconcile
from pro_service.use_cases.enrolment import enrol
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.inbound.pull import pull
from pro_service.use_cases.participants import contact_test
from pro_service.use_cases.participants.contact_test import ReachRefusedError, Subject
from pro_service.use_cases.tick import tick
from pro_service.use_cases.watch import alarms
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

DEMO = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
ABROAD, HERE = "+12025550123", "+905321234567"
PROCEDURE = date(2026, 3, 2)
INVITED = support.at("2026-03-09 10:00")
BASELINE = {"baseline_nrs_avg": "6", "baseline_nrs_now": "5"}


@dataclass(slots=True)
class Domestic(Telephones):
    """A provider that knows our own key of a text, and keeps no list of what it was given."""

    facts: Facts = FACTS["verimor"]

    def recall(self, token: str, to: str, body: str, created_after: object) -> list[Record]:  # noqa: ARG002
        self._ask()
        taken = zip(self.sent, self.records, strict=True)
        return [replace(record, body="") for sent, record in taken if sent.token == token]

    def list_sent(self, created_after: object) -> list[Record]:  # noqa: ARG002
        return []


@pytest.fixture
def domestic(clock: support.SetClock) -> Domestic:
    return Domestic("verimor:", clock)


@pytest.fixture
def both(rt: Runtime, phones: Telephones, domestic: Domestic) -> Runtime:
    """Return a service that has two providers."""
    return replace(rt, texts={"sms": phones, "verimor": domestic})


@pytest.fixture
def people(both: Runtime, clock: support.SetClock, study_id: int) -> tuple[int, int]:
    """Return one participant abroad and one in Turkey, both to be invited now."""
    how = {"channel": "sms-reply", **BASELINE}
    abroad = support.enrolled(both, study_id, "P-001", PROCEDURE, phone=ABROAD, language="en", **how)
    here = support.enrolled(both, study_id, "P-002", PROCEDURE, phone=HERE, language="tr", **how)
    clock.now = INVITED
    tick(both)
    return abroad, here


def of(rt: Runtime, participant_id: int) -> list[tuple[str, str, str | None]]:
    """The texts of somebody: (way, state, error)."""
    m = messages.c
    asked = select(m.channel, m.state, m.error).where(m.participant_id == participant_id).order_by(m.id)
    with rt.sessions.reading() as session:
        return [tuple(row) for row in session.execute(asked)]


@databases.ON_BOTH
def test_a_text_goes_by_the_provider_of_its_telephones_country(
    both: Runtime, phones: Telephones, domestic: Domestic, people: tuple[int, int]
) -> None:
    assert deliver(both).accepted == 2
    assert ([text.to for text in phones.sent], [text.to for text in domestic.sent]) == ([ABROAD], [HERE])
    assert [of(both, one) for one in people] == [[("sms", "accepted", None)], [("verimor", "accepted", None)]]
    with both.sessions.reading() as session:
        paid = session.scalar(select(messages.c.segments).where(messages.c.channel == "verimor"))
    # A Turkish text travels in the Turkish table there, for less than half of what it costs elsewhere.
    assert paid == segments(domestic.sent[0].body, "turkish")
    assert 2 * paid <= segments(domestic.sent[0].body)


@databases.ON_BOTH
def test_one_provider_that_refuses_us_holds_back_no_other(
    both: Runtime, phones: Telephones, domestic: Domestic, people: tuple[int, int]
) -> None:
    domestic.faults.append(Refused("INSUFFICIENT_CREDITS", "configuration"))
    assert deliver(both).accepted == 1
    with both.sessions.reading() as session:
        known = channels.all_channels(session)
    assert (known["sms"].stopped_by, known["verimor"].stopped_by) == (None, "INSUFFICIENT_CREDITS")
    assert len(phones.sent) == 1
    assert people


@databases.ON_BOTH
def test_each_sender_has_its_own_pace(both: Runtime, phones: Telephones, domestic: Domestic, study_id: int) -> None:
    both.clock.now = INVITED  # type: ignore[attr-defined]
    for number in range(6):
        to = f"+1202555010{number}" if number % 2 else f"+90532123450{number}"
        support.enrolled(
            both, study_id, f"P-1{number}", PROCEDURE, phone=to, channel="sms-reply", language="en", **BASELINE
        )
    tick(both)
    paces = {"sms": Pace(per_second=1000), "verimor": Pace(per_day=1)}
    paced = replace(both, settings=replace(both.settings, delivery=replace(both.settings.delivery, paces=paces)))
    deliver(paced)
    assert (len(phones.sent), len(domestic.sent)) == (3, 1)


@databases.ON_BOTH
def test_a_text_in_doubt_is_found_by_our_own_key(
    both: Runtime, domestic: Domestic, clock: support.SetClock, people: tuple[int, int]
) -> None:
    domestic.takes = True
    domestic.faults.append(Uncertain(None))
    deliver(both)
    (sent,) = domestic.sent
    with both.sessions.reading() as session:
        tokens = session.scalars(select(attempts.c.token)).all()
    assert token_hash(sent.token) in tokens
    clock.now += timedelta(minutes=3)
    assert reconcile(both).found == 1
    assert of(both, people[1]) == [("verimor", "accepted", None)]
    assert len(domestic.sent) == 1


@databases.ON_BOTH
def test_the_same_words_refused_after_a_doubt_mean_that_they_were_taken(
    both: Runtime, domestic: Domestic, clock: support.SetClock, people: tuple[int, int]
) -> None:
    domestic.faults.append(Uncertain(None))
    deliver(both)
    domestic.faults.append(Refused("DOUBLE", "taken"))
    for _ in range(2):
        clock.now += timedelta(minutes=3)
        reconcile(both)
    deliver(both)
    assert of(both, people[1]) == [("verimor", "accepted", None)]
    assert domestic.sent == []


def test_the_same_words_reported_after_a_doubt_mean_that_they_were_taken(
    both: Runtime, domestic: Domestic, clock: support.SetClock, people: tuple[int, int]
) -> None:
    domestic.faults.append(Uncertain(None))
    deliver(both)
    for _ in range(2):
        clock.now += timedelta(minutes=3)
        reconcile(both)
    assert deliver(both).accepted == 1
    (second,) = domestic.sent
    text = support.loaded(both, people[1]).case.messages[0]
    first = both.token(text.id, 1, INVITED)
    again = Receipt(domestic.records[0].sid, "failed", "DOUBLE_SEND_ERROR", second.token)
    for _ in range(2):
        receive.take_receipt(both, again, "verimor")
        assert of(both, people[1]) == [("verimor", "accepted", None)]
    receive.take_receipt(both, Receipt("verimor:7", "delivered", token=first), "verimor")
    assert of(both, people[1]) == [("verimor", "delivered", None)]
    assert support.loaded(both, people[1]).case.escalations == ()


def test_a_text_that_only_waited_was_not_taken_before(
    both: Runtime, domestic: Domestic, clock: support.SetClock, people: tuple[int, int]
) -> None:
    domestic.faults.extend([Unavailable(429), Refused("MUKERRER_RAPORLAMA", "taken")])
    deliver(both)
    clock.now += timedelta(minutes=1)
    deliver(both)
    assert of(both, people[1]) == [("verimor", "refused", "MUKERRER_RAPORLAMA")]


def test_without_a_doubt_before_they_are_a_persons_task(
    both: Runtime, domestic: Domestic, people: tuple[int, int]
) -> None:
    domestic.faults.append(Refused("DOUBLE", "taken"))
    deliver(both)
    assert of(both, people[1]) == [("verimor", "refused", "DOUBLE")]


@databases.ON_BOTH
def test_a_quarantine_ends_by_itself_only_where_a_list_can_tell(
    both: Runtime, phones: Telephones, domestic: Domestic, people: tuple[int, int]
) -> None:
    assert quarantine.begin(both, "by_hand", support.SETUP)
    assert deliver(both).accepted == 0
    assert quarantine.settle(both).held
    assert deliver(both).accepted == 1
    assert (len(phones.sent), len(domestic.sent)) == (1, 0)
    assert quarantine.lift(both, support.SETUP, "looked at its log: nothing was sent")
    assert deliver(both).accepted == 1
    assert not quarantine.settle(both).held
    assert people


@databases.ON_BOTH
def test_a_quarantine_that_a_person_ends_says_how_many_texts_to_find_in_the_providers_log(
    both: Runtime, clock: support.SetClock, people: tuple[int, int]
) -> None:
    assert deliver(both).accepted == len(people)
    quarantine.beat(both)
    clock.now += timedelta(minutes=40)
    quarantine.begin(both, "by_hand", support.SETUP)
    raised = {alarm.code for alarm in alarms(both)}
    assert {code for code in raised if code.startswith("quarantine")} == {"quarantine_sms", "quarantine_verimor"}
    abroad, here = doctor.held_of(both)
    assert here.finding == (
        "texts by Verimor are held since 2026-03-09T07:40Z; known here: 1 that left after 2026-03-09T06:50Z"
    )
    assert "pro-service quarantine lift" in here.remedy
    # A provider that is not there is named nowhere.
    assert "Verimor" not in abroad.finding + abroad.remedy
    quarantine.settle(both)
    assert [found.finding for found in doctor.held_of(both)] == [here.finding]
    quarantine.lift(both, support.SETUP, "its log has the same text")
    assert list(doctor.held_of(both)) == []


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_simulated_provider_without_a_list_is_not_held_for_a_silence(
    both: Runtime, domestic: Domestic, *, elsewhere: bool
) -> None:
    domestic.elsewhere = elsewhere
    assert quarantine.begin(both, "silence")
    with both.sessions.reading() as session:
        known = channels.all_channels(session)
    assert known["sms"].quarantined_at is not None
    assert (known["verimor"].quarantined_at is not None) is elsewhere


@databases.ON_BOTH
def test_each_list_of_replies_is_read_once_and_says_which_way_they_came(
    both: Runtime, phones: Telephones, domestic: Domestic, people: tuple[int, int]
) -> None:
    deliver(both)
    phones.write(ABROAD, "7")
    domestic.write(HERE, "6")
    assert [pull(both).kept, pull(both).kept] == [2, 0]
    with both.sessions.reading() as session:
        assert set(session.scalars(select(inbound.c.channel))) == {"sms", "verimor"}
    assert [len(of(both, one)) for one in people] == [2, 2]


def test_the_same_words_go_twice_within_a_day_with_the_time_in_them(
    both: Runtime, domestic: Domestic, clock: support.SetClock, people: tuple[int, int]
) -> None:
    deliver(both)
    for number, body in enumerate(("ya", "hmm", "peki")):
        clock.now += timedelta(minutes=1)
        said = {"MessageSid": f"v{number}", "From": HERE, "Body": body}
        receive.receive(both, text_of(said, clock.now, "verimor"))
        deliver(both)
    bodies = [text.body for text in domestic.sent]
    assert len(bodies) > 2
    assert len(set(bodies)) == len(bodies)
    assert people


def test_a_contact_test_that_is_begun_again_differs_from_the_first(
    both: Runtime, domestic: Domestic, clock: support.SetClock, people: tuple[int, int]
) -> None:
    deliver(both)
    domestic.sent.clear()
    subject = Subject(support.loaded(both, people[1]).study_id, "P-002")
    for _ in range(2):
        contact_test.begin(both, support.SETUP, subject)
        deliver(both)
        contact_test.fail_by_staff(both, support.SETUP, subject, "nothing arrived")
    first, second = (text.body for text in domestic.sent if text.to == HERE)
    assert second == f"{first}\n(10:00)"
    with pytest.raises(ReachRefusedError):
        contact_test.begin(both, support.SETUP, subject)
    clock.now += timedelta(minutes=1)
    contact_test.begin(both, support.SETUP, subject)


def test_a_stranger_is_answered_the_way_he_wrote(both: Runtime, domestic: Domestic, study_id: int) -> None:
    said = {"MessageSid": "v1", "From": "+905329999999", "Body": "kimsiniz"}
    receive.receive(both, text_of(said, None, "verimor"))
    deliver(both)
    assert [text.to for text in domestic.sent] == ["+905329999999"]
    assert study_id


def test_turkish_numbers_may_be_asked_by_reply_and_by_link_where_a_provider_there_is_configured(
    both: Runtime, phones: Telephones, study_id: int
) -> None:
    row = "participant,site,procedure_date,language,messaging_consent,phone,channel\n"
    for code, channel in (("P-001", "sms-reply"), ("P-002", "sms-link"), ("P-003", "")):
        file = f"{row}{code},IST,2026-03-02,tr,2026-03-01,+9053212345{code[-2:]},{channel}"
        enrol.enrol_file(both, support.SETUP, study_id, file.encode())
    with both.sessions.reading() as session:
        chosen = session.scalars(select(participants.c.channel).order_by(participants.c.code)).all()
    assert chosen == ["sms-reply", "sms-link", "sms-reply"]
    alone = replace(both, texts={"sms": phones})
    file = f"{row}P-004,IST,2026-03-02,tr,2026-03-01,+905321234567,sms-reply"
    with pytest.raises(RejectedError, match="no_answers"):
        enrol.enrol_file(alone, support.SETUP, study_id, file.encode())


def test_a_site_whose_provider_is_not_configured_takes_nobody_who_is_to_get_texts(rt: Runtime) -> None:
    study.load(rt, support.SETUP, DEMO.replace('country = "TR"\n', 'country = "TR"\nprovider = "verimor"\n'))
    with rt.sessions.reading() as session:
        study_id = studies.all_studies(session)[0].id
    file = "participant,site,procedure_date,language,messaging_consent,phone,channel\n"
    file += "P-001,IST,2026-03-02,tr,2026-03-01,+905321234567,sms-card"
    with pytest.raises(RejectedError) as refused:
        enrol.enrol_file(rt, support.SETUP, study_id, file.encode())
    (fault,) = refused.value.faults
    what, remedy = words(fault)
    assert (fault.path, fault.line) == ("channel", 2)
    assert "IST" in what
    assert "Verimor" in what
    assert "VERIMOR_USERNAME" in remedy


def test_a_site_names_its_provider(both: Runtime) -> None:
    assert both.carrier("TR").way == "verimor"
    assert both.carrier("TR", "twilio").way == "sms"
    assert both.carrier(None).way == "sms"


def test_nothing_of_a_text_is_seen_where_it_is_printed() -> None:
    arrival = text_of({"MessageSid": "SM1", "From": HERE, "Body": "zeytin"})
    assert "zeytin" not in repr(arrival)
    assert HERE not in repr(arrival)
    assert "zeytin" not in repr(Outgoing(1, HERE, "zeytin", "token"))

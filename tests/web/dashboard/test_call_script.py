"""What is said on the telephone, and what stands on a participant's page, is what really happened to this person."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from pro_service.core.protocol import LevelCode
from pro_service.core.schedule import agenda
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import escalations, messages, participants
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.participants import card, change, entry
from pro_service.use_cases.participants.change_form import STANDS, ChangeForm
from pro_service.use_cases.tick import tick
from pro_service.use_cases.transaction import transaction
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

PHONE = "+12025550123"
INVITED, CALLED = support.at("2026-03-09 10:00"), support.at("2026-03-11 09:30")
NEVER_SENT = ("sent you", "You got a text", "göndermiştik", "SMS aldınız")
"""What is not said to somebody to whom nothing was sent."""


class Life:
    """One participant from the enrolment to the call, and the page of that call."""

    def __init__(self, rt: Runtime, client: FlaskClient, clock: support.SetClock, study_id: int) -> None:
        self.phones = Telephones(clock=clock)
        self.rt, self.client, self.clock, self.study_id = (
            replace(rt, texts={"sms": self.phones}),
            client,
            clock,
            study_id,
        )
        support.coordinator(rt)

    def lived(self, *, has_card: bool = True, state: str | None = None, **cells: str) -> "Life":
        """Enrol, send what is due in the window so far, and raise the call; every text ends in this state."""
        self.clock.now = support.at("2026-03-02 15:00")
        row = {"language": "en", "phone": PHONE, "channel": "sms-reply"} | cells
        self.who = support.enrolled(self.rt, self.study_id, "P-001", date(2026, 3, 2), **row)
        if has_card:
            card.show(self.rt, support.SETUP, self.study_id, "P-001")
        self.until()
        if state is not None:
            with self.rt.sessions.begin() as session:
                session.execute(update(messages).values(state=state))
        support.sign_in(self.client)
        return self

    def until(self) -> None:
        for moment in (INVITED, CALLED):
            self.clock.now = moment
            tick(self.rt)
            deliver(self.rt)
            tick(self.rt)

    def fact(self, **values: object) -> None:
        with self.rt.sessions.begin() as session:
            session.execute(update(participants).where(participants.c.id == self.who).values(**values))

    def script(self) -> str:
        """What the page of the window's call tells to say, without the greeting."""
        e = escalations.c
        with self.rt.sessions.reading() as session:
            task = session.scalars(
                select(e.id).where(e.level == "E1", e.window_id.is_not(None), e.resolved_at.is_(None))
            ).one()
        page = self.client.get(f"/escalations/{task}").text
        said = re.search(r'<div class="script stack"[^>]*>(.*?)<blockquote>', page, re.DOTALL)
        assert said is not None
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", said[1])).partition("telephone belongs to?")[2]

    def page(self) -> str:
        return self.client.get("/participants/P-001").text


@pytest.fixture
def life(rt: Runtime, client: FlaskClient, clock: support.SetClock, study_id: int) -> Life:
    """Return somebody who is not enrolled yet."""
    return Life(rt, client, clock, study_id)


def test_who_is_only_called_is_not_told_of_a_text(life: Life) -> None:
    life.lived(messaging_consent="")
    said = life.script()
    assert "As agreed, we ask you our questions by telephone." in said
    assert not [words for words in NEVER_SENT if words in said]
    assert life.phones.sent == []
    assert "asked by telephone only" in life.page()
    assert "answers by text" not in life.page()


def test_in_turkish_too(life: Life) -> None:
    life.lived(messaging_consent="", language="tr")
    said = life.client.get(f"/escalations/{_call(life)}").text
    assert "sorularımızı size telefonla soruyoruz" in said
    assert not [words for words in NEVER_SENT if words in said]


def _call(life: Life) -> int:
    with life.rt.sessions.reading() as session:
        return int(session.scalars(select(escalations.c.id).where(escalations.c.level == "E1")).one())


@pytest.mark.parametrize(
    "channel, state, said",
    [
        ("sms-reply", "delivered", "You got a text message from us with a question. We have not had your answer yet."),
        ("sms-reply", "sent", "We sent you a text message with a question; it may not have reached you."),
        ("sms-link", "delivered", "You got a text message from us with a link"),
        ("sms-link", "accepted", "with a link to a few questions; it may not have reached you."),
        ("sms-card", "delivered", "that your questionnaire is open, to be answered with your card."),
        ("sms-card", "sent", "to be answered with your card; it may not have reached you."),
        ("sms-reply", "undelivered", "We tried to send you a message, but it did not arrive."),
    ],
)
def test_a_text_is_spoken_of_as_far_as_it_came(life: Life, channel: str, state: str, said: str) -> None:
    life.lived(channel=channel, state=state)
    assert said in life.script()


def test_without_a_card_the_call_comes_in_the_place_of_the_text(life: Life) -> None:
    life.lived(channel="sms-card", has_card=False)
    said = life.script()
    assert "You do not have your card from us yet, so I am calling you" in said
    assert "ask whether they have it" in said
    assert not [words for words in NEVER_SENT if words in said]
    assert "there was no card when it was time to ask" in life.client.get(f"/escalations/{_call(life)}").text


def test_whether_the_card_was_handed_over_is_asked_only_where_nobody_knows(life: Life) -> None:
    life.lived(channel="sms-card", state="delivered")
    assert "ask whether they have it" in life.script()
    card.hand_over(life.rt, support.SETUP, life.study_id, ["P-001"])
    assert "ask whether they have it" not in life.script()


@pytest.mark.parametrize(
    "facts, said, way",
    [
        ({"opted_out_at": CALLED}, "You do not want messages from us, and you get none.", "wants no messages"),
        ({"unreachable_at": CALLED}, "We sent you a text message", "messages do not arrive: people call"),
        ({"consented_at": None}, "As agreed, we ask you our questions by telephone.", "asked by telephone only"),
    ],
)
def test_what_changed_since_the_text_is_said(life: Life, facts: dict[str, object], said: str, way: str) -> None:
    life.lived()
    life.fact(**facts)
    assert said in life.script()
    assert way in life.page()


def test_what_was_answered_already_is_thanked_for(life: Life) -> None:
    life.lived(state="delivered")
    filled = entry.Filled({"PGIC": "2"}, mode="telephone", reason="told")
    entry.enter(life.rt, support.SETUP, life.study_id, "P-001", "W1", filled)
    said = life.script()
    assert "Thank you for what you have answered already; something is still missing." in said
    assert "We have not had your answer yet" not in said


@pytest.mark.shows("case: no number")
def test_without_a_number_today_asks_for_it_from_the_first_beat_on(life: Life) -> None:
    life.clock.now = support.at("2026-03-02 15:00")
    support.enrolled(life.rt, life.study_id, "P-001", date(2026, 3, 2))
    tick(life.rt)
    support.sign_in(life.client)
    page = life.client.get("/").text
    assert "no telephone number: nobody can ask" in page
    link = re.search(r'href="(/escalations/\d+)"', page)
    assert link is not None
    task = life.client.get(link[1]).text
    assert "/participants/P-001/change/phone" in task
    assert "Ask the participant for a telephone number" in task
    assert "no telephone number: nobody can ask" in life.page()


def test_texts_that_never_left_are_not_counted_as_tried(life: Life) -> None:
    life.lived(state="cancelled")
    support.enrolled(life.rt, life.study_id, "P-002", date(2026, 3, 2), language="en", phone="+12025550124")
    life.clock.now = support.at("2026-03-11 10:00")
    tick(life.rt)
    page = re.sub(r"\s+", " ", life.client.get("/").text)
    assert "1 text," not in page.partition("P-001")[2].partition("</li>")[0]


def test_of_texts_that_went_to_another_number_nothing_is_said_to_whoever_has_the_new_one(life: Life) -> None:
    life.lived(state="delivered")
    assert "You got a text message from us" in life.script()
    life.clock.now += timedelta(minutes=5)
    values = {"number": "+12025550124", "consent": STANDS}
    form = ChangeForm("phone", values, "the old one is a stranger's")
    change.change(life.rt, support.SETUP, life.study_id, "P-001", form)
    said = life.script()
    assert not [words for words in NEVER_SENT if words in said]
    assert "We have not had your answer yet" not in said
    assert "We have a few questions for you." in said


def test_who_asked_to_be_called_hears_that_first(life: Life) -> None:
    life.lived(state="delivered")
    receive.receive(
        life.rt, text_of({"MessageSid": "SM1", "From": PHONE, "To": "+15005550006", "Body": "please call me"})
    )
    said = life.script()
    assert "You asked us to call you." in said
    assert not [words for words in (*NEVER_SENT, "We have not had your answer yet") if words in said]


def test_a_time_point_whose_moment_nobody_has_entered_is_not_forgotten(life: Life) -> None:
    life.lived().fact(procedure_end=None)
    words = "there is no window yet, because the end of the procedure is not known."
    assert words in re.sub(r"\s+", " ", life.page())
    form = ChangeForm("reschedule", {"procedure_date": "2026-03-02", "procedure_time": "14:30"}, "from the record")
    change.change(life.rt, support.SETUP, life.study_id, "P-001", form)
    assert words not in re.sub(r"\s+", " ", life.page())


@pytest.mark.parametrize(
    "reason, level, said, link",
    [
        ("score_threshold", "ES", "An answer asks for a clinical review", None),
        ("safety_word", "ES", "Read what was sent", "/inbox"),
        ("shared_telephone", "E0", "Read the message in the inbox", "/inbox"),
        ("unreadable_reply", "E0", "Read the message in the inbox", "/inbox"),
        ("wrong_number", "E0", "Find out the right telephone number", "/participants/P-001/change/phone"),
        ("no_procedure_time", "E0", "when the procedure ended", "/participants/P-001/change/reschedule"),
        ("confirm_procedure", "E0", "if not, change its date there", None),
    ],
)
@databases.ON_BOTH
def test_a_task_leads_to_where_it_is_done(
    life: Life, reason: str, level: LevelCode, said: str, link: str | None
) -> None:
    life.lived(messaging_consent="")
    with transaction(life.rt, support.SETUP, life.rt.clock()) as tx:
        who = life.rt.loader.one(tx.session, life.who)
        tx.carry_out(who, [agenda.escalate(who.case, level, reason, tx.now)])
    task = next(one.id for one in support.loaded(life.rt, life.who).case.escalations if one.reason == reason)
    page = life.client.get(f"/escalations/{task}").text
    assert said in re.sub(r"\s+", " ", page)
    buttons = re.findall(r'<a class="button"\s+href="([^"]+)"', page)
    assert [one.partition("?")[0] for one in buttons] == [link or "/participants/P-001"]

"""Where people cannot reply to the sender, the texts that ask for an answer say where it goes."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from pro_service import paths
from pro_service.core.conversation.inbox import Received
from pro_service.core.providers import FACTS
from pro_service.core.routes import Carriers
from pro_service.core.study_file.frames import REPLY_TO, REPLY_TO_WORD, cannot_say_where
from pro_service.core.texts import segments
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import inbound
from pro_service.use_cases import study
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import inbox, receive
from pro_service.use_cases.tick import tick
from tests import support
from tests.telephones import Telephones

DEMO = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
HERE, ABROAD = "+905321234567", "+12025550123"
NUMBER, WORD = "08501234567", "PRO"


@pytest.fixture
def domestic(clock: support.SetClock) -> Telephones:
    return Telephones("verimor:", clock, facts=FACTS["verimor"])


@pytest.mark.parametrize("word", ["", WORD])
def test_an_asking_text_from_a_name_says_where_to_write(
    rt: Runtime, phones: Telephones, domestic: Telephones, study_id: int, word: str
) -> None:
    told = replace(rt.settings, verimor_sender="KLINIK", verimor_reply_to=NUMBER, verimor_keyword=word)
    both = replace(rt, settings=told, texts={"sms": phones, "verimor": domestic})
    ids = []
    for code, phone in (("P-001", HERE), ("P-002", ABROAD)):
        more = {"channel": "sms-reply", "language": "tr", "baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
        ids.append(support.enrolled(both, study_id, code, date(2026, 3, 2), phone=phone, **more))
    both.clock.now = support.at("2026-03-09 10:00")  # type: ignore[attr-defined]
    tick(both)
    deliver(both)
    (here,), (abroad,) = domestic.sent, phones.sent
    assert f"\nYanıtınız{'ın başına PRO yazıp' if word else 'ı'} {NUMBER} numarasına gönderin.\n" in here.body
    assert NUMBER not in abroad.body
    receive.receive(both, text_of({"MessageSid": "v1", "From": HERE, "Body": "hmm"}, None, "verimor"))
    deliver(both)
    with both.sessions.reading() as session:
        written = session.scalar(select(inbound.c.id)) or 0
    received = Received(written, "verimor", both.clock())
    offered = dict(inbox.previews(both, support.loaded(both, ids[0]), received))
    # Whoever answers by hand sees the words that the telephone will show.
    assert {name for name, words in offered.items() if NUMBER in words} == {"reask"}
    receive.receive(both, text_of({"MessageSid": "v2", "From": HERE, "Body": "DUR"}, None, "verimor"))
    deliver(both)
    again, goodbye = (text.body for text in domestic.sent[1:])
    assert NUMBER in again
    assert NUMBER not in goodbye
    assert segments(here.body, "turkish") <= 3


def test_a_version_that_cannot_say_it_is_found() -> None:
    checked = study.check(DEMO)
    alone = Carriers(("verimor",), answered_at={"verimor": (NUMBER, "")})
    worded = Carriers(("verimor",), answered_at={"verimor": ("4609", WORD)})
    assert not cannot_say_where(checked.protocol, checked.frames, alone)
    before = {
        language: {name: text for name, text in frames.items() if name not in (REPLY_TO, REPLY_TO_WORD)}
        for language, frames in checked.frames.items()
    }
    assert cannot_say_where(checked.protocol, before, alone)
    assert cannot_say_where(checked.protocol, before, worded)
    assert not cannot_say_where(checked.protocol, before, Carriers(("verimor",)))
    saying = {key: {name: f"{text} pro 0850 123 45 67" for name, text in of.items()} for key, of in before.items()}
    assert not cannot_say_where(checked.protocol, saying, alone)
    assert cannot_say_where(checked.protocol, saying, worded)

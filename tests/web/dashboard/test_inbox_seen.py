"""What coordinators see of the inbox, in a real Chromium: list and text, both languages, narrow and wide."""

from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import inbound
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import beat, tick
from tests import support
from tests.peers.chromium import another_page, choose_language, faults
from tests.web.dashboard.desks import LOOKS, signed_in

SHARED, ALONE, STRANGER = "+12025550123", "+12025550124", "+12025550199"
SAID = (
    (ALONE, "annem 5 diyor, ben de öyle düşünüyorum ama emin değilim; geçen hafta daha çoktu, bu hafta daha az"),
    (SHARED, "yedi buçuk gibi"),
    (STRANGER, "merhaba, siz kimsiniz acaba"),
    (ALONE, ""),
)


@pytest.fixture
def texts(rt: Runtime, study_id: int, clock: support.SetClock) -> list[str]:
    """Return the addresses of texts of every kind: one's own, a shared telephone's, nobody's, a picture."""
    clock.now = support.at("2026-03-02 15:00")
    for code, phone in (("P-001", SHARED), ("P-002", SHARED), ("P-003", ALONE)):
        support.enrolled(rt, study_id, code, date(2026, 3, 2), phone=phone, channel="sms-reply", language="tr")
    clock.now = support.at("2026-03-09 11:00")
    tick(rt)
    beat(rt, "tick")
    for number, (sender, body) in enumerate(SAID):
        given = {"MessageSid": f"SM{number:032d}", "From": sender, "To": "+15005550006", "Body": body}
        receive.receive(rt, text_of(given | {"NumMedia": "0" if body else "1"}))
    support.coordinator(rt)
    with rt.sessions.reading() as session:
        return [f"/inbox/{key}" for key in session.scalars(select(inbound.c.id).order_by(inbound.c.id))]


@pytest.fixture(params=LOOKS, ids=str)
def desk(chromium: Browser, request: pytest.FixtureRequest, address: str, texts: list[str]) -> Iterator[Page]:
    """Return a tab in which a coordinator is signed in."""
    assert texts
    with signed_in(chromium, address, *request.param) as page:
        yield page


def test_no_page_of_the_inbox_has_findings(desk: Page, texts: list[str], language: str) -> None:
    said: list[str] = []
    desk.on("console", lambda message: said.append(message.text))
    choose_language(desk, language)
    shared = f"{texts[1]}?participant=P-002"
    for path in ("/inbox", "/inbox?show=all", "/inbox?show=done", *texts, shared):
        answer = desk.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        assert (path, faults(desk)) == (path, [])
    assert said == []


def test_a_score_with_faults_is_mended_and_kept(desk: Page, texts: list[str]) -> None:
    desk.goto(texts[0])
    desk.locator("input[name=place]").first.check()
    desk.fill("#value", "77")
    desk.fill("#reason", "asked her herself")
    with another_page(desk):
        desk.locator("form[action$=record] button").click()
    assert desk.locator("[role=alert]").count() == 1
    assert faults(desk) == []
    assert desk.input_value("#reason") == "asked her herself"
    desk.fill("#value", "5")
    with another_page(desk):
        desk.locator("form[action$=record] button").click()
    assert desk.locator("[role=status]").is_visible()
    assert faults(desk) == []


def test_the_reachability_test_has_no_findings(desk: Page, language: str) -> None:
    choose_language(desk, language)
    desk.goto("/participants/P-003")
    assert faults(desk) == []
    for form in ("begin", "confirm"):
        with another_page(desk):
            desk.locator(f"form[action$='reach/{form}'] button").click()
        assert faults(desk) == []
    assert desk.locator("#reach ~ p .s-completed_in_window").is_visible()

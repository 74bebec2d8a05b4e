"""The page of simulated telephones, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from pro_service.gateways.outgoing import Outgoing
from pro_service.gateways.twilio.texts import TwilioTexts
from tests.gateways.conftest import ACCOUNT, NUMBER, TOKEN, Answer, Scripted, simulator
from tests.peers.chromium import axe_faults

PERSON, OTHER, TURKISH = "+447700900123", "+447700900456", "+905321234567"
LINK = "http://127.0.0.1:8000/q/abcDEF123"


@pytest.fixture
def served(webhooks: Scripted) -> Iterator[tuple[TwilioTexts, str]]:
    with simulator(webhooks) as (_, url):
        gateway = TwilioTexts(ACCOUNT, auth_token=TOKEN, from_number=NUMBER, base_url=url)
        yield gateway, url
        gateway.close()


@pytest.fixture
def gateway(served: tuple[TwilioTexts, str]) -> TwilioTexts:
    return served[0]


@pytest.fixture
def address(served: tuple[TwilioTexts, str]) -> str:
    return served[1]


def test_a_reply_typed_on_a_telephone_reaches_the_study(
    gateway: TwilioTexts, address: str, page: Page, webhooks: Scripted
) -> None:
    webhooks.script = [Answer(200, "<Response/>")]
    gateway.send(Outgoing(1, PERSON, "How bad was your pain?"))
    page.goto(address)
    page.get_by_role("link", name=PERSON).click()
    expect(page.get_by_text("delivered")).to_be_visible()
    page.get_by_label(f"Reply from {PERSON}").fill("seven, it's <b>bad</b>")
    page.get_by_role("button", name="Send").click()
    assert webhooks.until(From=PERSON).form["Body"] == "seven, it's <b>bad</b>"
    expect(page.get_by_text("seven, it's <b>bad</b>").last).to_be_visible()
    expect(page.get_by_text("the study has it")).to_be_visible()


def test_a_new_text_appears_and_what_is_being_typed_stays(gateway: TwilioTexts, address: str, page: Page) -> None:
    gateway.send(Outgoing(1, PERSON, "How bad was your pain?"))
    page.goto(f"{address}/telephones/{PERSON}")
    page.get_by_label(f"Reply from {PERSON}").press_sequentially("7 bec")
    gateway.send(Outgoing(2, PERSON, "Are you still there?"))
    gateway.send(Outgoing(3, OTHER, "And you?"))
    expect(page.get_by_role("log").get_by_text("Are you still there?")).to_be_visible()
    expect(page.get_by_role("link", name=OTHER)).to_contain_text("1 unread")
    expect(page.get_by_label(f"Reply from {PERSON}")).to_have_value("7 bec")
    expect(page.get_by_label(f"Reply from {PERSON}")).to_be_focused()


def test_the_thread_beside_the_list_stays_whose_it_is(gateway: TwilioTexts, address: str, page: Page) -> None:
    gateway.send(Outgoing(1, PERSON, "for the first"))
    page.goto(address)
    gateway.send(Outgoing(2, OTHER, "for the second"))
    expect(page.get_by_role("link", name=OTHER)).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("for the first")
    expect(page.get_by_role("link", name=PERSON)).to_contain_text("1 unread")


def test_a_telephone_appears_by_itself(gateway: TwilioTexts, address: str, page: Page) -> None:
    page.goto(address)
    expect(page.get_by_text("No texts yet")).to_be_visible()
    gateway.send(Outgoing(1, PERSON, "the first of all"))
    expect(page.get_by_role("log")).to_contain_text("the first of all")


def test_a_link_in_a_text_can_be_followed(gateway: TwilioTexts, address: str, page: Page) -> None:
    gateway.send(Outgoing(1, PERSON, f"Your questionnaire: {LINK} – thank you."))
    page.goto(f"{address}/telephones/{PERSON}")
    assert page.get_by_role("log").get_by_role("link").get_attribute("href") == LINK


def test_one_can_reply_without_javascript(
    gateway: TwilioTexts, address: str, chromium: Browser, webhooks: Scripted
) -> None:
    gateway.send(Outgoing(1, PERSON, "How bad was your pain?"))
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/telephones/{PERSON}")
    page.get_by_label(f"Reply from {PERSON}").fill("7")
    page.get_by_role("button", name="Send").click()
    assert webhooks.until(From=PERSON).form["Body"] == "7"
    assert page.url.endswith(f"/telephones/{PERSON}")
    context.close()


def test_a_turkish_telephone_says_why_it_cannot_answer(gateway: TwilioTexts, address: str, page: Page) -> None:
    gateway.send(Outgoing(1, TURKISH, f"Formunuz: {LINK}"))
    page.goto(f"{address}/telephones/{TURKISH}")
    expect(page.get_by_text("no two-way texting in Turkey")).to_be_visible()
    expect(page.get_by_text("not delivered (30007)")).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_have_count(0)


@pytest.mark.parametrize("width, scheme", [(360, "light"), (1280, "dark")])
def test_everybody_can_use_the_page(
    gateway: TwilioTexts, address: str, chromium: Browser, width: int, scheme: str
) -> None:
    for number, body in ((PERSON, f"Your questionnaire: {LINK}"), (TURKISH, f"Formunuz: {LINK}")):
        gateway.send(Outgoing(1, number, body))
    context = chromium.new_context(
        viewport={"width": width, "height": 740}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in ("/", f"/telephones/{PERSON}", f"/telephones/{TURKISH}"):
        page.goto(address + path)
        assert axe_faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    page.goto(address + "/telephones/1")
    assert axe_faults(page) == []
    context.close()

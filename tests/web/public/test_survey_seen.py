"""What people see, in a real Chromium: sign-in and the participants' form, both languages, narrow and wide."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from pro_service.runtime import Runtime
from tests import support
from tests.peers.chromium import another_page, faults
from tests.web.conftest import OPEN, TOKEN

FORM = f"/q/{TOKEN}"
SMALL, WIDE = 360, 1280


@pytest.fixture(params=[(SMALL, "light"), (WIDE, "dark")], ids=str)
def tab(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Return a tab of a telephone or a desk, in light or dark."""
    width: int = request.param[0]
    scheme: Literal["light", "dark"] = request.param[1]
    # A transition seen half-way is no colour of ours.
    context = chromium.new_context(
        viewport={"width": width, "height": 740}, color_scheme=scheme, reduced_motion="reduce"
    )
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def language(tab: Page) -> str:
    """Return the language that is read: one by day, one by night, each narrow and wide."""
    return "tr" if tab.evaluate(f"innerWidth === {SMALL}") else "en"


def test_sign_in_has_no_findings(tab: Page, address: str, language: str) -> None:
    tab.goto(f"{address}/login?lang={language}")
    assert tab.locator("html").get_attribute("lang") == language
    assert faults(tab) == []
    tab.fill("#email", "nobody@example.org")
    tab.fill("#password", "a guess")
    with another_page(tab):
        tab.keyboard.press("Enter")
    assert tab.locator("[role=alert]").count() == 1
    assert faults(tab) == []


def test_the_form_has_no_findings(
    tab: Page, address: str, clock: support.SetClock, participant: int, language: str
) -> None:
    del participant
    form = f"{address}{FORM}?lang={language}"
    clock.now = OPEN - timedelta(days=3)
    tab.goto(form)
    assert faults(tab) == []
    clock.now = OPEN
    tab.goto(form)
    assert tab.locator("html").get_attribute("lang") == language
    assert faults(tab) == []
    with another_page(tab):
        tab.click("button.send")
    assert tab.locator("[role=alert]").count() == 1
    assert faults(tab) == []
    tab.check("#NRS-AVG-4")
    assert faults(tab) == []
    with another_page(tab):
        tab.click("button.send")
    assert faults(tab) == []
    tab.check("#PGIC-declined")
    with another_page(tab):
        tab.click("button.send")
    assert tab.locator("svg.tick").count() == 1
    assert faults(tab) == []
    tab.goto(f"{form}&change=1")
    assert faults(tab) == []


@pytest.mark.shows("form: call at a time")
def test_one_says_when_to_be_called_and_changes_it(
    tab: Page, rt: Runtime, address: str, participant: int, language: str
) -> None:
    tab.goto(f"{address}{FORM}?lang={language}")
    for hours, part in (("16:00–17:00", "evening"), ("12:00–16:00", "afternoon")):
        again = tab.locator(".talk summary")
        if again.count():
            again.click()
        assert faults(tab) == []
        tab.get_by_label(hours).check()
        assert faults(tab) == []
        with another_page(tab):
            tab.locator(".talk button").click()
        assert hours[:5] in tab.locator("[role=status]").inner_text()
        assert faults(tab) == []
        tasks = [task for task in support.loaded(rt, participant).case.escalations if task.asked_at is not None]
        assert [task.part_of_day for task in tasks] == [part]


def test_other_pages_have_no_findings(tab: Page, address: str) -> None:
    for path in ("/q/unknown", "/nothing"):
        tab.goto(address + path)
        assert faults(tab) == []


@pytest.mark.shows("form: no script")
@pytest.mark.parametrize("width", [320, SMALL])
def test_thumbs_find_every_answer(chromium: Browser, address: str, participant: int, width: int) -> None:
    del participant
    context = chromium.new_context(viewport={"width": width, "height": 640}, java_script_enabled=False)
    page = context.new_page()
    page.goto(address + FORM)
    sizes = [box for box in (label.bounding_box() for label in page.locator(".score").all()) if box]
    context.close()
    rows = {round(box["y"]) for box in sizes}
    assert (len(sizes), len(rows)) == (11, 2)
    # Six of 56 pixels do not fit beside each other on the narrowest telephone.
    assert min(box["width"] for box in sizes) >= (56 if width == SMALL else 48)
    assert min(box["height"] for box in sizes) >= 56


@pytest.mark.shows("form: no script")
def test_the_form_works_without_script(chromium: Browser, rt: Runtime, address: str, participant: int) -> None:
    context = chromium.new_context(viewport={"width": 320, "height": 640}, java_script_enabled=False)
    page = context.new_page()
    page.goto(address + FORM)
    page.get_by_label("7", exact=True).check()
    page.get_by_label("biraz iyileşti").check()
    with another_page(page):
        page.click("text=Gönder")
    assert page.inner_text("h1") == "Teşekkür ederiz."
    context.close()
    case = support.loaded(rt, participant).case
    kept = {item: answer.value for window in case.windows for item, answer in window.answers.items()}
    assert kept == {"NRS-AVG": 7, "PGIC": 3}


def test_the_keyboard_alone_is_enough(page: Page, rt: Runtime, address: str, participant: int) -> None:
    page.goto(address + FORM)
    page.focus("#NRS-AVG-0")
    page.keyboard.press("Space")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    with another_page(page):
        page.keyboard.press("Enter")
    assert page.locator("svg.tick").count() == 1
    case = support.loaded(rt, participant).case
    kept = {item: answer.value for window in case.windows for item, answer in window.answers.items()}
    assert kept == {"NRS-AVG": 5, "PGIC": 1}


def test_a_text_twice_as_large_still_fits(page: Page, address: str, participant: int) -> None:
    del participant
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(address + FORM)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert faults(page) == []

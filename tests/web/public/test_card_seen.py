"""The card and its door in a real Chromium: both languages, narrow and wide, scanned, typed, and on paper."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page

from pro_service.core import card_code
from pro_service.runtime import Runtime
from pro_service.use_cases.participants import card
from tests import support
from tests.peers.chromium import another_page, faults
from tests.web.public.test_card_door import code as code  # noqa: PLC0414 -- a fixture
from tests.web.public.test_survey_seen import language as language  # noqa: PLC0414 -- a fixture
from tests.web.public.test_survey_seen import tab as tab  # noqa: PLC0414 -- a fixture

A6 = (297.6, 419.5)
"""Points."""
CUT_OFF = """() => [...document.querySelectorAll(".card-side, .card-code")]
    .filter(part => part.scrollHeight > part.clientHeight + 1 || part.scrollWidth > part.clientWidth + 1)
    .map(part => part.className)"""
"""A script: what is wider or higher than its place."""
SMALLEST = """() => Math.min(...[...document.querySelectorAll(".card-side *")]
    .map(part => parseFloat(getComputedStyle(part).fontSize)))"""
"""A script: the smallest letters of a card, in pixels."""


def pages_of(pdf: bytes) -> list[tuple[float, float]]:
    """Width and height of every page of a PDF, in points."""
    found = re.findall(rb"/MediaBox ?\[ ?0 0 ([\d.]+) ([\d.]+) ?\]", pdf)
    return [(float(width), float(height)) for width, height in found]


def test_the_door_has_no_findings(tab: Page, address: str, clock: support.SetClock, code: str, language: str) -> None:
    tab.goto(f"{address}/k?lang={language}")
    assert tab.locator("html").get_attribute("lang") == language
    assert faults(tab) == []
    clock.now = support.at("2026-03-05 10:00")
    for typed in ("", code[:7], card_code.code_of(7)):
        tab.fill("#code", typed)
        with another_page(tab):
            tab.click("button.send")
        assert tab.locator("[role=alert]").count() == 1
        assert tab.locator("html").get_attribute("lang") == language
        assert faults(tab) == []
    tab.fill("#code", code)
    with another_page(tab):
        tab.keyboard.press("Enter")
    assert tab.locator("form").count() == 0
    assert faults(tab) == []


@pytest.mark.parametrize("width", [320, 360])
def test_without_a_script_the_code_is_typed_with_thumbs(chromium: Browser, address: str, code: str, width: int) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 640}, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/k")
    for target in ("#code", "button.send"):
        box = page.locator(target).bounding_box()
        assert box is not None
        assert box["height"] >= 56
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    page.fill("#code", f"{code[:4].lower()} {code[4:].lower()}")
    with another_page(page):
        page.click("button.send")
    assert page.locator("fieldset.question").count() == 2
    context.close()


def test_a_scanned_card_fills_the_field_and_leaves_nothing_in_the_address(
    rt: Runtime, study_id: int, chromium: Browser, address: str, code: str
) -> None:
    asked: list[str] = []
    context = chromium.new_context()
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    scanned = card.show(rt, support.SETUP, study_id, "P-001").scanned
    page.goto(f"{address}/k#{scanned.partition('#')[2]}")
    assert page.input_value("#code") == card_code.code_text(code)
    assert page.url == f"{address}/k"
    with another_page(page):
        page.click("button.send")
    assert page.locator("fieldset.question").count() == 2
    assert not [url for url in asked if code in url.partition("#")[0]]
    assert [cookie["name"] for cookie in context.cookies()] == ["pro_card"]
    context.close()


def test_the_card_on_the_dashboard_has_no_findings_and_prints_on_a6(
    rt: Runtime, tab: Page, address: str, code: str, language: str
) -> None:
    support.coordinator(rt, language=language)
    tab.goto(f"{address}/login")
    tab.fill("#email", support.EMAIL)
    tab.fill("#password", support.PASSWORD)
    with another_page(tab):
        tab.keyboard.press("Enter")
    tab.goto(f"{address}/participants/P-001")
    with another_page(tab):
        tab.click("form[action$='/card'] button")
    assert tab.locator("html").get_attribute("lang") == language
    assert tab.locator(".card-code").first.inner_text() == card_code.code_text(code)
    assert tab.evaluate(CUT_OFF) == []
    assert tab.locator("#print").is_visible()
    assert faults(tab) == []
    sheets = pages_of(tab.pdf(prefer_css_page_size=True))
    assert sheets == [pytest.approx(A6, abs=1)] * 2


def test_the_file_prints_one_side_a_page_and_nothing_is_cut_off(
    rt: Runtime, study_id: int, chromium: Browser, code: str
) -> None:
    page = chromium.new_page(viewport={"width": 397, "height": 560})
    shown = card.show(rt, support.SETUP, study_id, "P-001")
    assert code
    long = replace(shown.site, name=dict.fromkeys(shown.site.name, "University Hospital for Orthopaedics, Ward 12 B"))
    # The second: as many days as a side for them holds, and three more; and the longest words.
    many = replace(shown, days=(shown.days * 8)[:22], site=long, asked=False, for_trying_out=True)
    for one, sides in ((shown, 2), (many, 6)):
        page.emulate_media(media="screen")
        page.set_content(card.document(one))
        assert faults(page) == []
        assert page.evaluate(CUT_OFF) == []
        page.emulate_media(media="print")
        assert page.evaluate(CUT_OFF) == []
        assert page.evaluate(SMALLEST) >= 16, "12 points"
        assert pages_of(page.pdf(prefer_css_page_size=True)) == [pytest.approx(A6, abs=1)] * sides
        assert page.locator("svg").first.bounding_box() is not None
    page.close()

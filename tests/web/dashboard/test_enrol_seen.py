"""Enrolment in a real Chromium: a fault mended, the look ahead, the card; an export of REDCap; narrow and wide."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from pro_service.runtime import Runtime
from tests import support
from tests.core.enrolment import redcap as sample
from tests.peers.chromium import another_page, choose_language, faults
from tests.web.dashboard.desks import LOOKS, signed_in

AHEAD = "/what-if?date=2026-05-21&time=09:30&site=IST"


@pytest.fixture
def context(chromium: Browser, address: str, rt: Runtime, study_id: int) -> Iterator[BrowserContext]:
    """Return a browser in which a coordinator is signed in."""
    assert study_id
    support.coordinator(rt)
    with signed_in(chromium, address, 1280, "light") as page:
        yield page.context


def seen(page: Page, name: str) -> dict[str, list[str]]:
    """What is wrong with the page, narrow by day and wide by night."""
    found = {}
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 740})
        page.emulate_media(color_scheme=scheme)
        found[f"{name}, {scheme}"] = faults(page)
    return {where: wrong for where, wrong in found.items() if wrong}


@pytest.mark.parametrize("language", ["en", "tr"])
def test_a_participant_is_enrolled_after_a_fault_was_mended(context: BrowserContext, language: str) -> None:
    page = context.pages[0]
    wrong: dict[str, list[str]] = {}
    choose_language(page, language)
    page.goto("/enrol")
    wrong |= seen(page, "form")
    page.fill("#e-participant", "P-017")
    page.select_option("#e-site", "IST")
    page.fill("#e-procedure_date", "2026-03-09")
    page.fill("#e-procedure_time", "09:30")
    page.fill("#e-messaging_consent", "2026-03-09")
    page.fill("#e-phone", "O532 123 45 67")
    page.select_option("#e-channel", "sms-card")
    with another_page(page):
        page.click("button[value=look]")
    wrong |= seen(page, "faults")
    page.click(".summary a")
    assert page.evaluate("document.activeElement.id") == "e-phone"
    assert page.input_value("#e-participant") == "P-017"
    page.fill("#e-phone", "+1 202 555 0117")
    with another_page(page):
        page.keyboard.press("Enter")
    wrong |= seen(page, "preview")
    with another_page(page):
        page.click("button[value=make]")
    assert "/participants/P-017/enrolled" in page.url
    wrong |= seen(page, "enrolled")
    with another_page(page):
        page.click("form[action$='/card'] button")
    assert page.locator(".card-sheet").is_visible()
    page.goto(AHEAD)
    wrong |= seen(page, "what-if")
    assert wrong == {}


@pytest.mark.parametrize("language", ["en", "tr"])
def test_a_redcap_export_is_imported_by_choosing_its_columns(
    context: BrowserContext, language: str, tmp_path: Path
) -> None:
    page = context.pages[0]
    wrong: dict[str, list[str]] = {}
    export = tmp_path / "export.csv"
    export.write_bytes(sample.export([sample.screening(1), sample.procedure(1), sample.screening(2)]))
    choose_language(page, language)
    page.goto("/enrol/import")
    wrong |= seen(page, "upload")
    page.set_input_files("#file", export)
    with another_page(page):
        page.click(".upload button:not([name])")
    wrong |= seen(page, "refused")
    with another_page(page):
        page.click("button[value=choose] >> nth=0")
    wrong |= seen(page, "columns")
    page.select_option("#event", "baseline_arm_1")
    page.select_option("#from-procedure_date", "proc_datetime")
    page.fill("#values-site", "istanbul=IST")
    page.fill("#values-language", "1=tr")
    with another_page(page):
        page.click("button[value=chosen]")
    wrong |= seen(page, "dry-run")
    with page.expect_download() as kept:
        page.click("button[value=keep]")
    assert "[column.language]" in kept.value.path().read_text(encoding="utf-8")
    with another_page(page):
        page.click("button[value=make]")
    assert page.locator("[role=status]").is_visible()
    assert wrong == {}

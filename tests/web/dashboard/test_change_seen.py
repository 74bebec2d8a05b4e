"""The office's changes in a real Chromium: forms, faults and previews, both languages, narrow and wide."""

from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import Browser, Page

from pro_service.runtime import Runtime
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.participants.change_form import ACTIONS
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers.chromium import another_page, choose_language, faults
from tests.telephones import Telephones
from tests.web.dashboard.desks import signed_in

CALLING = support.at("2026-03-11 11:00")


@pytest.fixture
def rt(rt: Runtime, clock: support.SetClock) -> Runtime:
    """Return a runtime with telephones of ours."""
    object.__setattr__(rt, "texts", {"sms": Telephones(clock=clock)})
    return rt


@pytest.fixture(params=[(360, "light", "tr"), (1280, "dark", "en")], ids=str)
def desk(
    chromium: Browser, request: pytest.FixtureRequest, address: str, rt: Runtime, study_id: int, clock: support.SetClock
) -> Iterator[Page]:
    """Return a tab in which a coordinator is signed in, and somebody who was asked and is to be called."""
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone="+12025550123", baseline_nrs_avg="6")
    for moment in ("2026-03-09 10:00", "2026-03-10 18:30", "2026-03-11 11:00"):
        clock.now = support.at(moment)
        tick(rt)
        deliver(rt)
    support.coordinator(rt)
    with signed_in(chromium, address, *request.param[:2]) as page:
        yield page


@pytest.fixture
def language(request: pytest.FixtureRequest) -> str:
    """Return the language of the desk."""
    return str(request.node.callspec.params["desk"][2])


def test_every_form_can_be_read_and_used(desk: Page, language: str) -> None:
    choose_language(desk, language)
    found = {}
    for action in ACTIONS:
        desk.goto(f"/participants/P-001/change/{action}")
        with another_page(desk):
            desk.click("button[value=look]")
        # As it was, and what is wrong beside its fields.
        found[f"{action}, refused"] = faults(desk)
    desk.goto("/participants/P-001")
    found["the participant"] = faults(desk)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_a_date_is_changed_once_and_the_story_tells_it(desk: Page) -> None:
    """Keyboard alone, from the participant's page to the story; a second tab that saw the same does nothing."""
    second = desk.context.new_page()
    for tab in (desk, second):
        tab.goto("/participants/P-001")
        tab.focus("summary:has-text('Change something')")
        tab.keyboard.press("Enter")
        tab.focus("a:text-is('Procedure date')")
        with another_page(tab):
            tab.keyboard.press("Enter")
        tab.fill("#c-procedure_date", "2026-03-01")
        tab.fill("#reason", "the ward's book says so")
        with another_page(tab):
            tab.keyboard.press("Enter")
    assert faults(desk) == []
    assert "7 " in desk.inner_text("table >> nth=0")
    assert "Nothing has been changed yet" in desk.inner_text("main")
    desk.focus("button[value=make]")
    with another_page(desk):
        desk.keyboard.press("Enter")
    assert desk.url.endswith("done=changed")
    told = desk.inner_text(".events")
    assert "Procedure date changed" in told
    assert "the ward's book says so" in told
    assert "1 Mar 2026" in told
    assert desk.locator(".lane.earlier").is_visible()
    desk.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert faults(desk) == []
    with another_page(second):
        second.click("button[value=make]")
    assert "Something has changed since you opened this page" in second.inner_text("main")
    desk.goto("/participants/P-001?show=changes")
    assert desk.inner_text(".events").count("Procedure date changed") == 1
    assert faults(desk) == []
    desk.emulate_media(media="print")
    assert desk.locator(".lanes").is_visible()
    assert not desk.locator(".story nav").is_visible()

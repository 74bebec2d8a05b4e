"""The office's changes in a real Chromium: forms, faults and previews, both languages, narrow and wide."""

from collections.abc import Iterator
from datetime import date
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from pro_service.runtime import Runtime
from pro_service.use_cases.change_forms import ACTIONS
from pro_service.use_cases.deliver import deliver
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers.chromium import another_page, faults
from tests.telephones import Telephones

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What a page looks like does not depend on the database behind it."""

CALLING = support.at("2026-03-11 11:00")


@pytest.fixture
def rt(rt: Runtime, clock: support.SetClock) -> Runtime:
    """Return a runtime with telephones of ours."""
    object.__setattr__(rt, "sms", Telephones(clock=clock))
    return rt


@pytest.fixture(params=[(360, "light"), (1280, "dark")], ids=str)
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
    width: int = request.param[0]
    scheme: Literal["light", "dark"] = request.param[1]
    context = chromium.new_context(
        viewport={"width": width, "height": 740}, color_scheme=scheme, reduced_motion="reduce", base_url=address
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto("/login")
    page.fill("#email", support.EMAIL)
    page.fill("#password", support.PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url("**/")
    yield page
    context.close()


@pytest.mark.parametrize("language", ["en", "tr"])
def test_every_form_can_be_read_and_used(desk: Page, language: str) -> None:
    with another_page(desk):
        desk.click(f"button[name=language][value={language}]")
    found = {}
    for action in ACTIONS:
        desk.goto(f"/participants/P-001/change/{action}")
        found[f"{action}"] = faults(desk)
        with another_page(desk):
            desk.click("button[value=look]")
        found[f"{action}, refused"] = faults(desk)
    desk.goto("/participants/P-001")
    found["the participant"] = faults(desk)
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_a_preview_can_be_read_and_leads_to_the_change(desk: Page) -> None:
    desk.goto("/participants/P-001/change/reschedule")
    desk.fill("#c-procedure_date", "2026-03-01")
    desk.fill("#reason", "the ward's book says so")
    with another_page(desk):
        desk.click("button[value=look]")
    assert faults(desk) == []
    assert "7 " in desk.inner_text("table >> nth=0")
    with another_page(desk):
        desk.click("button[value=make]")
    assert desk.url.endswith("done=changed")
    desk.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert faults(desk) == []

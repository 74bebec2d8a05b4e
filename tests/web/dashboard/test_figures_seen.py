"""Pictures of figures in a real Chromium: with their tables open, narrow and wide, and on paper."""

from collections.abc import Iterator
from datetime import date

import pytest
from playwright.sync_api import Browser, Page

from pro_service.runtime import Runtime
from pro_service.use_cases.participants import entry
from pro_service.use_cases.participants.entry import Filled
from pro_service.use_cases.tick import beat, tick
from tests import support
from tests.peers.chromium import faults
from tests.web.dashboard.desks import Scheme, signed_in

PAGES = (
    "/compliance",
    "/compliance?over=so_far&site=IST",
    "/compliance/outcomes",
    "/messages?price=x&since=x",
    "/study",
    "/study/texts",
)


@pytest.fixture(params=[(360, "dark", "tr"), (1280, "light", "en")], ids=str)
def desk(
    chromium: Browser,
    request: pytest.FixtureRequest,
    address: str,
    rt: Runtime,
    study_id: int,
    clock: support.SetClock,
) -> Iterator[Page]:
    """Return a tab of a coordinator and data manager; windows of several months have closed in every way."""
    clock.now = support.at("2025-12-01 15:00")
    for number in range(12):
        site = "BER" if number % 3 == 0 else "IST"
        day = date(2025, 11, 1 + 2 * number)
        cells = {"phone": f"+120255501{number:02}", "messaging_consent": "2025-11-30"} if number % 4 else {}
        support.enrolled(rt, study_id, f"P-{number:03}", day, site=site, **cells)
    for moment in ("2025-12-06", "2025-12-20", "2026-01-10", "2026-03-09"):
        clock.now = support.at(f"{moment} 10:00")
        tick(rt)
        filled = Filled({"NRS-AVG": "3", "PGIC": "2"}, reason="as told", mode="telephone")
        entry.enter(rt, support.SETUP, study_id, "P-008", "W1" if moment < "2026" else "M1", filled)
    beat(rt, "tick")
    width: int = request.param[0]
    scheme: Scheme = request.param[1]
    support.coordinator(rt, language=request.param[2])
    support.coordinator(rt, role="data-manager")
    with signed_in(chromium, address, width, scheme) as page:
        page.set_default_timeout(20_000)
        yield page


def test_no_picture_and_no_table_behind_one_has_findings(desk: Page) -> None:
    said: list[str] = []
    desk.on("console", lambda message: said.append(message.text))
    for path in PAGES:
        desk.goto(path)
        for opened in desk.locator("details > summary").all():
            opened.click()
        assert (path, faults(desk)) == (path, [])
    assert said == []


def test_a_bar_is_as_long_as_its_number(desk: Page) -> None:
    desk.goto("/compliance?window=M1")
    bar = desk.locator(".bars .stack-bar").first
    whole = bar.bounding_box()
    part = bar.locator(".f-missed").bounding_box()
    assert whole is not None
    assert part is not None
    row = desk.locator(".behind td.n").all_text_contents()
    due, missed = int(row[0]), int(row[5])
    assert due > 0
    assert abs(part["width"] / whole["width"] - missed / due) < 0.02


def test_paper_shows_the_pictures_and_no_buttons(desk: Page) -> None:
    desk.goto("/compliance")
    desk.emulate_media(media="print")
    assert desk.locator(".stack-bar").first.is_visible()
    assert not desk.locator(".filters").is_visible()

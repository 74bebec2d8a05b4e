"""What coordinators see, in a real Chromium: every page, both languages, narrow and wide, light and dark."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from pro_service.runtime import Runtime
from pro_service.use_cases.enrolment import enrol
from pro_service.use_cases.tick import beat, tick
from tests import support
from tests.peers.chromium import another_page, choose_language, faults
from tests.web.dashboard.desks import LOOKS, signed_in

CALLING = support.at("2026-03-11 11:00")
CONTROLS = """[...document.querySelectorAll("button, .button, select, input:not([type=hidden])")]
    .filter(one => one.checkVisibility()).map(one => one.outerHTML)"""
PAGES = (
    "/",
    "/participants",
    "/participants?state=missed",
    "/participants?state=declined",
    "/compliance",
    "/participants/P-001",
    "/participants/P-001/enter/W1?mode=telephone",
    "/participants/P-001/enter/V0",
    "/messages",
    "/study",
    "/study/texts",
    "/study/texts?window=answers",
)


@pytest.fixture
def tasks(rt: Runtime, study_id: int, clock: support.SetClock) -> list[str]:
    """Return the addresses of open tasks of every kind, among 42 participants."""
    clock.now = support.at("2026-03-02 15:00")
    rows = ["participant,site,procedure_date,language,messaging_consent"]
    for number in range(1, 43):
        site, day = "BER" if number % 3 == 0 else "IST", 2 if number < 4 else 1
        rows.append(f"P-{number:03},{site},2026-03-0{day},tr,2026-03-01")
    enrol.enrol_file(rt, support.SETUP, study_id, "\n".join(rows).encode())
    clock.now = CALLING
    tick(rt)
    beat(rt, "tick")
    support.coordinator(rt)
    raised = support.loaded(rt, _first(rt)).case.escalations
    return [f"/escalations/{escalation.id}" for escalation in raised]


def _first(rt: Runtime) -> int:
    with rt.sessions.reading() as session:
        return next(iter(rt.loader.load(session, range(1, 10_000), lock=False))).case.participant.id


@pytest.fixture(params=LOOKS, ids=str)
def desk(chromium: Browser, request: pytest.FixtureRequest, address: str, tasks: list[str]) -> Iterator[Page]:
    """Return a tab in which a coordinator is signed in."""
    assert tasks
    with signed_in(chromium, address, *request.param) as page:
        yield page


def test_no_page_has_findings(desk: Page, tasks: list[str], language: str) -> None:
    said: list[str] = []
    desk.on("console", lambda message: said.append(message.text))
    choose_language(desk, language)
    assert desk.locator("html").get_attribute("lang") == language
    for path in (*PAGES, *tasks):
        answer = desk.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        assert (path, faults(desk)) == (path, [])
    # Nothing that the page's policy had to refuse.
    assert said == []


def test_faults_and_stale_pages_have_no_findings(desk: Page) -> None:
    desk.goto("/participants/P-001/enter/W1?mode=telephone")
    desk.fill("input[name=NRS-AVG]", "77")
    with another_page(desk):
        desk.get_by_role("button", name="Save the answers").or_(desk.get_by_role("button", name="kaydet")).click()
    assert desk.locator("[role=alert]").count() == 1
    assert faults(desk) == []
    assert desk.input_value("input[name=NRS-AVG]") == "77"


@pytest.mark.parametrize("desk", [(1280, "light")], ids=str, indirect=True)
def test_a_laptop_shows_42_participants_without_scrolling_and_paper_no_controls(desk: Page) -> None:
    size = desk.viewport_size
    assert size is not None
    desk.goto("/participants")
    assert desk.locator(".grid tbody tr").count() == 42
    last = desk.locator(".grid tbody tr").last.bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= size["height"]
    for path in ("/messages", "/study", "/study/texts", "/study/texts?window=answers"):
        desk.goto(path)
        assert (path, desk.evaluate("document.documentElement.scrollHeight") <= 3 * 800) == (path, True)
    # On paper there is nothing to press.
    desk.goto("/")
    desk.emulate_media(media="print")
    assert desk.evaluate(CONTROLS) == []


@pytest.mark.parametrize("desk", [(1280, "light")], ids=str, indirect=True)
def test_a_call_is_worked_with_the_keyboard_alone(desk: Page) -> None:
    desk.locator("a.button", has_text="P-0").first.focus()
    with another_page(desk):
        desk.keyboard.press("Enter")
    assert "/escalations/" in desk.url
    desk.locator("details.came summary").nth(1).focus()
    desk.keyboard.press("Enter")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Space")
    assert desk.locator("input[name=outcome]:checked").get_attribute("value") == "no_answer"
    with another_page(desk):
        desk.keyboard.press("Enter")
    assert desk.url.endswith("done=no_answer")
    assert desk.locator("[role=status]").is_visible()

"""A coordinator's morning in a real Chromium: see whom to call, call, come back to it, enter the answers, end the rest.

Once with the mouse, once by keyboard alone, once without scripts; and the page that refreshes itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.schema import calls as call_table
from pro_service.store.schema import escalations, logins, responses
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tick import beat, tick
from tests import support
from tests.peers.chromium import another_page, axe_faults, faults

MORNING = support.at("2026-03-11 11:00")
COLLEAGUE = "second@example.org"


@dataclass
class Morning:
    """Four participants to call, whose baseline nobody entered, and a coordinator with a browser."""

    rt: Runtime
    clock: support.SetClock
    address: str
    chromium: Browser
    people: list[int]
    contexts: list[BrowserContext] = field(default_factory=list)

    def desk(self, width: int, *, scripts: bool = True, dark: bool = False) -> Page:
        """Sign in; gives the first page."""
        context = self.chromium.new_context(
            viewport={"width": width, "height": 740},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            base_url=self.address,
            java_script_enabled=scripts,
        )
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        page = context.new_page()
        page.goto("/login")
        self.sign_in(page)
        return page

    def sign_in(self, page: Page) -> None:
        page.fill("#email", support.EMAIL)
        page.fill("#password", support.PASSWORD)
        with another_page(page):
            page.keyboard.press("Enter")

    def task(self, person: int, level: str = "E1") -> int:
        raised = support.loaded(self.rt, self.people[person]).case.escalations
        return next(task.id for task in raised if task.level == level)

    def row(self, task: int) -> dict[str, object]:
        with self.rt.sessions.reading() as session:
            return session.execute(select(escalations).where(escalations.c.id == task)).one()._asdict()


@pytest.fixture
def morning(rt: Runtime, study_id: int, clock: support.SetClock, address: str, chromium: Browser) -> Iterator[Morning]:
    """Return the morning of the last day but one of everybody's one-week window."""
    clock.now = support.at("2026-03-02 15:00")
    people = [
        support.enrolled(rt, study_id, f"P-{n:03}", date(2026, 3, 2), phone=f"+120255501{n:02}") for n in range(1, 5)
    ]
    clock.now = MORNING
    tick(rt)
    beat(rt, "tick")
    support.coordinator(rt, site="IST", language="en")
    support.coordinator(rt, COLLEAGUE, site="IST", language="en")
    made = Morning(rt, clock, address, chromium, people)
    yield made
    for context in made.contexts:
        context.close()


def test_a_visit_is_saved_although_the_session_ends_on_the_way(morning: Morning) -> None:
    page = morning.desk(1280)
    assert faults(page) == []
    with another_page(page):
        page.get_by_role("link", name="Call P-001").click()
    expect(page.get_by_text("This is attempt 1 of 3 in this window.")).to_be_visible()
    with another_page(page):
        page.get_by_role("button", name="Show the telephone number").click()
    telephone = page.get_by_role("link", name="+1 202-555-0101")
    expect(telephone).to_have_attribute("href", "tel:+12025550101")
    expect(page.get_by_label("No answer")).to_be_hidden()
    page.locator("summary", has_text="Nobody reached").click()
    page.get_by_label("No answer").check()
    with another_page(page):
        page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[role=status]")).to_contain_text("It comes back on Wednesday 11 March 13:30")
    assert faults(page) == []
    # After lunch the session has ended; one signs in and is where one was.
    morning.clock.now = support.at("2026-03-11 13:35")
    page.reload()
    morning.sign_in(page)
    page.get_by_text("This is attempt 2 of 3 in this window.").click()
    expect(page.get_by_text("11 Mar 11:00 (in the morning)")).to_be_visible()
    with another_page(page):
        page.get_by_role("link", name="The participant answers now: enter the answers").click()
    page.fill("input[name=NRS-AVG]", "4")
    page.fill("input[name=PGIC]", "2")
    morning.clock.now += timedelta(minutes=20)
    with another_page(page):
        page.get_by_role("button", name="Save the answers").click()
    morning.sign_in(page)
    with another_page(page):
        page.locator("main button").first.click()
    with morning.rt.sessions.reading() as session:
        kept = session.execute(select(responses.c.item, responses.c.value, responses.c.source)).all()
        made = session.scalars(select(call_table.c.outcome).order_by(call_table.c.id)).all()
    assert sorted(kept) == [("NRS-AVG", 4, "telephone"), ("PGIC", 2, "telephone")]
    assert made == ["no_answer", "completed_now"]
    assert morning.row(morning.task(0))["outcome"] == "completed_now"
    _explain_the_baseline(morning, page)


def _explain_the_baseline(morning: Morning, page: Page) -> None:
    """Choose the baselines that nobody entered in the list, and say in one form why they are missing."""
    page.goto("/")
    missed = [morning.task(person, "E3") for person in range(4)]
    for task in missed:
        page.locator(f"input[name=task][value^='{task}.']").check()
    page.select_option("#do", label="No answer: Our site's mistake")
    assert faults(page) == []
    with another_page(page):
        page.locator("#act button").click()
    expect(page.locator("#did")).to_have_text(re.compile(r"4 tasks:\s+The reason is saved; the tasks have ended\."))
    assert {morning.row(task)["outcome"] for task in missed} == {"site_error"}


def test_the_keyboard_alone_is_enough(morning: Morning) -> None:
    page = morning.desk(360, dark=True)
    first, second = morning.task(0), morning.task(1)
    page.locator(".pick input").first.focus()
    page.keyboard.press("?")
    expect(page.locator("#keys dl")).to_be_visible()
    assert faults(page) == []
    _scroll_a_box_under_the_bar(page)
    page.keyboard.press("j")
    expect(page.locator(f"input[value^='{second}.']")).to_be_focused()
    with another_page(page):
        page.keyboard.press("a")
    assert morning.row(first)["acknowledged_at"] is None
    expect(page.locator("#did")).to_contain_text("You have taken it up.")
    expect(page.locator(f"input[value^='{second}.']")).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator(f"input[value^='{first}.']")).to_be_focused()
    page.keyboard.press("s")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    with another_page(page):
        page.keyboard.press("Enter")
    assert morning.row(first)["look_again_at"] == support.at("2026-03-11 13:30")
    expect(page.locator("#did")).to_contain_text("It comes back on Wednesday 11 March 13:30")
    # The one that was put off has gone to the end, and the focus with it.
    page.keyboard.press("h")
    page.keyboard.press("Tab")
    with another_page(page):
        page.keyboard.press("Enter")
    expect(page.locator("#did")).to_contain_text(COLLEAGUE)
    assert faults(page) == []
    with another_page(page):
        page.keyboard.press("Enter")
    assert page.url.endswith(f"/escalations/{first}")
    assert faults(page) == []


def _scroll_a_box_under_the_bar(page: Page) -> None:
    """Let the bar that stays in sight cover the last box bit by bit: what is seen of it can be pressed."""
    chosen, last = page.locator(".pick input").first, page.locator(".pick input").last
    chosen.check()
    for covered in (2, 10, 18):
        last.evaluate(
            "(box, covered) => scrollBy(0, box.getBoundingClientRect().bottom - covered"
            " - document.querySelector('#do').getBoundingClientRect().top)",
            covered,
        )
        assert axe_faults(page) == []
    chosen.uncheck()
    chosen.focus()


def test_without_scripts_a_row_is_chosen_and_worked_on_all_the_same(morning: Morning) -> None:
    page = morning.desk(360, scripts=False)
    task = morning.task(2)
    page.locator(f"input[name=task][value^='{task}.']").check()
    with another_page(page):
        page.locator("#act button").click()
    assert morning.row(task)["acknowledged_at"] == MORNING
    with another_page(page):
        page.locator("#act button").click()
    expect(page.get_by_text("Choose a task first.")).to_be_visible()


def test_the_lists_refresh_themselves_and_disturb_nobody(morning: Morning) -> None:
    page = morning.desk(1280)
    chosen = page.locator(f"input[value^='{morning.task(1)}.']")
    chosen.check()
    morning.clock.now += timedelta(minutes=14)
    calls.record(morning.rt, _by(morning), morning.task(0), calls.CallResult("refused_this_time"))
    page.evaluate("document.dispatchEvent(new Event('pro:refresh'))")
    expect(page.locator("#news")).to_have_text("1 no longer open")
    expect(page.get_by_role("link", name="Call P-002")).to_be_visible()
    expect(page.locator(f"input[value^='{morning.task(1)}.']")).to_be_checked()
    expect(page.locator(f"input[value^='{morning.task(1)}.']")).to_be_focused()
    # Whoever has begun to fill something in is left alone.
    page.locator("#do").focus()
    calls.record(morning.rt, _by(morning), morning.task(2), calls.CallResult("refused_this_time"))
    page.evaluate("document.dispatchEvent(new Event('pro:refresh'))")
    expect(page.locator("#news")).to_have_text("1 no longer open")
    # Nobody did anything for a quarter of an hour, however often the page asked.
    chosen.focus()
    morning.clock.now += timedelta(minutes=2)
    page.evaluate("document.dispatchEvent(new Event('pro:refresh'))")
    expect(page.locator("#signed-out")).to_be_visible()
    assert faults(page) == []
    with morning.rt.sessions.reading() as session:
        assert session.scalars(select(logins.c.seen_at)).all() == [MORNING]


def _by(morning: Morning) -> Actor:
    with morning.rt.sessions.reading() as session:
        user = session.scalars(select(logins.c.user_id)).first()
    return Actor("staff", f"user:{user}", "dashboard", user)

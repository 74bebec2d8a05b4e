"""Accounts and administration in a real Chromium: every page, both languages, narrow and wide, light and dark."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from pro_service.runtime import Runtime
from pro_service.store.staff import members
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.participants import revelations
from pro_service.use_cases.participants.revelations import Noted
from pro_service.use_cases.staff import accounts, administration
from pro_service.use_cases.tick import beat
from tests import support
from tests.authenticator import Post, code
from tests.peers.chromium import another_page, choose_language, faults

INVITED = "new.colleague@example.org"
PASSWORD = "another quiet morning in May"
PAGES = (
    "/users",
    "/users/invite",
    "/sites",
    "/system",
    "/audit",
    "/audit?who=nobody@example.org&from=x",
    "/account",
    "/participants/P-001",
    "/compliance",
    "/clinic",
    "/participants/P-001/enter/V1H",
    "/account/second-factor",
    "/revealed",
    "/tasks",
)


@pytest.fixture
def post() -> Post:
    """Return where mails go."""
    return Post()


@pytest.fixture
def rt(rt: Runtime, post: Post) -> Runtime:
    """Return a runtime that can send mails."""
    return replace(rt, mail=post)


@pytest.fixture(params=[(360, "light", "tr"), (1280, "dark", "en")], ids=str)
def screen(request: pytest.FixtureRequest) -> tuple[int, Literal["light", "dark"], str]:
    """Return the width that one works in, colours and language; faults are looked for narrow and wide."""
    width, scheme, language = request.param
    return width, scheme, language


@pytest.fixture
def language(screen: tuple[int, Literal["light", "dark"], str]) -> str:
    """Return the language that is read."""
    return screen[2]


@pytest.fixture
def tab(chromium: Browser, screen: tuple[int, Literal["light", "dark"], str], address: str) -> Iterator[Page]:
    """Return a tab of a telephone or a desk, in light or dark."""
    width, scheme, _ = screen
    context = chromium.new_context(
        viewport={"width": width, "height": 740}, color_scheme=scheme, reduced_motion="reduce", base_url=address
    )
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


def sign_in(tab: Page, email: str, password: str = support.PASSWORD) -> None:
    """Sign in at the page that is open, or at the first."""
    tab.goto("/login")
    tab.fill("#email", email)
    tab.fill("#password", password)
    with another_page(tab):
        tab.keyboard.press("Enter")


def press(tab: Page, words: str) -> None:
    """Press a button or a link, and wait for its page."""
    with another_page(tab):
        tab.get_by_role("button", name=words).or_(tab.get_by_role("link", name=words)).first.click()


def test_from_an_invitation_to_the_first_page_nothing_is_found(
    tab: Page, rt: Runtime, study_id: int, clock: support.SetClock, post: Post, language: str
) -> None:
    assert study_id
    administration.invite(rt, support.SETUP, INVITED, "coordinator", "DEMO", "IST", language=language)
    deliver(rt)
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text) if "status of 4" not in message.text else None)
    tab.goto(f"{post.link()}?lang={language}")
    assert faults(tab) == []
    for password in ("short", PASSWORD):
        tab.fill("#password", password)
        tab.fill("#again", PASSWORD)
        with another_page(tab):
            tab.keyboard.press("Enter")
        assert faults(tab) == []
    assert tab.locator("html").get_attribute("lang") == language
    key = tab.locator("figcaption b").inner_text()
    for digits in ("000000", code(key, clock.now)):
        tab.fill("#code", digits)
        with another_page(tab):
            tab.keyboard.press("Enter")
        assert faults(tab) == []
    recovery = tab.locator("code").first.inner_text()
    with another_page(tab):
        tab.locator("main a.button").click()
    assert tab.url.rpartition("/")[2] == ""
    with another_page(tab):
        tab.locator("form[action='/logout'] button").evaluate("one => one.form.requestSubmit(one)")
    sign_in(tab, INVITED, PASSWORD)
    for digits in ("000000", recovery):
        assert faults(tab) == []
        tab.fill("#code", digits)
        with another_page(tab):
            tab.keyboard.press("Enter")
    assert tab.locator("nav li").count() > 1
    assert said == []


@pytest.fixture
def everybody(rt: Runtime, study_id: int, clock: support.SetClock) -> str:
    """Return the e-mail of somebody who may see every page there is, in a study with answers."""
    clock.now = support.at("2026-03-02 15:00")
    who = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), procedure_time="14:30")
    clock.now = support.at("2026-03-09 10:00")
    support.answered(rt, "P-001", "W1", {"NRS-AVG": "7", "PGIC": "2"})
    beat(rt, "tick")
    for role in ("administrator", "investigator"):
        support.coordinator(rt, role=role, language="en")
    support.coordinator(rt, "coordinator2@example.org", site="IST", language="tr")
    support.to_decide(rt, who, "W1")
    revision = support.loaded(rt, who).case.participant.revision
    revelations.note(rt, support.SETUP, Noted(study_id, "P-001", None, "visit", revision))
    waiting = support.coordinator(rt, "waits@example.org", role="administrator")
    administration.grant(rt, accounts.staff(waiting), waiting, "monitor", "DEMO", "IST")
    return support.EMAIL


def test_no_page_of_administration_has_findings(
    tab: Page, rt: Runtime, everybody: str, clock: support.SetClock, language: str
) -> None:
    sign_in(tab, everybody)
    choose_language(tab, language)
    for path in PAGES:
        answer = tab.goto(path)
        assert answer is not None
        if answer.status != 403:
            assert (path, faults(tab)) == (path, [])
    with rt.sessions.reading() as session:
        member = members.by_email(session, "coordinator2@example.org")
    assert member is not None
    tab.goto(f"/users/{member.id}")
    assert faults(tab) == []
    clock.now += timedelta(minutes=11)
    with another_page(tab):
        tab.locator(f"form[action='/users/{member.id}/disable'] button").click()
    assert faults(tab) == []
    tab.fill("#confirm_password", support.PASSWORD)
    with another_page(tab):
        tab.keyboard.press("Enter")
    assert tab.locator("[role=status]").last.is_visible()
    tab.goto("/team")
    assert tab.get_by_label("waits@example.org").is_visible()
    assert faults(tab) == []
    tab.context.clear_cookies()
    support.coordinator(rt, "desk@example.org", site="IST", language=language)
    sign_in(tab, "desk@example.org")
    tab.goto("/participants/P-001/revealed")
    assert faults(tab) == []
    with another_page(tab):
        tab.locator("main form button").click()
    assert faults(tab) == []


def test_an_assessor_sees_what_is_to_be_measured_and_nothing_else(
    tab: Page, rt: Runtime, everybody: str, clock: support.SetClock
) -> None:
    assert everybody
    clock.now = support.at("2026-03-02 15:40")
    support.coordinator(rt, "assessor@example.org", role="assessor", site="IST", language="en")
    sign_in(tab, "assessor@example.org")
    assert tab.url.endswith("/clinic")
    assert faults(tab) == []
    press(tab, "Enter values")
    assert faults(tab) == []
    tab.fill("input[name=NRS-NOW]", "5")
    press(tab, "Save the answers")
    assert tab.url.partition("?")[0].endswith("/clinic")
    assert tab.locator("[role=status]").last.is_visible()
    assert faults(tab) == []


def test_what_was_typed_survives_the_end_of_a_session(
    tab: Page, rt: Runtime, study_id: int, clock: support.SetClock
) -> None:
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2))
    support.coordinator(rt, language="en")
    sign_in(tab, support.EMAIL)
    tab.goto("/participants/P-001/enter/V0")
    tab.fill("input[name=NRS-AVG]", "6")
    clock.now += timedelta(minutes=20)
    press(tab, "Save the answers")
    assert faults(tab) == []
    tab.fill("#email", support.EMAIL)
    tab.fill("#password", support.PASSWORD)
    press(tab, "Sign in")
    assert faults(tab) == []
    press(tab, "Send it now")
    assert "The answers are saved." in tab.inner_text("main")


def test_a_forgotten_password_has_no_findings(tab: Page, language: str) -> None:
    tab.goto(f"/login?lang={language}")
    tab.goto("/forgotten")
    assert faults(tab) == []
    tab.fill("#email", "nobody@example.org")
    with another_page(tab):
        tab.keyboard.press("Enter")
    assert tab.locator("[role=status]").last.is_visible()
    assert faults(tab) == []
    tab.goto("/welcome/no-such-link")
    assert faults(tab) == []

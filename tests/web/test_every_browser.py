"""What a browser or a font can break: in the pinned Chromium and, where a machine has one of its own, in that too."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page

from pro_service.runtime import Runtime
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.staff import administration
from tests import support
from tests.authenticator import Post
from tests.peers.chromium import IN_EVERY_BROWSER, WIDE, another_page, faults, set_in
from tests.web.conftest import TOKEN
from tests.web.dashboard.desks import signed_in

pytestmark = IN_EVERY_BROWSER
"""What a page looks like does not depend on the database behind it."""

TARGETS = """[...document.querySelectorAll("header a, header button, header [type=search]")]
  .filter(one => one.checkVisibility() && !one.matches(".unseen")).map(one => {
    const box = one.getBoundingClientRect();
    return [Math.min(box.width, box.height), Math.round(box.y + box.height / 2)];
})"""
"""Of everything that can be pressed in the header: its shorter side, and the middle of its row."""


@pytest.fixture
def telephone(chromium: Browser, address: str) -> Iterator[Page]:
    """Return a tab of a narrow telephone."""
    context = chromium.new_context(viewport={"width": 360, "height": 740}, reduced_motion="reduce", base_url=address)
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def said(telephone: Page) -> list[str]:
    """Return what the browser complains about, as it does so."""
    complaints: list[str] = []
    telephone.on("console", lambda message: complaints.append(message.text))
    return complaints


@pytest.mark.parametrize("language", ["tr", "en"])
def test_a_laptop_shows_the_whole_header_in_one_row(
    chromium: Browser, address: str, rt: Runtime, participant: int, language: str
) -> None:
    assert participant
    # Every link that a member of staff can have at once.
    for role in ("coordinator", "investigator"):
        support.coordinator(rt, role=role, language=language)
    with signed_in(chromium, address, 1280, "light") as desk:
        # A full inbox, whose count is the widest there is.
        desk.evaluate("document.querySelector('nav a[href=\"/inbox\"]').innerHTML += ' <b class=count>99+</b>'")
        usual = desk.evaluate(TARGETS)
        with set_in(desk, WIDE):
            wide = desk.evaluate(TARGETS)
        for measured in (usual, wide):
            assert len({middle for _, middle in measured}) == 1
            assert len(measured) > 12
            assert [one for one in measured if one[0] < 24] == []
        desk.click(".menu-own")
        assert desk.locator("header").get_by_text(support.EMAIL).is_visible()
        assert faults(desk) == []


def test_a_narrow_telephone_shows_the_desk_without_scrolling_sideways(
    chromium: Browser, address: str, rt: Runtime, participant: int
) -> None:
    assert participant
    support.coordinator(rt, language="tr")
    with signed_in(chromium, address, 360, "light") as desk:
        assert desk.evaluate("document.querySelector('header').offsetHeight") <= 64
        assert not desk.locator("nav a").first.is_visible()
        desk.focus(".menu")
        desk.keyboard.press("Enter")
        assert desk.locator("nav a").first.is_visible()
        assert all(shorter >= 24 for shorter, _ in desk.evaluate(TARGETS))
        assert faults(desk) == []
        desk.keyboard.press("Escape")
        assert not desk.locator("nav a").first.is_visible()
        for path in ("/", "/participants/P-001", "/what-if?date=2026-05-21&time=09:30&site=IST"):
            desk.goto(path)
            assert (path, faults(desk)) == (path, [])


def test_a_participant_answers_in_turkish_on_a_narrow_telephone(
    telephone: Page, said: list[str], participant: int
) -> None:
    assert participant
    telephone.goto(f"/q/{TOKEN}?lang=tr")
    assert faults(telephone) == []
    telephone.get_by_label("7", exact=True).check()
    telephone.get_by_label("biraz iyileşti").check()
    with another_page(telephone):
        telephone.click("button.send")
    assert telephone.inner_text("h1") == "Teşekkür ederiz."
    assert faults(telephone) == []
    assert said == []


def test_a_browser_finds_no_fault_with_the_forms_for_a_password(
    telephone: Page, said: list[str], rt: Runtime, study_id: int
) -> None:
    assert study_id
    post = Post()
    mailing = replace(rt, mail=post)
    administration.invite(mailing, support.SETUP, "new@example.org", "coordinator", "DEMO", "IST", language="tr")
    deliver(mailing)
    telephone.goto(post.link())
    assert telephone.input_value("form input[autocomplete=username]") == "new@example.org"
    assert faults(telephone) == []
    support.coordinator(rt)
    telephone.goto("/login")
    telephone.fill("#email", support.EMAIL)
    telephone.fill("#password", support.PASSWORD)
    with another_page(telephone):
        telephone.keyboard.press("Enter")
    telephone.goto("/account")
    assert telephone.input_value("form input[autocomplete=username]") == support.EMAIL
    assert faults(telephone) == []
    assert said == []

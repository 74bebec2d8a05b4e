"""A real Chromium, driven through Playwright."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.peers import places

_ARGUMENTS = (
    "--no-sandbox",  # containers and root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


IN_EVERY_BROWSER = pytest.mark.parametrize(
    "chromium", places.browsers(), indirect=True, ids=[found.name for found in places.browsers()]
)
"""Marks a test that runs in the pinned browser and, where the machine has one of its own, in that with its fonts."""
NARROW, BROAD = 360, 1280
"""Pixels: an old telephone, and a laptop."""
WIDE = "DejaVu Sans"
"""A font as wide as fonts are. What fits in it fits in Verdana and in everything narrower."""
_SIDEWAYS = "document.documentElement.scrollWidth > window.innerWidth"
_WITHOUT_NAME = """[...document.forms].filter(form => form.querySelector("input[type=password]")
    && !form.querySelector("input[autocomplete~=username]:not([type=hidden])")).length"""

# What passed stays in the browser: bringing it here takes several times as long as looking.
_VIOLATIONS = """tags => axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] })
    .then(found => found.violations)"""


@contextmanager
def running() -> Iterator[Callable[[places.Browser], Browser]]:
    """Start each browser that is asked for once, and end them with the block."""
    with sync_playwright() as playwright:
        started: dict[str, Browser] = {}

        def start(wanted: places.Browser) -> Browser:
            if wanted.name not in started:
                started[wanted.name] = playwright.chromium.launch(
                    executable_path=places.existing(wanted.executable),
                    args=list(_ARGUMENTS),
                    env={**os.environ, **wanted.environment},
                )
            return started[wanted.name]

        yield start
        for browser in started.values():
            browser.close()


@contextmanager
def another_page(page: Page) -> Iterator[None]:
    """Wait at the block's end until what it pressed has brought a page, all of it.

    A click returns as soon as a form has left: what is looked at next is then the page before, or one that has no
    element yet. An address cannot tell them apart where a form comes back at its own.
    """
    with page.expect_navigation(wait_until="load"):
        yield


def choose_language(page: Page, language: str) -> None:
    """Have the pages of staff in another language from now on; where the switch is on a page is not the matter."""
    with another_page(page):
        page.locator(f"button[name=language][value={language}]").evaluate("one => one.form.requestSubmit(one)")


def faults(page: Page) -> list[str]:
    """Return what is wrong with the page as it is.

    That is what axe finds at its width and, narrow and wide, whether the page must be scrolled sideways in its own font
    or in a wide one, and whether a password manager cannot tell whose password a form asks for. Axe takes longest: a
    page is looked at by day and narrow, by night and wide (`desks.LOOKS`), and not each in each.
    """
    before = page.viewport_size
    found = axe_faults(page)
    for width in (NARROW, BROAD):
        page.set_viewport_size({"width": width, "height": 740})
        found += [f"{width}: {fault}" for fault in _faults_at_this_width(page)]
    if before:
        page.set_viewport_size(before)
    return found


def _faults_at_this_width(page: Page) -> list[str]:
    with set_in(page, WIDE):
        sideways_in_wide = page.evaluate(_SIDEWAYS)
    measured = {
        "scrolls sideways": page.evaluate(_SIDEWAYS),
        f"scrolls sideways in {WIDE}": sideways_in_wide,
        "asks for a password without a user name": page.evaluate(_WITHOUT_NAME),
    }
    return [fault for fault, found in measured.items() if found]


@contextmanager
def set_in(page: Page, font: str) -> Iterator[None]:
    """Set the whole page in another font while the block runs."""
    # The page's policy allows no style in it, and is not to be loosened for a test; a sheet made by a script may be.
    page.evaluate(
        """font => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(`* { font-family: "${font}", sans-serif !important }`);
            document.adoptedStyleSheets.push(sheet);
        }""",
        font,
    )
    yield
    page.evaluate("() => { document.adoptedStyleSheets.pop() }")


def axe_faults(page: Page) -> list[str]:
    """Return what axe finds against WCAG 2.2 A and AA on the page as it is: rule, what it says, where."""
    # Evaluated, not added as a script: the page's policy allows no script, and is not to be loosened for a test.
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_axe())
    violations = page.evaluate(_VIOLATIONS, ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
    return [
        f"{violation['id']}: {violation['help']}: {'; '.join(str(node['target']) for node in violation['nodes'])}"
        for violation in violations
    ]


@cache
def _axe() -> str:
    source = (places.npm_package("axe-core") / "axe.min.js").read_text(encoding="utf-8")
    return f"() => {{ {source} }}"

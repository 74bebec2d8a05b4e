"""A real Chromium, driven through Playwright."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def running() -> Iterator[Browser]:
    """Run a browser while the block runs."""
    found = places.browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.executable,
            args=list(_ARGUMENTS),
            env={**os.environ, **found.environment},
        )
        yield browser
        browser.close()


@contextmanager
def another_page(page: Page) -> Iterator[None]:
    """Wait at the block's end until what it pressed has brought a page, all of it.

    A click returns as soon as a form has left: what is looked at next is then the page before, or one that has no
    element yet. An address cannot tell them apart where a form comes back at its own.
    """
    with page.expect_navigation(wait_until="load"):
        yield


def faults(page: Page) -> list[str]:
    """Return what is wrong with the page as it is: axe's findings, and whether it must be scrolled sideways."""
    sideways = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return [*axe_faults(page), *(["scrolls sideways"] if sideways else [])]


def axe_faults(page: Page) -> list[str]:
    """Return what axe finds against WCAG 2.2 A and AA on the page as it is: rule, what it says, where."""
    source = (places.npm_package("axe-core") / "axe.min.js").read_text(encoding="utf-8")
    # Evaluated, not added as a script: the page's policy allows no script, and is not to be loosened for a test.
    page.evaluate(f"() => {{ {source} }}")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = page.evaluate("(tags) => axe.run(document, { runOnly: { type: 'tag', values: tags } })", tags)
    return [
        f"{violation['id']}: {violation['help']}: {'; '.join(str(node['target']) for node in violation['nodes'])}"
        for violation in found["violations"]
    ]

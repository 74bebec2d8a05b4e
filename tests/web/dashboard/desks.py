"""A coordinator's desk in a real browser: as wide and as dark as a look asks for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

from playwright.sync_api import Browser, Page

from tests import support
from tests.peers.chromium import another_page

Scheme: TypeAlias = Literal["light", "dark"]
LOOKS: tuple[tuple[int, Scheme], ...] = ((360, "light"), (1280, "dark"))
"""By day and by night: a page that is looked at in both has been looked at narrow and wide, light and dark."""


@contextmanager
def signed_in(browser: Browser, address: str, width: int, scheme: Scheme) -> Iterator[Page]:
    """Give a tab in which the coordinator of `support` has signed in."""
    context = browser.new_context(
        viewport={"width": width, "height": 740}, color_scheme=scheme, reduced_motion="reduce", base_url=address
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.goto("/login")
    page.fill("#email", support.EMAIL)
    page.fill("#password", support.PASSWORD)
    with another_page(page):
        page.keyboard.press("Enter")
    assert page.url == f"{address}/"
    yield page
    context.close()

"""Take pictures of the demonstration in the pinned Chromium.

`python -m tests.pictures` takes those of the README. `python -m tests.pictures --all FOLDER` takes every page that a
role can reach by links, and those of participants, in every language, narrow and wide: to be looked at, not kept.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page
from sqlalchemy import select
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from pro_service.rehearsal import demo
from pro_service.runtime import open_runtime
from pro_service.settings import load
from pro_service.store.schema import participants
from pro_service.web import access
from pro_service.web.app import create_app
from pro_service.web.i18n import LANGUAGES
from tests import support
from tests.peers import chromium, configuration, places, servers

PICTURES = places.ROOT / "docs" / "pictures"
LARGEST = 150_000
"""Bytes of one picture: a README is read over slow lines as well."""
NOW = "2026-05-12T10:30:00+03:00"
"""A Tuesday morning, always the same: so a picture changes only when a page does."""
TOKEN = "A" * 24
WHOSE, WINDOW = "P-001", "W1"
SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")


WITHOUT_LOGIN = ("/login", "/forgotten", "/k", "/help", "/q/unknown", f"/q/{TOKEN}")
BEGINNINGS = ("/", "/cards", f"/participants/{WHOSE}/enrolled")
"""Where the search for pages begins: the first, and those that are linked only on some days."""
LINKS = "[...document.links].map(link => link.href)"


def main() -> None:
    """Make the demonstration in a folder of its own, serve it, and take the pictures that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="take every page of every role into this folder")
    folder: Path | None = parser.parse_args().all
    with _demonstration() as (address, pages), chromium.running() as start:
        browser = start(places.browsers()[0])
        if folder is None:
            _take(browser, address)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            _take_all(browser, address, pages, folder)


@contextmanager
def _demonstration() -> Iterator[tuple[str, MapAdapter]]:
    """Serve the demonstration; give its address, and what knows which page a path is."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), servers.free_port()
        address = f"http://127.0.0.1:{port}"
        environment = _environment(folder, address)
        program = Path(sys.executable).with_name("pro-service")
        for command in (("db", "upgrade", "--test"), ("demo",)):
            subprocess.run((program, *command), cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        pages = _give_a_link(folder, environment)
        served = (program, "serve", "--port", str(port))
        with servers.running(served, f"{address}/healthz", folder / "log", environment, folder):
            yield address, pages


def _environment(folder: Path, address: str) -> dict[str, str]:
    wanted = configuration.environment(f"sqlite:///{folder / 'demo.db'}", PUBLIC_BASE_URL=address, PRO_SERVICE_NOW=NOW)
    return {**os.environ, **wanted}


def _give_a_link(folder: Path, environment: Mapping[str, str]) -> MapAdapter:
    """Give one participant an address that is known here; return what knows which page a path is."""
    env_file = folder / ".env"
    env_file.touch()
    rt = open_runtime(load(env_file, environment))
    with rt.sessions.reading() as session:
        who = session.scalars(select(participants.c.id).where(participants.c.code == WHOSE)).one()
    support.link_to(rt, who, WINDOW, TOKEN)
    app = create_app(rt)
    app.extensions["intake"].close()
    rt.close()
    return app.url_map.bind("")


def _sign_in(page: Page, account: demo.Account, language: str) -> None:
    page.goto(f"/login?lang={language}")
    page.fill("#email", account.email)
    page.fill("#password", account.password)
    with chromium.another_page(page):
        page.keyboard.press("Enter")


def _take_all(browser: Browser, address: str, pages: MapAdapter, folder: Path) -> None:
    """Take one picture of each page, for each language and width."""
    for account in (None, *demo.ACCOUNTS):
        context = browser.new_context(base_url=address, reduced_motion="reduce")
        page = context.new_page()
        paths: Mapping[str, str] = {path.strip("/").replace("/", "-"): path for path in WITHOUT_LOGIN}
        if account is not None:
            _sign_in(page, account, "en")
            paths = _reachable(page, pages)
        for language in LANGUAGES:
            if account is not None:
                page.goto("/account")
                chromium.choose_language(page, language)
            for name, path in sorted(paths.items()):
                page.goto(path if account else f"{path}?lang={language}")
                for width in (chromium.NARROW, chromium.BROAD):
                    page.set_viewport_size({"width": width, "height": 800})
                    shown = f"{account.role if account else 'nobody'}-{name}-{language}-{width}.png"
                    page.screenshot(path=folder / shown, full_page=True)
        context.close()


def _reachable(page: Page, pages: MapAdapter) -> dict[str, str]:
    """Return name -> path of every page that links lead to from the first: of pages of a kind, the one found first."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    to_open = list(BEGINNINGS)
    while to_open:
        path = to_open.pop(0)
        name = _page_of(path, pages)
        if name is None or name in seen:
            continue
        seen.add(name)
        answer = page.goto(path)
        if answer is None or not answer.ok:
            continue
        here = urlsplit(page.url)
        found.setdefault(_page_of(here.path, pages) or name, path)
        links = [urlsplit(link) for link in page.evaluate(LINKS)]
        to_open += [f"{link.path}?{link.query}" for link in links if link.netloc == here.netloc]
    return found


def _page_of(path: str, pages: MapAdapter) -> str | None:
    """Return what a path is called; None for files, what needs no login, and what is not ours."""
    plain = urlsplit(path).path
    try:
        endpoint, _ = pages.match(plain)
    except HTTPException:
        return None
    return None if access.is_public(endpoint) or plain.endswith(".csv") else endpoint


def _take(browser: Browser, address: str) -> None:
    coordinator = next(account for account in demo.ACCOUNTS if account.role == "coordinator")
    PICTURES.mkdir(exist_ok=True)
    for scheme in SCHEMES:
        desk = browser.new_page(color_scheme=scheme, viewport={"width": 1120, "height": 690}, base_url=address)
        _sign_in(desk, coordinator, "en")
        desk.screenshot(path=PICTURES / f"today-{scheme}.png")
        desk.close()
        telephone = browser.new_page(color_scheme=scheme, viewport={"width": 390, "height": 760}, base_url=address)
        telephone.goto(f"/q/{TOKEN}?lang=en")
        telephone.screenshot(path=PICTURES / f"form-{scheme}.png")
        telephone.close()
    large = [file.name for file in PICTURES.glob("*.png") if file.stat().st_size > LARGEST]
    if large:
        raise SystemExit(f"Larger than {LARGEST} bytes: {', '.join(large)}")


if __name__ == "__main__":
    main()

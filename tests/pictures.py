"""Take the pictures of the README, from the demonstration in the pinned Chromium: python -m tests.pictures."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser
from sqlalchemy import select

from pro_service.rehearsal import demo
from pro_service.runtime import open_runtime
from pro_service.settings import load
from pro_service.store.schema import participants
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


def main() -> None:
    """Make the demonstration in a folder of its own, serve it, and take every picture."""
    with tempfile.TemporaryDirectory() as folder:
        port = servers.free_port()
        address = f"http://127.0.0.1:{port}"
        environment = _environment(Path(folder), address)
        program = Path(sys.executable).with_name("pro-service")
        for command in (("db", "upgrade", "--test"), ("demo",)):
            subprocess.run((program, *command), cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        _give_a_link(Path(folder), environment)
        served = servers.running(
            (program, "serve", "--port", str(port)),
            f"{address}/healthz",
            Path(folder) / "log",
            environment,
            Path(folder),
        )
        with served, chromium.running() as start:
            _take(start(places.browsers()[0]), address)


def _environment(folder: Path, address: str) -> dict[str, str]:
    wanted = configuration.environment(f"sqlite:///{folder / 'demo.db'}", PUBLIC_BASE_URL=address, PRO_SERVICE_NOW=NOW)
    return {**os.environ, **wanted}


def _give_a_link(folder: Path, environment: Mapping[str, str]) -> None:
    env_file = folder / ".env"
    env_file.touch()
    rt = open_runtime(load(env_file, environment))
    with rt.sessions.reading() as session:
        who = session.scalars(select(participants.c.id).where(participants.c.code == WHOSE)).one()
    support.link_to(rt, who, WINDOW, TOKEN)
    rt.close()


def _take(browser: Browser, address: str) -> None:
    coordinator = next(account for account in demo.ACCOUNTS if account.role == "coordinator")
    PICTURES.mkdir(exist_ok=True)
    for scheme in SCHEMES:
        desk = browser.new_page(color_scheme=scheme, viewport={"width": 1120, "height": 690}, base_url=address)
        desk.goto("/login?lang=en")
        desk.fill("#email", coordinator.email)
        desk.fill("#password", coordinator.password)
        with chromium.another_page(desk):
            desk.keyboard.press("Enter")
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

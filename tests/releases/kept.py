"""What is kept of each release, and how it is put in place again."""

import json
import lzma
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from pro_service.settings import Settings
from tests.peers import configuration, places

FOLDER = Path(__file__).parent
SAID = "said.json"
NOW = "2026-06-15T09:00:00Z"
"""The time at which every kept database was made."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A database that lived at an earlier release: `email` and `password` sign in there."""

    name: str
    kind: str

    def put_in_place(self, url: str) -> None:
        """Make the empty database at this address the kept one."""
        whole = lzma.decompress((FOLDER / self.name / f"{self.kind}.xz").read_bytes())
        if self.kind == "sqlite":
            Path(make_url(url).database or "").write_bytes(whole)
            return
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute(whole)

    def said(self) -> dict[str, Any]:
        """Return what its pages and reports said there: `pages`, `escalations`; and who may sign in."""
        found: dict[str, Any] = json.loads((FOLDER / self.name / SAID).read_text(encoding="utf-8"))
        return found


def names() -> list[str]:
    """Return the releases of which a database is kept."""
    return sorted(file.parent.name for file in FOLDER.glob("*/sqlite.xz"))


def newest(kind: str, url: str, home: Path, **more: str) -> Settings:
    """Put the newest kept database in place at an empty address, and return the settings that open it."""
    if kind == "sqlite":
        Path(make_url(url).database or "").parent.mkdir(parents=True)
    Kept(names()[-1], kind).put_in_place(url)
    return configuration.settings_for(url, home, PG_BIN=str(places.postgres_programs()), **more)

"""A backup is restored under a running service: nobody gets a text twice, and no answer is lost."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import requests
from sqlalchemy import make_url

from pro_service.store.database import sqlite_module
from tests.journeys.conftest import BY_LINK, BY_TEXT, Service


def test_what_was_sent_since_the_backup_is_known_again(service: Service, database_url: str, tmp_path: Path) -> None:
    live, restored = str(make_url(database_url).database), str(tmp_path / "restored.db")
    service.at("2026-03-09 09:50")
    service.run("backup", tmp_path / "backup")
    service.at("2026-03-09 10:00")
    asked, linked = service.texts(BY_TEXT), service.texts(BY_LINK)
    assert (len(asked), len(linked)) == (1, 1)
    service.reply(BY_TEXT, "4")
    assert service.shown("P-001")["responses"][-1]["value"] == 4

    service.run("restore", tmp_path / "backup", "--into", f"sqlite:///{restored}")
    _copy(restored, live)
    assert [r for r in service.shown("P-001")["responses"] if r["window"] == "W1"] == []

    # The scheduler comes back after a while, and makes the same decisions again.
    service.at("2026-03-09 10:20")
    service.at("2026-03-09 10:40")
    assert service.texts(BY_TEXT)[:1] == asked
    assert service.texts(BY_LINK) == linked
    assert [text for text in service.texts(BY_TEXT) if text == asked[0]] == asked
    # The reply was fetched from the provider, and the address in the other one's hands opens the form.
    assert [r["value"] for r in service.shown("P-001")["responses"] if r["window"] == "W1"] == [4]
    address = re.search(r"https?://\S+/q/\S+", linked[0])
    assert address is not None
    page = requests.get(f"{service.web}{urlsplit(address[0]).path}", timeout=10)
    assert 'name="NRS-AVG"' in page.text


def _copy(source: str, target: str) -> None:
    """Copy a database as a whole, under whoever has it open."""
    driver = sqlite_module()
    with driver.connect(source) as old, driver.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()

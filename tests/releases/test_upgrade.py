"""A study that ran at an earlier release goes on at this one: its rows, trail, pages and figures are as they were."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import MetaData, select

from pro_service import runtime
from pro_service.cli import main
from pro_service.settings import Settings
from pro_service.store.database import make_engine
from pro_service.use_cases.inbound import reseal
from pro_service.use_cases.tick import tick
from pro_service.use_cases.trail.seal import seal
from pro_service.use_cases.trail.verify import verify
from pro_service.web.app import create_app
from tests import support
from tests.peers import configuration, places, postgres
from tests.releases import kept
from tests.releases.kept import Kept

ANEW = frozenset({"audit_seals", "alembic_version"})
"""Tables that an upgrade makes anew: no release wrote the one, and alembic keeps its own in the other."""
MOVED = {("entry_codes", "made_at"): ("participants", "card_made_at")}
"""Columns whose values an upgrade puts elsewhere."""
EMPTY = frozenset({("studies", "rules_version"), ("participants", "rules_version")})
"""Columns that nothing ever wrote: an upgrade drops them."""
Keys = dict[str, list[str]]
Rows = dict[str, dict[tuple[object, ...], dict[str, object]]]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Return a kind of database, and the address of an empty one."""
    if request.param == "sqlite":
        yield "sqlite", f"sqlite:///{tmp_path / 'kept.db'}"
        return
    server: postgres.Postgres = request.getfixturevalue("postgres_server")
    yield "postgresql", server.create("kept")
    server.drop("kept")


@pytest.mark.parametrize("name", kept.names())
def test_a_study_of_an_earlier_release_goes_on(name: str, empty: tuple[str, str], tmp_path: Path) -> None:
    kind, url = empty
    earlier = Kept(name, kind)
    earlier.put_in_place(url)
    settings = configuration.settings_for(url, tmp_path, PRO_SERVICE_NOW=kept.NOW)
    keys: Keys = {}
    before, said = rows_of(settings, keys), earlier.said()
    assert len(before["audit_trail"]) > 100
    runtime.upgrade(settings)
    assert changes(before, rows_of(settings, keys)) == []
    rt = runtime.open_runtime(settings)
    seal(rt)
    checked = verify(rt)
    assert (checked.findings, checked.not_covered > 0) == ((), True)
    assert of_the_same_columns(command(url, tmp_path, "report", "escalations", "--json"), said["escalations"])
    client = create_app(rt).test_client()
    signed_in = support.sign_in(client, said["email"], said["password"])
    assert signed_in.status_code == 303
    for path, text in said["pages"].items():
        assert of_the_same_columns(table(client.get(path).text), table(text)), path
    pages_hold(client, table(said["pages"]["/participants.csv"]))
    reseal.reseal(rt)
    tick(rt)
    seal(rt)
    assert verify(rt).findings == ()
    rt.close()


def rows_of(settings: Settings, keys: Keys) -> Rows:
    """Return every row as it is stored: table -> its key -> column -> value; `keys` takes each key up."""
    engine = make_engine(settings.database_url)
    stored = MetaData()
    stored.reflect(engine)
    found: Rows = {}
    with engine.connect() as connection:
        for table in stored.tables.values():
            primary = [column.name for column in table.primary_key] or [column.name for column in table.columns]
            key = keys.setdefault(table.name, primary)
            rows = [dict(row) for row in connection.execute(select(table)).mappings()]
            found[table.name] = {tuple(row[name] for name in key): row for row in rows}
    engine.dispose()
    return found


def changes(before: Rows, after: Rows) -> list[str]:
    """Name what an upgrade took away or changed; what it added is its own."""
    found = []
    for table in sorted(before.keys() - ANEW):
        for key, row in before[table].items():
            now = after.get(table, {}).get(key, {})
            for column, value in row.items():
                if (table, column) in EMPTY:
                    assert value == 0
                    continue
                place, there = MOVED.get((table, column), (table, column))
                kept_there = [now.get(there)] if place == table else [one[there] for one in after[place].values()]
                if value not in kept_there or (place == table and there not in now):
                    found.append(f"{table}.{column} {key}")
    return found


def of_the_same_columns(now: list[dict[str, Any]], then: list[dict[str, Any]]) -> bool:
    """Whether each row says the same as then in the columns there were then."""
    assert then
    return [{name: row.get(name) for name in then[0]} for row in now] == then


def command(url: str, folder: Path, *words: str) -> Any:
    """Return what a command prints as JSON."""
    env = folder / "kept.env"
    told = configuration.environment(url, PRO_SERVICE_NOW=kept.NOW)
    env.write_text("".join(f"{name}={value}\n" for name, value in told.items()), encoding="utf-8")
    done = CliRunner().invoke(main, ["--env-file", str(env), *words], prog_name="pro-service")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def table(text: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def pages_hold(client: FlaskClient, people: list[dict[str, str]]) -> None:
    """Open the pages that are about everybody, and each participant's."""
    for path in ("/today", "/participants", "/compliance", "/messages", "/clinic", "/inbox", "/study", "/audit"):
        assert client.get(path).status_code == 200, path
    for person in people:
        page = client.get(f"/participants/{person['participant']}")
        assert page.status_code == 200
        assert person["participant"] in page.text


def test_a_database_of_every_release_is_kept() -> None:
    released = re.findall(
        r"^## \[([^\]]+)\] – \d{4}-", (places.ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    missing = [name for name in released if name not in kept.names()]
    assert missing == [], "make it at the release: python -m tests.releases NAME"

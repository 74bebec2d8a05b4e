"""A backup that is made while others write restores whole; what stands against one is said, and leaves nothing."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, make_url, select, text

from pro_service import runtime
from pro_service.cli import main
from pro_service.core.problems import RejectedError, SetUpError
from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings, at
from pro_service.store import manifests, readiness, transfer
from pro_service.store.audit import Actor
from pro_service.store.database import make_engine
from pro_service.store.messages import channels
from pro_service.store.schema import audit_trail, participants, studies
from pro_service.use_cases import backup, closing, restore, study, upgrade
from pro_service.use_cases.participants import erase
from pro_service.use_cases.trail.seal import seal
from pro_service.use_cases.trail.verify import verify
from tests import support
from tests.peers import configuration, databases, places, postgres
from tests.releases import kept

ACTOR = Actor(kind="staff", id="cli:tests", source="cli")
MOVES = frozenset({"audit_trail", "channels", "audit_checks"})
"""Tables in which a restore leaves the quarantine that it begins, and a copy that its trail was checked."""
REPORTS = ("compliance", "escalations")
Empty = Callable[[str], str]


@pytest.fixture
def server(request: pytest.FixtureRequest) -> postgres.Postgres:
    """Return the PostgreSQL of the tests."""
    found: postgres.Postgres = request.getfixturevalue("postgres_server")
    return found


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Empty]:
    """Return what gives the address of a new and empty database of an engine."""
    numbers, made = count(), list[str]()

    def place(engine: str) -> str:
        if engine == "sqlite":
            return f"sqlite:///{tmp_path / 'places' / str(next(numbers)) / 'pro.db'}"
        made.append(f"empty_{next(numbers)}")
        return str(request.getfixturevalue("postgres_server").create(made[-1]))

    yield place
    for name in made:
        request.getfixturevalue("postgres_server").drop(name)


@pytest.fixture
def old(database_url: str, empty: Empty, tmp_path: Path) -> Settings:
    """Return the settings of a database of an earlier release, in which a study ran."""
    engine = "sqlite" if database_url.startswith("sqlite") else "postgresql"
    return _kept(engine, empty(engine), tmp_path)


def _kept(engine: str, url: str, home: Path) -> Settings:
    return kept.newest(engine, url, home, PRO_SERVICE_NOW=kept.NOW)


@pytest.fixture
def lived(old: Settings) -> Settings:
    """Return the settings of a database of this release, in which a study ran."""
    runtime.upgrade(old)
    with opened(old) as rt:
        seal(rt)
    return old


@contextmanager
def opened(settings: Settings) -> Iterator[Runtime]:
    rt = open_runtime(settings)
    try:
        yield rt
    finally:
        rt.close()


def quiet(_step: object, _total: object = None) -> None:
    """Say nothing."""


def put_back(settings: Settings, made: manifests.Backup, url: str, erased: str | None = None) -> Settings:
    target = at(settings, url, "--into")
    restore.restore(target, made.folder, ACTOR, erased=erased, step=quiet)
    return target


def rows(settings: Settings) -> Mapping[str, str]:
    with opened(settings) as rt, rt.sessions.reading() as session:
        return transfer.amounts(session)


def figures(settings: Settings) -> list[str]:
    """Return what the reports say."""
    told = configuration.environment(settings.database_url, PRO_SERVICE_NOW=kept.NOW)
    with opened(settings) as rt, rt.sessions.reading() as session:
        kept_study = min(session.scalars(select(studies.c.code)))
    said = []
    for name in REPORTS:
        asked = ["report", name, "--study", kept_study, "--json"]
        done = CliRunner().invoke(main, asked, env=told, prog_name="pro-service")
        assert done.exit_code == 0, done.output
        said.append(done.stdout)
    return said


def codes(settings: Settings, folder: Path, url: str, **given: Any) -> list[str]:
    """Return what stands against a restore."""
    try:
        restore.restore(at(settings, url, "--into"), folder, ACTOR, step=quiet, **given)
    except RejectedError as error:
        return sorted(fault.code for fault in error.faults)
    except SetUpError as error:
        return [error.problem.code]
    return []


# --- what comes back -------------------------------------------------------------------------------------------------


@databases.ON_BOTH
def test_a_backup_under_load_restores_with_equal_figures_and_a_verified_trail(lived: Settings, empty: Empty) -> None:
    home = lived.backup_dir
    engine = "sqlite" if lived.database_url.startswith("sqlite") else "postgresql"
    with opened(lived) as rt:
        loaded = _while_enrolling(rt, support.load_demo(rt, "LOAD"), lambda: backup.make(lived, home / "loaded"))
        before = _participants(rt)
    calm = backup.make(lived, home / "calm")
    assert loaded.folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in loaded.folder.iterdir()} == {0o600}
    again = put_back(lived, loaded, empty(engine))
    with opened(again) as rt, rt.sessions.reading() as session:
        assert 0 < _participants(rt) <= before
        assert verify(rt).findings == ()
        held = channels.all_channels(session)["sms"]
        assert (held.quarantined_at is not None, held.quarantine_reason) == (True, restore.RESTORED)
    same = put_back(lived, calm, empty(engine))
    assert set(transfer.different(rows(lived), rows(same))) <= MOVES
    assert figures(same) == figures(lived)
    with opened(same) as rt:
        assert (_participants(rt), verify(rt).findings) == (before, ())


def _while_enrolling(rt: Runtime, study_id: int, work: Callable[[], manifests.Backup]) -> manifests.Backup:
    """Do this while one participant after the other is enrolled."""
    enough, several = threading.Event(), threading.Event()

    def enrolling() -> None:
        for number in count():
            if enough.is_set():
                return
            support.enrolled(rt, study_id, f"L-{number}", date(2026, 6, 1), procedure_time="")
            if number:
                several.set()

    thread = threading.Thread(target=enrolling)
    thread.start()
    try:
        assert several.wait(30)
        return work()
    finally:
        enough.set()
        thread.join()


def _participants(rt: Runtime) -> int:
    with rt.sessions.reading() as session:
        return session.scalar(select(func.count()).select_from(participants)) or 0


@pytest.mark.parametrize("first, second", [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_a_database_moves_to_the_other_engine_with_every_row(
    first: str, second: str, empty: Empty, tmp_path: Path
) -> None:
    source = _kept(first, empty(first), tmp_path)
    runtime.upgrade(source)
    with opened(source) as rt:
        seal(rt)
        closing.close(rt, ACTOR, study.chosen(rt, None).id, "everybody is through", lock_data=True)
        study_id = support.load_demo(rt, "LOAD")
    target = at(source, empty(second), "--into")
    done = restore.copy(source, target, ACTOR, step=quiet, progress=quiet)
    assert (done.verification.findings, done.verification.verified_rows > 100) == ((), True)
    assert set(transfer.different(rows(source), rows(target))) <= MOVES
    assert figures(target) == figures(source)
    with opened(target) as rt:
        # Row ids go on where they were.
        support.enrolled(rt, study_id, "L-1", date(2026, 6, 1), procedure_time="")
        with rt.sessions.reading() as session:
            newest = session.scalar(select(func.max(participants.c.id))) or 0
            assert newest > (session.scalar(select(func.min(audit_trail.c.id))) or 0)
        seal(rt)
        assert verify(rt).findings == ()


def test_who_was_erased_since_the_backup_is_erased_again(lived: Settings, empty: Empty, tmp_path: Path) -> None:
    made = backup.make(lived, tmp_path / "before")
    with opened(lived) as rt:
        study_id = study.chosen(rt, None).id
        with rt.sessions.reading() as session:
            code = session.scalar(select(participants.c.code).where(participants.c.erased_at.is_(None)).limit(1))
        erase.erase(rt, ACTOR, study_id, str(code), "asked for it")
    since = backup.make(lived, tmp_path / "since")
    assert [one["participant"] for one in since.manifest.erased] == [code]
    for place, manifest, erased in (("a", None, False), ("b", (since.folder / manifests.MANIFEST).read_text(), True)):
        url = f"sqlite:///{tmp_path / place / 'pro.db'}"
        with opened(put_back(lived, made, url, manifest)) as rt, rt.sessions.reading() as session:
            found = session.execute(select(participants).where(participants.c.code == code)).one()
            assert (found.erased_at is not None, found.data_key is None) == (erased, erased)
    assert codes(lived, made.folder, empty("sqlite"), erased="[]") == ["erasures_unreadable"]


# --- what stands against it ------------------------------------------------------------------------------------------

Spoil = Callable[[Path], Mapping[str, Any]]


def _damaged(folder: Path) -> Mapping[str, Any]:
    file = folder / "database.db"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    return {}


def _lacking(folder: Path) -> Mapping[str, Any]:
    (folder / "database.db").unlink()
    return {}


def _without_manifest(folder: Path) -> Mapping[str, Any]:
    (folder / manifests.MANIFEST).unlink()
    return {}


def _telling(**values: object) -> Spoil:
    def told(folder: Path) -> Mapping[str, Any]:
        file = folder / manifests.MANIFEST
        file.write_text(json.dumps(json.loads(file.read_text()) | values))
        return {}

    return told


@pytest.mark.parametrize(
    "spoil, said",
    [
        (_damaged, "backup_damaged"),
        (_lacking, "backup_damaged"),
        (_without_manifest, "no_backup"),
        (_telling(schema_revision="9999"), "backup_newer"),
        (_telling(engine="postgresql", files={"database.dump": ""}), "backup_of_other_engine"),
        (_telling(files={"../database.db": "0"}), "no_backup"),
        (lambda _: {"data_keys": (("k2", bytes(32)),)}, "backup_key_missing"),
        # The key of that name, but another one: found when the database is opened, and taken back.
        (lambda _: {"data_keys": (("k1", bytes(32)),)}, "data_key_wrong"),
    ],
)
def test_what_stands_against_a_restore_is_said_and_leaves_nothing(
    spoil: Spoil, said: str, settings: Settings, tmp_path: Path
) -> None:
    made = backup.make(settings, tmp_path / "backup")
    changed = replace(settings, **spoil(made.folder))
    place = tmp_path / "place"
    assert said in codes(changed, made.folder, f"sqlite:///{place / 'pro.db'}")
    assert not place.exists() or list(place.iterdir()) == []


def test_nothing_is_restored_over_anything(settings: Settings, tmp_path: Path) -> None:
    made = backup.make(settings, tmp_path / "backup")
    assert codes(settings, made.folder, settings.database_url) == ["target_not_empty"]
    foreign = tmp_path / "notes.txt"
    foreign.write_text("no database")
    assert codes(settings, made.folder, f"sqlite:///{foreign}") == ["target_not_empty"]
    assert foreign.read_text() == "no database"
    # Every program makes an empty database where there is none.
    opened_once = make_engine(f"sqlite:///{tmp_path / 'opened.db'}")
    opened_once.connect().close()
    opened_once.dispose()
    assert codes(settings, made.folder, f"sqlite:///{tmp_path / 'opened.db'}") == []
    with pytest.raises(RejectedError) as refused:
        backup.make(settings, made.folder)
    assert [fault.code for fault in refused.value.faults] == ["backup_folder_taken"]


@pytest.mark.parametrize("place, said", [("file/backup", "backup_not_writable"), ("backup", "backup_disk_full")])
def test_a_backup_that_cannot_be_written_leaves_nothing(place: str, said: str, lived: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    before = sorted(tmp_path.rglob("*"))
    limit = 100_000 if said == "backup_disk_full" else -1
    with support.no_file_larger_than(limit), pytest.raises(SetUpError) as refused:
        backup.make(lived, tmp_path / place)
    assert refused.value.problem.code == said
    assert sorted(tmp_path.rglob("*")) == before


def test_a_place_that_was_left_unfinished_opens_for_nobody_and_is_begun_anew(
    postgres_url: str, server: postgres.Postgres, tmp_path: Path
) -> None:
    settings = configuration.settings_for(postgres_url, tmp_path, PG_BIN=str(places.postgres_programs()))
    made = backup.make(settings, tmp_path / "backup")
    url = server.create("unfinished")
    place = at(settings, url, "--into")
    engine = make_engine(place.database_url)
    runtime.upgrade(place)
    with engine.begin() as connection:
        readiness.mark_unfinished(connection)
    for open_it in (lambda: open_runtime(place), lambda: backup.make(place, tmp_path / "no"), lambda: _upgraded(place)):
        with pytest.raises(SetUpError) as refused:
            open_it()
        assert refused.value.problem.code == "database_unfinished"
    assert codes(replace(settings, data_keys=(("k1", bytes(32)),)), made.folder, url) == ["data_key_wrong"]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")) == 0
    assert codes(settings, made.folder, url) == []
    with opened(place) as rt:
        assert verify(rt).findings == ()
    assert codes(settings, made.folder, url) == ["target_not_empty"]
    engine.dispose()
    server.drop("unfinished")


def test_only_programs_of_the_servers_version_are_used(postgres_url: str, tmp_path: Path) -> None:
    said = {}
    for version in ("17.2", "19.1", "", "18.0"):
        tool = tmp_path / f"bin-{version}" / "pg_dump"
        tool.parent.mkdir()
        if version:
            tool.write_text(f"#!/bin/sh\n[ $# = 1 ] || exit 3\necho 'pg_dump (PostgreSQL) {version}'\n")
            tool.chmod(0o700)
        settings = configuration.settings_for(postgres_url, tmp_path, PG_BIN=str(tool.parent))
        with pytest.raises(SetUpError) as refused:
            backup.make(settings, tmp_path / "backup")
        said[version] = refused.value.problem.code
    other = "tool_of_other_version"
    assert said == {"17.2": other, "19.1": other, "": "tool_missing", "18.0": "tool_failed"}


# --- before an upgrade -----------------------------------------------------------------------------------------------


def _upgraded(settings: Settings, *, back_up: bool = True) -> upgrade.Upgraded:
    return upgrade.upgrade(
        settings, test=False, back_up=back_up, waiting=lambda: None, backed_up=lambda _made: None, progress=quiet
    )


@databases.ON_BOTH
def test_several_upgrades_at_once_make_one_backup_of_the_earlier_schema(old: Settings, empty: Empty) -> None:
    done, faults = list[upgrade.Upgraded](), list[BaseException]()

    def work() -> None:
        try:
            done.append(_upgraded(old))
        except BaseException as fault:  # noqa: BLE001 -- shown below
            faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    [made] = [one.backup for one in done if one.backup is not None]
    assert {one.after for one in done} == {readiness.head()}
    assert (made.manifest.schema_revision, list(old.backup_dir.iterdir())) < (readiness.head(), [made.folder])
    assert _upgraded(old).backup is None
    # The earlier schema comes back as this release's.
    engine = "sqlite" if old.database_url.startswith("sqlite") else "postgresql"
    again = put_back(old, made, empty(engine))
    # It was upgraded at another moment, which a migration writes down.
    assert set(transfer.different(rows(old), rows(again))) <= MOVES | {"protocol_versions"}


def test_an_upgrade_without_a_backup_makes_none(old: Settings) -> None:
    done = _upgraded(old, back_up=False)
    assert (done.before != done.after, done.backup, old.backup_dir.exists()) == (True, None, False)


def test_an_upgrade_that_could_not_be_finished_does_not_begin(empty: Empty, tmp_path: Path) -> None:
    old = _kept("postgresql", empty("postgresql"), tmp_path)
    owner = make_engine(old.database_url)
    with owner.begin() as connection:
        connection.execute(text("CREATE ROLE some_service LOGIN"))
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO some_service"))
    as_service = make_url(old.database_url).set(username="some_service").render_as_string(hide_password=False)
    said = []
    for granted in ("SELECT 1", "GRANT CREATE ON SCHEMA public TO some_service"):
        with owner.begin() as connection:
            connection.execute(text(granted))
        with pytest.raises(SetUpError) as refused:
            _upgraded(replace(old, database_url=as_service))
        said.append(refused.value.problem.code)
    with owner.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SetUpError) as refused:
        _upgraded(old)
    assert [*said, refused.value.problem.code] == ["role_may_not_create", "role_owns_not", "schema_newer"]
    with owner.begin() as connection:
        connection.execute(text("DROP OWNED BY some_service"))
        connection.execute(text("DROP ROLE some_service"))
    owner.dispose()
    assert not old.backup_dir.exists()

"""Put a database into an empty place: from a backup, or copied from another engine. What goes wrong leaves nothing.

What was sent after the backup was made is not known there, and who was erased since is there again: so texts are held,
and people erased again, before any program can open it.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pro_service import runtime
from pro_service.core.problems import Problem, RejectedError, SetUpError, problem
from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.store import backup as store
from pro_service.store import manifests, migrate, readiness, transfer
from pro_service.store.audit import Actor
from pro_service.store.database import Sessions, make_engine
from pro_service.store.manifests import FILE, Backup
from pro_service.use_cases.delivery import quarantine
from pro_service.use_cases.participants import erase
from pro_service.use_cases.participants.erase import Again
from pro_service.use_cases.trail.verify import Verification, verify

RESTORED, COPIED = "restored", "copied"
"""Why texts are held."""

Step = Callable[[str], None]
"""Called with the name of each step as it begins: `check`, `load`, `upgrade`, `erase`, `copy`, `compare`."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored."""

    backup: Backup
    revision: str
    """The revision that the database is at now."""
    again: Again


def restore(settings: Settings, folder: Path, actor: Actor, *, erased: str | None = None, step: Step) -> Restored:
    """Restore a backup into the empty database of these settings, and bring it to this release's schema.

    `erased`: a newer list of erasures than the backup's own (`erase.as_text`, or the manifest of a newer backup).
    RejectedError: the backup is damaged, of a newer release, of another engine, or needs a key that is not there.
    SetUpError: the place is not empty, or cannot be written.
    """
    step("check")
    found = manifests.read(folder)
    if faults := tuple(_faults(found, settings)):
        raise RejectedError(faults)
    lists = [erase.as_text(found.manifest.erased), *([] if erased is None else [_as_list(erased)])]
    manifest = found.manifest
    with store.empty_place(settings.database_url) as url:
        place = replace(settings, database_url=url)
        step("load")
        store.load(url, folder / FILE[manifest.engine], manifest.engine_version, settings.pg_bin)
        step("upgrade")
        runtime.upgrade(place)
        with _opened(place) as rt:
            quarantine.begin(rt, RESTORED, actor)
            step("erase")
            again = [erase.erase_again(rt, actor, one) for one in lists]
    return Restored(found, readiness.head(), again[-1])


def _faults(found: Backup, settings: Settings) -> Iterator[Problem]:
    manifest = found.manifest
    engine = "sqlite" if settings.database_url.startswith("sqlite") else "postgresql"
    if manifest.engine != engine:
        yield problem("backup_of_other_engine", "--into", engine=manifest.engine)
    if not readiness.is_known(manifest.schema_revision):
        known, product = readiness.head(), manifest.product
        yield problem("backup_newer", "DIR", revision=manifest.schema_revision, known=known, product=product)
    names = {name for name, _ in settings.data_keys}
    if missing := tuple(name for name in manifest.data_key_ids if name not in names):
        yield problem("backup_key_missing", "DATA_KEYS", keys=missing)
    for name, digest in manifest.files.items():
        file = found.folder / name
        try:
            good = manifests.sha256(file) == digest
        except OSError:
            good = False
        if not good:
            yield problem("backup_damaged", name)


def _as_list(text: str) -> str:
    """Return a list of erasures: the one that was given, or the one in the manifest that was given."""
    try:
        told = json.loads(text)
        return erase.as_text(told["erased"]) if "erased" in told else text
    except (ValueError, TypeError):
        raise RejectedError((problem("erasures_unreadable", "--erased"),)) from None


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy came to."""

    tables: int
    verification: Verification


def copy(source: Settings, target: Settings, actor: Actor, *, step: Step, progress: transfer.Progress) -> Copied:
    """Copy the database of one engine into the empty one of another: every row, compared afterwards, and its trail.

    SetUpError: the place is not empty or cannot be written, or what came over is not what was there.
    """
    step("check")
    with _opened(source, finished=True) as old, store.empty_place(target.database_url) as url:
        place = replace(target, database_url=url)
        with closing(Sessions(make_engine(url))) as sessions:
            migrate.lay_out(sessions.engine)
            step("copy")
            with old.sessions.reading() as session:
                there = transfer.copy(session, sessions, progress)
            step("compare")
            with sessions.reading() as session:
                wrong = transfer.different(there, transfer.amounts(session))
        if wrong:
            raise SetUpError("copy_differs", tables=", ".join(wrong))
        with _opened(place) as rt:
            quarantine.begin(rt, COPIED, actor)
            return Copied(len(there), verify(rt))


@contextmanager
def _opened(settings: Settings, *, finished: bool = False) -> Iterator[Runtime]:
    """Give a runtime that asks no provider anything: every way out is held."""
    rt = open_runtime(settings, finished=finished)
    try:
        yield replace(rt, texts={}, mail=None)
    finally:
        rt.close()

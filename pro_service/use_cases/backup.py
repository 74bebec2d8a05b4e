"""Back the database up while the service runs: a folder with the copy, and a manifest that says what it is."""

import hashlib
import importlib.metadata
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pro_service import logs
from pro_service.core.iso8601 import instant_text
from pro_service.core.problems import RejectedError, SetUpError, problem
from pro_service.runtime import clock_of
from pro_service.settings import Settings
from pro_service.store import backup as store
from pro_service.store.database import make_engine
from pro_service.store.migrate import require_finished, revision
from pro_service.use_cases.participants import erase

MANIFEST = "manifest.json"
OLD = timedelta(days=2)
"""A newest backup that is older is to be minded."""
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is."""

    made_at: datetime
    product: str
    """The version that made it."""
    schema_revision: str
    engine: str
    engine_version: str
    files: Mapping[str, str]
    """Name -> SHA-256."""
    data_key_ids: tuple[str, ...]
    """Ids of the keys of DATA_KEYS that open it; never a key."""
    erased: Sequence[Mapping[str, Any]]
    """Who was erased until then; see `erase.as_list`."""

    def as_text(self) -> str:
        """Return it as JSON."""
        told = {
            "made_at": instant_text(self.made_at),
            "product": self.product,
            "schema_revision": self.schema_revision,
            "engine": self.engine,
            "engine_version": self.engine_version,
            "files": self.files,
            "data_key_ids": self.data_key_ids,
            "erased": self.erased,
        }
        return json.dumps(told, indent=1, default=lambda moment: moment.isoformat()) + "\n"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made, or found."""

    folder: Path
    manifest: Manifest

    @property
    def size(self) -> int:
        """Bytes of its files, without the manifest."""
        return sum((self.folder / name).stat().st_size for name in self.manifest.files)


def make(settings: Settings, folder: Path | None = None) -> Backup:
    """Make a backup in a folder that is not there or empty; without one in a new folder of BACKUP_DIR.

    An earlier schema is backed up too. RejectedError: the folder holds something. SetUpError: there is no database, it
    cannot be read whole, or the backup cannot be written. An interrupted one leaves nothing that looks like a backup.
    """
    engine = make_engine(settings.database_url)
    try:
        require_finished(engine)
        if revision(engine) is None:
            raise SetUpError("nothing_to_back_up")
        now = clock_of(settings)()
        whole = (folder or settings.backup_dir / f"{now:%Y-%m-%dT%H-%M-%SZ}").absolute()
        if whole.exists() and not (whole.is_dir() and not any(whole.iterdir())):
            raise RejectedError((problem("backup_folder_taken", "DIR"),))
        with store.said_plainly(), store.part_of(whole) as part:
            facts = store.save(engine, part, settings.pg_bin)
            name = store.FILE[facts.engine]
            manifest = Manifest(
                made_at=now,
                product=importlib.metadata.version("pro-service"),
                schema_revision=facts.schema_revision,
                engine=facts.engine,
                engine_version=facts.engine_version,
                files={name: sha256(part / name)},
                data_key_ids=facts.data_key_ids,
                erased=erase.as_list(facts.erased),
            )
            store.sync(part / name)
            with os.fdopen(os.open(part / MANIFEST, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write(manifest.as_text())
            store.sync(part / MANIFEST)
            store.sync(part)
            part.rename(whole)
            store.sync(whole.parent)
        made = Backup(whole, manifest)
        logs.event("backup.made", engine=facts.engine, revision=facts.schema_revision, bytes=made.size)
        return made
    finally:
        engine.dispose()


def newest(settings: Settings) -> Backup | None:
    """Return the newest backup in BACKUP_DIR; None if there is none, or it cannot be read."""
    return next(_newest_first(settings.backup_dir), None)


def remove_older(settings: Settings, keep: int) -> int:
    """Remove all backups in BACKUP_DIR but the `keep` newest; return how many."""
    old = list(_newest_first(settings.backup_dir))[keep:]
    for one in old:
        # First what makes it a backup: a removal that is interrupted leaves nothing that looks whole.
        (one.folder / MANIFEST).unlink()
        shutil.rmtree(one.folder)
    return len(old)


def _newest_first(folder: Path) -> Iterator[Backup]:
    try:
        found = [(file.stat().st_mtime, file.parent) for file in folder.glob(f"*/{MANIFEST}")]
    except OSError:
        return
    for _, place in sorted(found, reverse=True):
        try:
            yield read(place)
        except RejectedError:
            continue


def read(folder: Path) -> Backup:
    """Return the backup in a folder, whose files are not looked at. RejectedError: there is none."""
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        made_at = datetime.fromisoformat(told["made_at"])
        files = {str(name): str(digest) for name, digest in told["files"].items()}
        whole = made_at.tzinfo is not None and all(Path(name).name == name for name in files)
        manifest = Manifest(
            made_at=made_at,
            product=str(told["product"]),
            schema_revision=str(told["schema_revision"]),
            engine=str(told["engine"]),
            engine_version=str(told["engine_version"]),
            files=files,
            data_key_ids=tuple(map(str, told["data_key_ids"])),
            erased=list(told["erased"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise RejectedError((problem("no_backup", "DIR"),)) from None
    if not whole or store.FILE.get(manifest.engine) not in manifest.files:
        raise RejectedError((problem("no_backup", "DIR"),))
    return Backup(folder, manifest)


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

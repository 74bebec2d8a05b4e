"""What a backup is, as the manifest in its folder says it, and which of them is the newest."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pro_service.core.iso8601 import instant_text
from pro_service.core.problems import RejectedError, problem

MANIFEST = "manifest.json"
FILE = {"sqlite": "database.db", "postgresql": "database.dump"}
"""Engine -> the name of the file that holds the copy."""
OLD = timedelta(days=2)
"""A warning is due where the newest backup is older."""


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
    """Who was erased until then; see `use_cases.participants.erase`."""

    def as_text(self) -> str:
        """Return it as JSON."""
        told = asdict(self) | {"made_at": instant_text(self.made_at)}
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


def age(folder: Path, now: datetime) -> timedelta | None:
    """Return how old the newest backup in BACKUP_DIR is; None if there is none, or it cannot be read."""
    newest = next(newest_first(folder), None)
    return None if newest is None else max(now - newest.manifest.made_at, timedelta())


def newest_first(folder: Path) -> Iterator[Backup]:
    """Yield the backups in a folder, the newest first."""
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
    if not whole or FILE.get(manifest.engine) not in manifest.files:
        raise RejectedError((problem("no_backup", "DIR"),))
    return Backup(folder, manifest)


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

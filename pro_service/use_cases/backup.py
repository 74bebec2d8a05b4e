"""Back the database up while the service runs: a folder with the copy, and a manifest that says what it is."""

import importlib.metadata
import shutil
from pathlib import Path

from pro_service import logs
from pro_service.core.problems import RejectedError, SetUpError, problem
from pro_service.runtime import clock_of
from pro_service.settings import Settings
from pro_service.store import backup as store
from pro_service.store.database import make_engine
from pro_service.store.disk import part_of, sync
from pro_service.store.manifests import FILE, MANIFEST, Backup, Manifest, newest_first, sha256
from pro_service.store.readiness import require_finished, revision
from pro_service.use_cases.participants import erase


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
        with store.said_plainly(), part_of(whole) as part:
            facts = store.save(engine, part, settings.pg_bin)
            name = FILE[facts.engine]
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
            sync(part / name)
            (part / MANIFEST).touch(0o600)
            (part / MANIFEST).write_text(manifest.as_text(), encoding="utf-8")
            sync(part / MANIFEST)
            sync(part)
            part.rename(whole)
            sync(whole.parent)
        made = Backup(whole, manifest)
        logs.event("backup.made", engine=facts.engine, revision=facts.schema_revision, bytes=made.size)
        return made
    finally:
        engine.dispose()


def remove_older(settings: Settings, keep: int) -> int:
    """Remove all backups in BACKUP_DIR but the `keep` newest; return how many."""
    old = list(newest_first(settings.backup_dir))[keep:]
    for one in old:
        # First what makes it a backup: a removal that is interrupted leaves nothing that looks whole.
        (one.folder / MANIFEST).unlink()
        shutil.rmtree(one.folder)
    return len(old)

"""Bring the database to this release's schema: after a backup, one at a time, and only where it can be finished."""

from collections.abc import Callable
from dataclasses import dataclass

from pro_service import runtime
from pro_service.core.problems import SetUpError
from pro_service.settings import Settings
from pro_service.store import migrate, readiness
from pro_service.store.database import make_engine
from pro_service.store.manifests import Backup
from pro_service.use_cases import backup


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What was done."""

    before: str | None
    """The revision that the database was at; None: it is new."""
    after: str
    backup: Backup | None
    """None: there was nothing to upgrade, or none was asked for."""


def upgrade(
    settings: Settings,
    *,
    test: bool,
    back_up: bool,
    waiting: Callable[[], None],
    backed_up: Callable[[Backup], None],
    progress: migrate.Progress,
) -> Upgraded:
    """Upgrade the database of these settings; one that is at this release's schema already stays as it is.

    `waiting` is called if another upgrade is at work, `backed_up` when a backup was made. SetUpError if it could not be
    finished, before anything is changed.
    """
    engine = make_engine(settings.database_url)
    try:
        readiness.require_finished(engine)
        if readiness.revision(engine) != readiness.head():
            migrate.refuse_unable(engine)
        with migrate.alone(engine, waiting):
            # Another one may have done it meanwhile.
            before, made = readiness.revision(engine), None
            if before is not None and not readiness.is_known(before):
                raise SetUpError("schema_newer", revision=before, known=readiness.head())
            if back_up and before not in {None, readiness.head()}:
                made = backup.make(settings)
                backed_up(made)
                # The backup may lie on the same disk.
                migrate.refuse_unable(engine)
            _, after = runtime.upgrade(settings, test=test, progress=progress)
        return Upgraded(before, after, made)
    finally:
        engine.dispose()

"""A participant revealed the treatment: noted for good, without what was said, for those who lead the study."""

from dataclasses import dataclass

from pro_service.core.problems import RejectedError, problem
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.participants import cases, revelations, tasks
from pro_service.store.participants.revelations import TOLD, Source
from pro_service.store.studies import Sites
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.use_cases.transaction import transaction


@dataclass(frozen=True, slots=True)
class Noted:
    """What somebody notes, as they saw the participant."""

    study_id: int
    code: str
    sites: Sites
    source: str
    revision: int | None = None


def note(rt: Runtime, actor: Actor, given: Noted) -> int:
    """Note it; return the row's id. A second click writes nothing.

    KeyError (not to be seen), RejectedError (no such source), StaleError.
    """
    source: Source | None = next((known for known in TOLD if known == given.source), None)
    with transaction(rt, actor, rt.clock()) as tx:
        seen = cases.load_by_code(tx.session, rt.loader, given.study_id, given.code, given.sites)
        found = cases.find(tx.session, given.study_id, given.code)
        if seen is None or found is None:
            raise KeyError(given.code)
        loaded = rt.loader.one(tx.session, found)
        revision = loaded.case.participant.revision
        if source is None:
            raise RejectedError((problem("source_missing", "source", known=TOLD),))
        if given.revision != revision:
            raise StaleError(revision)
        row_id = revelations.note(tx.writer, loaded.study_id, loaded, source)
        tx.writer.note(loaded, "reveal", "revelation", row_id, {"source": (None, source)})
        tasks.mark_changed(tx.writer, loaded)
    return row_id

"""A participant's schedule laid out anew: new windows beside the old ones, which are kept and cancelled."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from pro_service.core.protocol import Window
from pro_service.store.cases import Loaded
from pro_service.store.enrolment import window_row
from pro_service.store.records import Writer
from pro_service.store.schema import participants, windows


def procedure_end(session: Session, participant_id: int) -> datetime | None:
    """When the procedure ended, where that is known."""
    return session.scalar(select(participants.c.procedure_end).where(participants.c.id == participant_id))


def lay_anew(
    writer: Writer,
    loaded: Loaded,
    day: date,
    end: tuple[datetime | None, datetime | None],
    laid: Sequence[Window],
) -> None:
    """Cancel the current windows and write those of a procedure on `day`; `end`: its end (before, now).

    Written at once, so that reloaded facts show the new schedule.
    """
    person, number = loaded.case.participant, loaded.schedule + 1
    w, connection = windows.c, writer.session.connection()
    current = (w.participant_id == person.id) & w.cancelled_at.is_(None)
    connection.execute(update(windows).where(current).values(cancelled_at=writer.now))
    rows = [window_row(loaded.study_id, person.id, number, window) | {"id": next(writer.ids)} for window in laid]
    connection.execute(insert(windows), rows)
    values = {"procedure_date": day, "schedule": number, "procedure_end": end[1]}
    connection.execute(update(participants).where(participants.c.id == person.id).values(**values))
    changes = {
        "procedure_date": (person.procedure_date, day),
        "schedule": (loaded.schedule, number),
        "procedure_end": end,
    }
    writer.note(loaded, "reschedule", "participant", person.id, changes)

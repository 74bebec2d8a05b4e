"""Staff who are not at work: their mails go to those who are, and nobody hands them a task."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pro_service.core.problems import RejectedError, problem
from pro_service.core.schedule.calendar import local_day
from pro_service.core.schedule.windows import local_instant
from pro_service.runtime import Runtime
from pro_service.store.audit import Entry
from pro_service.store.staff import colleagues
from pro_service.store.staff.accounts import Login
from pro_service.use_cases.staff.accounts import UTC, staff
from pro_service.use_cases.transaction import transaction

LONGEST = timedelta(days=120)


def until(rt: Runtime, login: Login) -> datetime | None:
    """Until when the reader is away; None while they are there."""
    with rt.sessions.reading() as session:
        moment = colleagues.away_until(session, login.user_id)
    return moment if moment is not None and moment > rt.clock() else None


def leave(rt: Runtime, login: Login, back: str, zone: ZoneInfo) -> None:
    """Be away until the beginning of a day (`2026-05-11`) in this zone; empty: be back at once.

    RejectedError for what is no day ahead, or one more than 120 days away.
    """
    now = rt.clock()
    moment = _moment(back, now, zone) if back else None
    with transaction(rt, staff(login.user_id), now) as tx:
        before = colleagues.away_until(tx.session, login.user_id)
        if before != moment:
            colleagues.set_away(tx.session, login.user_id, moment)
            tx.writer.audit(Entry("away", "user", login.user_id, {"away_until": (before, moment)}), UTC)


def _moment(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    today = local_day(now, zone)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not today < day <= today + LONGEST:
        fault = problem("not_back_in_time", "back")
        raise RejectedError((fault,))
    return local_instant(day, time(0), zone)

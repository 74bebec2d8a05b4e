"""How pages tell time: what is left, what is overdue, since when a form has been open."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import request

from pro_service.reports.today import Task
from pro_service.store.participants.cases import zone_of
from pro_service.web import dashboard_words
from pro_service.web.i18n import MINUTE


def times(now: datetime) -> dict[str, object]:
    """What templates ask of time, seen from `now`."""
    return {
        "time_left": lambda moment: dashboard_words.time_left(moment, now),
        "overdue": lambda moment: dashboard_words.overdue(moment, now),
        "share_left": lambda opens, closes: dashboard_words.share_left(opens, closes, now),
        "last_minute": lambda moment: moment - MINUTE,
        "instant": datetime.fromisoformat,
        "now": now,
    }


def zone_of_task(task: Task) -> ZoneInfo:
    """The zone of the site a task is about."""
    return zone_of(task.site.zone if task.site else "UTC")


def since() -> datetime | None:
    """When the form that was sent had been made; None if it does not say so."""
    try:
        made = datetime.fromisoformat(request.form.get("made", ""))
    except ValueError:
        return None
    return made.astimezone(UTC) if made.tzinfo is not None else None


def local_time(text: str, zone: ZoneInfo) -> datetime | None:
    """The instant of a local time as a browser sends it (`2026-03-09T14:30`); None if it is none."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (local if local.tzinfo is not None else local.replace(tzinfo=zone)).astimezone(UTC)

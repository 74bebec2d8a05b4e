"""What is coming, on Today: the windows that close this week and next, and the procedures to confirm."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from pro_service.core.schedule.calendar import local_day
from pro_service.reports import ahead
from pro_service.reports.ahead import LISTED, Closing
from pro_service.runtime import Runtime
from pro_service.store.participants.cases import zone_of
from pro_service.web.i18n import MINUTE
from pro_service.web.i18n import gettext as _
from pro_service.web.scope import Scope

WEEK = timedelta(days=7)


@dataclass(slots=True)
class Week:
    """The windows that close in one week, by the day on which they do."""

    words: str
    days: dict[date, list[Closing]] = field(default_factory=dict)
    more: bool = False
    """Not all of them are listed."""

    @property
    def count(self) -> int:
        """How many are listed."""
        return sum(len(windows) for windows in self.days.values())


def coming(rt: Runtime, scope: Scope, now: datetime) -> dict[str, Any]:
    """Return what the page lists: `weeks`, this one and the next, and `planned`, up to the end of the next."""
    today = local_day(now, scope.zone)
    sunday = today + timedelta(days=6 - today.weekday())
    end = datetime.combine(sunday + WEEK + timedelta(days=1), time(), tzinfo=scope.zone)
    with rt.sessions.reading() as session:
        closing = ahead.closing(session, scope.study_id, now, end, scope.sites)
        planned = ahead.to_confirm(session, scope.study_id, sunday + WEEK, scope.sites)
    weeks = (Week(_("This week")), Week(_("Next week")))
    for window in islice(closing, LISTED):
        # What closes at midnight closes on the day before, on its site's calendar.
        day = local_day(window.closes_at - MINUTE, zone_of(scope.protocol.sites[window.site].zone))
        weeks[day > sunday].days.setdefault(day, []).append(window)
    if len(closing) > LISTED:
        cut_off = weeks[weeks[1].count > 0]
        cut_off.more = weeks[1].more = True
    return {"weeks": weeks, "planned": planned[:LISTED], "more_planned": len(planned) > LISTED, "local_today": today}

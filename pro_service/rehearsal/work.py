"""The coordinators' work in a rehearsal, day by day and site by site, so that a study team can plan for it."""

from collections import Counter
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from pro_service.core.protocol import Site
from pro_service.core.schedule.calendar import is_working, local_day
from pro_service.core.schedule.windows import local_instant
from pro_service.rehearsal.figures import Facts
from pro_service.rehearsal.report import Desk, WorkDay
from pro_service.rehearsal.run import Rehearsal
from pro_service.runtime import holidays_of

CALLS = frozenset({"E1", "E2"})
DAY = timedelta(days=1)


def desks(rehearsal: Rehearsal, found: Facts) -> tuple[Desk, ...]:
    """Return the work at each site."""
    return tuple(_desk(rehearsal, found, site) for site in rehearsal.protocol.sites.values())


def _desk(rehearsal: Rehearsal, found: Facts, site: Site) -> Desk:
    plan, zone = rehearsal.plan, ZoneInfo(site.zone)
    manner, holidays = plan.crowd.office, holidays_of(site.country)
    tasks = [task for task in found.tasks if task.site == site.code]
    calls = Counter(local_day(row.called_at, zone) for row in found.calls if row.site == site.code)
    # A call is counted as a call: of the tasks only those that a person ended otherwise are work of their own.
    ended = Counter(
        local_day(task.resolved_at, zone)
        for task in tasks
        if task.resolved_by is not None and task.level not in CALLS and task.reason != "asked_for_call"
    )
    entries = _entries(rehearsal, found, site)
    days = []
    for ahead in range(plan.days):
        day = plan.first + ahead * DAY
        evening = local_instant(day + DAY, time(), zone)
        waiting = sum(t.raised_at < evening and (t.resolved_at is None or t.resolved_at >= evening) for t in tasks)
        other = ended[day] + entries[day]
        minutes = calls[day] * manner.minutes_a_call + other * manner.minutes_a_task
        working = is_working(day, holidays)
        days.append(WorkDay(day, working, calls[day], ended[day], entries[day], minutes, waiting))
    return Desk(site.code, site.name, tuple(days))


def _entries(rehearsal: Rehearsal, found: Facts, site: Site) -> Counter[date]:
    """Return the windows whose answers staff entered in the clinic, by day."""
    zone, codes = ZoneInfo(site.zone), {c.participant.id: c.participant.code for c in found.cases}
    entered = {
        (row.window_id, local_day(row.received_at, zone))
        for row in found.answers
        if row.source == "clinic" and rehearsal.people[codes[row.participant_id]].site == site.code
    }
    return Counter(day for _, day in entered)

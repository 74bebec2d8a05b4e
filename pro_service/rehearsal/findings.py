"""What a study team should look at before the study starts, and what the rehearsal found to be in order."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from pro_service.core.case import PROMPTS, Case
from pro_service.core.protocol import MEDIA
from pro_service.core.routes import DEFAULT, preflight
from pro_service.core.schedule.calendar import local_day, working_days_between
from pro_service.core.schedule.windows import within
from pro_service.rehearsal.figures import FAILED, Facts, taken_up
from pro_service.rehearsal.report import SEVERITIES, Finding, Severity
from pro_service.rehearsal.run import Rehearsal
from pro_service.store.participants.cases import zone_of

Value = str | int | date | tuple[str, ...]
MOMENT, HOUR = timedelta(microseconds=1), timedelta(hours=1)


def findings(rehearsal: Rehearsal, found: Facts) -> tuple[Finding, ...]:
    """Return all findings, those that need attention first."""
    every = [
        *_of_the_service(rehearsal, found),
        *_of_routes(rehearsal),
        *_of_dates(rehearsal, found),
        *_of_texts(rehearsal, found),
        *_of_windows(found),
        *_of_work(rehearsal, found),
    ]
    return tuple(sorted(every, key=lambda finding: SEVERITIES.index(finding.severity)))


def _finding(severity: Severity, code: str, **values: Value) -> Finding:
    return Finding(severity, code, values)


def _of_the_service(rehearsal: Rehearsal, found: Facts) -> Iterator[Finding]:
    if rehearsal.virtual.faults:
        yield _finding("attention", "faults", n=rehearsal.virtual.faults)
    waiting = sum(row.state in ("ready", "sending", "uncertain") for row in found.texts)
    if waiting:
        yield _finding("note", "texts_waiting", n=waiting)


def _of_routes(rehearsal: Rehearsal) -> Iterator[Finding]:
    """Yield what no provider carries to the countries of the sites: the rehearsal's own numbers are invented."""
    protocol = rehearsal.protocol
    used = sorted({channel for person in rehearsal.people.values() for channel in person.ladder})
    for country, wanted in sorted({(site.country, site.provider) for site in protocol.sites.values()}):
        worst: dict[str, list[str]] = defaultdict(list)
        for channel in used:
            for one in preflight(wanted or DEFAULT, country, channel, protocol.routes):
                worst[one.severity].append(channel)
        if worst["refuse"]:
            yield _finding("attention", "route_refused", country=country, channels=tuple(worst["refuse"]))
        if worst["warn"]:
            yield _finding("note", "route_unknown", country=country, channels=tuple(dict.fromkeys(worst["warn"])))
    silent = tuple(site.code for site in protocol.sites.values() if not (site.telephone and site.email))
    if silent:
        yield _finding("attention", "no_contact", sites=silent)


def _of_dates(rehearsal: Rehearsal, found: Facts) -> Iterator[Finding]:
    idle: dict[str, list[str]] = defaultdict(list)
    after: list[str] = []
    ends = rehearsal.protocol.ends
    for case in found.cases:
        zone = case.site_zone
        for window in case.current:
            first, last = local_day(window.span.opens_at, zone), local_day(window.span.closes_at - MOMENT, zone)
            if window.point.prompted and not working_days_between(first, last, case.holidays):
                idle[window.code].append(case.participant.code)
            if ends is not None and last > ends and case.participant.code not in after:
                after.append(case.participant.code)
    for code, people in idle.items():
        yield _finding("attention", "no_working_day", window=code, people=tuple(people))
    if found.cases and not idle:
        yield _finding("good", "working_days")
    if after and ends is not None:
        yield _finding("note", "after_the_end", people=tuple(after), ends=ends)
    still = Counter(w.code for case in found.cases for w in case.current if w.span.closes_at > found.now)
    if still:
        windows = tuple(f"{code} ({n})" for code, n in still.items())
        yield _finding("note", "not_closed", windows=windows, n=still.total())


def _of_texts(rehearsal: Rehearsal, found: Facts) -> Iterator[Finding]:
    hours = rehearsal.protocol.contact_hours
    left = [row for row in found.texts if row.accepted_at is not None]
    prompts = [row for row in left if row.kind in PROMPTS]
    outside = sum(not within(row.accepted_at, hours, zone_of(row.zone)) for row in prompts)
    if outside:
        yield _finding("attention", "outside_hours", n=outside)
    elif prompts:
        yield _finding("good", "inside_hours", n=len(prompts))
    # One that failed counts as none: the next channel of a ladder asks in its place.
    seen = [row for row in prompts if row.state not in FAILED]
    days = Counter((row.participant_id, local_day(row.accepted_at, zone_of(row.zone))) for row in seen)
    twice = sum(n > 1 for n in days.values())
    if twice:
        yield _finding("attention", "two_a_day", n=twice)
    elif prompts:
        yield _finding("good", "one_a_day")
    longest: dict[str, int] = {}
    for row in left:
        name = f"{row.frame} ({row.language})"
        longest[name] = max(longest.get(name, 0), row.segments)
    most = rehearsal.plan.most_segments
    long = tuple(f"{name}: {n}" for name, n in sorted(longest.items(), key=lambda one: -one[1]) if n > most)
    if long:
        yield _finding("attention", "long_texts", most=most, texts=long)
    elif left:
        yield _finding("good", "short_texts", most=most)


def _of_windows(found: Facts) -> Iterator[Finding]:
    """Yield windows that closed empty although nobody was asked, or nobody called."""
    asked, called = set(found.prompts), {(row.participant, row.window) for row in found.calls}
    never: list[str] = []
    not_called: list[str] = []
    for case in found.cases:
        for window in case.current:
            if not (window.point.prompted and window.settled == "missed"):
                continue
            name = f"{case.participant.code} {window.code}"
            if window.id not in asked and _could_be_asked(case):
                never.append(name)
            if window.point.call_after is not None and (case.participant.code, window.code) not in called:
                not_called.append(name)
    if never:
        yield _finding("attention", "never_asked", windows=tuple(never))
    if not_called:
        yield _finding("attention", "never_called", windows=tuple(not_called))
    elif any(_missed(case) for case in found.cases):
        yield _finding("good", "all_called")
    dead = sorted({row.participant for row in found.texts if row.state == "undelivered"})
    if dead:
        yield _finding("note", "not_delivered", people=tuple(dead))


def _could_be_asked(case: Case) -> bool:
    """Whether texts were agreed to and not stopped, and the number is not known to be wrong."""
    who = case.participant
    return who.opted_out_at is None and who.led_to is not None and who.reached_by(MEDIA[who.led_to])


def _missed(case: Case) -> bool:
    return any(window.settled == "missed" and window.point.prompted for window in case.windows)


def _of_work(rehearsal: Rehearsal, found: Facts) -> Iterator[Finding]:
    for code, coordinators in rehearsal.coordinators.items():
        if coordinators.full_days:
            yield _finding("attention", "too_many_calls", site=code, n=len(coordinators.full_days))
    safety = [task for task in found.tasks if task.level == "ES"]
    ends = [(taken_up(task) or found.now) - task.raised_at for task in safety]
    late = sum((taken_up(task) or found.now) > task.due_at for task in safety)
    if late:
        yield _finding("attention", "safety_late", n=late, all=len(safety), hours=round(max(ends) / HOUR))
    elif safety:
        yield _finding("good", "safety_in_time", n=len(safety))
    others = Counter(
        task.level for task in found.tasks if task.level != "ES" and (taken_up(task) or found.now) > task.due_at
    )
    if others:
        yield _finding("note", "tasks_late", n=others.total(), levels=tuple(f"{k}: {n}" for k, n in others.items()))
    still = sum(task.resolved_at is None for task in found.tasks)
    if still:
        yield _finding("note", "tasks_open", n=still)

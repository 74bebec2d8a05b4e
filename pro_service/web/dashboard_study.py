"""The study as people read it: windows on a line of time, steps, items, ladder, sites, texts, findings, versions."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from pro_service.core.protocol import Protocol, TimePoint, Window
from pro_service.core.routes import CHANNELS, preflight
from pro_service.core.schedule.windows import local_instant, schedule
from pro_service.core.study_file.frames import check_frames
from pro_service.core.study_file.rules import contacts_missing
from pro_service.runtime import Bundle, Runtime
from pro_service.store import studies
from pro_service.store.participants.cases import zone_of
from pro_service.store.studies import Version
from pro_service.web import study_texts
from pro_service.web.access import needs
from pro_service.web.dashboard_compliance import kept
from pro_service.web.dashboard_findings import of_fault, of_route
from pro_service.web.dashboard_scope import Scope, scope_of
from pro_service.web.dashboard_times import times
from pro_service.web.i18n import LANGUAGES
from pro_service.web.study_texts import Sample

PROVIDER = "twilio"
NOON = time(12)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Row:
    """One window of an invented participant, with where it stands on a line of time from 0 to 100."""

    point: TimePoint
    span: Window | None
    place: dict[str, float]
    """On the line of all windows: from, width."""
    close_up: dict[str, Any]
    """On a line of its own: from, width, target, late (from, width), prompts, call."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What `study check` finds in the version that is loaded."""

    place: str
    """In the file; of a route: the channel."""
    fault: str
    remedy: str
    grave: bool
    country: str = ""
    """Of a route: of the telephone numbers."""


def add(pages: Blueprint, rt: Runtime) -> None:
    """The protocol, and its texts."""

    @pages.get("/study")
    @needs("progress")
    def protocol() -> ResponseReturnValue:
        scope, now = scope_of(rt), rt.clock()
        if scope.study_id is None or scope.protocol is None:
            return render_template("dashboard/no_study.html", scope=scope)
        every, version, bundle = _version(rt, scope.study_id)
        day = _day() or now.astimezone(scope.zone).date()
        return render_template(
            "dashboard/study.html", scope=scope, protocol=bundle.protocol, version=version, versions=every, day=day,
            rows=_rows(bundle.protocol, day, scope), remarks=_remarks(bundle), kept=kept("version", "day"),
            languages_said=LANGUAGES, **times(now),
        )  # fmt: skip

    @pages.get("/study/texts")
    @needs("progress")
    def texts() -> ResponseReturnValue:
        scope, now = scope_of(rt), rt.clock()
        if scope.study_id is None or scope.protocol is None:
            return render_template("dashboard/no_study.html", scope=scope)
        every, version, bundle = _version(rt, scope.study_id)
        prompted = [point for point in bundle.protocol.time_points if point.steps]
        asked = request.args.get("window")
        point = next((one for one in prompted if one.code == asked), prompted[0] if prompted else None)
        said = asked == "answers" or point is None
        shown = {} if point is None else _texts(rt, bundle, point, now.date(), answers=said)
        return render_template(
            "dashboard/study_texts.html", scope=scope, version=version, versions=every, prompted=prompted,
            point=None if said else point, shown=shown, kept=kept("version"), languages_said=LANGUAGES, **times(now),
        )  # fmt: skip


def _version(rt: Runtime, study_id: int) -> tuple[list[Version], Version, Bundle]:
    """Every version, the one the address asks for (the newest if it asks for none; 404 for one there is not), whole."""
    with rt.sessions.reading() as session:
        every = studies.versions(session, study_id)
        asked = request.args.get("version")
        found = every[0] if not asked else next((one for one in every if str(one.number) == asked), None)
        if found is None:
            abort(404)
        return every, found, rt.bundles.get(session, found.id)


def _day() -> date | None:
    try:
        found = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return None
    # So far from the ends that no window leads past them.
    return found if date(1900, 1, 1) <= found <= date(9900, 1, 1) else None


def _rows(protocol: Protocol, day: date, scope: Scope) -> list[Row]:
    end = datetime.combine(day, NOON, tzinfo=scope.zone).astimezone(UTC)
    spans = {span.code: span for span in schedule(protocol, day, scope.zone, end)}
    start = local_instant(day, time(), scope.zone)
    whole = max((span.late_until for span in spans.values()), default=start + DAY) - start
    rows = []
    for point in protocol.time_points:
        span = spans.get(point.code)
        if span is None:
            rows.append(Row(point, None, {}, {}))
            continue
        place = {"x": 100 * ((span.opens_at - start) / whole), "w": 100 * ((span.closes_at - span.opens_at) / whole)}
        rows.append(Row(point, span, place, _close_up(point, span, scope)))
    return rows


def _close_up(point: TimePoint, span: Window, scope: Scope) -> dict[str, Any]:
    whole = span.late_until - span.opens_at

    def at(moment: datetime) -> float:
        return 100 * ((moment - span.opens_at) / whole)

    def of_day(after: int, hour: time) -> float:
        return at(local_instant(span.target + timedelta(days=after), hour, scope.zone))

    return {
        "w": at(span.closes_at),
        "late": 100 - at(span.closes_at),
        "target": at(span.target_at) if span.target_at else of_day(0, NOON),
        "prompts": [of_day(step.after, step.at) for step in point.steps],
        "call": None if point.call_after is None else of_day(point.call_after, point.call_at),
    }


def _remarks(bundle: Bundle) -> list[Remark]:
    """What `study check` says of it, and what is known of the routes to the sites' countries."""
    protocol = bundle.protocol
    faults = check_frames(protocol, bundle.wording.frames)
    found = [Remark(fault.path, *of_fault(fault), grave=True) for fault in faults]
    missing = contacts_missing(protocol)
    found += [Remark(fault.path, *of_fault(fault), grave=not protocol.demo) for fault in missing]
    for country in sorted({site.country for site in protocol.sites.values()}):
        for channel in CHANNELS:
            for finding in preflight(PROVIDER, country, channel, protocol.routes):
                # Not of the study itself: whose number is of another country is not concerned.
                found.append(Remark(channel, *of_route(finding), grave=False, country=country))
    return found


def _texts(
    rt: Runtime, bundle: Bundle, point: TimePoint, day: date, *, answers: bool
) -> dict[str, list[study_texts.Bubble]]:
    site = next(iter(bundle.protocol.sites.values()))
    zone = zone_of(site.zone)
    spans = schedule(bundle.protocol, day, zone, datetime.combine(day, NOON, tzinfo=zone))
    span = next(one for one in spans if one.code == point.code)
    sample = Sample(site, point, span, zone, rt.settings.public_base_url)
    written = study_texts.answers if answers else study_texts.prompts
    return {language: list(written(bundle, language, sample)) for language in bundle.protocol.languages}

"""The study as people read it: windows on a line of time, steps, items, ladder, sites, texts, findings, versions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from pro_service.core.protocol import Language, Protocol, Site, TimePoint, Window
from pro_service.core.routes import CHANNELS, Carriers, preflight
from pro_service.core.schedule.windows import local_instant, schedule
from pro_service.core.study_file.costs import (
    CODE,
    LIMIT,
    NOBODYS,
    Cost,
    cost,
    first_frame,
    long_questions,
    values,
    worth_a_look,
)
from pro_service.core.study_file.frames import ALWAYS, check_emergency, check_frames
from pro_service.core.study_file.rules import contacts_missing
from pro_service.runtime import Bundle, Runtime
from pro_service.store import studies
from pro_service.store.participants.cases import zone_of
from pro_service.store.studies import Version
from pro_service.use_cases.study import check_channels
from pro_service.web.access import needs
from pro_service.web.dashboard.compliance import kept_in_address
from pro_service.web.dashboard.formatting import times, word
from pro_service.web.i18n import LANGUAGES
from pro_service.web.problems import words
from pro_service.web.scope import Scope, in_study
from pro_service.wording import MIDNIGHT, STOP, clock_time, costs_of, local, moment


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text."""

    name: str
    """Of its template."""
    channel: str
    """The channel it goes by; empty: all."""
    cost: Cost
    first: bool = False
    """With what is added to the first text a participant ever gets."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the blanks are filled with."""

    site: Site
    point: TimePoint
    span: Window
    zone: ZoneInfo
    base_url: str


def prompt_bubbles(bundle: Bundle, language: str, sample: Sample) -> Iterator[Bubble]:
    """Return the texts that ask in one window, in the order of time, by every channel."""
    first_of_all = next((point for point in bundle.protocol.time_points if point.steps), None)
    for number, step in enumerate(sample.point.steps):
        for channel in CHANNELS:
            name = f"{step.name}.{channel}"
            yield from _bubble(bundle, language, sample, (name,), channel)
            if number == 0 and first_of_all is not None and sample.point.code == first_of_all.code:
                yield from _bubble(bundle, language, sample, (name, first_frame(channel)), channel)


def answer_bubbles(bundle: Bundle, language: str, sample: Sample) -> Iterator[Bubble]:
    """Return every other text: what a conversation can call for, and what may be added to a prompt."""
    for name in ALWAYS:
        if not name.startswith(("first", "reply-to")):
            yield from _bubble(bundle, language, sample, (name,), "")


def _bubble(bundle: Bundle, language: str, sample: Sample, names: tuple[str, ...], channel: str) -> Iterator[Bubble]:
    items = [bundle.protocol.items[item] for item in sample.point.items]
    # A window begins with its first question; the text `question` asks for the next.
    item = items[min(1, len(items) - 1) if names == ("question",) else 0]
    later = sample.span.closes_at - timedelta(hours=30)
    given = {
        "closes": moment(sample.span.closes_at - MIDNIGHT, sample.zone, language),
        "when": moment(later, sample.zone, language),
        "until": clock_time(later + timedelta(hours=1), sample.zone),
        "link": _link(sample.base_url),
        "stop_link": f"{_link(sample.base_url)}{STOP}",
        "code": CODE,
    }
    known = values(bundle.protocol, language, sample.site, sample.point, item, given)
    found = cost(language, names, bundle.wording.frames.get(language, {}), known)
    if found is not None:  # Otherwise it is said among the findings.
        yield Bubble(names[0], channel, found, first=len(names) > 1)


def _link(base_url: str) -> str:
    return f"{base_url}/q/{NOBODYS}"


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


@dataclass(frozen=True, slots=True)
class Bill:
    """What the texts of one language cost, each in its dearest form."""

    language: Language
    texts: Sequence[Cost]
    questions: Sequence[tuple[str, int]]
    """The items asked in texts that are too long, with the length of the question."""

    @property
    def most(self) -> int:
        """The segments of the longest."""
        return max((one.segments for one in self.texts), default=0)

    @property
    def unicode(self) -> int:
        """How many travel as UCS-2."""
        return sum(one.encoding == "UCS-2" for one in self.texts)

    @property
    def named(self) -> Sequence[Cost]:
        """Those about which something may be done."""
        return worth_a_look(self.texts)


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the protocol and its texts."""

    @pages.get("/study")
    @needs("progress")
    @in_study(rt)
    def protocol(scope: Scope) -> ResponseReturnValue:
        now = rt.clock()
        every, version, bundle = _version(rt, scope.study_id)
        day = _day() or local(now, scope.zone).date()
        return render_template(
            "dashboard/study.html",
            scope=scope,
            protocol=bundle.protocol,
            version=version,
            versions=every,
            day=day,
            rows=_rows(bundle.protocol, day, scope),
            remarks=_remarks(bundle, rt.carriers),
            bills=_bills(bundle, rt.settings.public_base_url),
            limit=LIMIT,
            kept=kept_in_address("version", "day"),
            languages_said=LANGUAGES,
            **times(now),
        )

    @pages.get("/study/texts")
    @needs("progress")
    @in_study(rt)
    def texts(scope: Scope) -> ResponseReturnValue:
        now = rt.clock()
        every, version, bundle = _version(rt, scope.study_id)
        prompted = [point for point in bundle.protocol.time_points if point.steps]
        asked = request.args.get("window")
        point = next((one for one in prompted if one.code == asked), prompted[0] if prompted else None)
        said = asked == "answers" or point is None
        shown = {} if point is None else _texts(rt, bundle, point, now.date(), answers=said)
        return render_template(
            "dashboard/study_texts.html",
            scope=scope,
            version=version,
            versions=every,
            prompted=prompted,
            point=None if said else point,
            shown=shown,
            kept=kept_in_address("version"),
            languages_said=LANGUAGES,
            **times(now),
        )


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


def _remarks(bundle: Bundle, carriers: Carriers) -> list[Remark]:
    """Return what `study check` says of it, and what is known of the routes to the sites' countries."""
    protocol = bundle.protocol
    faults = check_frames(protocol, bundle.wording.frames)
    found = [Remark(fault.path, *words(fault), grave=True) for fault in faults]
    found += [Remark(one.path, *words(one), grave=False) for one in check_emergency(protocol, bundle.wording.frames)]
    missing = contacts_missing(protocol)
    found += [Remark(fault.path, *words(fault), grave=not protocol.demo) for fault in missing]
    lacking = [lack for site in protocol.sites.values() for lack in carriers.lacking(site)]
    found += [Remark(one.path, *words(one), grave=True) for one in lacking]
    for one in check_channels(protocol, bundle.wording.frames, carriers):
        found.append(Remark(word("channel", one.path), *words(one), grave=False))
    for country, wanted in sorted({(site.country, site.provider) for site in protocol.sites.values()}):
        for channel in CHANNELS:
            for finding in preflight(carriers.to(country, wanted), country, channel, protocol.routes):
                # Not of the study itself: whose number is of another country is not concerned.
                found.append(Remark(channel, *words(finding), grave=False, country=country))
    # What is to be corrected stays in view; of the rest the page shows the beginning.
    return sorted(found, key=lambda one: not one.grave)


def _bills(bundle: Bundle, base_url: str) -> list[Bill]:
    found = costs_of(bundle.protocol, bundle.wording.frames, _link(base_url))
    bills = []
    for language in bundle.protocol.languages:
        texts = [one for one in found if one.language == language]
        bills.append(Bill(language, texts, [*long_questions(bundle.protocol, texts).items()]))
    return bills


def _texts(rt: Runtime, bundle: Bundle, point: TimePoint, day: date, *, answers: bool) -> dict[str, list[Bubble]]:
    site = next(iter(bundle.protocol.sites.values()))
    zone = zone_of(site.zone)
    spans = schedule(bundle.protocol, day, zone, datetime.combine(day, NOON, tzinfo=zone))
    span = next(one for one in spans if one.code == point.code)
    sample = Sample(site, point, span, zone, rt.settings.public_base_url)
    written = answer_bubbles if answers else prompt_bubbles
    return {language: list(written(bundle, language, sample)) for language in bundle.protocol.languages}

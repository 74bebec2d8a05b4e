"""The ledger of messages: what was expected and what came of it, failures by route and reason, one message's life."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from babel import Locale
from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from pro_service.core import iso8601
from pro_service.core.providers import FACTS
from pro_service.core.replies.folding import visible
from pro_service.reports import funnel, messages
from pro_service.reports.funnel import StepFlow
from pro_service.reports.messages import Sought
from pro_service.runtime import Runtime
from pro_service.store import heartbeats
from pro_service.store.schema import AnyRow
from pro_service.web.access import needs
from pro_service.web.cached_figures import A_MINUTE, CachedFigures
from pro_service.web.csv_export import Cell, sheet
from pro_service.web.dashboard.compliance import filters, kept_in_address, labels
from pro_service.web.dashboard.formatting import times
from pro_service.web.dashboard.vocabulary import vocabulary
from pro_service.web.i18n import gettext as _
from pro_service.web.i18n import language, page_stands_in
from pro_service.web.scope import Scope, in_study, leaves_row, not_found, row_id

NAMES = ("site", "channel", "window", "participant", "kind", "state", "since", "until", "price")
"""What stands in the address, but for where the page begins."""
SHEET_PAGE = 500
HEAD = (
    "id",
    "participant",
    "site",
    "window",
    "kind",
    "way",
    "state",
    "error",
    "segments",
    "queued_at",
    "accepted_at",
    "ended_at",
)
DEAREST = 100


@dataclass(frozen=True, slots=True)
class LedgerQuery:
    """What the address asks for, and what of it cannot be read (field -> fault)."""

    sought: Sought
    price: Decimal | None
    faults: dict[str, str]


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the ledger, its table file, and one message."""
    pages.app_template_filter("country")(country)
    pages.app_template_filter("fates")(fates)
    _add_ledger(pages, rt)
    _add_message(pages, rt)


def _add_ledger(pages: Blueprint, rt: Runtime) -> None:
    flows, routes = (CachedFigures(rt.clock, kept_for=A_MINUTE) for _ in range(2))

    @pages.get("/messages", endpoint="messages")
    @needs("progress")
    @in_study(rt)
    def ledger(scope: Scope) -> ResponseReturnValue:
        now = rt.clock()
        asked, look = _ledger_query(scope), filters(scope)
        study_id, protocol, every = scope.study_id, scope.protocol, replace(asked.sought, after=None)
        with rt.sessions.reading() as session:
            tick = heartbeats.last(session, "tick")
            flow = flows.as_of(
                tick, now, (study_id, look), lambda at: funnel.funnel(session, study_id, protocol, at, look)
            )
            traffic = routes.as_of(tick, now, (study_id, every), lambda _: messages.traffic(session, study_id, every))
            page = messages.page(session, study_id, asked.sought)
        return render_template(
            "dashboard/messages.html",
            scope=scope,
            asked=asked,
            look=look,
            flow=flow,
            traffic=traffic,
            page=page,
            heartbeat=tick,
            kept=kept_in_address(*NAMES),
            labels=labels(scope),
            choices=_choices(scope),
            after=None if page.after is None else _cursor(page.after),
            deep=bool(request.args.get("after")),
            newest=messages.NEWEST,
            **times(now),
        )

    @pages.get("/messages.csv")
    @needs("progress")
    @in_study(rt, otherwise=not_found)
    @leaves_row(rt, "messages.csv")
    def messages_sheet(scope: Scope) -> ResponseReturnValue:
        return sheet(rt, f"{scope.study}-messages", HEAD, _lines(rt, scope.study_id, _ledger_query(scope).sought))


def _add_message(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/messages/<number>")
    @needs("progress")
    @in_study(rt, otherwise=not_found)
    def message(scope: Scope, number: str) -> ResponseReturnValue:
        now = rt.clock()
        try:
            key = row_id(number)
        except ValueError:
            abort(404)
        with rt.sessions.reading() as session:
            found = messages.life(session, scope.study_id, key, scope.sites)
        if found is None:
            abort(404)
        zone = page_stands_in(scope.zone_at(found.row.site))
        return render_template(
            "dashboard/message.html",
            scope=scope,
            zone=zone,
            life=found,
            held=found.row.held and rt.texts_leave,
            carried_by=FACTS[found.row.channel].name,
            labels=labels(scope),
            **times(now),
        )


def _ledger_query(scope: Scope) -> LedgerQuery:
    """Return what the address asks for."""
    faults: dict[str, str] = {}
    known = vocabulary(language())
    kind, state = request.args.get("kind"), request.args.get("state")
    until = _day("until", faults)
    sought = Sought(
        sites=scope.chosen_sites,
        participant=visible(request.args.get("participant", ""))[:40] or None,
        window=filters(scope).window,
        kind=kind if kind in known["kind"] else None,
        state=state if state in known["state"] else None,
        since=_midnight(_day("since", faults), scope),
        until=_midnight(None if until is None else until + timedelta(days=1), scope),
        after=_cursor_in_address(),
    )
    return LedgerQuery(sought, _price(faults), faults)


def _choices(scope: Scope) -> dict[str, list[tuple[str, str]]]:
    """Return what can be chosen in each filter: (code, words)."""
    words = vocabulary(language())
    return {
        "site": [(code, code) for code in scope.site_codes.values()],
        "window": [(code, f"{code} · {label}") for code, label in labels(scope).items()],
        "kind": [(code, kind) for code, kind in words["kind"].items() if code != "call"],
        "state": list(words["state"].items()),
    }


def _day(name: str, faults: dict[str, str]) -> date | None:
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        faults[name] = _("This is not a day. Write it as 2026-03-31.")
        return None
    # So far from the ends that no zone leads past them.
    return min(max(found, date(1970, 1, 2)), date(9999, 12, 1))


def _midnight(day: date | None, scope: Scope) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), tzinfo=scope.zone).astimezone(UTC)


def _price(faults: dict[str, str]) -> Decimal | None:
    text = request.args.get("price", "").strip().replace(",", ".")
    if not text:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if found.is_finite() and 0 <= found <= DEAREST:
        return found
    faults["price"] = _("This is not a price. Write what one segment costs, such as 0.045.")
    return None


def _cursor_in_address() -> tuple[datetime, int] | None:
    at, _sep, number = request.args.get("after", "").partition("_")
    try:
        moment, key = datetime.fromisoformat(at), row_id(number)
    except ValueError:
        return None
    return (moment.astimezone(UTC), key) if moment.tzinfo is not None else None


def _cursor(after: tuple[datetime, int]) -> str:
    return f"{iso8601.instant_text(after[0])}_{after[1]}"


def _lines(rt: Runtime, study_id: int, sought: Sought) -> Iterator[tuple[Cell, ...]]:
    """The ledger's rows, page after page; each page in a look of its own, so that nobody waits for a slow reader."""
    while True:
        with rt.sessions.reading() as session:
            page = messages.page(session, study_id, sought, size=SHEET_PAGE)
        yield from (_line(row) for row in page.rows)
        if page.after is None:
            return
        sought = replace(sought, after=page.after)


def _line(row: AnyRow) -> tuple[Cell, ...]:
    about = (row.id, row.participant, row.site, row.window, row.kind, row.channel, row.state, row.error, row.segments)
    return (*about, *(iso8601.instant_text(moment) for moment in (row.queued_at, row.accepted_at, row.ended_at)))


def country(code: str) -> str:
    """Return a country in the reader's language; `?` stays where there is none."""
    return str(Locale(language()).territories.get(code, code or "–"))


def fates(step: StepFlow) -> list[tuple[str, int]]:
    """Return what became of the prompts of one step, in the order of a bar: (tone, how many)."""
    return [
        ("answered", step.answered),
        ("delivered", max(step.delivered - step.answered, 0)),
        ("sent", max(step.sent - step.delivered - step.failed, 0)),
        ("failed", step.failed),
        ("rest", max(step.expected - step.sent, 0)),
    ]

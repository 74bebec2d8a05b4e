"""The inbox: texts that no rule understood, each with its thread and what can be done with it."""

from dataclasses import replace
from datetime import UTC, datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from pro_service.reports import inbox
from pro_service.reports.inbox import Item, Look, Reader
from pro_service.runtime import Runtime
from pro_service.web.access import NoAccessYetError, needs, signed_in
from pro_service.web.dashboard import inbox_words as said
from pro_service.web.dashboard.formatting import times
from pro_service.web.scope import NoStudy, Scope, in_study
from pro_service.web.scope import row_id as number_of

WHY = (
    "unreadable_reply",
    "number_after_completion",
    "proxy_answer",
    "stop_word",
    "safety_word",
    "picture",
    "shared_telephone",
    "unknown_sender",
    "wrong_number",
    "unscheduled_answer",
    "answer_after_leaving",
    "fault",
    "unread",
)
"""Reasons one may choose from."""
MOMENT = "%Y%m%dT%H%M%S%f"


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the inbox, and `inbox_waiting(scope)` for the number beside its name on every page."""
    pages.app_template_global("inbox_waiting")(lambda scope: _waiting(rt, scope))

    @pages.get("/inbox")
    @needs("work")
    @in_study(rt, named=True)
    def inbox_page(scope: Scope) -> ResponseReturnValue:
        return _list(rt, scope)


def reader_of(scope: Scope) -> Reader:
    """What this coordinator may read of participants' own words; NoAccessYetError if nothing.

    Free text never reaches an assessor: not at the sites where a coordinator assesses as well.
    """
    grants = [grant for grant in signed_in().roles if grant.study_id in (None, scope.study_id)]
    assessed = {grant.site_id for grant in grants if grant.role == "assessor"}
    every = scope.every_site
    seen = every if scope.sites is None else every & frozenset(scope.sites)
    seen = frozenset() if None in assessed else seen - {site for site in assessed if site is not None}
    if not seen:
        raise NoAccessYetError
    return Reader(
        study_id=scope.study_id,
        sites=None if seen == every else seen,
        strangers=seen == every,
        revealing=any(grant.role == "investigator" and grant.site_id is None for grant in grants),
    )


def _waiting(rt: Runtime, scope: Scope | NoStudy) -> int:
    """How many texts wait for this reader; 0 where they may read none."""
    if isinstance(scope, NoStudy):
        return 0
    try:
        reader = reader_of(scope)
    except NoAccessYetError:
        return 0
    with rt.sessions.glance() as connection:
        return inbox.count(connection, reader, rt.clock())


def _list(rt: Runtime, scope: Scope) -> str:
    now = rt.clock()
    reader = _narrowed(reader_of(scope), scope)
    show, why = request.args.get("show", "open"), request.args.get("why")
    look = Look(
        show if show in said.shown() else "open", why if why in WHY else None, _place(request.args.get("after"))
    )
    with rt.sessions.reading() as session:
        items, more = inbox.page(session, rt.vault, reader, look, now)
    kept = {"show": look.show if look.show != "open" else None, "why": look.why, "site": scope.site}
    return render_template(
        "dashboard/inbox.html",
        scope=scope,
        items=items,
        look=look,
        kept=kept,
        reasons=WHY,
        parts=said.shown(),
        after=_written(items[-1]) if more else None,
        **times(now),
    )


def _narrowed(reader: Reader, scope: Scope) -> Reader:
    """The same reader, at the one site that was chosen in the address."""
    if scope.site is None:
        return reader
    chosen = frozenset(scope.chosen_sites or ())
    sites = chosen if reader.sites is None else chosen & frozenset(reader.sites)
    return replace(reader, sites=sites, strangers=False)


def _written(item: Item) -> str:
    """Where a text stands in the order of all, for an address."""
    dealt, received, row_id = item.place
    return f"{int(dealt)}.{received.strftime(MOMENT)}.{row_id}"


def _place(text: str | None) -> tuple[bool, datetime, int] | None:
    """Where the page before ended; None if the address does not say so in our way."""
    try:
        dealt, received, row_id = (text or "").split(".")
        return dealt == "1", datetime.strptime(received, MOMENT).replace(tzinfo=UTC), number_of(row_id)
    except ValueError:
        return None

"""The inbox: texts that no rule understood; and one text, with its thread and what can be done with it, each once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.case import WindowFacts
from pro_service.core.conversation.answers import editable
from pro_service.core.conversation.inbox import windows_for
from pro_service.core.problems import Problem, RejectedError
from pro_service.reports import inbox, participant
from pro_service.reports.inbox import Item, Look, Reader
from pro_service.runtime import Runtime
from pro_service.store.messages.inbox import Done, actions_on
from pro_service.store.participants import cases
from pro_service.store.participants.cases import Loaded
from pro_service.use_cases.inbound import inbox as inbox_actions
from pro_service.use_cases.inbound.inbox import About, DoneAlreadyError, Score
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.web.access import NoAccessYetError, needs, signed_in
from pro_service.web.dashboard import inbox_words
from pro_service.web.dashboard.formatting import form_made_at, times
from pro_service.web.i18n import page_stands_in
from pro_service.web.problems import by_field
from pro_service.web.scope import LARGEST_ID, NoStudy, Scope, actor, in_study, leaves_row, no_access, row_id

REASONS = (
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
"""Why a text waits: what the reader may choose from."""
MOMENT = "%Y%m%dT%H%M%S%f"


@dataclass(frozen=True, slots=True)
class RejectedForm:
    """Why a form that was sent wrote nothing."""

    faults: Sequence[Problem] = ()
    stale: bool = False
    already: Done | None = None


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the inbox and its texts."""

    @pages.get("/inbox")
    @needs("work")
    @in_study(rt, named=True)
    def inbox_page(scope: Scope) -> ResponseReturnValue:
        return _inbox_page(rt, scope)

    @pages.get("/inbox/<int:text_id>")
    @needs("work")
    @in_study(rt, named=True, otherwise=no_access)
    @leaves_row(rt, "inbox")
    def inbox_text(scope: Scope, text_id: int) -> ResponseReturnValue:
        return _text_page(rt, scope, text_id)

    @pages.post("/inbox/<int:text_id>/<any(record, answer, call, reveal, done):action>")
    @needs("work")
    @in_study(rt, named=True, otherwise=no_access)
    def inbox_deal(scope: Scope, text_id: int, action: str) -> ResponseReturnValue:
        return _act(rt, scope, text_id, action)


def reader_of(scope: Scope) -> Reader:
    """Return what this coordinator may read of participants' own words. Raise NoAccessYetError if nothing.

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


# --- the list ---------------------------------------------------------------------------------------------------------


def waiting(rt: Runtime, scope: Scope | NoStudy) -> int:
    """Return how many texts wait for this reader; 0 where they may read none."""
    if isinstance(scope, NoStudy):
        return 0
    try:
        reader = reader_of(scope)
    except NoAccessYetError:
        return 0
    with rt.sessions.glance() as connection:
        return inbox.count(connection, reader, rt.clock())


def _inbox_page(rt: Runtime, scope: Scope) -> str:
    now, parts = rt.clock(), inbox_words.parts()
    reader = _at_chosen_site(reader_of(scope), scope)
    show, why = request.args.get("show", "open"), request.args.get("why")
    look = Look(
        show if show in parts else "open",
        why if why in REASONS else None,
        _place_in_address(request.args.get("after")),
    )
    with rt.sessions.reading() as session:
        items, more = inbox.page(session, rt.vault, reader, look, now)
    return render_template(
        "dashboard/inbox.html",
        scope=scope,
        items=items,
        look=look,
        kept={"show": look.show if look.show != "open" else None, "why": look.why, "site": scope.site},
        reasons=REASONS,
        parts=parts,
        after=_address_of_place(items[-1]) if more else None,
        **times(now),
    )


def _at_chosen_site(reader: Reader, scope: Scope) -> Reader:
    """Return the same reader, at the one site that was chosen in the address."""
    if scope.site is None:
        return reader
    chosen = frozenset(scope.chosen_sites or ())
    sites = chosen if reader.sites is None else chosen & frozenset(reader.sites)
    return replace(reader, sites=sites, strangers=False)


def _address_of_place(item: Item) -> str:
    """Return where a text stands in the order of all, for an address."""
    dealt, received, key = item.place
    return f"{int(dealt)}.{received.strftime(MOMENT)}.{key}"


def _place_in_address(text: str | None) -> tuple[bool, datetime, int] | None:
    """Return where the page before ended; None if the address does not say so in our way."""
    try:
        dealt, received, key = (text or "").split(".")
        return dealt == "1", datetime.strptime(received, MOMENT).replace(tzinfo=UTC), row_id(key)
    except ValueError:
        return None


# --- one text ---------------------------------------------------------------------------------------------------------


def _text_page(rt: Runtime, scope: Scope, text_id: int, rejected: RejectedForm = RejectedForm()) -> str:
    """Return the text as it stands; what was typed is kept."""
    now = rt.clock()
    reader = reader_of(scope)
    with rt.sessions.reading() as session:
        item = None if text_id > LARGEST_ID else inbox.one(session, rt.vault, reader, text_id, now)
        if item is None:
            abort(404)
        code = item.participant or (chosen if (chosen := request.values.get("participant")) in item.owners else None)
        loaded = None if code is None else cases.load_by_code(session, rt.loader, reader.study_id, code)
        changes = []
        if rejected.stale and loaded is not None:
            changes = participant.changes(session, rt.vault, loaded.case.participant.id, form_made_at())
        thread = inbox.thread(session, rt.vault, reader, text_id)
        was_done = actions_on(session, rt.vault, text_id)
    person = None if loaded is None else loaded.case.participant
    return render_template(
        "dashboard/inbox_text.html",
        scope=scope,
        item=item,
        case=None if loaded is None else loaded.case,
        person=person,
        zone=page_stands_in(scope.zone_at(item.site)),
        windows=_windows(loaded, item.received_at),
        texts=[] if loaded is None else inbox_actions.previews(rt, loaded, item.received),
        thread=thread,
        done=was_done,
        changes=changes,
        told=rejected,
        typed=request.form,
        faults=by_field(rejected.faults),
        names=inbox_words.templates(),
        deeds=inbox_words.actions(),
        **times(now),
    )


def _windows(loaded: Loaded | None, arrived: datetime) -> list[tuple[WindowFacts, tuple[str, ...]]]:
    """Return the windows a score in this text may belong to, each with the items that may still change."""
    if loaded is None:
        return []
    return [
        (window, tuple(item for item in window.point.items if item in editable(window, "sms", arrived)))
        for window in windows_for(loaded.case, arrived)
    ]


def _act(rt: Runtime, scope: Scope, text_id: int, action: str) -> ResponseReturnValue:
    """Do it and lead back to the text; where nothing is written the page says why and keeps what was typed."""
    given = request.form
    about = About(
        inbound_id=min(text_id, LARGEST_ID),
        reader=reader_of(scope),
        revision=given.get("revision", type=int),
        participant=given.get("participant"),
    )
    try:
        ACTIONS[action](rt, about)
    except KeyError:
        abort(404)
    except RejectedError as rejected:
        return _text_page(rt, scope, text_id, RejectedForm(faults=rejected.faults)), 422
    except StaleError:
        return _text_page(rt, scope, text_id, RejectedForm(stale=True)), 409
    except DoneAlreadyError as before:
        return _text_page(rt, scope, text_id, RejectedForm(already=before.done)), 409
    return redirect(url_for("dashboard.inbox_text", text_id=text_id, study=scope.named, did=action), 303)


def _record(rt: Runtime, about: About) -> None:
    given = request.form
    window, _, item = given.get("place", "").partition(" ")
    score = Score(window, item, given.get("value", ""), given.get("reason", ""))
    inbox_actions.record(rt, actor(), about, score)


ACTIONS: dict[str, Callable[[Runtime, About], None]] = {
    "record": _record,
    "answer": lambda rt, about: inbox_actions.answer(rt, actor(), about, request.form.get("template", "")),
    "call": lambda rt, about: inbox_actions.call(rt, actor(), about),
    "reveal": lambda rt, about: inbox_actions.reveal(rt, actor(), about),
    "done": lambda rt, about: inbox_actions.done(rt, actor(), about, request.form.get("reason")),
}
"""What can be done with a text, by the last part of its form's address."""

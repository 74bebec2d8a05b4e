"""The page of one text in the inbox: its thread, and what can be done with it, each thing once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.case import WindowFacts
from pro_service.core.conversation import inbox as rules
from pro_service.core.conversation.answers import editable
from pro_service.reports import inbox as report_inbox
from pro_service.reports import participant
from pro_service.runtime import Runtime
from pro_service.store.messages import inbox as inbox_actions
from pro_service.store.messages.inbox import Done
from pro_service.store.participants import cases
from pro_service.store.participants.cases import Loaded
from pro_service.use_cases.inbound import inbox
from pro_service.use_cases.inbound.inbox import About, DoneAlreadyError, Score
from pro_service.use_cases.participants.entry import EntryFault, EntryRejectedError
from pro_service.use_cases.tasks.calls import StaleError
from pro_service.web.access import needs
from pro_service.web.dashboard import inbox_words as said
from pro_service.web.dashboard.formatting import since, times
from pro_service.web.dashboard.inbox import reader_of
from pro_service.web.scope import LARGEST_ID, actor, scope_here


@dataclass(frozen=True, slots=True)
class _Told:
    """What came of the form that was sent."""

    faults: Sequence[EntryFault] = ()
    stale: bool = False
    already: Done | None = None


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page of one text."""

    @pages.get("/inbox/<int:text_id>")
    @needs("work")
    def inbox_text(text_id: int) -> ResponseReturnValue:
        return _page(rt, text_id)

    @pages.post("/inbox/<int:text_id>/<any(record, answer, call, reveal, done):action>")
    @needs("work")
    def inbox_deal(text_id: int, action: str) -> ResponseReturnValue:
        return _deal(rt, text_id, action)


def _page(rt: Runtime, text_id: int, told: _Told = _Told()) -> str:
    """The text as it stands; what was typed is kept."""
    scope, now = scope_here(rt), rt.clock()
    reader = reader_of(scope)
    with rt.sessions.reading() as session:
        item = None if text_id > LARGEST_ID else report_inbox.one(session, rt.vault, reader, text_id, now)
        if item is None:
            abort(404)
        code = item.participant or (chosen if (chosen := request.values.get("participant")) in item.owners else None)
        loaded = None if code is None else cases.load_by_code(session, rt.loader, reader.study_id, code)
        changes = []
        if told.stale and loaded is not None:
            changes = participant.changes(session, loaded.case.participant.id, since())
        found = {
            "thread": report_inbox.thread(session, rt.vault, reader, text_id),
            "done": inbox_actions.actions_on(session, text_id),
            "changes": changes,
        }
    person = None if loaded is None else loaded.case.participant
    return render_template(
        "dashboard/inbox_text.html", scope=scope, item=item, case=None if loaded is None else loaded.case,
        person=person, zone=person.zone if person else scope.zone, windows=_windows(loaded, item.received_at),
        texts=[] if loaded is None else inbox.previews(rt, loaded, text_id), told=told, typed=request.form,
        faults={f.place: said.faults().get(f"{f.place} {f.code}", f.code) for f in told.faults},
        names=said.templates(), deeds=said.actions(), **found, **times(now),
    )  # fmt: skip


def _windows(loaded: Loaded | None, arrived: datetime) -> list[tuple[WindowFacts, tuple[str, ...]]]:
    """The windows a score in this text may belong to, each with the items that may still change."""
    if loaded is None:
        return []
    possible = rules.windows_for(loaded.case, arrived)
    return [
        (window, tuple(item for item in window.point.items if item in editable(window, "sms", arrived)))
        for window in possible
    ]


def _deal(rt: Runtime, text_id: int, action: str) -> ResponseReturnValue:
    scope = scope_here(rt)
    given = request.form
    about = About(
        inbound_id=min(text_id, LARGEST_ID),
        reader=reader_of(scope),
        revision=given.get("revision", type=int),
        participant=given.get("participant"),
    )
    try:
        _DEEDS[action](rt, about)
    except KeyError:
        abort(404)
    except EntryRejectedError as rejected:
        return _page(rt, text_id, _Told(faults=rejected.faults)), 422
    except StaleError:
        return _page(rt, text_id, _Told(stale=True)), 409
    except DoneAlreadyError as before:
        return _page(rt, text_id, _Told(already=before.done)), 409
    return redirect(url_for("dashboard.inbox_text", text_id=text_id, study=scope.named, did=action), 303)


def _record(rt: Runtime, about: About) -> None:
    given = request.form
    window, _, item = given.get("place", "").partition(" ")
    score = Score(window, item, given.get("value", ""), given.get("reason", ""))
    inbox.record(rt, actor(), about, score)


_DEEDS: dict[str, Callable[[Runtime, About], None]] = {
    "record": _record,
    "answer": lambda rt, about: inbox.answer(rt, actor(), about, request.form.get("template", "")),
    "call": lambda rt, about: inbox.call(rt, actor(), about),
    "reveal": lambda rt, about: inbox.reveal(rt, actor(), about),
    "done": lambda rt, about: inbox.done(rt, actor(), about, request.form.get("reason")),
}

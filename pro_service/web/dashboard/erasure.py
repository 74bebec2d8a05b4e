"""The page on which the erasure of a participant is asked for, and an investigator approves or refuses it."""

from collections.abc import Sequence

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.problems import Problem, RejectedError
from pro_service.runtime import Runtime
from pro_service.store.schema import AnyRow
from pro_service.use_cases.participants import erase, erasure_requests
from pro_service.use_cases.participants.change_form import LONGEST_REASON
from pro_service.web.access import may, may_at, needs, sensitive, signed_in
from pro_service.web.dashboard.formatting import times
from pro_service.web.i18n import gettext as _
from pro_service.web.i18n import page_stands_in
from pro_service.web.problems import words
from pro_service.web.scope import NoStudy, Scope, actor, in_study, not_found, row_id

DECISIONS = {"approve": True, "refuse": False}


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page and its forms."""
    pages.app_template_global("erasures_waiting")(lambda scope: waiting(rt, scope))

    @pages.get("/participants/<code>/erasure", endpoint="erasure")
    @needs("progress")
    @in_study(rt, named=True, otherwise=not_found)
    def shown(scope: Scope, code: str) -> ResponseReturnValue:
        return _page(rt, scope, code)

    @pages.post("/participants/<code>/erasure/<any(ask, withdraw):what>", endpoint="ask_erasure")
    @needs("contact")
    @in_study(rt, named=True, otherwise=not_found)
    def ask(scope: Scope, code: str, what: str) -> ResponseReturnValue:
        """Ask for the erasure, or take the request back."""
        where = (scope.study_id, code)
        try:
            if what == "ask":
                erasure_requests.ask(rt, actor(), *where, request.form.get("reason", ""), sites=scope.sites)
            else:
                erasure_requests.withdraw(rt, actor(), *where, _request_id(), sites=scope.sites)
        except RejectedError as rejected:
            return _page(rt, scope, code, rejected.faults), 422
        return _back(scope, code, what)

    @pages.post("/participants/<code>/erasure/<any(approve, refuse):decision>", endpoint="decide_erasure")
    @needs("approve")
    @sensitive
    @in_study(rt, named=True, otherwise=not_found)
    def decide(scope: Scope, code: str, decision: str) -> ResponseReturnValue:
        """Erase, or refuse it."""
        where, reason = (scope.study_id, code, _request_id()), request.form.get("reason", "")
        try:
            erasure_requests.decide(rt, actor(), *where, reason, approved=DECISIONS[decision], sites=scope.sites)
        except KeyError:
            abort(404)
        except RejectedError as rejected:
            return _page(rt, scope, code, rejected.faults), 422
        return _back(scope, code, decision)


def waiting(rt: Runtime, scope: Scope | NoStudy) -> Sequence[AnyRow]:
    """Return the requests of this study that the reader may decide about."""
    if isinstance(scope, NoStudy) or not may("approve"):
        return ()
    return erasure_requests.waiting(rt, scope.study_id, signed_in().roles, signed_in().user_id)


def _request_id() -> int:
    return request.form.get("request", 0, type=row_id)


def _back(scope: Scope, code: str, done: str) -> ResponseReturnValue:
    return redirect(url_for("dashboard.erasure", code=code, study=scope.named, done=done), 303)


def _page(rt: Runtime, scope: Scope, code: str, faults: Sequence[Problem] = ()) -> str:
    found = erasure_requests.look(rt, scope.study_id, code, scope.sites)
    if found is None:
        abort(404)
    study_id, site_id = found.loaded.study_id, found.loaded.site_id
    asked = found.request if found.waits else None
    decides = asked is not None and may_at("approve", study_id, site_id)
    return render_template(
        "dashboard/erasure.html",
        scope=scope,
        person=found.loaded.case.participant,
        erasure=found.erasure,
        emptied=_emptied() if found.erasure else {},
        notes=[words(note) for note in erase.problems_of(found.erasure)] if found.erasure else [],
        request_=found.request,
        waits=found.waits,
        copies=found.copies,
        may_ask=may_at("contact", study_id, site_id),
        decides=decides,
        own=asked is not None and asked.asked_by == signed_in().user_id,
        reads=may_at("free_text", study_id, site_id),
        longest=LONGEST_REASON,
        faults={_place(fault.path): words(fault) for fault in faults},
        typed=request.form.get("reason", ""),
        done=_done().get(request.args.get("done", "")),
        zone=page_stands_in(found.loaded.case.site_zone),
        **times(rt.clock()),
    )


def _place(path: str) -> str:
    return "reason" if path == "--reason" else ""


def _done() -> dict[str, str]:
    return {
        "ask": _("Asked for: an investigator decides about it."),
        "withdraw": _("The request is withdrawn; nothing was erased."),
        "approve": _("Erased. The provider's copies are deleted in the next minutes."),
        "refuse": _("Refused: nothing was erased."),
    }


def _emptied() -> dict[str, str]:
    """Return what is emptied or deleted, by table."""
    return {
        "inbound": _("Received messages"),
        "messages": _("Sent messages, and mails about the participant"),
        "calls": _("Notes of calls"),
        "former_telephones": _("Earlier telephone numbers"),
        "links": _("Links to forms"),
        "entry_codes": _("Codes of cards"),
        "reach_tests": _("Links of contact tests"),
        "responses": _("Reasons of answers"),
        "schedule_changes": _("Reasons of changed dates"),
        "typed_reasons": _("Reasons as they were typed"),
        "telephone_keys": _("Keys of telephones"),
        "escalations": _("Tasks with a trace of the number"),
    }

"""The page of one task: a call with its script and outcomes, a missed window's reason; and all that is done about it.

A task is taken up, put off, handed over or ended on its own page, or with others that were chosen in a list.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.case import Part, WindowFacts
from pro_service.core.conversation.inbox import READING
from pro_service.core.schedule import retries
from pro_service.core.schedule.agenda import savable
from pro_service.core.schedule.asking import call_opening
from pro_service.core.schedule.call_times import part_of_day, promised_hours
from pro_service.core.schedule.retries import LATER
from pro_service.core.schedule.status import status
from pro_service.reports import participant, today
from pro_service.reports.today import Share, Task
from pro_service.runtime import Runtime
from pro_service.store.participants import tasks
from pro_service.store.participants.cases import Loaded
from pro_service.use_cases.tasks import calls, hand_over
from pro_service.use_cases.tasks.calls import CallResult, MissingReason, Outcome, StaleError, WorkRefusedError
from pro_service.web.access import NoAccessYetError, grants, may, may_at, needs
from pro_service.web.dashboard.formatting import form_made_at, local_time, times, zone_of_task
from pro_service.web.i18n import gettext as _
from pro_service.web.i18n import page_stands_in
from pro_service.web.scope import LARGEST_ID, Scope, actor, row_id, scope_of_study, sites_of

CALL_LEVELS = frozenset({"E1", "E2"})
WANTS_NUMBER = frozenset({"wrong_number", "bad_number"})
"""Reasons of a task that another number ends."""
IN_INBOX = READING | {"safety_word", "stop_word", "picture"}
"""Reasons of a task about a text that waits in the inbox."""
OUTCOMES: Mapping[str, tuple[Outcome, ...]] = {
    "spoke": ("will_do_it", "call_back_at", "refused_this_time"),
    "in_vain": ("no_answer", "busy"),
    "wrong": ("wrong_person", "not_in_service"),
    "learnt": ("wants_no_messages", "moved", "hospitalised", "language_barrier", "withdraws", "died"),
}
"""How a call may have gone, in the groups of the form; the most frequent ones come first."""


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page of one task and its forms."""
    _add_page(pages, rt)
    _add_actions(pages, rt)


def _add_page(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/escalations/<int:task_id>")
    @needs("progress")
    def task(task_id: int) -> ResponseReturnValue:
        """Show the task to those who work on it; lead others who got its mail to their list, or to its participant."""
        scope, about, loaded = own_task(rt, task_id)
        if loaded is not None and not may_at("work", loaded.study_id, loaded.site_id):
            return redirect(_address_for_readers(scope, about, loaded), 303)
        if loaded is None and not may("work"):
            raise NoAccessYetError
        return task_page(rt, task_id)

    @pages.post("/escalations/<int:task_id>/call")
    @needs("work")
    def call(task_id: int) -> ResponseReturnValue:
        """Record what came of a call, or lead on to the form if the participant answers on the telephone."""
        scope, task, loaded = own_task(rt, task_id)
        outcome = request.form.get("outcome", "")
        if outcome == "completed_now" and task.participant and task.point:
            code, window, study = task.participant, task.point.code, scope.named
            form = url_for("dashboard.enter", code=code, window=window, mode="telephone", task=task_id, study=study)
            return redirect(form, 303)
        if loaded is None:
            abort(404)
        return _record_call(rt, scope, task, outcome)


def _add_actions(pages: Blueprint, rt: Runtime) -> None:
    def add_action(name: str) -> None:
        @needs("work")
        def view(task_id: int) -> ResponseReturnValue:
            return _act(rt, task_id, name, request.form.get("revision", type=int))

        pages.add_url_rule(f"/escalations/<int:task_id>/{name}", name, view, methods=["POST"])

    for name in ACTIONS:
        add_action(name)


def own_task(rt: Runtime, task_id: int) -> tuple[Scope, Task, Loaded | None]:
    """Return a task of the reader's, with the scope of its study, whichever is chosen now, and its participant.

    404 if the task is not theirs.
    """
    if task_id > LARGEST_ID:
        abort(404)
    with rt.sessions.reading() as session:
        whose = tasks.subject_of(session, task_id)
        if whose is None:
            abort(404)
        scope = scope_of_study(rt, whose.study_id)
        task = today.task(session, rt.loader, scope.study_id, task_id, scope.sites)
        if task is None:
            abort(404)
        loaded = None
        if whose.participant_id is not None:
            loaded = rt.loader.one(session, whose.participant_id, lock=False)
        return scope, task, loaded


def is_about(rt: Runtime, task_id: int, scope: Scope, code: str) -> bool:
    """Return whether this task, which has to be the reader's (else 404), is about this participant."""
    of_task, task, _ = own_task(rt, task_id)
    return of_task.study_id == scope.study_id and task.participant == code


def is_of_readers_role(scope: Scope, task: Task, loaded: Loaded) -> bool:
    """Return whether the ladder gives this task to a role of the reader's that has a list of its tasks."""
    shares = shares_of_reader(scope)
    return any(task.level in levels and (sites is None or loaded.site_id in sites) for levels, sites in shares)


def shares_of_reader(scope: Scope) -> Sequence[Share]:
    """Return what each of the reader's roles makes theirs in this study, by the ladder of its newest protocol."""
    every = [grant for grant in grants("tasks") if grant.study_id in (None, scope.study_id)]
    return [
        (scope.protocol.levels_of(role), sites_of((grant for grant in every if grant.role == role), scope.study_id))
        for role in dict.fromkeys(grant.role for grant in every)
    ]


def task_page(
    rt: Runtime,
    task_id: int,
    *,
    number: str | None = None,
    unreadable: tuple[str, str, str] | None = None,
    refused: str | None = None,
    stale: bool = False,
) -> str:
    """Return the page of a task as it stands; what was typed is kept if it was `refused` or the form was `stale`.

    `unreadable` says what cannot be decrypted: what, what to do, the code.
    """
    now, headings = rt.clock(), _headings()
    scope, task, loaded = own_task(rt, task_id)
    facts = next((e for e in loaded.case.escalations if e.id == task_id), None) if loaded else None
    window = loaded.case.window(facts.window_id) if loaded and facts and facts.window_id is not None else None
    made = []
    changes = []
    opening = None
    if loaded is not None:
        with rt.sessions.reading() as session:
            if window is not None:
                opening = call_opening(loaded.case, window)
            made = participant.call_rows(session, loaded.case.participant.id, window.id if window else None)
            changes = (
                participant.changes(session, rt.vault, loaded.case.participant.id, form_made_at()) if stale else []
            )
    state = None
    if loaded and window:
        state = status(window, loaded.case.participant, loaded.case.protocol.primary(window.point), now)
    return render_template(
        "dashboard/task.html",
        scope=scope,
        task=task,
        facts=facts,
        window=window,
        state=state,
        calls=made,
        case=loaded.case if loaded else None,
        person=loaded.case.participant if loaded else None,
        zone=page_stands_in(zone_of_task(task, scope)),
        number=number,
        unreadable=unreadable,
        refused=None if refused is None else refusals().get(refused, refused),
        stale=stale,
        changes=changes,
        is_call=task.level in CALL_LEVELS and window is not None and now < window.span.closes_at,
        groups=[(headings[name], codes) for name, codes in OUTCOMES.items()],
        advice=_advice(task),
        wants_number=task.reason in WANTS_NUMBER | {"no_way_to_ask"},
        wants_end=task.reason == "no_procedure_time",
        in_inbox=task.reason in IN_INBOX,
        missing=calls.MISSING_REASONS,
        items=[loaded.case.protocol.items[i] for i in window.missing()] if loaded and window else [],
        opening=opening,
        done=request.args.get("done"),
        promised=promised_hours(loaded.case, facts) if loaded and facts and facts.open and task.wish else None,
        **(_not_now(rt, loaded, window, now, task.part_of_day if task.wish else None) if loaded else {}),
        typed=request.form,
        **times(now),
    )


def _not_now(
    rt: Runtime, loaded: Loaded, window: WindowFacts | None, now: datetime, wished: Part | None
) -> dict[str, object]:
    """Return when to try again, the times the task can be put off to, and the colleagues who may take it over."""
    case, parts, choices = loaded.case, _parts_of_day(), _put_off_choices()
    return {
        "again": retries.next_attempt(case, window, now, wished=wished),
        "most": case.protocol.failed_calls,
        "part": lambda moment: parts[part_of_day(case, moment)],
        "put_off_to": [(code, choices[code], moment) for code, moment in retries.put_off_choices(case, window, now)],
        "colleagues": hand_over.who_may_take(rt, actor(), loaded.study_id, [loaded.site_id]),
        "to_be_called": window is not None and savable(case, window, now),
    }


def _address_for_readers(scope: Scope, task: Task, loaded: Loaded) -> str:
    """Return where somebody reads of a task who is no coordinator: in the list of their role, if it is theirs."""
    open_now = any(one.id == task.id and one.open for one in loaded.case.escalations)
    if open_now and is_of_readers_role(scope, task, loaded):
        return url_for("dashboard.worklist", task=task.id, study=scope.named, _anchor=f"task-{task.id}")
    return url_for("dashboard.participant", code=task.participant, study=scope.named)


def _record_call(rt: Runtime, scope: Scope, task: Task, outcome: str) -> ResponseReturnValue:
    given = request.form
    back = local_time(given.get("call_back_at", ""), zone_of_task(task, scope))
    result = CallResult(cast("Outcome", outcome), back, given.get("note"))
    try:
        calls.record(rt, actor(), task.id, result, revision=given.get("revision", type=int))
    except WorkRefusedError as refusal:
        return task_page(rt, task.id, refused=refusal.code), 422
    except StaleError:
        return task_page(rt, task.id, stale=True), 409
    return redirect(url_for("dashboard.task", task_id=task.id, done=outcome), 303)


def _act(rt: Runtime, task_id: int, name: str, revision: int | None) -> ResponseReturnValue:
    """Do what the form asks, and redirect; if it cannot be done, the page says why and keeps what was typed."""
    scope, task, loaded = own_task(rt, task_id)
    if loaded is None and name != "resolve":
        abort(404)
    try:
        done = ACTIONS[name](rt, scope, Asked(task, request.form, revision))
    except WorkRefusedError as refusal:
        return task_page(rt, task_id, refused=refusal.code), 422
    except StaleError:
        return task_page(rt, task_id, stale=True), 409
    return redirect(url_for("dashboard.task", task_id=task_id, done=done), 303)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form asks for about a task."""

    task: Task
    given: Mapping[str, str]
    revision: int | None
    """The participant's revision when the page with the form was opened."""


def acknowledge(rt: Runtime, _scope: Scope, asked: Asked) -> str:
    """Take it up, even from an old page; refused with words if somebody has it already."""
    calls.acknowledge(rt, actor(), asked.task.id, reason=asked.given.get("said", ""))
    return "acknowledged"


def put_off(rt: Runtime, scope: Scope, asked: Asked) -> str:
    """Put it off, or take it back."""
    given, task_id, choice = asked.given, asked.task.id, asked.given.get("until", "")
    if choice == "now":
        hand_over.put_off(rt, actor(), task_id, None, reason=given.get("said", ""), revision=asked.revision)
        return "again"
    until = choice if choice in LATER else local_time(given.get("at", ""), zone_of_task(asked.task, scope))
    if until is None:
        raise WorkRefusedError("needs_time")
    hand_over.put_off(rt, actor(), task_id, until, reason=given.get("said", ""), revision=asked.revision)
    return "later"


def give(rt: Runtime, _scope: Scope, asked: Asked) -> str:
    """Hand it over to a colleague."""
    try:
        colleague = row_id(asked.given.get("to", ""))
    except ValueError:
        raise WorkRefusedError("no_colleague") from None
    said = asked.given.get("said", "")
    hand_over.hand_over(rt, actor(), asked.task.id, colleague, reason=said, revision=asked.revision)
    return "handed"


def end(rt: Runtime, _scope: Scope, asked: Asked) -> str:
    """End it; where a window was missed, by the reason why."""
    task, reason = asked.task, asked.given.get("reason", "")
    if task.is_missed_window:
        why, said = cast("MissingReason", reason), asked.given.get("said", "")
        calls.explain_missing(rt, actor(), task.id, why, said=said, revision=asked.revision)
    else:
        calls.resolve(rt, actor(), task.id, reason=reason, revision=asked.revision)
    return "resolved"


Action = Callable[[Runtime, Scope, Asked], str]
"""Do what is asked; return what was done."""

ACTIONS: dict[str, Action] = {"acknowledge": acknowledge, "later": put_off, "hand": give, "resolve": end}
"""What can be done about a task, by the last part of its form's address."""


# --- words ------------------------------------------------------------------------------------------------------------


def refusals() -> Mapping[str, str]:
    """Return why something was refused, by its code."""
    return {
        "resolved": _("This task has ended already; nothing was written."),
        "needs_note": _("Please write a note: how do you know?"),
        "needs_time": _("When shall we call back? Choose a day and a time."),
        "time_passed": _("That time has passed. Choose a later one."),
        "time_after_close": _("The window will have closed by then. Choose an earlier time."),
        "unknown_outcome": _("Nothing was saved: choose one of the options below first."),
        "enter_the_answers": _("Open the entry form for this."),
        "taken": _("A colleague has taken this up already; nothing was written."),
        "too_far": _("That is more than two weeks away. Choose an earlier time."),
        "safety": _("A safety task cannot be put off: deal with it, or hand it over now."),
        "no_colleague": _("Choose a colleague who works at this site."),
        "yourself": _("You have it yourself. Choose a colleague."),
        "away": _("This colleague is away. Choose another."),
        "still_to_be_called": _("This window can still be saved. Say how the call went, or why no call is needed."),
        "own_page": _("A safety task is ended on its own page alone: open it."),
        "to_explain": _("Say why there is no answer: that ends it."),
        "not_missed": _("No window was missed here: open it."),
    }


def _parts_of_day() -> dict[str, str]:
    """Return the parts of a working day."""
    return {
        "morning": _("in the morning"),
        "afternoon": _("early in the afternoon"),
        "evening": _("late in the afternoon"),
    }


def _headings() -> dict[str, str]:
    """Return groups of what a call may have come to."""
    return {
        "spoke": _("Spoke with the participant"),
        "in_vain": _("Nobody reached"),
        "wrong": _("Wrong person or number"),
        "learnt": _("Something else"),
    }


def _put_off_choices() -> dict[str, str]:
    """Return the moments to which a task can be put off with one press."""
    return {
        "hour": _("By one hour"),
        "afternoon": _("This afternoon"),
        "morning": _("Next working morning"),
    }


def _advice(task: Task) -> str:
    """Return what to do about a task that is no call and no missed window."""
    known = _advice_by_reason().get(task.reason)
    if known is not None:
        return known
    if task.level == "ES":
        return _(
            "Read what was sent and call the participant now. If somebody is in danger, follow the clinic's emergency "
            "plan first."
        )
    if task.level == "E4":
        return _("Decide with the team how to go on with this participant.")
    return _("Read the participant's messages, call if necessary, and end the task when nothing is left to do.")


def _advice_by_reason() -> dict[str, str]:
    another_number = _(
        "Find out the right telephone number and enter it. The task ends by itself once it is there; until then no "
        "text is sent."
    )
    return {
        **dict.fromkeys(READING, _("Read the message in the inbox and deal with it there. That ends the task.")),
        **dict.fromkeys(WANTS_NUMBER, another_number),
        "score_threshold": _(
            "An answer asks for a clinical review: call the participant now and tell the investigator. If somebody is "
            "in danger, follow the clinic's emergency plan first."
        ),
        "asked_for_call": _("Call the participant, and end the task when you have spoken with them."),
        "confirm_procedure": _(
            "Open the participant and confirm that the procedure took place; if not, change its date there."
        ),
        "no_procedure_time": _(
            "Find out when the procedure ended and enter it under Procedure date on the participant's page. The task "
            "ends by itself once it is there. If nobody knows, end the task and say so."
        ),
        "no_way_to_ask": _(
            "Ask the participant for a telephone number and enter it under Telephone number on their page. The task "
            "ends by itself once there is one."
        ),
    }

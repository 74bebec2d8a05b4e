"""One action on several tasks that were chosen in a list, with one reason.

Each task is a change of its own, with its own audit rows. Where one task refuses, the page says so, and the others
are done.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from flask import abort, request

from pro_service.core.schedule.retries import LATER
from pro_service.reports.today import Task
from pro_service.runtime import Runtime
from pro_service.store.participants.cases import Loaded
from pro_service.store.staff.colleagues import Colleague
from pro_service.use_cases.tasks.calls import MISSING_REASONS, StaleError, WorkRefusedError
from pro_service.web.dashboard import task
from pro_service.web.dashboard.formatting import words
from pro_service.web.dashboard.task import Action, Asked
from pro_service.web.i18n import gettext as _
from pro_service.web.i18n import ngettext
from pro_service.web.scope import Scope, row_id

Choices = Sequence[tuple[str, Sequence[tuple[str, str]]]]
"""Headings, with what can be chosen under each: (what the form sends, words)."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A task that was chosen, and the revision of its participant on the page that it was chosen on."""

    scope: Scope
    task: Task
    loaded: Loaded
    revision: int | None


@dataclass(slots=True)
class Outcome:
    """What was done with which of the chosen tasks; the tasks that nothing was done with, and why."""

    what: str = "none"
    done: list[Task] = field(default_factory=list)
    undone: list[tuple[Task, str]] = field(default_factory=list)


def chosen(rt: Runtime) -> list[Chosen]:
    """Return the tasks that were chosen in the form that was sent; 404 if one is not the reader's."""
    found: dict[int, int | None] = {}
    for text in request.form.getlist("task"):
        key, _sep, revision = text.partition(".")
        try:
            found[row_id(key)] = int(revision) if revision.isdecimal() else None
        except ValueError:
            continue
    return [_chosen(rt, task_id, revision) for task_id, revision in found.items()]


def _chosen(rt: Runtime, task_id: int, revision: int | None) -> Chosen:
    scope, about, loaded = task.own_task(rt, task_id)
    return Chosen(scope, about, abort(404) if loaded is None else loaded, revision)


def do_each(rt: Runtime, every: Iterable[Chosen], what: str, actions: Mapping[str, Action]) -> Outcome:
    """Do `what` the form asks for with each task, in a transaction of its own; 400 if it is none of the actions."""
    name, _sep, detail = what.partition(".")
    if name not in actions:
        abort(400)
    said = request.form.get("said", "")
    given = {"until": detail, "to": detail, "reason": detail or said, "said": said}
    outcome, followed = Outcome(), set[int]()
    for one in every:
        who = one.loaded.case.participant.id
        # The page is compared with the database at a participant's first task; later changes were made here.
        asked = Asked(one.task, given, None if who in followed else one.revision)
        try:
            outcome.what = actions[name](rt, one.scope, asked)
        except WorkRefusedError as refusal:
            outcome.undone.append((one.task, task.refusals()[refusal.code]))
        except StaleError:
            outcome.undone.append((one.task, _("Something has changed since you opened this page: look at it first.")))
        else:
            outcome.done.append(one.task)
            followed.add(who)
    return outcome


def say_why(rt: Runtime, scope: Scope, asked: Asked) -> str:
    """Say why a missed window has no answer."""
    if not asked.task.is_missed_window:
        raise WorkRefusedError("not_missed")
    task.end(rt, scope, asked)
    return "said"


def end(rt: Runtime, scope: Scope, asked: Asked) -> str:
    """End a task that need not be read first."""
    if asked.task.level == "ES":
        raise WorkRefusedError("own_page")
    if asked.task.is_missed_window:
        raise WorkRefusedError("to_explain")
    return task.end(rt, scope, asked)


COORDINATORS: Mapping[str, Action] = {
    "acknowledge": task.acknowledge,
    "later": task.put_off,
    "hand": task.give,
    "why": say_why,
    "end": end,
}
"""What a coordinator may do with several tasks at once; never a withdrawal, a death or the end of a safety task."""

ROLES: Mapping[str, Action] = {"acknowledge": task.acknowledge, "why": say_why}
"""What the other roles may do with several of their tasks at once."""


# --- words ------------------------------------------------------------------------------------------------------------


def for_coordinators(colleagues: Sequence[Colleague]) -> Choices:
    """Return COORDINATORS as a form offers them."""
    put_off = {
        "hour": _("Put off by one hour"),
        "afternoon": _("Put off until this afternoon"),
        "morning": _("Put off until the next working morning"),
    }
    return [
        ("", [("acknowledge", _("Take up"))]),
        (_("Put off"), [*((f"later.{code}", put_off[code]) for code in LATER), ("later.now", _("Put off no longer"))]),
        (_("Hand over"), [(f"hand.{one.id}", _("Hand over to {who}").format(who=one.email)) for one in colleagues]),
        (_("Why is there no answer?"), _reasons()),
        (_("End"), [("end", _("End: nothing is left to do"))]),
    ]


def for_roles() -> Choices:
    """Return ROLES as a form offers them."""
    return [("", [("acknowledge", _("Take up"))]), (_("Why is there no answer?"), _reasons())]


def _reasons() -> list[tuple[str, str]]:
    known = words("missing")
    return [(f"why.{code}", _("No answer: {reason}").format(reason=known[code])) for code in MISSING_REASONS]


def done_words(n: int) -> dict[str, str]:
    """Return the page's words for what was done with `n` tasks, by what an action returns."""
    if n > 1:
        return {
            "acknowledged": _("You have taken them up."),
            "later": _("Put off: they are shown below the others until they come back."),
            "again": _("They are back among the other tasks."),
            "handed": _("Handed over; they are theirs once they take them up. Take them up yourself to undo this."),
            "resolved": _("Done; the tasks have ended."),
            "said": _("The reason is saved; the tasks have ended."),
        }
    return {
        "acknowledged": _("You have taken it up."),
        "later": _("Put off: it is shown below the others until it comes back."),
        "again": _("It is back among the other tasks."),
        "handed": _("Handed over; it is theirs once they take it up. Take it up yourself to undo this."),
        "resolved": _("Done; the task has ended."),
        "said": _("The reason is saved; the task has ended."),
        "none": _("Choose a task first."),
    }


def count_words(n: int) -> str:
    """Return how many tasks the words are about; empty for one."""
    return "" if n <= 1 else ngettext("%(num)s task:", "%(num)s tasks:", n) % {"num": n}

"""The first page: what is left to save a visit, what was tried, what else is open, and what is done about it."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.schedule.prompts import NEVER_LEFT
from pro_service.reports import statements, today
from pro_service.reports.today import Task, Today
from pro_service.runtime import Runtime
from pro_service.use_cases.tasks import hand_over
from pro_service.web.access import grants, needs, unattended
from pro_service.web.dashboard import several
from pro_service.web.dashboard.coming import coming
from pro_service.web.dashboard.compliance import labels
from pro_service.web.dashboard.formatting import (
    has_little_time,
    measured,
    share_left,
    time_left,
    times,
    why,
    word_or_code,
    words,
)
from pro_service.web.dashboard.several import Outcome
from pro_service.web.i18n import gettext as _
from pro_service.web.i18n import ngettext
from pro_service.web.scope import NoStudy, Scope, actor, in_study, sites_of


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the first page, what is done with tasks chosen there, and its lists alone for the page as it refreshes."""

    @pages.get("/", endpoint="today")
    @needs("work")
    @in_study(rt)
    def today_page(scope: Scope) -> ResponseReturnValue:
        return _first_page(rt, scope, request.args.get("done", ""), request.args.get("n", 1, type=int))

    @pages.post("/today/act")
    @needs("work")
    def act() -> ResponseReturnValue:
        """Do one thing with the tasks that were chosen in the lists; the page lists those that refused, and why."""
        every = several.chosen(rt)
        outcome = several.do_each(rt, every, request.form.get("do", ""), several.COORDINATORS)
        if outcome.undone:
            return _first_page(rt, every[0].scope, outcome.what, len(outcome.done), outcome), 409
        about = outcome.done[0].id if len(outcome.done) == 1 else None
        n = len(outcome.done) if about is None and outcome.done else None
        return redirect(url_for("dashboard.today", done=outcome.what, task=about, n=n), 303)

    @pages.get("/today")
    @needs("work")
    @unattended
    @in_study(rt, otherwise=lambda _: redirect(url_for("dashboard.today"), 303))
    def today_lists(scope: Scope) -> ResponseReturnValue:
        page = render_template("dashboard/_today_lists.html", **_lists(rt, scope))
        answer = make_response(page)
        answer.set_etag(hashlib.sha256(page.encode()).hexdigest()[:32])
        return answer.make_conditional(request)


def count(rt: Runtime, scope: Scope | NoStudy) -> int:
    """Return how many tasks wait for this coordinator, up to TASKS_CAP."""
    if isinstance(scope, NoStudy):
        return 0
    share = (frozenset(statements.LEVELS), sites_of(grants("work"), scope.study_id))
    with rt.sessions.glance() as connection:
        return today.count_open(connection, scope.study_id, share)


def _first_page(rt: Runtime, scope: Scope, done: str, n: int, outcome: Outcome | None = None) -> str:
    """Return the page, with what was `done` with how many tasks, and those that refused."""
    lists, known = _lists(rt, scope), several.done_words(n)
    about = request.args.get("task", type=int)
    colleagues = hand_over.who_may_take(rt, actor(), scope.study_id, scope.sites)
    return render_template(
        "dashboard/today.html",
        **lists,
        **coming(rt, scope, lists["today"].now),
        choices=several.for_coordinators(colleagues),
        done=done if done in known and (outcome is None or outcome.done) else None,
        done_words=known.get(done),
        of_how_many=several.count_words(n),
        undone=[] if outcome is None else outcome.undone,
        about=next((task for task in all_tasks(lists["today"]) if task.id == about), None),
    )


def all_tasks(found: Today) -> Iterable[Task]:
    """Return every task the page shows."""
    return (*found.mine, *found.queue, *found.tasks)


def by_participant(tasks: Iterable[Task], now: datetime) -> Iterable[Task]:
    """Return tasks with those of one participant together, in the place of the first; tasks put off stay below."""
    groups: dict[tuple[str | int, bool], list[Task]] = {}
    for task in tasks:
        put_off = task.look_again_at is not None and task.look_again_at > now
        groups.setdefault((task.participant or task.id, put_off), []).append(task)
    return chain.from_iterable(groups.values())


def _lists(rt: Runtime, scope: Scope) -> dict[str, Any]:
    now, by = rt.clock(), actor().user_id
    with rt.sessions.reading() as session:
        shown = today.today(session, rt.loader, scope.study_id, now, scope.sites, reader=by)
    write = RowWriter(now)
    return {
        "scope": scope,
        "today": shown,
        "labels": labels(scope),
        "mine": write.open(replace(task, handed_to=None) for task in by_participant(shown.mine, now)),
        "first": write.hands(shown.queue[0]) if shown.queue else "",
        "saving": write.saving(shown.queue[1:]),
        "safety": write.open(task for task in shown.tasks if task.level == "ES"),
        "others": write.open(by_participant((task for task in shown.tasks if task.level != "ES"), now)),
        **times(now),
        "shown_of_queue": statements.QUEUE,
        "cap": statements.CAP,
        "tasks_cap": statements.TASKS_CAP,
    }


class Saving(NamedTuple):
    """A call that can still save a window."""

    task: Task
    shape: str
    tone: str
    """Of the bar that empties."""
    left: str
    share: int
    """Of the window, in percent."""
    reason: str
    tried: str
    """`2 texts, 1 call: No answer`."""
    hands: str
    """In whose it is."""


class Open(NamedTuple):
    """Any other open task."""

    task: Task
    level: str
    reason: str
    due: str
    late: bool
    hands: str


class RowWriter:
    """Puts tasks into words; looks the words up once for a page full of them."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._times, self._reasons, self._levels = words("time"), words("reason"), words("level")
        self._outcomes, self._wishes = words("outcome"), words("wish")
        self._due_in, self._overdue_by = _("due in {time}"), _("overdue by {time}")
        self._taken, self._handed = _("taken up by {who}"), _("handed to {who}")
        self._tried: dict[tuple[int, int], str] = {}

    def hands(self, task: Task) -> str:
        """Return who has a task, or is to take it up; empty where nobody does."""
        if task.acknowledged_at is not None:
            return self._taken.format(who=task.acknowledged_by or "–")
        return self._handed.format(who=task.handed_to) if task.handed_to else ""

    def saving(self, tasks: Iterable[Task]) -> list[Saving]:
        """Return the queue; every task in it has a window and an end."""
        return [self._saving(task, task.save_by or task.due_at) for task in tasks]

    def _saving(self, task: Task, until: datetime) -> Saving:
        risk = has_little_time(until, self._now)
        opens, closes = task.opens_at or task.raised_at, task.closes_at or until
        return Saving(
            task=task,
            shape="at_risk" if risk else "open",
            tone="risk" if risk else "open",
            left=time_left(until, self._now, self._times),
            share=share_left(opens, closes, self._now),
            reason=why(task, self._reasons, self._wishes),
            tried=self._what_was_tried(task),
            hands=self.hands(task),
        )

    def _what_was_tried(self, task: Task) -> str:
        calls = [attempt for attempt in task.attempts if attempt.kind == "call"]
        # A text that was withdrawn, or useless before it could go, was not tried.
        texts = [attempt for attempt in task.attempts if attempt.kind != "call" and attempt.result not in NEVER_LEFT]
        counted = len(texts), len(calls)
        told = self._tried.get(counted)
        if told is None:
            sent, called = counted
            told = ngettext("%(num)s message", "%(num)s messages", sent) % {"num": sent}
            told += ", " + ngettext("%(num)s call", "%(num)s calls", called) % {"num": called}
            self._tried[counted] = told
        return f"{told}: {word_or_code(self._outcomes, calls[-1].result)}" if calls else told

    def open(self, tasks: Iterable[Task]) -> list[Open]:
        """Return what else is open."""
        return [
            Open(
                task=task,
                level=word_or_code(self._levels, task.level),
                reason=why(task, self._reasons, self._wishes),
                due=self._due(task.due_at),
                late=task.due_at < self._now,
                hands=self.hands(task),
            )
            for task in tasks
        ]

    def _due(self, moment: datetime) -> str:
        unit, n = measured(abs(moment - self._now))
        told = self._due_in if moment > self._now else self._overdue_by
        return told.format(time=self._times[unit].format(n=n))

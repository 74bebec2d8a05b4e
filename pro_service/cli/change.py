"""`pro-service participant reschedule`, `pause`, …: what staff change about a participant, shown first."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

import click

from pro_service.cli.terminal import State, as_json, of_study, opened, show_fault, show_json, show_table, who
from pro_service.core.case import CONSENTED
from pro_service.core.changes.preview import ChangePreview
from pro_service.core.enrolment.cells import quoted
from pro_service.core.problems import ChangeRefusedError, Problem, RejectedError, problem, words
from pro_service.core.routes import CHANNELS

Command = Callable[..., Any]

UNTIL_NOW = "The day it happened, if it was not today."
OPTIONS: dict[str, tuple[tuple[tuple[str, ...], dict[str, Any]], ...]] = {
    "reschedule": (
        (("--procedure-date", "procedure_date"), {"metavar": "YYYY-MM-DD", "required": True, "help": "The right day."}),
        (("--procedure-time", "procedure_time"), {"metavar": "HH:MM", "help": "When it ended, at the site."}),
    ),
    "pause": (
        (("--until", "until"), {"metavar": "YYYY-MM-DD", "required": True, "help": "Prompts begin again then."}),
    ),
    "resume": (),
    "withdraw": (
        (
            ("--from", "from"),
            {"type": click.Choice(["messages", "study"]), "required": True, "help": "What they withdraw from."},
        ),
        (("--on", "on"), {"metavar": "YYYY-MM-DD", "help": UNTIL_NOW}),
    ),
    "reinstate": (),
    "died": ((("--on", "on"), {"metavar": "YYYY-MM-DD", "help": UNTIL_NOW}),),
    "phone": (
        (("--number", "number"), {"help": "The new number; `-` (or nothing) asks for it, out of the shell's history."}),
        (("--remove", "remove"), {"is_flag": True, "help": "There is no number any more."}),
        (
            ("--consent", "consent"),
            {
                "metavar": "DAY|stands",
                "help": "Consent to messages on it: its day, or that it stands; else calls only.",
            },
        ),
    ),
    "email": (
        (
            ("--address", "address"),
            {"help": "The new address; `-` (or nothing) asks for it, out of the shell's history."},
        ),
        (("--remove", "remove"), {"is_flag": True, "help": "There is no address any more."}),
        (
            ("--consent", "consent"),
            {"metavar": "DAY|stands", "help": "Consent to mails to it: its day, or that it stands; else no mails."},
        ),
    ),
    "move": ((("--site", "site"), {"metavar": "CODE", "required": True, "help": "The site that takes over."}),),
    "language": ((("--language", "language"), {"metavar": "CODE", "required": True, "help": "E.g. tr or en."}),),
    "zone": ((("--zone", "timezone"), {"metavar": "NAME", "required": True, "help": "E.g. Europe/Berlin."}),),
    "channel": (
        (
            ("--channel", "channel"),
            {
                "metavar": "LADDER",
                "required": True,
                "help": f'{", ".join(CHANNELS[:-1])} or {CHANNELS[-1]}; or several, e.g. "whatsapp>sms-reply".',
            },
        ),
    ),
    "consent": (
        (
            ("--medium", "medium"),
            {"type": click.Choice(list(CONSENTED)), "default": "sms", "show_default": True, "help": "Consent to what."},
        ),
        (("--given", "consent"), {"metavar": "DAY", "help": "The day on which it was given (again)."}),
        (("--withdrawn", "withdrawn"), {"is_flag": True, "help": "It is taken back: nothing goes that way any more."}),
    ),
}
"""Action -> its own options, by the names of the form's fields."""

HELP = {
    "reschedule": "Correct the procedure date: windows are calculated again, answers kept and assessed again.",
    "pause": "Send no prompts until a day; then they begin again by themselves. Calls go on.",
    "resume": "End a pause, or a hold after a stop word, now.",
    "withdraw": "Stop messages (windows go on, people may call), or end everything.",
    "died": "Say that the participant has died: nothing leaves any more, at once.",
    "reinstate": "Undo a death, or else a withdrawal from the study, that was entered by mistake.",
    "phone": "Replace the telephone number, or remove it; the old one is kept, encrypted.",
    "email": "Replace the e-mail address, or remove it.",
    "move": "Move the participant to another site: pages, tasks and coming windows follow.",
    "language": "Change the language of texts and forms.",
    "zone": "Change the time zone by which prompts are sent.",
    "channel": "Change how the participant is asked: by one channel, or by the next where it leads nowhere.",
    "consent": "Record that consent to texts, mails or WhatsApp was given (again), or taken back.",
}


def add_to(group: click.Group) -> None:
    """Add one command for each change."""
    for action, options in OPTIONS.items():
        group.command(action, help=HELP[action])(_command(action, options))


def _command(action: str, options: Sequence[tuple[tuple[str, ...], dict[str, Any]]]) -> Command:
    def run(state: State, code: str, reason: str, dry_run: bool, study_code: str | None, **given: Any) -> None:  # noqa: FBT001 -- click's
        _run(state, action, code, reason, given, study_code, dry_run=dry_run)

    command: Command = click.pass_obj(run)
    command = of_study(as_json(command))
    command = click.option("--dry-run", is_flag=True, help="Show every consequence, change nothing.")(command)
    command = click.option("--reason", metavar="T", required=True, help="Why; saved in the audit trail.")(command)
    for names, more in reversed(options):
        command = click.option(*names, **more)(command)
    return click.argument("code")(command)


def _run(
    state: State, action: str, code: str, reason: str, given: dict[str, Any], study_code: str | None, *, dry_run: bool
) -> None:
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.participants import change  # noqa: PLC0415
    from pro_service.use_cases.participants.change_form import Action, ChangeForm  # noqa: PLC0415

    if action == "phone" and given["number"] in (None, "-") and not given["remove"]:
        given["number"] = click.prompt("New number", hide_input=True, err=True)
    if action == "email" and given["address"] in (None, "-") and not given["remove"]:
        given["address"] = click.prompt("New address", hide_input=True, err=True)
    fields = {name: "yes" if value is True else str(value) for name, value in given.items() if value}
    wanted = ChangeForm(cast("Action", action), fields, reason)
    with opened(state) as rt:
        found = study.chosen(rt, study_code)
        try:
            if dry_run:
                result = change.preview(rt, found.id, code, wanted)
            else:
                result = change.change(rt, Actor(kind="staff", id=who(), source="cli"), found.id, code, wanted)
        except KeyError:
            raise RejectedError((problem("no_participant", "CODE", code=quoted(code)),)) from None
        except ChangeRefusedError as refused:
            raise RejectedError(tuple(_at_option(action, note) for note in refused.notes)) from None
    show(state, result, dry_run=dry_run)


def _at_option(action: str, fault: Problem) -> Problem:
    """A fault at the option through which its field was given."""
    options = {names[1]: names[0] for names, _ in OPTIONS[action]} | {"reason": "--reason"}
    return fault.at(options.get(fault.path, fault.path))


# Showing -------------------------------------------------------------------------------------------------------------


def show(state: State, result: ChangePreview, *, dry_run: bool) -> None:
    """Print an outlook: every consequence, and whether it is one or was only shown."""
    if state.as_json:
        notes = [{"code": note.code, "what": words(note)[0]} for note in result.notes]
        show_json(asdict(result) | {"notes": notes, "dry_run": dry_run})
        return
    for note in result.notes:
        show_fault(note, "yellow", err=True)
    if result.unchanged:
        click.echo(f"{result.participant}: this is saved already; nothing was changed.")
        return
    for name, old, new in result.facts:
        click.echo(f"{name.replace('_', ' ')}: {_said(old)} → {_said(new)}")
    _show_parts(result)
    ending = "this is what would follow. Nothing was changed." if dry_run else "done."
    click.echo(f"\n{result.participant}: {ending}")


def _show_parts(result: ChangePreview) -> None:
    moved = [
        (w.code, w.old_opens_at, w.old_closes_at, w.opens_at, w.closes_at, w.old_status, w.status)
        for w in result.windows
        if w.moved or w.old_status != w.status
    ]
    _part("windows", ("code", "opened", "closed", "opens", "closes", "was", "will be"), moved)
    answers = [(w.code, a.item, a.received_at, a.verdict.replace("_", " ")) for w in result.windows for a in w.answers]
    _part("answers", ("window", "item", "received", "then"), answers)
    texts = [(t.window, t.kind, t.at, t.fate.replace("_", " ")) for t in result.texts]
    _part("texts", ("window", "kind", "at", "then"), texts)
    steps = [(s.window, s.step, s.old_at, s.at) for s in result.steps if s.old_at != s.at]
    _part("to come, if nobody answers", ("window", "step", "was", "will be"), steps)
    tasks = [(t.id, t.window, t.level, t.reason, t.outcome or "stays") for t in result.tasks]
    _part("open tasks", ("id", "window", "level", "reason", "then"), tasks)


def _part(name: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    if rows:
        click.echo(f"\n{name}")
        show_table(head, rows)


def _said(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}Z"
    return "–" if value is None else str(value)

"""`pro-service participant card`, `cards` and `handed`: one card or many of them, and that they were handed over."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pro_service.cli.terminal import (
    State,
    as_json,
    of_study,
    opened,
    refuse_unwritable,
    show_json,
    show_table,
    who,
    write_private,
)
from pro_service.core.enrolment.cells import quoted
from pro_service.core.problems import RejectedError, problem

_OUT = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("code", required=False)
@click.option("--out", type=_OUT, metavar="FILE.html", help="Write a page to be printed on A6, readable by you alone.")
@click.option("--replace", is_flag=True, help="Make another code: the old card stops working at once.")
@click.option("--reason", metavar="TEXT", help="Why it is replaced; saved in the audit trail.")
@click.option("--blank", metavar="SITE", help="A card of this site without a code, to be filled in by hand.")
@of_study
@as_json
@click.pass_obj
def card(state: State, /, code: str | None, out: Path | None, study_code: str | None, **more: Any) -> None:
    """Show or print the card of one participant: where to answer, with which code, around which days.

    One card serves the whole study. The audit trail says who looked; a code is made where there is none yet.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.participants import card as use_case  # noqa: PLC0415

    reason, site, replace = more["reason"], more["blank"], more["replace"]
    _check(code, site, reason, replace=replace)
    if out is not None:
        refuse_unwritable(out)
    with opened(state) as rt:
        found, actor = study.chosen(rt, study_code), Actor(kind="staff", id=who(), source="cli")
        with _known():
            if site is not None:
                made = use_case.blank(rt, found.id, site)
            elif replace:
                made = use_case.replace(rt, actor, found.id, code or "", reason or "")
            else:
                made = use_case.show(rt, actor, found.id, code or "")
        if out is not None:
            write_private(out, use_case.document(made))
    _say(state, made, out)


def _check(code: str | None, site: str | None, reason: str | None, *, replace: bool) -> None:
    """Raise UsageError for what does not go together."""
    if (code is None) == (site is None):
        raise click.UsageError("name a participant's CODE, or a site with --blank")
    if replace != (reason is not None) or (replace and site is not None):
        raise click.UsageError("--replace and --reason go together, and with a participant's CODE")


def _say(state: State, made: Any, out: Path | None) -> None:
    language = made.languages[0]
    days = [{"label": label[language], "target": day} for label, day in made.days]
    if state.as_json:
        file = None if out is None else str(out)
        facts = {"participant": made.participant, "code": made.code, "address": made.address}
        show_json(facts | {"telephone": made.site.telephone, "days": days, "file": file})
    elif out is not None:
        click.echo(f"{made.participant or made.site.code}: {out}. Print it on A6, both sides; then delete the file.")
    else:
        click.echo(f"{made.participant or made.site.code}  {made.code or '–'}  {made.address}")
        show_table(["window", "target"], [[day["label"], day["target"]] for day in days])


@contextmanager
def _known() -> Iterator[None]:
    """Say which code nobody has."""
    try:
        yield
    except KeyError as unknown:
        raise RejectedError((problem("no_participant", "CODE", code=quoted(str(unknown.args[0]))),)) from None


# --- many of them -----------------------------------------------------------------------------------------------------


@click.command()
@click.argument("codes", nargs=-1, metavar="[CODE]...")
@click.option("--out", type=_OUT, metavar="FILE.html", help="Write sheets to be printed on A4, readable by you alone.")
@click.option("--site", metavar="SITE", help="Only of this site.")
@of_study
@as_json
@click.pass_obj
def cards(state: State, codes: tuple[str, ...], out: Path | None, site: str | None, study_code: str | None) -> None:
    """List the cards that are to be printed and to be handed over; with --out, print those to be printed, or CODEs.

    Cards of an earlier release, with a code of eight characters, are to be printed again; they work until the new ones
    are used. No text that points to a card is sent before the card is made; until then people call. Four cards are on a
    sheet, with marks where to cut, each in its participant's language. The audit trail says who looked at which card.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import reporting, study  # noqa: PLC0415
    from pro_service.use_cases.participants import card as use_case  # noqa: PLC0415

    if codes and (out is None or site is not None):
        raise click.UsageError("CODEs go with --out, and without --site")
    if out is not None:
        refuse_unwritable(out)
    with opened(state) as rt:
        found = study.chosen(rt, study_code)
        due = reporting.due_cards(rt, found.id, site)
        wanted = codes or tuple(row.participant for row in (*due.to_print, *due.to_renew)[: use_case.MOST_AT_ONCE])
        if out is not None and wanted:
            with _known():
                made = use_case.show_many(rt, Actor(kind="staff", id=who(), source="cli"), found.id, wanted)
            write_private(out, use_case.sheets_document(made))
    if out is not None:
        _say_sheets(state, wanted, out, more=not codes and due.more_to_print)
        return
    parts = {"to_print": due.to_print, "to_hand_over": due.to_hand, "to_print_again": due.to_renew}
    if state.as_json:
        show_json({name: [row.participant for row in rows] for name, rows in parts.items()} | {"more": due.more})
        return
    for name, rows in parts.items():
        click.echo(f"{name.replace('_', ' ')}: {len(rows)}{' or more' if due.more else ''}")
        if rows:
            columns = ["participant", "site", "language", "procedure date", "confirmed"]
            show_table(columns, [[r.participant, r.site, r.language, r.procedure_date, r.confirmed] for r in rows])


def _say_sheets(state: State, codes: tuple[str, ...], out: Path, *, more: bool) -> None:
    if state.as_json:
        show_json({"participants": list(codes), "file": str(out) if codes else None, "more": more})
        return
    if not codes:
        click.echo("No card is to be printed; nothing was written.")
        return
    cards_of_file = "1 card" if len(codes) == 1 else f"{len(codes)} cards"
    click.echo(f"{cards_of_file}: {out}. Print it on A4 at 100 %, without margins; then delete the file.")
    if more:
        click.echo("More cards are to be printed: when these are, run the command again.")
    click.echo("Once they are handed over: pro-service participant handed CODE ...")


@click.command()
@click.argument("codes", nargs=-1, required=True, metavar="CODE...")
@click.option(
    "--on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="The day on which they were handed over, if it was not today.",
)
@click.option("--undo", is_flag=True, help="They were not handed over after all.")
@of_study
@as_json
@click.pass_obj
def handed(
    state: State,
    codes: tuple[str, ...],
    on: datetime | None,
    undo: bool,  # noqa: FBT001 -- click's
    study_code: str | None,
) -> None:
    """Say that the cards of these participants were handed over."""
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.participants import card as use_case  # noqa: PLC0415

    if undo and on is not None:
        raise click.UsageError("--undo and --on do not go together")
    with opened(state) as rt, _known():
        actor, found = Actor(kind="staff", id=who(), source="cli"), study.chosen(rt, study_code)
        if undo:
            changed = use_case.take_back(rt, actor, found.id, codes)
        else:
            changed = use_case.hand_over(rt, actor, found.id, codes, None if on is None else on.date())
    if state.as_json:
        show_json({"participants": list(codes), "changed": changed})
    else:
        what, given = "to be handed over again" if undo else "handed over", len(set(codes))
        already = "; the others were already" if changed < given else ""
        click.echo(f"{changed} of {given} {'card' if given == 1 else 'cards'}: {what}{already}.")

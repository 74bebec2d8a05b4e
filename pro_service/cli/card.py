"""`pro-service participant card`: print a participant's card, or give them another code."""

import os
from pathlib import Path
from typing import Any

import click

from pro_service.cli.terminal import State, as_json, of_study, opened, show_json, show_table, who
from pro_service.core.enrolment.cells import quoted
from pro_service.core.problems import Fault, RejectedError

_OUT = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("code", required=False)
@click.option("--out", type=_OUT, metavar="FILE.html", help="Write a page to be printed on A6, readable by you alone.")
@click.option("--replace", is_flag=True, help="Make another code: the old card stops working at once.")
@click.option("--reason", metavar="TEXT", help="Why it is replaced, for the audit trail.")
@click.option("--blank", metavar="SITE", help="A card of this site without a code, to be filled in by hand.")
@of_study
@as_json
@click.pass_obj
def card(state: State, /, code: str | None, out: Path | None, study_code: str | None, **more: Any) -> None:
    """Show or print the card of one participant: where to answer, with which code, around which days.

    One card serves the whole study. Whoever looks stands in the audit trail; a code is made where there is none yet.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.participants import card as use_case  # noqa: PLC0415

    reason, site, replace = more["reason"], more["blank"], more["replace"]
    _check(code, site, reason, replace=replace)
    if out is not None:
        _refuse_unwritable(out)
    with opened(state) as rt:
        found, actor = study.chosen(rt, study_code), Actor(kind="staff", id=who(), source="cli")
        try:
            if site is not None:
                made = use_case.blank(rt, found.id, site)
            elif replace:
                made = use_case.replace(rt, actor, found.id, code or "", reason or "")
            else:
                made = use_case.show(rt, actor, found.id, code or "")
        except KeyError:
            remedy = "`pro-service participant list` lists all"
            raise RejectedError(
                (Fault("CODE", None, f"there is no participant {quoted(code or '')}", remedy),)
            ) from None
        if out is not None:
            _write(out, use_case.document(made))
    _say(state, made, out)


def _check(code: str | None, site: str | None, reason: str | None, *, replace: bool) -> None:
    """Raise UsageError for what does not go together."""
    if (code is None) == (site is None):
        raise click.UsageError("name a participant's CODE, or a site with --blank")
    if replace != (reason is not None) or (replace and site is not None):
        raise click.UsageError("--replace and --reason go together, and with a participant's CODE")


def _refuse_unwritable(file: Path) -> None:
    """Raise RejectedError for a file that could not be written: said before anything is changed."""
    place = file if file.exists() else file.parent
    if not os.access(place, os.W_OK):
        remedy = "name a file in a folder that is there and yours"
        raise RejectedError((Fault("--out", None, f"{quoted(str(file))} cannot be written", remedy),))


def _write(file: Path, page: str) -> None:
    """Write a file that nobody else of this machine can read: it holds the code."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as target:
        os.fchmod(target.fileno(), 0o600)
        target.write(page)


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

"""`pro-service export …`: the data set."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from pro_service.cli.terminal import State, as_json, of_study, opened, progress_bar, show_json, show_table, who
from pro_service.core.iso8601 import instant_text
from pro_service.core.problems import words

BIG = 20_000_000
"""A check of so many bytes or more shows a progress bar."""


def _names(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, ...]:
    """Return names that have commas between them; whether they are known is checked with everything else."""
    return tuple(name for part in value.split(",") if (name := part.strip().lower()))


@click.group(invoke_without_command=True)
@click.option(
    "--to",
    "target",
    metavar="FOLDER|FILE.zip",
    type=click.Path(path_type=Path),
    help="A new or empty folder, or a ZIP.",
)
@of_study
@click.option("--as-of", "as_of", metavar="INSTANT", help="What was stored by then, e.g. 2026-06-30T23:59:59Z.")
@click.option("--site", metavar="CODE", help="Only the participants of this site.")
@click.option(
    "--format",
    "formats",
    callback=_names,
    metavar="FORMATS",
    default="csv",
    show_default=True,
    help="With commas between them: csv, dta, sav, xpt, xlsx, redcap. CSV is always there.",
)
@click.option("--excel", is_flag=True, help="CSV files as Excel opens them: semicolons, decimal commas.")
@click.option("--language", type=click.Choice(("en", "tr")), default="en", help="Of labels in Stata, SPSS, SAS, Excel.")
@as_json
@click.pass_context
def export(context: click.Context, /, target: Path | None, **options: Any) -> None:
    """Write the data set of a study: every answer, explained, as it was at an instant.

    The same instant gives the same files again. Every export leaves a row in the audit trail.
    """
    if context.invoked_subcommand is None:
        if target is None:
            raise click.UsageError("say where: --to FOLDER, or --to FILE.zip", context)
        _export(context.ensure_object(State), target, **options)


def _export(
    state: State,
    target: Path,
    *,
    study_code: str | None,
    as_of: str | None,
    site: str | None,
    formats: tuple[str, ...],
    excel: bool,
    language: str,
) -> None:
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.export import Wanted, export, read_instant  # noqa: PLC0415

    moment = None if as_of is None else read_instant(as_of)
    with opened(state) as rt, ExitStack() as shown:
        wanted = Wanted(study.chosen(rt, study_code), moment, site, formats, excel, language)
        actor = Actor(kind="staff", id=who(), source="cli")
        made = export(rt, actor, wanted, target, progress_bar(shown, "Exporting"))
    if state.as_json:
        files = [{"path": one.path, "rows": one.rows, "sha256": one.sha256} for one in made.files]
        show_json({"folder": str(target), "as_of": instant_text(made.as_of), "files": files})
        return
    show_table(("file", "rows"), [(one.path, "" if one.rows is None else str(one.rows)) for one in made.files])
    click.echo(f"As of {instant_text(made.as_of)}, in {target}. To check it later: pro-service export check {target}")


@export.command()
@click.argument("place", metavar="FOLDER|FILE.zip", type=click.Path(exists=True, readable=True, path_type=Path))
@as_json
@click.pass_obj
def check(state: State, place: Path) -> None:
    """Compare an exported data set with its own manifest and codebook: every hash, row and cell.

    Needs neither the database nor a key, and unpacks nothing. Exit status 1 if anything is found.
    """
    from pro_service.exports.check import check as checking  # noqa: PLC0415

    with ExitStack() as shown:
        done = checking(place, progress_bar(shown, "Checking", least=BIG))
    if state.as_json:
        show_json(_as_json(done))
    else:
        _show(done)
    if done.findings:
        raise click.exceptions.Exit(1)


def _show(done: Any) -> None:
    for finding in done.findings:
        what, remedy = words(finding.problem)
        line = "" if finding.line is None else f", line {finding.line}"
        column = f", {finding.column}" if finding.column else ""
        click.echo(f"{click.style(finding.file + line + column, fg='red')}: {what}")
        click.echo(f"    → {remedy}")
    if done.more:
        click.echo(f"… and {done.more} more of the same kinds.")
    if not done.findings:
        click.echo(f"{done.files} files, {done.rows} rows: nothing found. The data set is as it was written.")


def _as_json(done: Any) -> dict[str, object]:
    return {
        "files": done.files,
        "rows": done.rows,
        "findings": [
            {
                "file": finding.file,
                "line": finding.line,
                "column": finding.column or None,
                "code": finding.problem.code,
                "finding": words(finding.problem)[0],
            }
            for finding in done.findings
        ],
        "more": done.more,
    }

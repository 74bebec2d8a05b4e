"""`pro-service export …`: the data set."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from pro_service.cli.terminal import State, as_json, progress_bar, show_json
from pro_service.core.problems import words

BIG = 20_000_000
"""A check of so many bytes or more shows a progress bar."""


@click.group()
def export() -> None:
    """The data set of a study, as it leaves."""


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

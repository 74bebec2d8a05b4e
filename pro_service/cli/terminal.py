"""What every command shares: settings and runtime, tables and JSON on the terminal, and faults said cleanly."""

import gc
import getpass
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from pro_service import logs
from pro_service.core.iso8601 import instant_text
from pro_service.core.problems import Problem, RejectedError, SetUpError, problem, unavailable, words
from pro_service.settings import Settings, SettingsError, load

USUAL_COLLECTING = gc.get_threshold()
"""When Python looks for garbage, unless a short command has it wait."""


@dataclass(slots=True)
class State:
    """What the command line was told before the command."""

    env_file: Path | None
    as_json: bool = False

    def settings(self, *, serving: bool = False) -> Settings:
        """The settings, and a log that is loud only where a program stays; SettingsError with every fault."""
        found = load(self.env_file)
        logs.set_up(found.log_level if serving or found.log_level == "DEBUG" else "WARNING")
        return found

    def settings_if_complete(self) -> Settings | None:
        """The settings, for what works without them too; None where they have a fault."""
        try:
            return self.settings()
        except SettingsError:
            logs.set_up("WARNING")
            return None


def _set_json(context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001 -- click's
    if value:
        context.ensure_object(State).as_json = True


as_json = click.option(
    "--json", is_flag=True, expose_value=False, callback=_set_json, help="Print JSON instead of a table."
)
of_study = click.option("--study", "study_code", metavar="CODE", help="The study; needed only where there are several.")
given_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))


class Guarded(click.Group):
    """The outermost command: whatever goes wrong inside is said in one line each, never as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Carry the command out; status 1 for a fault in what was given, or one of ours."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            # A reader that has seen enough (`… | head`) is no fault; click ends quietly.
            raise
        except (RejectedError, SettingsError) as error:
            show_faults(error.faults, as_json=ctx.ensure_object(State).as_json)
        except Exception as error:  # noqa: BLE001 -- the last place before the terminal
            _explain(error, as_json=ctx.ensure_object(State).as_json)
        raise click.exceptions.Exit(1)


def _explain(error: Exception, *, as_json: bool) -> None:
    """One fault, without a value that may be somebody's: only our own errors' messages are known to carry none."""
    # Heavy, and already imported when something went wrong with the database.
    from pro_service.store.unavailable import why_unavailable  # noqa: PLC0415

    if isinstance(error, SetUpError):
        found = error.problem
    elif (cause := why_unavailable(error)) is not None:
        found = unavailable(cause)
    else:
        logs.fault("command", error)
        found = problem("unexpected", kind=type(error).__name__)
    if as_json:
        show_faults((found,), as_json=True)
    else:
        click.echo(f"pro-service: {': '.join(words(found))}", err=True)


@contextmanager
def opened(state: State, *, serving: bool = False, pool_size: int = 10) -> Iterator[Any]:
    """A runtime for the time of one command. Its type is given where it is used: importing it takes long."""
    from pro_service.runtime import open_runtime  # noqa: PLC0415

    rt = open_runtime(state.settings(serving=serving), pool_size=pool_size)
    if serving:
        gc.set_threshold(*USUAL_COLLECTING)
        rt.make_ready()
    try:
        yield rt
    finally:
        rt.close()


def who() -> str:
    """Who acts, for the audit trail."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli:unknown"


def text_of(file: Path) -> str:
    """The text of a file that a person wrote; RejectedError if it is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.read_bytes().count(b"\n", 0, error.start) + 1
        raise RejectedError((problem("text_not_utf8", "", line),)) from None


# Printing ------------------------------------------------------------------------------------------------------------


def refuse_unwritable(file: Path) -> None:
    """Raise RejectedError if a file cannot be written. Call this before anything is changed."""
    place = file if file.exists() else file.parent
    if not os.access(place, os.W_OK):
        raise RejectedError((problem("not_writable", "--out"),))


def write_private(file: Path, text: str) -> None:
    """Write a file that nobody else on this machine can read."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as target:
        os.fchmod(target.fileno(), 0o600)
        target.write(text)


def progress_bar(shown: ExitStack, label: str, *, least: int = 1) -> Callable[[int, int], None]:
    """Return a function (done, total) that draws a progress bar on standard error; for a total below `least` none.

    The bar appears with the first step.
    """
    bars: list[Any] = []

    def reached(done: int, total: int) -> None:
        if total < least:
            return
        if not bars:
            bars.append(shown.enter_context(click.progressbar(length=total, label=label, file=sys.stderr)))
        bars[0].update(min(done, total) - bars[0].pos)

    return reached


def show_json(value: object) -> None:
    """Print a value as JSON: dataclasses as objects, instants in UTC with Z."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> object:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return asdict(value)


def show_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns; numbers to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    numeric = [bool(cells) and all(row[at].replace("/", "").isdigit() for row in cells) for at in range(len(head))]
    widths = [max(len(row[at]) for row in [list(head), *cells]) for at in range(len(head))]

    def line(row: Sequence[str]) -> str:
        parts = zip(row, widths, numeric, strict=True)
        return "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in parts).rstrip()

    click.secho(line(head), bold=True)
    for row in cells:
        click.echo(line(row))


def _cell(value: object) -> str:
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")
        case bool():
            return "yes" if value else "no"
        case None:
            return "–"
        case _:
            return str(value)


def fault_as_json(fault: Problem) -> dict[str, object]:
    """A fault as programs read it: where, what, and what to do; the words may change, the code does not."""
    what, remedy = words(fault)
    return {"path": fault.path, "line": fault.line, "code": fault.code, "fault": what, "remedy": remedy}


def show_faults(faults: Sequence[Problem], *, as_json: bool) -> None:
    """Print every fault: what, where, and what to do."""
    if as_json:
        show_json([fault_as_json(fault) for fault in faults])
        return
    for fault in faults:
        show_fault(fault, "red")
    click.echo(f"{len(faults)} {'fault' if len(faults) == 1 else 'faults'}; nothing was changed.", err=True)


def show_fault(fault: Problem, colour: str, *, err: bool = False) -> None:
    """Print one fault on one line and its remedy on the next."""
    place = ": ".join(part for part in (f"line {fault.line}" if fault.line else "", fault.path) if part)
    marked = click.style(f"{place}: ", fg=colour) if place else ""
    what, remedy = words(fault)
    click.echo(f"{marked}{what}", err=err)
    click.echo(f"    → {remedy}", err=err)

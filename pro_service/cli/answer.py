"""`pro-service participant clear`: take a wrong answer away, with a reason; every version stays."""

import click

from pro_service.cli.terminal import State, as_json, of_study, opened, show_json, who
from pro_service.core.enrolment.cells import quoted
from pro_service.core.problems import Problem, RejectedError, problem


@click.command()
@click.argument("code")
@click.argument("window")
@click.argument("items", nargs=-1, required=True, metavar="ITEM...")
@click.option("--reason", metavar="T", required=True, help="Why; saved in the audit trail.")
@of_study
@as_json
@click.pass_obj
def clear(state: State, code: str, window: str, items: tuple[str, ...], reason: str, study_code: str | None) -> None:
    """Take the saved answers to these items of a window away: they are missing again, and every version is kept."""
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.participants import entry  # noqa: PLC0415

    with opened(state) as rt:
        found = study.chosen(rt, study_code)
        wanted = entry.Filled({}, cleared=items, reason=reason)
        try:
            entry.enter(rt, Actor(kind="staff", id=who(), source="cli"), found.id, code, window, wanted)
        except KeyError as missing:
            if missing.args == (code,):
                raise RejectedError((problem("no_participant", "CODE", code=quoted(code)),)) from None
            raise RejectedError((problem("answer_not_saved", "WINDOW"),)) from None
        except RejectedError as rejected:
            raise RejectedError(tuple(_at_option(fault, items) for fault in rejected.faults)) from None
    if state.as_json:
        show_json({"participant": code, "window": window, "cleared": list(items)})
    else:
        click.echo(f"{code}, {window}: {', '.join(items)} missing again; the versions are kept.")


def _at_option(fault: Problem, items: tuple[str, ...]) -> Problem:
    """A fault at the part of the command that it is about."""
    return fault.at("--reason" if fault.path == "reason" else f"ITEM {fault.path}" if fault.path in items else "CODE")

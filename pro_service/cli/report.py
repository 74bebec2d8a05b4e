"""`pro-service report …`: compliance and escalations."""

import click

from pro_service.cli.terminal import State, as_json, of_study, opened, show_json, show_table


@click.group()
def report() -> None:
    """Figures about a study, denominators always shown."""


@report.command()
@of_study
@as_json
@click.pass_obj
def compliance(state: State, study_code: str | None) -> None:
    """For each time point: what was due, and what was answered."""
    from pro_service.use_cases import reporting, study  # noqa: PLC0415

    with opened(state) as rt:
        rows = reporting.compliance_rows(rt, study.chosen(rt, study_code).id)
    if state.as_json:
        show_json(rows)
        return
    head = ("", "in window", "%", "with late ones", "%", "late", "partial", "declined", "missed", "before enrolment")
    table = []
    for row in rows:
        due, within = row["due"], row["completed_in_window"]
        ever = within + row["late"]
        rates = (f"{within}/{due}", _percent(row["rate_in_window"]), f"{ever}/{due}", _percent(row["rate_any"]))
        rest = (row["late"], row["partial"], row["declined"], row["missed"], row["missed_before_enrolment"])
        table.append((row["code"], *rates, *rest))
    show_table(head, table)


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.0f}"


@report.command()
@of_study
@as_json
@click.pass_obj
def escalations(state: State, study_code: str | None) -> None:
    """List every task that there is or was, in the order in which they were raised."""
    from pro_service.use_cases import reporting, study  # noqa: PLC0415

    with opened(state) as rt:
        rows = reporting.escalation_rows(rt, study.chosen(rt, study_code).id)
    if state.as_json:
        show_json(rows)
        return
    columns = ("id", "participant", "window", "level", "raised_at", "due_at", "resolved_at", "outcome")
    show_table([name.replace("_", " ") for name in columns], [[dict(row)[name] for name in columns] for row in rows])

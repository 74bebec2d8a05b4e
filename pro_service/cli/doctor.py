"""`pro-service doctor`: whether everything is as it should be."""

from dataclasses import asdict

import click

from pro_service.cli.terminal import State, as_json, show_json

SIGNS = {"green": "✓", "yellow": "!", "red": "✗"}


@click.command()
@as_json
@click.pass_obj
def doctor(state: State) -> None:
    """Examine settings, database, keys, clock, scheduler and what waits; status 1 if something is broken."""
    from pro_service.use_cases.doctor import examine  # noqa: PLC0415

    found = examine(state.settings())
    if state.as_json:
        show_json([asdict(finding) | {"page": finding.page} for finding in found])
    else:
        width = max(len(finding.part) for finding in found)
        for finding in found:
            sign = click.style(SIGNS[finding.colour], fg=finding.colour, bold=True)
            click.echo(f"{sign} {finding.part.ljust(width)}  {finding.finding}")
            if finding.remedy and finding.colour != "green":
                click.echo(f"  {' ' * width}  → {finding.remedy} ({finding.page})")
    if any(finding.colour == "red" for finding in found):
        raise click.exceptions.Exit(1)

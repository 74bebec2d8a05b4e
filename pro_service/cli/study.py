"""`pro-service study …`: check, load and show a study; move participants to its newest version."""

from pathlib import Path
from typing import Any

import click

from pro_service.cli.migrating import migrate
from pro_service.cli.terminal import (
    State,
    as_json,
    given_file,
    of_study,
    opened,
    show_fault,
    show_json,
    show_table,
    text_of,
    who,
)
from pro_service.core.durations import iso
from pro_service.core.protocol import Protocol


@click.group()
def study() -> None:
    """The protocol and its texts."""


study.add_command(migrate)


@study.command()
@given_file
@as_json
@click.pass_obj
def check(state: State, file: Path) -> None:
    """Name every fault of a protocol file and of the texts it needs. Needs no database."""
    from pro_service.use_cases import study as use_case  # noqa: PLC0415

    checked = use_case.check(text_of(file))
    for fault in checked.contacts:
        show_fault(fault, "yellow", err=True)
    if checked.contacts:
        click.echo("`study load` refuses a site without a contact; all else is good.", err=True)
    if state.as_json:
        show_json([])
    else:
        points = ", ".join(point.code for point in checked.protocol.time_points)
        click.echo(f"{checked.protocol.study}: no faults ({points}; {', '.join(checked.protocol.languages)}).")


@study.command()
@given_file
@as_json
@click.pass_obj
def load(state: State, file: Path) -> None:
    """Store a protocol and its texts as the version that new participants get."""
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study as use_case  # noqa: PLC0415

    text = text_of(file)
    with opened(state) as rt:
        done = use_case.load(rt, Actor(kind="staff", id=who(), source="cli"), text)
    if state.as_json:
        version = {"number": done.version.number, "sha256": done.version.sha256, "loaded_at": done.version.loaded_at}
        show_json({"study": done.study.code, "version": version, "unchanged": done.unchanged, "sites": done.new_sites})
    elif done.unchanged:
        click.echo(f"{done.study.code}: unchanged, version {done.version.number}.")
    else:
        sites = f" New sites: {', '.join(done.new_sites)}." if done.new_sites else ""
        click.echo(f"{done.study.code}: version {done.version.number} loaded; new participants get it.{sites}")


@study.command()
@of_study
@as_json
@click.pass_obj
def show(state: State, study_code: str | None) -> None:
    """Show the study as new participants get it."""
    from pro_service.use_cases import study as use_case  # noqa: PLC0415

    with opened(state) as rt:
        shown = use_case.show(rt, use_case.chosen(rt, study_code))
    version = shown.version
    stored = {"version": version.number, "sha256": version.sha256, "loaded_at": version.loaded_at}
    found = _described(shown.protocol) | stored | {"participants": shown.participants}
    if state.as_json:
        show_json(found)
    else:
        _show(found)


def _described(protocol: Protocol) -> dict[str, Any]:
    return {
        "study": protocol.study,
        "title": protocol.title,
        "demo": protocol.demo,
        "languages": list(protocol.languages),
        "windows": [
            {
                "code": point.code,
                "label": dict(point.label),
                "mode": point.mode,
                "target": iso(point.target) if point.minutes is None else f"PT{point.minutes[0]}M",
                "items": list(point.items),
                "prompts": [step.name for step in point.steps],
            }
            for point in protocol.time_points
        ],
        "sites": [
            {key: getattr(site, key) for key in ("code", "name", "zone", "country", "telephone")}
            for site in protocol.sites.values()
        ],
    }


def _show(found: dict[str, Any]) -> None:
    click.echo(f"{found['study']}  {found['title']}")
    loaded = f"{found['loaded_at']:%Y-%m-%d %H:%M}Z"
    click.echo(f"version {found['version']} of {loaded}, {found['participants']} participants\n")
    language = found["languages"][-1]
    windows = [
        (w["code"], w["label"][language], w["mode"], w["target"], " ".join(w["items"]), len(w["prompts"]))
        for w in found["windows"]
    ]
    show_table(("window", "label", "asked by", "target", "items", "prompts"), windows)
    click.echo()
    show_table(("site", "name", "zone", "country", "telephone"), [tuple(site.values()) for site in found["sites"]])

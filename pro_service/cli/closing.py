"""`pro-service study close|lock|unlock|erase-contacts`: the end of a study."""

import sys
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from pro_service.cli.terminal import (
    State,
    as_json,
    of_study,
    opened,
    progress_bar,
    refuse_unwritable,
    show_json,
    show_table,
    who,
    write_private,
)

MANY = 20
"""Erasing this many participants or more shows a progress bar."""
MOST_SHOWN = 40
reasoned = click.option("--reason", metavar="T", required=True, help="Why; saved in the audit trail.")


@click.command()
@click.option("--lock-data", is_flag=True, help="Lock the data at once.")
@click.option("--dry-run", is_flag=True, help="Show what is still open, change nothing.")
@reasoned
@of_study
@as_json
@click.pass_obj
def close(state: State, reason: str, study_code: str | None, *, lock_data: bool, dry_run: bool) -> None:
    """Close a study for good: waiting texts are cancelled, windows end, and nobody is asked any more.

    Windows that have not closed are counted if they were answered, and otherwise end uncounted. Open tasks stay, and
    are listed. Late answers are still taken until the data are locked.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import closing, study  # noqa: PLC0415

    with opened(state) as rt:
        found = study.chosen(rt, study_code)
        seen = closing.look(rt, found.id)
        if dry_run:
            _show(state, found.code, seen)
            return
        if sys.stdin.isatty() and not state.as_json:
            _show(state, found.code, seen)
            click.confirm("Close this study? It cannot be opened again.", abort=True)
        actor = Actor(kind="staff", id=who(), source="cli")
        _show(state, found.code, closing.close(rt, actor, found.id, reason, lock_data=lock_data))


@click.command()
@reasoned
@of_study
@click.pass_obj
def lock(state: State, reason: str, study_code: str | None) -> None:
    """Lock the data of a closed study: no answer can be added or changed any more."""
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import closing, study  # noqa: PLC0415

    with opened(state) as rt:
        found = study.chosen(rt, study_code)
        closing.lock(rt, Actor(kind="staff", id=who(), source="cli"), found.id, reason)
    click.echo(f"{found.code}: the data are locked.")


@click.command()
@click.option("--by", "email", metavar="EMAIL", required=True, help="The investigator who unlocks them.")
@reasoned
@of_study
@click.pass_obj
def unlock(state: State, email: str, reason: str, study_code: str | None) -> None:
    """Unlock the data of a study in an investigator's name."""
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import closing, confirmation, study  # noqa: PLC0415

    with opened(state) as rt:
        found = study.chosen(rt, study_code)
        user_id = confirmation.user_of(rt, email)
        actor = Actor(kind="staff", id=who(), source="cli", on_behalf_of=f"user:{user_id}")
        closing.unlock(rt, actor, found.id, user_id, reason)
    click.echo(f"{found.code}: the data are unlocked.")


@click.command("erase-contacts")
@click.option(
    "--after",
    metavar="DAY",
    required=True,
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="The last day (UTC) on which they are kept, e.g. 2031-05-04.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the certificate to this file.")
@click.option("--dry-run", is_flag=True, help="Show how many would be erased, change nothing.")
@reasoned
@of_study
@as_json
@click.pass_obj
def erase_contacts(
    state: State, after: datetime, out: Path | None, reason: str, study_code: str | None, *, dry_run: bool
) -> None:
    """Erase the contact data of everybody in a closed study once a day is over. Codes, dates and answers stay.

    If the day is not over yet, it is only set, and the scheduler erases the data on the next day. Otherwise they are
    erased at once; after an interruption, run the command again. The certificate is written when all are erased.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import contact_erasure, study  # noqa: PLC0415
    from pro_service.use_cases.participants.erase import follow_up  # noqa: PLC0415

    if out is not None:
        refuse_unwritable(out)
    with opened(state) as rt, ExitStack() as shown:
        progress = progress_bar(shown, "Erasing", least=MANY)
        found = study.chosen(rt, study_code)
        actor = Actor(kind="staff", id=who(), source="cli")
        if not dry_run:
            contact_erasure.plan(rt, actor, found.id, after.date(), reason)
            if contact_erasure.erase_due(rt, actor, seconds=None, progress=progress):
                follow_up(rt)
        made = contact_erasure.certificate(rt, found.id)
    if out is not None and not made.left and not dry_run:
        write_private(out, contact_erasure.as_text(made))
    if state.as_json:
        show_json(asdict(made) | {"newest_seal": str(made.newest_seal or ""), "dry_run": dry_run})
        return
    if made.left and not dry_run and after.date() < made.made_at.date():
        click.echo(f"{found.code}: contact data of {made.left} participants could not be erased.", err=True)
        click.echo("The scheduler tries again every minute. See erase.due in the log for where it fails.", err=True)
        sys.exit(1)
    if made.left:
        when = "would be erased" if dry_run else "are erased"
        click.echo(f"{found.code}: contact data of {made.left} participants {when} after {after:%Y-%m-%d}.")
    else:
        click.echo(f"{found.code}: contact data of all {len(made.erased)} participants are erased.")
    if out is not None and made.left:
        click.echo("No certificate yet: run this command again when they are erased.", err=True)


def _show(state: State, code: str, found: Any) -> None:
    if state.as_json:
        show_json({"study": code, **asdict(found.standing), **asdict(found.rest)})
        return
    standing, rest = found.standing, found.rest
    if standing.closed_at is None:
        click.echo(f"{code} is open.")
    else:
        locked = "" if standing.locked_at is None else f", data locked since {standing.locked_at:%Y-%m-%d %H:%M}Z"
        click.echo(f"{code} has been closed since {standing.closed_at:%Y-%m-%d %H:%M}Z{locked}.")
    click.echo(
        f"Messages that wait: {rest.texts}. Windows not counted: {rest.open_windows} open, "
        f"{rest.windows_to_come} to come, {rest.closed_windows} closed. Open tasks: {len(rest.tasks)}."
    )
    if rest.tasks:
        rows = [(one.participant, one.level, one.reason, one.due_at) for one in rest.tasks[:MOST_SHOWN]]
        show_table(("participant", "level", "reason", "due"), rows)
    if len(rest.tasks) > MOST_SHOWN:
        click.echo(f"… and {len(rest.tasks) - MOST_SHOWN} more: --json lists them.")

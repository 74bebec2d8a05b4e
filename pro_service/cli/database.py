"""`pro-service db …`: the schema, the rights and the encryption of the database."""

from contextlib import ExitStack
from dataclasses import asdict

import click

from pro_service.cli.backup import copy
from pro_service.cli.terminal import State, as_json, opened, progress_bar, show_json
from pro_service.core.problems import RejectedError, problem

MANY = 2_000
"""Sealing this many texts or more shows a progress bar."""


@click.group("db")
def database() -> None:
    """The database."""


database.add_command(copy)


@database.command()
@click.option("--test", is_flag=True, help="Make a new database whose clock PRO_SERVICE_NOW may set.")
@click.option("--no-backup", is_flag=True, help="Make no backup before.")
@click.pass_obj
def upgrade(state: State, test: bool, no_backup: bool) -> None:  # noqa: FBT001 -- click's
    """Bring the database to this release's schema; make it if there is none.

    Before anything is changed a backup is made in BACKUP_DIR. An upgrade that is interrupted leaves the database as it
    was. Where it could not be finished it does not begin.
    """
    from pro_service.use_cases import upgrade as use_case  # noqa: PLC0415

    with ExitStack() as shown:
        done = use_case.upgrade(
            state.settings(),
            test=test,
            back_up=not no_backup,
            waiting=lambda: click.echo("Another upgrade of this database is at work; waiting for it.", err=True),
            backed_up=lambda made: click.echo(f"Backup: {made.folder}"),
            progress=progress_bar(shown, "Upgrading", least=2),
        )
    if done.before == done.after:
        click.echo(f"The database is at revision {done.after} already.")
    else:
        click.echo(f"The database was at revision {done.before or 'none'}, now it is at {done.after}.")
    _say_who_sets_up_a_factor(state)


def _say_who_sets_up_a_factor(state: State) -> None:
    """Name, before the web server starts, the people who must set up a second factor at the next sign-in."""
    from pro_service.store.staff import members  # noqa: PLC0415
    from pro_service.use_cases.staff.accounts import needs_factor  # noqa: PLC0415

    with opened(state) as rt, rt.sessions.reading() as session:
        asked = [one.email for one in members.without_factor(session) if needs_factor(rt.settings, one)]
    if asked:
        click.echo(
            f"At the next sign-in these people must set up a second factor (an authenticator app): {', '.join(asked)}."
        )
        click.echo("SECOND_FACTOR_ROLES says which roles need one; over https all roles do, unless it is set.")


@database.command()
@as_json
@click.pass_obj
def reseal(state: State) -> None:
    """Seal texts of earlier releases with the keys of their telephones, so that they can be erased.

    The scheduler does this by itself; without one, run this command once after an upgrade. It can be interrupted.
    """
    from pro_service.use_cases.inbound import reseal as use_case  # noqa: PLC0415

    with opened(state) as rt, ExitStack() as shown:
        report = use_case.reseal(rt, progress=progress_bar(shown, "Sealing", least=MANY))
    if state.as_json:
        show_json(asdict(report))
        return
    click.echo(f"{report.resealed} texts sealed with the keys of their telephones.")
    if report.unreadable:
        click.echo(f"{report.unreadable} could not be decrypted and stay as they are: see `pro-service doctor`.")


@database.command()
@click.option("--role", required=True, help="The role that the service connects as; it owns no table.")
def grants(role: str) -> None:
    """Print the SQL that lets a role of PostgreSQL run the service, but not switch off the audit trail's triggers.

    Make the role first (CREATE ROLE … LOGIN), and let `db upgrade` run as another role, which owns the tables.
    """
    from pro_service.store import guards  # noqa: PLC0415

    if guards.ROLE.fullmatch(role) is None:
        raise RejectedError((problem("role_name_unfit", "--role", given=role[:80]),))
    click.echo(guards.grants(role), nl=False)

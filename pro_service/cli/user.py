"""`pro-service user …`: accounts of staff."""

import sys

import click

from pro_service.cli.terminal import State, as_json, of_study, opened, show_json, who


@click.group()
def user() -> None:
    """Accounts of staff."""


@user.command()
@click.argument("email")
@click.option(
    "--role", required=True, help="coordinator, assessor, investigator, data-manager, monitor, administrator."
)
@click.option("--site", metavar="CODE", help="The one site it holds for; without it, every site.")
@of_study
@as_json
@click.pass_obj
def add(state: State, email: str, role: str, site: str | None, study_code: str | None) -> None:
    """Give somebody an account with a role, or one more role.

    The password is asked for, or read from standard input where that is not a terminal.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import accounts  # noqa: PLC0415

    with opened(state) as rt:
        actor = Actor(kind="staff", id=who(), source="cli")
        done = accounts.add_user(rt, actor, email, _password(), role, study_code, site)
    if state.as_json:
        show_json({"email": email, "role": role, "created": done.created, "granted": done.granted})
    elif not done.granted:
        click.echo(f"{email}: has the role {role} already.")
    else:
        where = f" at {site}" if site else ""
        account = "account made" if done.created else "has an account; its password stays"
        click.echo(f"{email}: {account}, role {role}{where}.")


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")

"""`pro-service user …`: accounts of staff."""

import sys
from typing import Any

import click

from pro_service.cli.terminal import State, as_json, of_study, opened, show_json, show_table, who
from pro_service.core.problems import RejectedError, problem


@click.group()
def user() -> None:
    """Accounts of staff."""


@user.command()
@click.argument("email")
@click.option(
    "--role",
    required=True,
    help="coordinator, assessor, investigator, data-manager, monitor, statistician, administrator.",
)
@click.option("--site", metavar="CODE", help="The one site it holds for; without it, every site.")
@of_study
@as_json
@click.pass_obj
def add(state: State, email: str, role: str, site: str | None, study_code: str | None) -> None:
    """Give somebody an account with a role, or one more role.

    The password is asked for, or read from standard input where that is not a terminal.
    """
    from pro_service.use_cases.staff import accounts  # noqa: PLC0415

    with opened(state) as rt:
        done = accounts.add_user(rt, _actor(), email, _password(), role, study_code, site)
    if state.as_json:
        show_json({"email": email, "role": role, "created": done.created, "granted": done.granted})
    elif not done.granted:
        click.echo(f"{email}: has the role {role} already.")
    else:
        where = f" at {site}" if site else ""
        account = "account made" if done.created else "has an account; its password stays"
        click.echo(f"{email}: {account}, role {role}{where}.")


@user.command()
@click.argument("email")
@click.option("--role", required=True, help="As for `add`.")
@click.option("--site", metavar="CODE", help="The one site it holds for; without it, every site.")
@click.option("--language", type=click.Choice(["tr", "en"]), default="tr", help="Of the mail and the pages.")
@of_study
@as_json
@click.pass_obj
def invite(state: State, email: str, role: str, site: str | None, language: str, study_code: str | None) -> None:
    """Mail somebody a link to an account with a role; they set password and second factor themselves.

    Where no mail can be sent, the link is printed, to be handed over by another safe way.
    """
    from pro_service.use_cases.staff import administration as staff  # noqa: PLC0415

    with opened(state) as rt:
        made = staff.invite(rt, _actor(), email, role, study_code, site, language=language, by_hand=True)
    _show_link(state, email, made)


@user.command("list")
@as_json
@click.pass_obj
def list_users(state: State) -> None:
    """All users with their roles, and who is disabled, invited, without a second factor."""
    from pro_service.store.staff import members  # noqa: PLC0415

    with opened(state) as rt, rt.sessions.reading() as session:
        everybody = members.all_members(session)
    if state.as_json:
        show_json([_as_json(member) for member in everybody])
        return
    show_table(
        ("e-mail", "roles", "account", "second factor", "last login"),
        [
            (
                member.email,
                ", ".join(_role(held) for held in member.roles) or None,
                _condition(member),
                "set up" if member.factor_at else "required" if member.factor_required else "none",
                member.last_login_at,
            )
            for member in everybody
        ],
    )


@user.command()
@click.argument("email")
@as_json
@click.pass_obj
def disable(state: State, email: str) -> None:
    """Shut somebody out at once; their sessions end."""
    from pro_service.use_cases.staff import administration as staff  # noqa: PLC0415

    with opened(state) as rt:
        changed = staff.disable(rt, _actor(), _of(rt, email))
    _show_change(state, email, "disabled", changed=changed)


@user.command()
@click.argument("email")
@as_json
@click.pass_obj
def enable(state: State, email: str) -> None:
    """Let somebody in again, with the password and the second factor they had."""
    from pro_service.use_cases.staff import administration as staff  # noqa: PLC0415

    with opened(state) as rt:
        changed = staff.enable(rt, _actor(), _of(rt, email))
    _show_change(state, email, "enabled", changed=changed)


@user.command()
@click.argument("email")
@click.option("--second-factor", is_flag=True, help="Take a lost second factor away; the password stays.")
@as_json
@click.pass_obj
def reset(state: State, email: str, second_factor: bool) -> None:  # noqa: FBT001 -- click's
    """Mail somebody a link to a new password, or the invitation again; with --second-factor, reset that instead.

    Where no mail can be sent, the link is printed, to be handed over by another safe way.
    """
    from pro_service.use_cases.staff import administration as staff  # noqa: PLC0415

    with opened(state) as rt:
        if second_factor:
            changed = staff.reset_factor(rt, _actor(), _of(rt, email))
            _show_change(state, email, "second factor reset", changed=changed)
        else:
            _show_link(state, email, staff.send_link(rt, _actor(), _of(rt, email), by_hand=True))


def _actor() -> Any:
    from pro_service.store.audit import Actor  # noqa: PLC0415

    return Actor(kind="staff", id=who(), source="cli")


def _of(rt: Any, email: str) -> int:
    """The user with this address; RejectedError if there is none."""
    from pro_service.store.staff import members  # noqa: PLC0415
    from pro_service.use_cases.staff.accounts import folded  # noqa: PLC0415

    with rt.sessions.reading() as session:
        found = members.by_email(session, folded(email))
    if found is None:
        raise RejectedError((problem("nobodys_address", "email"),))
    return found.id


def _role(held: Any) -> str:
    return f"{held.role} {held.study or '*'}/{held.site or '*'}" + ("" if held.approved_at else " (not approved yet)")


def _condition(member: Any) -> str:
    return "disabled" if member.disabled_at else "open" if member.has_password else "invited"


def _as_json(member: Any) -> dict[str, object]:
    return {
        "email": member.email,
        "account": _condition(member),
        "second_factor": member.factor_at is not None,
        "second_factor_required": member.factor_required,
        "last_login_at": member.last_login_at,
        "roles": [
            {"role": held.role, "study": held.study, "site": held.site, "approved_at": held.approved_at}
            for held in member.roles
        ],
    }


def _show_link(state: State, email: str, made: Any) -> None:
    if state.as_json:
        show_json({"email": email, "mailed": made.mailed} | ({} if made.mailed else {"link": made.address}))
    elif made.mailed:
        click.echo(f"{email}: the mail with a link is on its way; it works once.")
    else:
        click.echo(f"{email}: no mail can be sent. Hand this link over by a safe way; it works once:\n{made.address}")


def _show_change(state: State, email: str, done: str, *, changed: bool) -> None:
    if state.as_json:
        show_json({"email": email, "done": done, "changed": changed})
    else:
        click.echo(f"{email}: {done}." if changed else f"{email}: this was so already; nothing was changed.")


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")

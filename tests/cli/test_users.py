"""Accounts on the command line: invited, listed, shut out, helped back in."""

import pytest

from tests.cli.conftest import Run
from tests.peers import databases

EMAIL = "someone@example.org"


@pytest.fixture
def user(run: Run, study: str) -> str:
    """Return the e-mail of a coordinator."""
    done = run("user", "add", EMAIL, "--role", "coordinator", "--study", study, text="a quiet morning in April\n")
    assert done.status == 0
    return EMAIL


@databases.ON_BOTH
def test_an_invitation_without_a_mail_host_gives_the_link_to_hand_over(run: Run, study: str) -> None:
    arguments = ("new@example.org", "--role", "coordinator", "--site", "IST", "--study", study)
    made = run("user", "invite", *arguments, "--json").json
    assert (made["mailed"], "/welcome/" in made["link"]) == (False, True)
    again = run("user", "invite", *arguments)
    assert (again.status, "has an account already" in again.out) == (1, True)
    listed = run("user", "list", "--json").json
    assert [(one["account"], one["second_factor_required"]) for one in listed] == [("invited", True)]
    held = {"role": "coordinator", "study": study, "site": "IST"}
    # Whoever has the command line needs nobody's approval.
    assert listed[0]["roles"] == [held | {"approved_at": listed[0]["roles"][0]["approved_at"]}]
    assert listed[0]["roles"][0]["approved_at"]


def test_users_are_listed_for_people_and_programs(run: Run, user: str) -> None:
    assert user in run("user", "list").out
    assert run("user", "list", "--json").json[0]["account"] == "open"


def test_somebody_is_shut_out_and_let_in_again(run: Run, user: str) -> None:
    assert run("user", "disable", user, "--json").json["changed"]
    assert not run("user", "disable", user, "--json").json["changed"]
    assert run("user", "list", "--json").json[0]["account"] == "disabled"
    assert "is disabled" in run("user", "reset", user).out
    assert run("user", "enable", user).status == 0
    assert run("user", "list", "--json").json[0]["account"] == "open"


def test_a_password_and_a_second_factor_are_reset(run: Run, user: str) -> None:
    assert "/welcome/" in run("user", "reset", user).out
    assert run("user", "reset", user, "--second-factor", "--json").json["changed"]
    assert run("user", "list", "--json").json[0]["second_factor_required"]


@pytest.mark.parametrize("command", ["disable", "enable", "reset"])
@databases.ON_BOTH
def test_an_address_that_nobody_has_is_said(run: Run, study: str, command: str) -> None:
    assert study
    done = run("user", command, "nobody@example.org")
    assert (done.status, "is nobody's address" in done.out) == (1, True)

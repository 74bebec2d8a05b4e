"""Signing in and out: nobody learns who has an account, guessing locks nobody's owner out, sessions end."""

import hashlib
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service.core.problems import RejectedError
from pro_service.core.throttle import ACCOUNT_FAILURES, ADDRESS_FAILURES, SPAN, Kind, ThrottledError
from pro_service.runtime import PasswordCost, Runtime
from pro_service.store.schema import audit_trail, login_failures, logins, users
from pro_service.store.throttle import AccountAttempt
from pro_service.use_cases import throttle
from pro_service.use_cases.staff import accounts, passwords
from pro_service.use_cases.throttle import Place
from pro_service.use_cases.transaction import transaction
from tests import support
from tests.peers import databases
from tests.support import EMAIL, PASSWORD

ELSEWHERE = "192.0.2.7"


@pytest.fixture
def user(rt: Runtime, study_id: int) -> int:
    """Return a coordinator's id."""
    del study_id
    return support.coordinator(rt)


@pytest.fixture
def elsewhere(app: Flask) -> FlaskClient:
    """Return a browser that nobody signed in from, at another address."""
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = ELSEWHERE
    return client


def audit(rt: Runtime) -> list[tuple[str, str, str]]:
    with rt.sessions.reading() as session:
        a = audit_trail.c
        return [tuple(row) for row in session.execute(select(a.action, a.actor, a.changes).order_by(a.id))]


# --- adding a user ---------------------------------------------------------------------------------------------------


def test_every_fault_of_a_new_user_is_said_at_once(rt: Runtime, study_id: int) -> None:
    del study_id
    with pytest.raises(RejectedError) as caught:
        accounts.add_user(rt, support.SETUP, "nobody", "short", "boss", site="XXX")
    assert [fault.path for fault in caught.value.faults] == ["email", "password", "role", "site"]
    assert support.rows_of(rt)["users"] == 0


@pytest.mark.parametrize("password", ["elevenchars", EMAIL, "Coordinator-2026", "galatasaray1905"])
def test_a_password_others_would_guess_is_refused(rt: Runtime, password: str) -> None:
    with pytest.raises(RejectedError):
        accounts.add_user(rt, support.SETUP, EMAIL, password, "coordinator")


def test_an_existing_user_gets_another_role_and_keeps_the_password(rt: Runtime, user: int) -> None:
    again = accounts.add_user(rt, support.SETUP, " Coordinator@EXAMPLE.org ", "", "monitor", site="BER")
    assert (again.user_id, again.created, again.granted) == (user, False, True)
    assert not accounts.add_user(rt, support.SETUP, EMAIL, "", "monitor", site="BER").granted
    token = accounts.log_in(rt, EMAIL, PASSWORD, Place("127.0.0.1"))
    login = accounts.current(rt, token or "")
    assert login is not None
    assert [(grant.role, grant.site_id is None) for grant in login.roles] == [("coordinator", True), ("monitor", False)]


def test_a_password_is_stored_as_argon2id(rt: Runtime, user: int) -> None:
    with rt.sessions.reading() as session:
        stored = session.scalars(select(users.c.password).where(users.c.id == user)).one()
    assert stored is not None
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in json.dumps(audit(rt))


def test_passwords_cost_what_rfc_9106_recommends_and_an_unknown_account_as_much(rt: Runtime) -> None:
    costly = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)
    assert not costly.check_needs_rehash(accounts.hashed(replace(rt, password_cost=PasswordCost()), PASSWORD))
    assert not costly.check_needs_rehash(accounts.NOBODY)


# --- signing in ------------------------------------------------------------------------------------------------------


@databases.ON_BOTH
def test_signing_in_opens_the_page_that_was_asked_for(client: FlaskClient, user: int) -> None:
    page = client.get("/login?next=/participants")
    fields = {"email": EMAIL, "password": PASSWORD, "csrf": support.csrf_of(page.text), "next": "/participants"}
    answer = client.post("/login", data=fields)
    assert (answer.status_code, answer.location) == (303, "/participants")
    assert client.get("/login").location == "/"
    assert user


@databases.ON_BOTH
def test_the_cookie_is_a_secret_that_the_database_does_not_hold(rt: Runtime, client: FlaskClient, user: int) -> None:
    answer = support.sign_in(client)
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("pro_login="))
    assert re.search(r"HttpOnly; Path=/; SameSite=Lax$", cookie)
    with rt.sessions.reading() as session:
        row = session.execute(select(logins)).one()
    assert row.user_id == user
    assert cookie.split(";")[0].removeprefix("pro_login=").encode() not in row.token


@databases.ON_BOTH
def test_every_login_gets_a_session_of_its_own_and_ends_the_one_before(rt: Runtime, user: int) -> None:
    del user
    first = accounts.log_in(rt, EMAIL, PASSWORD, Place("127.0.0.1"))
    second = accounts.log_in(rt, EMAIL, PASSWORD, Place("127.0.0.1"), previous=first)
    assert first != second
    assert accounts.current(rt, first or "") is None
    assert accounts.current(rt, second or "") is not None


def test_a_wrong_password_and_an_unknown_account_look_the_same(client: FlaskClient, user: int) -> None:
    del user
    wrong = support.sign_in(client, password="not the right one")
    unknown = support.sign_in(client, email="nobody@example.org", password="not the right one")
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    assert wrong.text.replace(EMAIL, "") == unknown.text.replace("nobody@example.org", "")


def test_a_form_of_another_page_signs_nobody_in(client: FlaskClient, user: int) -> None:
    del user
    client.get("/login")
    answer = client.post("/login", data={"email": EMAIL, "password": PASSWORD, "csrf": "0" * 64})
    assert answer.status_code == 400
    assert client.get_cookie("pro_login") is None


def test_a_form_cookie_that_we_did_not_sign_is_not_used(client: FlaskClient, user: int) -> None:
    del user
    client.set_cookie("pro_form", "chosen.by-somebody-else")
    assert support.sign_in(client).status_code == 303


@databases.ON_BOTH
def test_a_disabled_account_does_not_open(rt: Runtime, client: FlaskClient, user: int) -> None:
    support.sign_in(client)
    with rt.sessions.begin() as session:
        session.execute(users.update().where(users.c.id == user).values(disabled_at=rt.clock()))
    assert client.get("/").location == "/login?next=/"
    assert support.sign_in(client).status_code == 422


def guesses(rt: Runtime, email: str, number: int) -> None:
    """Write down so many wrong guesses from elsewhere, without the time each would take."""
    with transaction(rt, support.SETUP, rt.clock()) as tx:
        keys = rt.vault.index("login-account", email), rt.vault.index("login-address", ELSEWHERE)
        for _ in range(number):
            AccountAttempt(*keys, None, ADDRESS_FAILURES).count_failure(tx.writer)


# --- guessing --------------------------------------------------------------------------------------------------------


@databases.ON_BOTH
def test_guessing_an_account_is_slowed_but_its_owner_comes_in(
    rt: Runtime, client: FlaskClient, elsewhere: FlaskClient, clock: support.SetClock, user: int
) -> None:
    del user
    support.sign_in(client)
    client.delete_cookie("pro_login")
    guesses(rt, EMAIL, ACCOUNT_FAILURES["login"].most - 1)
    assert support.sign_in(elsewhere, password="a guess").status_code == 422
    assert support.sign_in(elsewhere).status_code == 429
    assert support.sign_in(client).status_code == 303
    clock.now += SPAN + timedelta(seconds=1)
    assert support.sign_in(elsewhere).status_code == 303


@databases.ON_BOTH
def test_an_unknown_account_is_slowed_alike(rt: Runtime, elsewhere: FlaskClient) -> None:
    guesses(rt, "nobody@example.org", ACCOUNT_FAILURES["login"].most - 1)
    assert support.sign_in(elsewhere, email="nobody@example.org").status_code == 422
    assert support.sign_in(elsewhere, email="nobody@example.org").status_code == 429


@databases.ON_BOTH
def test_one_address_may_not_try_many_accounts(rt: Runtime, user: int) -> None:
    del user
    for number in range(ADDRESS_FAILURES.most):
        guesses(rt, f"nobody-{number}@example.org", 1)
    with pytest.raises(ThrottledError):
        accounts.log_in(rt, EMAIL, PASSWORD, Place(ELSEWHERE))
    assert accounts.log_in(rt, EMAIL, PASSWORD, Place("192.0.2.8"))


@pytest.mark.parametrize("kind", get_args(Kind))
def test_an_ipv6_network_counts_as_one_address_at_every_door(rt: Runtime, kind: Kind) -> None:
    """The owner of a network has 2 ** 64 addresses, and would never run out of tries."""

    def attempt(number: int, network: str = "2001:db8:1:2") -> throttle.Attempt:
        return throttle.at_account(rt, kind, f"nobody-{number}@example.org", Place(f"{network}::{number:x}"))

    with transaction(rt, support.SETUP, rt.clock()) as tx:
        for number in range(ADDRESS_FAILURES.most):
            attempt(number).count_failure(tx)
    with pytest.raises(ThrottledError):
        attempt(99)
    attempt(99, "2001:db8:1:3")


def test_neither_address_nor_e_mail_is_kept_of_a_failure(rt: Runtime, client: FlaskClient, user: int) -> None:
    support.sign_in(client, password="a guess")
    with rt.sessions.reading() as session:
        row = session.execute(select(login_failures)).one()
    assert len(row.account) == len(row.address) == 32
    assert EMAIL not in str(audit(rt))
    assert user


def test_the_trail_tells_whether_one_account_was_tried_or_many_and_never_which(rt: Runtime, user: int) -> None:
    """By a keyed hash: with the trail alone, nobody can find an address by hashing known ones."""
    for email in ("nobody@example.org", "NOBODY@example.org ", "somebody@example.org", EMAIL):
        assert accounts.log_in(rt, email, "a guess", Place(ELSEWHERE)) is None
    passwords.ask_reset(rt, "nobody@example.org", Place(ELSEWHERE))
    tried = [json.loads(row[2])["address_tried"][1] for row in audit(rt) if row[0] in ("login_failed", "ask_reset")]
    nobody, again, somebody, known, asked = tried
    assert nobody == again == asked
    assert len({nobody, somebody, known}) == 3
    assert not {hashlib.sha256(b"nobody@example.org").hexdigest()[:12]} & set(tried)
    assert "body@" not in str(audit(rt))
    assert user


# --- staying and leaving ---------------------------------------------------------------------------------------------


def test_a_session_ends_after_a_quarter_of_an_hour_without_use(
    client: FlaskClient, clock: support.SetClock, user: int
) -> None:
    del user
    support.sign_in(client)
    for _ in range(3):
        clock.now += timedelta(minutes=14)
        assert client.get("/").status_code == 200
    clock.now += timedelta(minutes=15, seconds=1)
    assert client.get("/").status_code == 303


def test_a_session_ends_after_eight_hours_of_use(client: FlaskClient, clock: support.SetClock, user: int) -> None:
    del user
    support.sign_in(client)
    for _ in range(48):
        assert client.post("/language").status_code == 403
        clock.now += timedelta(minutes=10)
    clock.now += timedelta(seconds=1)
    assert client.get("/").status_code == 303


@databases.ON_BOTH
def test_use_is_written_down_once_a_minute_at_most(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, user: int
) -> None:
    del user
    support.sign_in(client)

    def seen() -> object:
        with rt.sessions.reading() as session:
            return session.scalars(select(logins.c.seen_at)).one()

    started = clock.now
    clock.now = started + timedelta(seconds=59)
    client.post("/language")
    assert seen() == started
    clock.now = started + timedelta(seconds=61)
    client.post("/language")
    assert seen() == clock.now


@databases.ON_BOTH
def test_leaving_ends_the_session_in_the_database(rt: Runtime, client: FlaskClient, user: int) -> None:
    support.sign_in(client)
    kept = client.get_cookie("pro_login")
    assert kept is not None
    token = support.csrf_of(client.get("/").text)
    assert client.post("/logout", data={"csrf": token}).location == "/login"
    client.set_cookie("pro_login", kept.value)
    assert client.get("/").status_code == 303
    assert [entry[:2] for entry in audit(rt)][-2:] == [("login", f"user:{user}"), ("logout", f"user:{user}")]


@pytest.mark.parametrize("path", ["/logout", "/language"])
@databases.ON_BOTH
def test_a_change_without_the_sessions_token_is_refused(client: FlaskClient, user: int, path: str) -> None:
    del user
    support.sign_in(client)
    assert client.post(path, data={"csrf": "wrong", "language": "tr"}).status_code == 403
    assert client.get("/").status_code == 200


# --- language --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language, words", [("tr", "Giriş yap"), ("en", "Sign in")])
def test_the_sign_in_page_changes_its_language_and_remembers(client: FlaskClient, language: str, words: str) -> None:
    page = client.get(f"/login?lang={language}&next=/participants")
    assert f'<html lang="{language}">' in page.text
    assert 'name="next" value="/participants"' in page.text
    assert words in client.get("/login").text


@pytest.mark.parametrize("address, header", [("/login?lang=tr", "en"), ("/login", "tr-TR,tr;q=0.9,en;q=0.5")])
def test_mails_come_in_the_language_in_which_somebody_signed_in(
    rt: Runtime, client: FlaskClient, user: int, address: str, header: str
) -> None:
    def kept() -> object:
        with rt.sessions.reading() as session:
            return session.scalars(select(users.c.language).where(users.c.id == user)).one()

    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = header
    assert kept() == ""
    assert client.get(address).status_code == 200
    support.sign_in(client)
    assert kept() == "tr"
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    support.sign_in(client)
    assert kept() == "tr", "what is chosen stays"


def test_staff_choose_a_language_that_stays(client: FlaskClient, app: Flask, user: int) -> None:
    del user
    support.sign_in(client)
    page = client.get("/")
    assert '<html lang="en">' in page.text
    fields = {"csrf": support.csrf_of(page.text), "language": "tr", "next": "/"}
    assert client.post("/language", data=fields).location == "/"
    other = app.test_client()
    support.sign_in(other)
    assert '<html lang="tr">' in other.get("/").text

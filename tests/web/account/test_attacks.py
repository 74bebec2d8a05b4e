"""Accounts attacked: many guesses at once, a session of the old telephone, addresses that lead elsewhere."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from pro_service.core.throttle import ThrottledError
from pro_service.runtime import Runtime
from pro_service.store.schema import login_failures, users
from pro_service.use_cases.staff import accounts, second_factor
from pro_service.use_cases.throttle import Place
from pro_service.web.access import local
from tests import support
from tests.authenticator import code, set_up, show
from tests.peers import databases

GUESSERS = 16


@pytest.fixture
def user(rt: Runtime, study_id: int, client: FlaskClient) -> int:
    """Return a coordinator who is signed in."""
    assert study_id
    user_id = support.coordinator(rt, language="en")
    support.sign_in(client)
    return user_id


@databases.ON_BOTH
def test_codes_guessed_all_at_once_are_counted_one_by_one(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, user: int
) -> None:
    set_up(client, clock.now)
    place = Place("192.0.2.1")
    token = accounts.log_in(rt, support.EMAIL, support.PASSWORD, place)
    login = accounts.current(rt, token or "")
    assert login is not None

    def guess(number: int) -> str:
        try:
            return "in" if second_factor.show(rt, login, f"{number:06}", place) else "wrong"
        except ThrottledError:
            return "refused"

    with ThreadPoolExecutor(GUESSERS) as pool:
        came = list(pool.map(guess, range(GUESSERS)))
    assert came.count("wrong") == 5
    assert came.count("refused") == GUESSERS - 5
    with rt.sessions.reading() as session:
        assert session.scalar(select(func.count()).select_from(login_failures)) == 5
    assert user


def test_moving_to_another_telephone_ends_what_the_old_one_opened(
    app: Flask, client: FlaskClient, clock: support.SetClock, user: int
) -> None:
    assert user
    key, _ = set_up(client, clock.now)
    clock.now += accounts.SEEN_EVERY
    thief = app.test_client()
    support.sign_in(thief)
    assert show(thief, code(key, clock.now)) == 303
    assert thief.get("/account").status_code == 200
    clock.now += accounts.SEEN_EVERY
    set_up(client, clock.now)
    assert thief.get("/account").location.startswith("/login?")
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "",
        "/\u2028/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/\r\nSet-Cookie: a=b",
        " //evil.example",
    ],
)
def test_no_address_leads_elsewhere(path: str) -> None:
    assert local(path) == "/"


def test_a_session_is_worth_nothing_once_its_person_is_shut_out_or_relieved(
    rt: Runtime, client: FlaskClient, user: int
) -> None:
    assert client.get("/participants").status_code == 200
    with rt.sessions.begin() as session:
        session.execute(users.update().where(users.c.id == user).values(disabled_at=rt.clock()))
    assert client.get("/participants").location.startswith("/login?")


def test_a_guessed_token_and_one_that_ended_open_nothing(
    rt: Runtime, app: Flask, client: FlaskClient, user: int
) -> None:
    assert user
    cookie = client.get_cookie("pro_login")
    assert cookie is not None
    csrf = support.csrf_of(client.get("/account").text)
    assert client.post("/logout", data={"csrf": csrf}).status_code == 303
    for token in (cookie.value, cookie.value[:-1], "", "a" * 43, cookie.value.upper()):
        assert accounts.current(rt, token) is None
        other = app.test_client()
        other.set_cookie("pro_login", token)
        assert other.get("/participants").location.startswith("/login?")

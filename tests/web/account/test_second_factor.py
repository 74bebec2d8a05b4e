"""The second factor: set up, shown, each code once, guessed in vain, replaced by a recovery code, reset by others."""

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service.runtime import Runtime
from pro_service.store.schema import audit_trail, logins, recovery_codes, users
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.staff import administration, second_factor
from pro_service.web.app import create_app
from tests import authenticator, support
from tests.authenticator import Post, code, set_up, show
from tests.peers import databases

STEP = timedelta(seconds=30)
RFC_SECRET = b"12345678901234567890"


@pytest.fixture
def post() -> Post:
    """Return where mails go."""
    return Post()


@pytest.fixture
def rt(rt: Runtime, post: Post) -> Runtime:
    """Return a runtime that can send mails."""
    return replace(rt, mail=post)


@pytest.fixture
def user(rt: Runtime, study_id: int, client: FlaskClient) -> int:
    """Return a coordinator who is signed in."""
    assert study_id
    user_id = support.coordinator(rt, language="en")
    support.sign_in(client)
    return user_id


def actions(rt: Runtime) -> list[str]:
    with rt.sessions.reading() as session:
        return list(session.scalars(select(audit_trail.c.action).order_by(audit_trail.c.id)))


def wait(clock: support.SetClock) -> None:
    """Let the next code come."""
    clock.now += STEP


@pytest.mark.parametrize(
    "seconds, digits",
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(seconds: int, digits: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert second_factor.step_of(RFC_SECRET, digits, moment) == seconds // 30
    assert second_factor.step_of(RFC_SECRET, digits, moment + STEP) == seconds // 30
    assert second_factor.step_of(RFC_SECRET, digits, moment - STEP) == seconds // 30
    assert second_factor.step_of(RFC_SECRET, digits, moment + 3 * STEP) is None


@pytest.mark.parametrize("given", ["", "12345", "1234567", "12345x", "١٢٣٤٥٦", "\x00" * 6])
def test_what_is_no_code_fits_nothing(given: str) -> None:
    assert second_factor.step_of(RFC_SECRET, given, datetime.fromtimestamp(59, UTC)) is None


def test_the_secret_is_kept_once_a_code_was_shown_and_never_in_the_clear(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, user: int
) -> None:
    page = client.get("/account/second-factor").text
    key = authenticator.key_on(page)
    fields = {"csrf": support.csrf_of(page), "code": "000000"}
    wrong = client.post("/account/second-factor", data=fields)
    assert (wrong.status_code, 'aria-invalid="true"' in wrong.text) == (422, True)
    with rt.sessions.reading() as session:
        assert session.scalars(select(users.c.totp)).one() is None
    assert set_up(client, clock.now)[0] == key
    with rt.sessions.reading() as session:
        kept = session.scalars(select(users.c.totp).where(users.c.id == user)).one()
    assert kept is not None
    assert base64.b32decode(key.replace(" ", "")) not in kept


def test_after_the_password_nothing_opens_without_the_code(
    rt: Runtime, app: Flask, client: FlaskClient, clock: support.SetClock, user: int
) -> None:
    key, _ = set_up(client, clock.now)
    other = app.test_client()
    assert support.sign_in(other).status_code == 303
    for path in ("/", "/participants", "/account", "/account/second-factor"):
        answer = other.get(path)
        assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/login/code"), path
    before = other.get_cookie("pro_login")
    wait(clock)
    assert show(other, code(key, clock.now)) == 303
    assert other.get("/").status_code == 200
    # The cookie from before the code opens nothing.
    after = other.get_cookie("pro_login")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    other.set_cookie("pro_login", before.value)
    assert other.get("/").location.startswith("/login?")
    assert (user, actions(rt).count("login")) == (user, 3)


@databases.ON_BOTH
def test_a_code_counts_once_and_an_older_one_no_more(
    app: Flask, client: FlaskClient, clock: support.SetClock, user: int
) -> None:
    assert user
    key, _ = set_up(client, clock.now)
    first, second = app.test_client(), app.test_client()
    wait(clock)
    for browser in (first, second):
        support.sign_in(browser)
    earlier, now = code(key, clock.now - STEP), code(key, clock.now)
    assert show(first, now) == 303
    assert show(second, now) == 422
    assert show(second, earlier) == 422
    wait(clock)
    assert show(second, code(key, clock.now)) == 303


@databases.ON_BOTH
def test_guessing_codes_is_stopped_soon_and_the_owners_browser_is_let_in(
    app: Flask, client: FlaskClient, clock: support.SetClock, user: int
) -> None:
    assert user
    key, _ = set_up(client, clock.now)
    thief = app.test_client()
    support.sign_in(thief)
    assert [show(thief, "000000") for _ in range(6)] == [422] * 5 + [429]
    wait(clock)
    assert show(thief, code(key, clock.now)) == 429
    client.delete_cookie("pro_login")  # what is left tells that its owner signed in here before
    support.sign_in(client)
    assert show(client, code(key, clock.now)) == 303


@databases.ON_BOTH
def test_a_recovery_code_signs_in_once_and_its_owner_is_told(
    rt: Runtime, app: Flask, client: FlaskClient, clock: support.SetClock, user: int, post: Post
) -> None:
    _, codes = set_up(client, clock.now)
    assert len(set(codes)) == 10
    first, second = app.test_client(), app.test_client()
    for browser in (first, second):
        support.sign_in(browser)
    assert show(first, codes[3].upper()) == 303
    assert show(second, codes[3]) == 422
    assert "9 recovery codes are left" in first.get("/account").text
    with rt.sessions.reading() as session:
        stored = list(session.scalars(select(recovery_codes.c.code)))
    assert not any(one.encode() in kept for one in codes for kept in stored)
    deliver(rt)
    # Senders work side by side: two mails of one delivery leave in any order.
    assert sorted(mail.subject or "" for mail in post.sent) == [
        "PRO Service: A recovery code was used to sign in to your account",
        "PRO Service: A second factor was set up for your account",
    ]
    assert user


def test_new_recovery_codes_void_the_old_ones(
    app: Flask, client: FlaskClient, clock: support.SetClock, user: int
) -> None:
    assert user
    _, old = set_up(client, clock.now)
    csrf = support.csrf_of(client.get("/account").text)
    new = authenticator.codes_on(client.post("/account/recovery-codes", data={"csrf": csrf}).text)
    other = app.test_client()
    support.sign_in(other)
    assert show(other, old[0]) == 422
    assert show(other, new[0]) == 303


def test_a_login_waits_ten_minutes_for_its_code(
    app: Flask, client: FlaskClient, clock: support.SetClock, user: int
) -> None:
    assert user
    set_up(client, clock.now)
    other = app.test_client()
    support.sign_in(other)
    clock.now += timedelta(minutes=10, seconds=1)
    assert other.get("/login/code").location.startswith("/login?")


def test_an_open_session_from_before_asks_for_the_code_too(
    app: Flask, client: FlaskClient, clock: support.SetClock, user: int
) -> None:
    assert user
    other = app.test_client()
    support.sign_in(other)
    assert other.get("/").status_code == 200
    set_up(client, clock.now)
    assert other.get("/").location.startswith("/login/code")


def test_an_administrator_resets_a_lost_factor_and_another_must_be_set_up(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, user: int, post: Post
) -> None:
    _, codes = set_up(client, clock.now)
    assert administration.reset_factor(rt, support.SETUP, user)
    assert not administration.reset_factor(rt, support.SETUP, user)
    assert client.get("/").location.startswith("/login?")
    support.sign_in(client)
    assert client.get("/").location.startswith("/account/second-factor")
    assert client.get("/participants").location.startswith("/account/second-factor")
    assert show(client, codes[0]) != 200
    set_up(client, clock.now)
    assert client.get("/").status_code == 200
    assert "reset_factor" in actions(rt)
    deliver(rt)
    assert sorted((mail.subject or "").removeprefix("PRO Service: ") for mail in post.sent) == [
        "A second factor was set up for your account",
        "A second factor was set up for your account",
        "The second factor of your account was reset",
    ]


def test_a_role_may_need_a_second_factor_by_setting(rt: Runtime, study_id: int) -> None:
    assert study_id
    support.coordinator(rt)
    strict = replace(rt, settings=replace(rt.settings, second_factor_roles=frozenset({"coordinator"})))
    app = create_app(strict)
    browser = app.test_client()
    support.sign_in(browser)
    assert browser.get("/").location.startswith("/account/second-factor")
    app.extensions["intake"].close()


def test_whoever_may_do_without_is_reminded(client: FlaskClient, clock: support.SetClock, user: int) -> None:
    assert user
    assert "opens with a password alone" in client.get("/").text
    set_up(client, clock.now)
    assert "opens with a password alone" not in client.get("/").text


def test_sessions_are_listed_and_ended(rt: Runtime, app: Flask, client: FlaskClient, user: int) -> None:
    other = app.test_client()
    other.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
    support.sign_in(other)
    page = client.get("/account").text
    assert "Firefox, Windows" in page
    client.post("/account/sessions", data={"csrf": support.csrf_of(page)})
    assert other.get("/").location.startswith("/login?")
    assert client.get("/").status_code == 200
    with rt.sessions.reading() as session:
        assert (
            session.scalars(select(logins.c.ended_at).where(logins.c.user_id == user).order_by(logins.c.id)).all()[0]
            is None
        )

"""Invitations and forgotten passwords: links that work once, and pages that tell nobody who has an account."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from pro_service.core.problems import RejectedError
from pro_service.runtime import Runtime
from pro_service.store.schema import messages, tickets, users
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.staff import administration
from tests import support
from tests.authenticator import Post, set_up
from tests.peers import databases
from tests.support import EMAIL, PASSWORD

NEW = "another quiet morning in May"
INVITED = "new.colleague@example.org"


@pytest.fixture
def post() -> Post:
    """Return where mails go."""
    return Post()


@pytest.fixture
def rt(rt: Runtime, post: Post) -> Runtime:
    """Return a runtime that can send mails."""
    return replace(rt, mail=post)


@pytest.fixture
def invited(rt: Runtime, study_id: int, post: Post) -> str:
    """Return the path of the link that an invited coordinator got."""
    assert study_id
    administration.invite(rt, support.SETUP, INVITED, "coordinator", "DEMO", "IST", language="en")
    deliver(rt)
    assert [(mail.to, mail.subject) for mail in post.sent] == [(INVITED, "PRO Service: your account")]
    return post.link()


def choose(client: FlaskClient, link: str, password: str = NEW, again: str | None = None) -> TestResponse:
    fields = {"csrf": support.csrf_of(client.get(link).text), "password": password}
    return client.post(link, data={**fields, "again": password if again is None else again})


def forgotten(client: FlaskClient, email: str) -> TestResponse:
    csrf = support.csrf_of(client.get("/forgotten").text)
    answer = client.post("/forgotten", data={"email": email, "csrf": csrf})
    answer.close()
    return answer


@databases.ON_BOTH
def test_an_invitation_leads_to_password_second_factor_and_the_first_page(
    client: FlaskClient, clock: support.SetClock, invited: str
) -> None:
    for _ in range(2):  # looking uses nothing up
        assert client.get(invited).status_code == 200
    assert choose(client, invited).location == "/account/second-factor"
    assert client.get("/").location.startswith("/account/second-factor")
    set_up(client, clock.now)
    assert client.get("/").status_code == 200
    assert client.get(invited).status_code == 410


def test_nobody_signs_in_to_an_account_that_has_no_password_yet(client: FlaskClient, invited: str) -> None:
    assert invited
    for password in ("", NEW, "None"):
        assert support.sign_in(client, INVITED, password).status_code == 422


def test_every_fault_of_a_chosen_password_is_beside_its_field(client: FlaskClient, invited: str) -> None:
    answer = choose(client, invited, "short", "other")
    assert answer.status_code == 422
    assert 'id="f-password"' in answer.text
    assert 'id="f-again"' in answer.text
    assert 'aria-describedby="f-password h-password"' in answer.text
    assert "short" not in answer.text.partition("<form")[2].replace("Too short", "")
    assert choose(client, invited).status_code == 303


def test_an_invitation_ends_after_seven_days(client: FlaskClient, clock: support.SetClock, invited: str) -> None:
    clock.now += timedelta(days=7, seconds=1)
    assert client.get(invited).status_code == 410
    assert choose(client, invited).status_code == 410


def test_an_invitation_sent_again_replaces_the_first(
    rt: Runtime, client: FlaskClient, invited: str, post: Post
) -> None:
    with rt.sessions.reading() as session:
        user_id = session.scalars(select(users.c.id).where(users.c.email == INVITED)).one()
    administration.send_link(rt, support.SETUP, user_id)
    deliver(rt)
    assert client.get(invited).status_code == 410
    assert choose(client, post.link()).location == "/account/second-factor"


@databases.ON_BOTH
def test_of_two_who_use_a_link_at_once_one_sets_the_password(app: Flask, invited: str) -> None:
    first, second = app.test_client(), app.test_client()
    csrf = [support.csrf_of(browser.get(invited).text) for browser in (first, second)]
    fields = {"password": NEW, "again": NEW}
    assert first.post(invited, data={**fields, "csrf": csrf[0]}).status_code == 303
    assert second.post(invited, data={**fields, "csrf": csrf[1]}).status_code == 410


def test_a_token_is_stored_hashed_and_its_mail_encrypted(rt: Runtime, invited: str) -> None:
    token = invited.rpartition("/")[2].encode()
    with rt.sessions.reading() as session:
        assert token not in session.scalars(select(tickets.c.token)).one()
        assert token not in session.scalars(select(messages.c.body)).one()


def test_an_invitation_names_every_fault_at_once(rt: Runtime, study_id: int) -> None:
    assert study_id
    support.coordinator(rt)
    with pytest.raises(RejectedError) as caught:
        administration.invite(replace(rt, mail=None), support.SETUP, EMAIL, "boss", "DEMO", "XXX")
    assert [fault.path for fault in caught.value.faults] == ["email", "role", "site", "email"]


@databases.ON_BOTH
def test_a_forgotten_password_is_set_anew_and_everybody_signed_out(
    rt: Runtime, app: Flask, client: FlaskClient, study_id: int, post: Post
) -> None:
    assert study_id
    support.coordinator(rt, language="tr")
    support.sign_in(client)
    other = app.test_client()
    assert forgotten(other, f" {EMAIL.upper()} ").status_code == 200
    deliver(rt)
    assert post.sent[-1].subject == "PRO Service: yeni parola"
    assert client.get("/").status_code == 200  # nothing has happened yet
    assert choose(other, post.link()).location == "/login?done=password"
    assert client.get("/").location.startswith("/login?")
    assert support.sign_in(other, password=PASSWORD).status_code == 422
    assert support.sign_in(other, password=NEW).status_code == 303
    deliver(rt)
    assert "parolası değiştirildi" in post.sent[-1].body


def test_a_reset_leaves_the_second_factor_in_place(
    rt: Runtime, app: Flask, client: FlaskClient, clock: support.SetClock, study_id: int, post: Post
) -> None:
    assert study_id
    support.coordinator(rt)
    support.sign_in(client)
    set_up(client, clock.now)
    other = app.test_client()
    forgotten(other, EMAIL)
    deliver(rt)
    choose(other, post.link())
    support.sign_in(other, password=NEW)
    assert other.get("/").location.startswith("/login/code")


def test_a_reset_link_ends_after_an_hour(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, study_id: int, post: Post
) -> None:
    assert study_id
    support.coordinator(rt)
    forgotten(client, EMAIL)
    deliver(rt)
    clock.now += timedelta(hours=1, seconds=1)
    assert client.get(post.link()).status_code == 410


def test_asking_tells_nobody_who_has_an_account(rt: Runtime, client: FlaskClient, study_id: int, post: Post) -> None:
    assert study_id
    support.coordinator(rt)
    known, unknown = forgotten(client, EMAIL), forgotten(client, "nobody@example.org")
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    assert known.headers.getlist("Set-Cookie") == unknown.headers.getlist("Set-Cookie")
    deliver(rt)
    assert [mail.to for mail in post.sent] == [EMAIL]


@databases.ON_BOTH
def test_the_answer_has_left_before_anybody_looks_whether_there_is_an_account(
    rt: Runtime, client: FlaskClient, study_id: int
) -> None:
    assert study_id
    support.coordinator(rt)
    csrf = support.csrf_of(client.get("/forgotten").text)
    answer = client.post("/forgotten", data={"email": EMAIL, "csrf": csrf}, buffered=False)
    assert "is on its way" in answer.text
    asked = support.rows_of(rt)["tickets"]
    answer.close()
    assert (asked, support.rows_of(rt)["tickets"]) == (0, 1)


@databases.ON_BOTH
def test_one_account_gets_three_mails_a_quarter_of_an_hour(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, study_id: int, post: Post
) -> None:
    assert study_id
    support.coordinator(rt)
    for _ in range(5):
        assert forgotten(client, EMAIL).status_code == 200
    deliver(rt)
    assert len(post.sent) == 3
    clock.now += timedelta(minutes=16)
    forgotten(client, EMAIL)
    deliver(rt)
    assert len(post.sent) == 4


def test_a_disabled_account_gets_no_mail_and_its_links_do_not_work(
    rt: Runtime, client: FlaskClient, study_id: int, post: Post
) -> None:
    assert study_id
    user_id = support.coordinator(rt)
    forgotten(client, EMAIL)
    deliver(rt)
    link = post.link()
    administration.disable(rt, support.SETUP, user_id)
    assert client.get(link).status_code == 410
    forgotten(client, EMAIL)
    deliver(rt)
    assert len(post.sent) == 1


def test_a_form_of_another_page_asks_for_nothing_and_sets_nothing(
    rt: Runtime, app: Flask, invited: str, post: Post
) -> None:
    other = app.test_client()
    answer = other.post("/forgotten", data={"email": INVITED, "csrf": "0" * 64})
    answer.close()
    assert answer.status_code == 400
    assert other.post(invited, data={"password": NEW, "again": NEW, "csrf": "0" * 64}).status_code == 400
    deliver(rt)
    assert len(post.sent) == 1


def test_changing_ones_password_needs_the_old_one_and_ends_the_other_sessions(
    rt: Runtime, app: Flask, client: FlaskClient, study_id: int
) -> None:
    assert study_id
    support.coordinator(rt, language="en")
    other = app.test_client()
    for browser in (client, other):
        support.sign_in(browser)
    fields = {"csrf": support.csrf_of(client.get("/account").text), "password": NEW, "again": NEW}
    wrong = client.post("/account/password", data={**fields, "current": "a guess"})
    assert (wrong.status_code, "This is not your password." in wrong.text) == (422, True)
    right = client.post("/account/password", data={**fields, "current": PASSWORD})
    assert right.location == "/account?done=password"
    assert client.get("/").status_code == 200
    assert other.get("/").location.startswith("/login?")
    assert support.sign_in(other, password=NEW).status_code == 303

"""A session that ended loses nothing that was typed, and what is sensitive asks for the password again."""

import html
import re
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pro_service.runtime import Runtime
from pro_service.use_cases.staff import interrupted_forms
from tests import support
from tests.authenticator import code, set_up
from tests.peers import databases
from tests.support import EMAIL, PASSWORD

FORM = "/participants/P-001/enter/V0"
TYPED = {"NRS-AVG": "6", "NRS-NOW": "", "reason": "told at the desk", "mode": "clinic"}
AWAY = timedelta(minutes=20)


@pytest.fixture
def desk(rt: Runtime, study_id: int, client: FlaskClient, clock: support.SetClock) -> FlaskClient:
    """Return a browser in which a coordinator is signed in, with a participant to enter values of."""
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2))
    support.coordinator(rt, language="en")
    support.sign_in(client)
    return client


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's last form."""
    form = page.rpartition("<form")[2]
    fields = re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in fields}


def fields_of(page: str) -> dict[str, str]:
    """What an open form holds, with what is typed into it."""
    return hidden(page) | TYPED


def signed_in_again(client: FlaskClient, page: TestResponse, password: str = PASSWORD) -> TestResponse:
    """Fill in the sign-in form that came in place of an answer."""
    form = page.text.partition("<form")[2].partition("</form")[0]
    given = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)}
    return client.post("/login", data={**given, "email": EMAIL, "password": password})


@databases.ON_BOTH
def test_a_form_sent_after_the_session_ended_is_there_after_signing_in(
    rt: Runtime, desk: FlaskClient, clock: support.SetClock
) -> None:
    typed = fields_of(desk.get(FORM).text)
    clock.now += AWAY
    ended = desk.post(FORM, data=typed)
    assert (ended.status_code, "what you typed is not lost" in ended.text) == (403, True)
    assert "told at the desk" not in ended.text  # not even for whoever sits down there now
    again = signed_in_again(desk, ended)
    assert (again.status_code, f'action="{FORM}"' in again.text) == (200, True)
    sent = hidden(again.text)
    assert {name: sent[name] for name in TYPED} == TYPED
    assert desk.post(FORM, data=sent).status_code == 303
    assert support.rows_of(rt)["responses"] == 1


def test_a_wrong_password_on_the_way_loses_nothing_either(desk: FlaskClient, clock: support.SetClock) -> None:
    typed = fields_of(desk.get(FORM).text)
    clock.now += AWAY
    wrong = signed_in_again(desk, desk.post(FORM, data=typed), "a guess")
    assert wrong.status_code == 422
    assert hidden(signed_in_again(desk, wrong).text)["reason"] == "told at the desk"


def test_the_second_factor_on_the_way_loses_nothing_either(desk: FlaskClient, clock: support.SetClock) -> None:
    key, _ = set_up(desk, clock.now)
    typed = fields_of(desk.get(FORM).text)
    clock.now += AWAY
    asked = signed_in_again(desk, desk.post(FORM, data=typed))
    assert 'name="code"' in asked.text
    form = asked.text.partition('action="/login/code"')[2].partition("</form")[0]
    given = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    done = desk.post("/login/code", data={**given, "code": code(key, clock.now)})
    assert hidden(done.text)["reason"] == "told at the desk"


def test_somebody_else_who_signs_in_gets_no_form_of_another(
    rt: Runtime, desk: FlaskClient, clock: support.SetClock
) -> None:
    support.coordinator(rt, "second@example.org")
    typed = fields_of(desk.get(FORM).text)
    clock.now += AWAY
    ended = desk.post(FORM, data=typed)
    form = ended.text.partition("<form")[2].partition("</form")[0]
    given = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    answer = desk.post("/login", data={**given, "email": "second@example.org", "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/")


def test_a_form_that_another_site_sends_is_not_kept(app: Flask, desk: FlaskClient, clock: support.SetClock) -> None:
    typed = fields_of(desk.get(FORM).text)
    clock.now += AWAY
    # Another site's form comes without the cookie, or without the session's token.
    assert app.test_client().post(FORM, data=typed).location == "/login?next=/"
    assert desk.post(FORM, data=typed | {"csrf": "x" * 43}).location == "/login?next=/"


def test_a_form_of_an_earlier_session_is_shown_again_and_not_taken(rt: Runtime, desk: FlaskClient) -> None:
    typed = fields_of(desk.get(FORM).text)
    desk.post("/logout", data={"csrf": typed["csrf"]})
    support.sign_in(desk)
    again = desk.post(FORM, data=typed)
    assert (again.status_code, support.rows_of(rt)["responses"]) == (409, 0)
    assert desk.post(FORM, data=hidden(again.text)).status_code == 303


@pytest.mark.parametrize("blob", ["", "x", "AAAA", "é", "A" * 5000])
def test_what_was_not_sealed_here_is_no_form(rt: Runtime, blob: str) -> None:
    assert interrupted_forms.open_form(rt, blob) is None


def test_the_page_asked_for_is_reached_with_its_filters(desk: FlaskClient, clock: support.SetClock) -> None:
    clock.now += AWAY
    asked = desk.get("/participants?site=IST&state=missed")
    page = desk.get(asked.location)
    answer = signed_in_again(desk, page)
    assert answer.location == "/participants?site=IST&state=missed"


@pytest.mark.parametrize("bad", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "\t//x"])
def test_nobody_is_led_elsewhere(desk: FlaskClient, clock: support.SetClock, bad: str) -> None:
    clock.now += AWAY
    assert signed_in_again(desk, desk.get("/login", query_string={"next": bad})).location == "/"


# --- what is sensitive ------------------------------------------------------------------------------------------------


@databases.ON_BOTH
def test_a_sensitive_change_asks_for_the_password_again_and_keeps_what_was_typed(
    rt: Runtime, client: FlaskClient, study_id: int, clock: support.SetClock
) -> None:
    assert study_id
    support.coordinator(rt, role="administrator", language="en")
    victim = support.coordinator(rt, "somebody@example.org")
    support.sign_in(client)
    clock.now += timedelta(minutes=11)
    path = f"/users/{victim}/grant"
    fields = {"csrf": support.csrf_of(client.get("/users").text), "role": "monitor", "place": "DEMO/IST"}
    asked = client.post(path, data=fields)
    assert (asked.status_code, "Your password, please" in asked.text) == (403, True)
    kept_fields = hidden(asked.text)
    assert (kept_fields["role"], kept_fields["place"]) == ("monitor", "DEMO/IST")
    wrong = client.post(path, data={**kept_fields, "confirm_password": "a guess"})
    assert (wrong.status_code, "This is not your password." in wrong.text) == (422, True)
    assert support.rows_of(rt)["roles"] == 2
    assert client.post(path, data={**kept_fields, "confirm_password": PASSWORD}).status_code == 303
    assert support.rows_of(rt)["roles"] == 3
    # For a while the person is known.
    assert client.post(path, data={**fields, "role": "assessor"}).status_code == 303


def test_whoever_found_an_open_session_does_not_guess_its_password(
    rt: Runtime, client: FlaskClient, study_id: int, clock: support.SetClock
) -> None:
    assert study_id
    support.coordinator(rt, role="administrator")
    support.sign_in(client)
    client.delete_cookie("pro_known")
    clock.now += timedelta(minutes=11)
    fields = {"csrf": support.csrf_of(client.get("/users").text), "confirm_password": "a guess"}
    answers = [client.post("/users/invite", data=fields).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]

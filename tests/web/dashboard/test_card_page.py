"""The card on the dashboard: shown to the participant's coordinators by a button, and every look is kept."""

import re
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from pro_service.runtime import Runtime
from pro_service.store.schema import audit_trail
from tests import support


@pytest.fixture
def signed_in(rt: Runtime, client: FlaskClient, participant: int) -> FlaskClient:
    """Return a coordinator's browser."""
    assert participant
    support.coordinator(rt)
    support.sign_in(client)
    return client


def actions(rt: Runtime) -> list[str]:
    with rt.sessions.reading() as session:
        return list(session.scalars(select(audit_trail.c.action).where(audit_trail.c.action.like("%c%d%"))))


def press(client: FlaskClient, button: str, **fields: str) -> TestResponse:
    csrf = support.csrf_of(client.get("/participants/P-001").text)
    return client.post(f"/participants/P-001/{button}", data={"csrf": csrf, **fields})


def code_in(page: str) -> str:
    (one, other) = re.findall(r'class="card-code">([^<]+)<', page)
    assert one == other
    return str(one)


def test_the_card_is_shown_by_a_button_and_printed_again(rt: Runtime, signed_in: FlaskClient) -> None:
    assert '/participants/P-001/card"' in signed_in.get("/participants/P-001").text
    page = press(signed_in, "card")
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert re.fullmatch(r"[2-9A-Y]{4} [2-9A-Y]{4} [2-9A-Y]{4}", code_in(page.text))
    assert re.findall(r'class="card-side" lang="(\w+)"', page.text) == ["tr", "en"]
    assert code_in(press(signed_in, "card").text) == code_in(page.text)
    assert actions(rt).count("view_card") == 2
    assert "Card viewed" in signed_in.get("/participants/P-001").text


@pytest.mark.parametrize(
    "address, page",
    [
        ("/participants/P-001/card", "/participants/P-001"),
        ("/participants/P-001/card/replace", "/participants/P-001"),
        ("/cards/sheets", "/cards"),
        ("/q/some-token/call", "/q/some-token"),
    ],
)
def test_the_address_of_a_button_leads_to_its_page_and_shows_no_card(
    rt: Runtime, signed_in: FlaskClient, address: str, page: str
) -> None:
    answer = signed_in.get(address)
    assert (answer.status_code, answer.location) == (303, page)
    assert "view_card" not in actions(rt)


def test_a_new_code_needs_a_reason(rt: Runtime, signed_in: FlaskClient) -> None:
    before = code_in(press(signed_in, "card").text)
    refused = press(signed_in, "card/replace", reason=" ")
    assert refused.status_code == 422
    assert "Please say why" in refused.text
    assert code_in(refused.text) == before
    done = press(signed_in, "card/replace", reason="left in a taxi")
    assert done.status_code == 200
    assert "There is a new code" in done.text
    assert code_in(done.text) != before
    assert "left in a taxi" in signed_in.get("/participants/P-001").text
    assert actions(rt).count("replace_code") == 1


def test_without_the_forms_token_nothing_is_shown(rt: Runtime, signed_in: FlaskClient) -> None:
    assert signed_in.post("/participants/P-001/card").status_code == 403
    assert signed_in.post("/participants/P-001/card/replace", data={"reason": "x"}).status_code == 403
    assert "view_card" not in actions(rt)


@pytest.mark.parametrize(
    "role", ["assessor", "investigator", "data-manager", "monitor", "statistician", "administrator"]
)
def test_nobody_but_coordinators_sees_a_card(rt: Runtime, client: FlaskClient, participant: int, role: str) -> None:
    support.coordinator(rt, role=role)
    support.sign_in(client)
    data = {"csrf": support.csrf_of(client.get("/account").text), "reason": "curious"}
    assert data["csrf"]
    assert client.post("/participants/P-001/card", data=data).status_code == 403
    assert client.post("/participants/P-001/card/replace", data=data).status_code == 403
    assert actions(rt) == []
    assert participant


def test_a_card_of_another_site_is_not_there(rt: Runtime, client: FlaskClient, participant: int) -> None:
    support.coordinator(rt, site="BER")
    support.sign_in(client)
    csrf = support.csrf_of(client.get("/").text)
    for path in ("card", "card/replace"):
        data = {"csrf": csrf, "reason": "not mine"}
        assert client.post(f"/participants/P-001/{path}", data=data).status_code == 404
    assert actions(rt) == []
    assert participant


def test_the_page_says_which_way_somebody_answers(rt: Runtime, study_id: int, signed_in: FlaskClient) -> None:
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), channel="sms-card", phone="+905321234568")
    assert "there is no card yet: people call" in signed_in.get("/participants/P-002").text
    support.with_card(rt, study_id, "P-002")
    assert "answers with the card" in signed_in.get("/participants/P-002").text
    assert "answers with the card" not in signed_in.get("/participants/P-001").text

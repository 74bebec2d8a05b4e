"""The page behind the card: looking writes nothing, a code leads to the form, and a wrong one says nothing else."""

import re
from datetime import date

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pro_service.core import card_code
from pro_service.core.throttle import ADDRESS, EVERYBODY
from pro_service.runtime import Runtime
from pro_service.store.participants import card_codes
from pro_service.use_cases.participants import card
from pro_service.web.app import create_app
from tests import support
from tests.old_cards import old_card, short_code
from tests.peers import databases
from tests.web.conftest import OPEN

WRONG = card_code.code_of(7)
WRONG_OLD = short_code(7)


@pytest.fixture
def code(rt: Runtime, study_id: int, clock: support.SetClock) -> str:
    """Return the code of somebody who reads Turkish and whose one-week window is open now."""
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), channel="sms-card", phone="+905321234567")
    found = card.show(rt, support.SETUP, study_id, "P-001").code
    clock.now = OPEN
    return card_code.read_code(found)


@pytest.fixture
def old(rt: Runtime, study_id: int, clock: support.SetClock, code: str) -> str:
    """Return the code of somebody whose card is of an earlier release."""
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-008", date(2026, 3, 2), channel="sms-card", phone="+905321230008")
    clock.now = OPEN
    assert code
    return old_card(rt, study_id, "P-008")


def typed(client: FlaskClient, code: str, lang: str = "", **headers: str) -> TestResponse:
    path = f"/k?lang={lang}" if lang else "/k"
    return client.post(path, data={"code": code, "mark": ""}, headers=headers)


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_writes_nothing(rt: Runtime, client: FlaskClient, code: str, method: str) -> None:
    before = support.rows_of(rt)
    answer = getattr(client, method)("/k")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "Set-Cookie" not in answer.headers
    assert support.rows_of(rt) == before
    assert code


@pytest.mark.parametrize(
    "language, accepted, title",
    [
        ("", "tr-TR,tr;q=0.9", "Lütfen kartınızdaki kodu yazın"),
        ("", "en-GB", "Please type the code on your card"),
        ("", "fr", "Please type the code on your card"),
        ("tr", "en", "Lütfen kartınızdaki kodu yazın"),
    ],
)
def test_the_page_speaks_the_readers_language(client: FlaskClient, language: str, accepted: str, title: str) -> None:
    page = client.get(f"/k?lang={language}", headers={"Accept-Language": accepted}).text
    assert f"<h1>{title}</h1>" in page


def test_the_field_is_made_for_codes(client: FlaskClient) -> None:
    field = re.search(r'<input id="code"[^>]*>', client.get("/k").text)
    assert field is not None
    for wanted in ('autocomplete="off"', 'inputmode="text"', 'spellcheck="false"', 'autocapitalize="characters"'):
        assert wanted in field[0]


def test_a_right_code_leads_to_the_form_in_the_participants_language(client: FlaskClient, code: str) -> None:
    answer = typed(client, f"{code[:4].lower()} - {code[4:].lower()}")
    assert answer.status_code == 303
    assert re.fullmatch(r"/q/[\w-]{24}", answer.location)
    assert code not in answer.location
    form = client.get(answer.location).text
    assert '<html lang="tr">' in form
    assert "Son 24 saatte" in form
    saved = client.post(answer.location, data={"NRS-AVG": "3", "PGIC": "2"})
    assert saved.status_code == 303
    assert typed(client, code).location == answer.location


def test_a_language_that_was_asked_for_stays(client: FlaskClient, code: str) -> None:
    assert typed(client, code, lang="en").location.endswith("?lang=en")


@pytest.mark.parametrize(
    "given, said",
    [
        ("", "No code was typed yet."),
        ("ACDE FHJ", "These are 7 signs."),
        ("ACDE FHJK", "These are 8 signs."),
        ("8", "This is one sign."),
        ("ACDE FHJ1", "never I, L or 1"),
        (WRONG, "We do not know this code."),
        ("<script>alert(1)</script>", "never I, L or 1"),
    ],
)
def test_a_fault_is_said_beside_what_was_typed(client: FlaskClient, code: str, given: str, said: str) -> None:
    answer = typed(client, given, lang="en")
    assert answer.status_code == 422
    assert said in answer.text
    assert "<script>alert" not in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "Set-Cookie" not in answer.headers
    assert code


def test_a_form_without_a_code_is_an_empty_one(client: FlaskClient, code: str) -> None:
    assert client.post("/k").status_code == 422
    assert client.post("/k", data=b"\xff\xfe", content_type="application/json").status_code == 422
    assert code


def test_where_nothing_is_open_only_the_day_is_said(client: FlaskClient, clock: support.SetClock, code: str) -> None:
    clock.now = support.at("2026-03-05 10:00")
    page = typed(client, code)
    assert page.status_code == 200
    assert "8 Mart Pazar 00:00" in page.text
    assert '<html lang="tr">' in page.text
    for hidden in ("DEMO", "P-001", "1. hafta", "+1 202", "Istanbul"):
        assert hidden not in page.text
    clock.now = support.at("2026-12-05 10:00")
    assert "There is nothing left to answer." in typed(client, code, lang="en").text


@pytest.mark.shows("card: attempts")
def test_a_right_code_is_served_after_any_number_of_wrong_ones(client: FlaskClient, code: str) -> None:
    for _ in range(100):
        assert typed(client, WRONG).status_code == 422
    assert typed(client, code).status_code == 303


def test_an_unknown_code_is_shown_in_groups_with_whom_to_call(client: FlaskClient, code: str) -> None:
    answer = typed(client, f"Code: {WRONG.lower()}", lang="en")
    assert answer.status_code == 422
    assert f'value="{card_code.code_text(WRONG)}"' in answer.text
    shown = re.search(r'role="alert".*?</div>', answer.text, re.DOTALL)
    assert shown is not None
    assert set(re.findall(r'href="tel:([^"]+)"', shown[0])) == {"+12025550199", "+12025550198"}
    assert code


def test_after_too_many_wrong_codes_it_says_when_and_what_works(client: FlaskClient, old: str) -> None:
    for _ in range(ADDRESS.burst):
        assert typed(client, WRONG_OLD).status_code == 422
    answer = typed(client, old, lang="en")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "600"
    assert "again in 10 minutes" in answer.text
    assert "Scanning your card" in answer.text
    assert "+1 202 555 0199" in answer.text


def test_a_browser_that_was_let_in_is_let_in_again_while_somebody_guesses(client: FlaskClient, old: str) -> None:
    answer = typed(client, old)
    cookie = answer.headers["Set-Cookie"]
    assert re.match(r"pro_card=[A-Z2-7]{16}; .*HttpOnly; Path=/; SameSite=Lax", cookie)
    for _ in range(ADDRESS.burst):
        typed(client, WRONG_OLD)
    assert typed(client, WRONG_OLD).status_code == 429
    assert typed(client, old).status_code == 303


def test_a_scanned_card_is_let_in_while_somebody_guesses(rt: Runtime, client: FlaskClient, old: str) -> None:
    for _ in range(ADDRESS.burst):
        typed(client, WRONG_OLD)
    mark = card_codes.mark_of(rt.vault, old)
    assert client.post("/k", data={"code": old, "mark": mark}).status_code == 303
    assert client.post("/k", data={"code": old, "mark": "A" * 16}, headers={"Cookie": "pro_card=x"}).status_code == 303


def test_couples_share_a_telephone(rt: Runtime, study_id: int, client: FlaskClient, old: str) -> None:
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), channel="sms-card", phone="+905321234567")
    other = old_card(rt, study_id, "P-002")
    typed(client, old)
    typed(client, other)
    for _ in range(ADDRESS.burst):
        typed(client, WRONG_OLD)
    assert [typed(client, known).status_code for known in (old, other, WRONG_OLD)] == [303, 303, 429]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_pages_cannot_send_codes(rt: Runtime, client: FlaskClient, code: str, site: str) -> None:
    before = support.rows_of(rt)
    answer = client.post("/k", data={"code": WRONG}, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403
    assert support.rows_of(rt) == before
    assert typed(client, code, **{"Sec-Fetch-Site": "same-origin"}).status_code == 303


@databases.ON_BOTH
def test_two_servers_count_together(rt: Runtime, client: FlaskClient, old: str) -> None:
    second = create_app(rt)
    other = second.test_client()
    for number in range(ADDRESS.burst):
        assert typed((client, other)[number % 2], WRONG_OLD).status_code == 422
    assert [typed(one, old).status_code for one in (client, other)] == [429, 429]
    second.extensions["intake"].close()


def test_coordinators_see_that_somebody_guesses(rt: Runtime, client: FlaskClient, old: str) -> None:
    support.coordinator(rt)
    for number in range(EVERYBODY.burst):
        client.post("/k", data={"code": WRONG_OLD}, environ_base={"REMOTE_ADDR": f"198.51.100.{number}"})
    support.sign_in(client)
    assert "Somebody tries codes of old cards" in client.get("/").text
    assert old

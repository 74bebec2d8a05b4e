"""The card on the account page where staff leave a telephone for urgent tasks, in both languages."""

import re
from dataclasses import replace
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from pro_service.runtime import Runtime
from pro_service.store.messages import staff_texts
from pro_service.store.schema import messages, staff_telephones
from pro_service.store.staff import accounts
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.transaction import transaction
from pro_service.web.app import create_app
from tests import support
from tests.telephones import Telephones

NUMBER = "+905321234567"


@pytest.fixture
def phones(clock: support.SetClock) -> Telephones:
    """Return the telephones that texts arrive on."""
    return Telephones(clock=clock)


@pytest.fixture
def rt(rt: Runtime, phones: Telephones) -> Runtime:
    """Return a runtime that can send texts."""
    return replace(rt, texts={"sms": phones})


@pytest.fixture
def user(rt: Runtime, study_id: int, client: FlaskClient) -> int:
    """Return a coordinator of the Turkish site who is signed in."""
    assert study_id
    made = support.coordinator(rt, language="en", site="IST")
    support.sign_in(client)
    return made


def leave(client: FlaskClient, **fields: str) -> TestResponse:
    csrf = support.csrf_of(client.get("/account").text)
    return client.post("/account/texts", data={"csrf": csrf, "agreed": "yes", **fields}, follow_redirects=True)


def card(page: str) -> str:
    """The words of the card, without the page around it."""
    found = re.search(r'<section class="card stack" aria-labelledby="texts">.*?</section>', page, re.DOTALL)
    assert found is not None
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[0])).split())


@pytest.mark.parametrize(
    "language, said",
    [
        ("en", ("Texts about urgent tasks", "Your mobile number", "I agree to get these texts on this number.")),
        ("tr", ("Acil görevler için SMS", "Cep telefonu numaranız", "kabul ediyorum")),
    ],
)
@pytest.mark.usefixtures("user")
def test_the_card_says_what_it_is_for(rt: Runtime, user: int, client: FlaskClient, language: str, said: str) -> None:
    with rt.sessions.begin() as session:
        accounts.set_language(session, user, language)
    page = card(client.get("/account").text)
    assert [words for words in said if words not in page] == []
    assert "checked" not in page


@pytest.mark.usefixtures("user")
def test_a_number_is_left_shown_masked_and_deleted(rt: Runtime, client: FlaskClient, phones: Telephones) -> None:
    page = leave(client, number="0532 123 45 67", hours_from="08:00", hours_until="20:00")
    assert page.status_code == 200
    assert "Your number is saved" in page.text
    assert "+90 5•• ••• 45 67 , from 08:00 to 20:00, by the clock of the task's site. Agreed on 9 Mar 2026." in card(
        page.text
    )
    assert "is on its way." in card(page.text)
    assert not re.search(r"532 ?123|5321234567", page.text), "never whole on a page"
    assert deliver(rt).accepted == 1
    assert [one.to for one in phones.sent] == [NUMBER]
    # The hours alone are changed, the number stays.
    page = leave(client, number="")
    assert "+90 5•• ••• 45 67 , at any hour." in card(page.text)
    csrf = support.csrf_of(page.text)
    page = client.post("/account/texts/remove", data={"csrf": csrf}, follow_redirects=True)
    assert "Your number is deleted" in page.text
    with rt.sessions.reading() as session:
        assert session.execute(select(staff_telephones)).all() == []


@pytest.mark.parametrize(
    "fields, field, said",
    [
        ({"number": "abc"}, "number", "This is no telephone number that exists"),
        ({"number": ""}, "number", "Give your mobile number."),
        ({"number": "0212 555 12 12"}, "number", "No texts can be sent to this number"),
        ({"number": NUMBER, "hours_from": "08:00"}, "hours_until", "Fill in both times"),
        ({"number": NUMBER, "hours_from": "8", "hours_until": "20:00"}, "hours_from", "Write hours and minutes"),
        ({"number": NUMBER, "hours_from": "08:00", "hours_until": "08:00"}, "hours_until", "Both times are the same"),
        ({"number": NUMBER, "agreed": "no"}, "agreed", "Tick this if you want the texts"),
    ],
)
@pytest.mark.usefixtures("user")
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    client: FlaskClient, fields: dict[str, str], field: str, said: str
) -> None:
    page = leave(client, **fields)
    assert page.status_code == 422
    assert f'<p class="fault" id="f-{field}">{said}' in page.text
    assert "Nothing was changed." in page.text
    for name in ("number", "hours_from", "hours_until"):
        assert f'value="{fields.get(name, "")}"' in page.text


@pytest.mark.parametrize(
    "state, said",
    [
        ("ready", "is on its way."),
        ("accepted", "is on its way."),
        ("delivered", "has arrived."),
        ("undelivered", "did not arrive."),
        ("refused", "did not arrive."),
        ("dead", "did not arrive."),
        ("expired", "did not arrive."),
        ("cancelled", "was no longer needed"),
    ],
)
@pytest.mark.usefixtures("user")
def test_the_page_says_what_became_of_the_last_text(rt: Runtime, client: FlaskClient, state: str, said: str) -> None:
    leave(client, number=NUMBER)
    with rt.sessions.begin() as session:
        session.execute(messages.update().values(state=state))
    assert f"The last text (9 Mar 10:00) {said}" in card(client.get("/account").text)


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("why", ["stopped", "opted_out", "bad_number"])
def test_the_page_says_why_no_text_comes_any_more(
    rt: Runtime, user: int, client: FlaskClient, why: str, language: str
) -> None:
    leave(client, number=NUMBER)
    with transaction(rt, support.SETUP, rt.clock()) as tx:
        accounts.set_language(tx.session, user, language)
        assert staff_texts.end_agreement(tx.writer, user, why)
    words = {
        "stopped": ("a stop came from this number", "durdurma isteği geldi"),
        "opted_out": ("this telephone refuses our texts", "SMS’lerimizi kabul etmiyor"),
        "bad_number": ("this number takes no texts", "SMS almadığı bildirildi"),
    }
    page = client.get("/account").text
    assert words[why][language == "tr"] in card(page)
    assert "is on its way" not in card(page)
    assert not re.search(r'name="agreed"[^>]*checked', page), "it is agreed to anew, not by itself"


@pytest.mark.usefixtures("user")
def test_where_no_text_can_be_sent_the_page_says_so(rt: Runtime) -> None:
    app = create_app(replace(rt, texts={}))
    other = app.test_client()
    support.sign_in(other)
    assert "No texts can be sent from here at the moment." in card(other.get("/account").text)
    app.extensions["intake"].close()


def test_nobody_without_a_study_is_kept_from_it(rt: Runtime, client: FlaskClient) -> None:
    support.coordinator(rt, language="en")
    support.sign_in(client)
    assert leave(client, number="0532 123 45 67").status_code == 422
    page = leave(client, number=NUMBER)
    assert page.status_code == 200
    assert "+90 5•• ••• 45 67" in card(page.text)

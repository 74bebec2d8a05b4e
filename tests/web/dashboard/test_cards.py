"""The page of cards: printed on sheets with one press, handed over, undone; and Today says that cards are due."""

import re
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from pro_service.runtime import Runtime
from pro_service.store.schema import audit_trail, participants
from pro_service.use_cases.participants import card, entry
from tests import support
from tests.old_cards import old_card

CODES = tuple(f"P-{number:03}" for number in range(1, 13))


@pytest.fixture
def desk(rt: Runtime, client: FlaskClient, study_id: int, clock: support.SetClock) -> FlaskClient:
    """Return a coordinator's browser, and twelve participants who are to answer with a card; the last is planned."""
    clock.now = support.at("2026-03-02 15:00")
    for number, code in enumerate(CODES, start=1):
        day = date(2026, 3, 5) if code == CODES[-1] else date(2026, 3, 2)
        phone = f"+90532123{number:04}"
        support.enrolled(rt, study_id, code, day, channel="sms-card", phone=phone, messaging_consent="2026-03-02")
    support.coordinator(rt, site="IST")
    support.sign_in(client)
    return client


def press(desk: FlaskClient, action: str, *codes: str, **fields: str) -> TestResponse:
    data = MultiDict([("csrf", support.csrf_of(desk.get("/cards").text)), *fields.items()])
    data.setlist("code", list(codes))
    return desk.post(f"/cards/{action}", data=data)


def listed(page: str, heading: str) -> list[str]:
    """Codes of the list below a heading, those that are ticked marked."""
    part = page.partition(f'id="{heading}"')[2].partition("</section>")[0]
    rows = re.findall(r'name="code"\s+value="(P-\d+)"\s*(checked)?', part)
    return [f"{code}{'*' if ticked else ''}" for code, ticked in rows]


def handed(rt: Runtime) -> list[str]:
    with rt.sessions.reading() as session:
        p = participants.c
        return list(session.scalars(select(p.code).where(p.card_handed_at.is_not(None)).order_by(p.code)))


@pytest.mark.shows("card: to print")
def test_one_press_prints_everybody_whose_days_are_certain(rt: Runtime, desk: FlaskClient) -> None:
    page = desk.get("/cards").text
    assert listed(page, "to-print") == [*(f"{code}*" for code in CODES[:-1]), CODES[-1]]
    assert "procedure planned for 5 Mar 2026: the days on the card may change" in re.sub(r"\s+", " ", page)
    sheets = press(desk, "sheets", *CODES[:-1])
    assert sheets.status_code == 200
    assert sheets.headers["Cache-Control"] == "no-store"
    assert sheets.text.count('class="a4"') == 3
    assert len(set(re.findall(r'class="card-code">([^<]+)<', sheets.text))) == 11
    assert "sheet.css" in sheets.text
    assert "Cards: 11, sheets of A4: 3." in sheets.text
    with rt.sessions.reading() as session:
        trail = session.scalars(select(audit_trail.c.action)).all()
    assert (trail.count("view_card"), trail.count("make_code")) == (11, 11)
    after = desk.get("/cards").text
    assert listed(after, "to-print") == [CODES[-1]]
    assert listed(after, "to-hand") == list(CODES[:-1])


def test_old_cards_are_printed_again_with_a_longer_code(rt: Runtime, study_id: int, desk: FlaskClient) -> None:
    for code in CODES[:2]:
        old_card(rt, study_id, code)
    assert listed(desk.get("/cards").text, "to-renew") == [f"{code}*" for code in CODES[:2]]
    assert "<b>2</b> old cards to print again" in desk.get("/").text
    sheets = press(desk, "sheets", *CODES[:2])
    assert {len(code) for code in re.findall(r'class="card-code">([^<]+)<', sheets.text)} == {14}
    page = desk.get("/cards").text
    assert "Cards to print again" not in page
    assert listed(page, "to-hand") == list(CODES[:2])
    shown = desk.post("/participants/P-001/card", data={"csrf": support.csrf_of(page)}).text
    assert "with eight characters, works until this one is used" in re.sub(r"\s+", " ", shown)


def test_a_card_printed_late_names_no_day_that_has_passed(
    rt: Runtime, study_id: int, desk: FlaskClient, clock: support.SetClock
) -> None:
    clock.now = support.at("2026-03-16 11:00")
    support.sign_in(desk)
    days = [day for _, day in card.show(rt, support.SETUP, study_id, "P-001").days]
    assert days == [date(2026, 4, 2), date(2026, 6, 2)]
    clock.now = support.at("2026-12-16 11:00")
    late = card.show(rt, support.SETUP, study_id, "P-001")
    assert late.days == ()
    assert "We will ask you around these days" not in card.document(late)


def test_whoever_has_answered_is_not_asked_now(
    rt: Runtime, study_id: int, desk: FlaskClient, clock: support.SetClock
) -> None:
    clock.now = support.at("2026-03-09 11:00")
    support.sign_in(desk)
    filled = entry.Filled({"NRS-AVG": "4", "PGIC": "2"}, reason="told so", mode="telephone")
    entry.enter(rt, support.SETUP, study_id, "P-001", "W1", filled)
    page = re.sub(r"\s+", " ", desk.get("/cards").text)
    first, second = (page.partition(f'value="{code}"')[2].partition("</li>")[0] for code in CODES[:2])
    assert "is asked now" in second
    assert "is asked now" not in first
    assert "is asked from 30 Mar" in first


@pytest.mark.parametrize("consent, card_step", [("2026-03-02", True), ("", False)])
def test_only_whom_texts_may_ask_gets_the_step_to_print_a_card(
    rt: Runtime, study_id: int, desk: FlaskClient, consent: str, *, card_step: bool
) -> None:
    more = {"messaging_consent": consent, "channel": "sms-card" if consent else ""}
    support.enrolled(rt, study_id, "P-099", date(2026, 3, 2), phone="+905321239999", **more)
    assert ("Print the card and hand it over" in desk.get("/participants/P-099/enrolled").text) == card_step


def test_what_was_printed_is_marked_as_handed_over_and_undone(rt: Runtime, desk: FlaskClient) -> None:
    press(desk, "sheets", *CODES[:3])
    done = press(desk, "handed", *CODES[:3], on="2026-03-02")
    assert done.status_code == 303
    page = desk.get(done.location).text
    assert "Handed over: P-001, P-002, P-003." in page
    assert handed(rt) == list(CODES[:3])
    assert listed(page, "to-hand") == []
    back = press(desk, "back", *CODES[:3])
    assert "Still to be handed over: P-001" in desk.get(back.location).text
    assert handed(rt) == []


@pytest.mark.parametrize(
    "action, codes, fields, said",
    [
        ("sheets", (), {}, "nobody is chosen"),
        ("handed", (), {}, "nobody is chosen"),
        ("handed", CODES[:1], {}, "P-001 has no card yet"),
        ("handed", CODES[:1], {"on": "yesterday"}, "this is no day"),
        ("handed", CODES[:1], {"on": "2027-01-01"}, "P-001 has no card yet"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_chosen_stays(
    rt: Runtime, desk: FlaskClient, action: str, codes: tuple[str, ...], fields: dict[str, str], said: str
) -> None:
    answer = press(desk, action, *codes, **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert [code for code in listed(answer.text, "to-print") if code.endswith("*")] == [f"{code}*" for code in codes]
    assert handed(rt) == []


def test_the_card_of_one_is_marked_from_its_own_page(rt: Runtime, desk: FlaskClient) -> None:
    page = desk.get("/participants/P-001").text
    assert "Make the card" in page
    assert "there is no card yet: people call" in page
    csrf = support.csrf_of(page)
    shown = desk.post("/participants/P-001/card", data={"csrf": csrf}).text
    assert "The card was handed over" in shown
    done = desk.post("/cards/handed", data={"csrf": csrf, "code": "P-001", "then": "participant", "on": "2026-03-02"})
    told = desk.get(done.location).text
    assert "Saved: the card was handed over." in told
    assert "handed over 2 Mar" in told
    assert "asked by text, answers with the card" in told
    assert "Handed over on 2 Mar." in desk.post("/participants/P-001/card", data={"csrf": csrf}).text
    undone = desk.post("/cards/back", data={"csrf": csrf, "code": "P-001", "then": "participant"})
    assert "made, not handed over yet" in desk.get(undone.location).text
    assert handed(rt) == []


def test_today_counts_the_cards_that_are_due(rt: Runtime, desk: FlaskClient, study_id: int) -> None:
    page = desk.get("/").text
    assert "<b>12</b> cards to print: no text is sent before they are made" in re.sub(r"\s+", " ", page)
    card.show_many(rt, support.SETUP, study_id, CODES)
    card.hand_over(rt, support.SETUP, study_id, CODES[1:])
    page = re.sub(r"\s+", " ", desk.get("/").text)
    assert "to print" not in page
    assert "<b>1</b> card to hand over" in page
    card.hand_over(rt, support.SETUP, study_id, CODES)
    assert "/cards" not in desk.get("/").text


def test_cards_of_another_site_are_not_there(rt: Runtime, desk: FlaskClient) -> None:
    support.coordinator(rt, "berlin@example.org", site="BER")
    client = desk.application.test_client()
    support.sign_in(client, "berlin@example.org")
    assert listed(client.get("/cards").text, "to-print") == []
    for action in ("sheets", "handed", "back"):
        assert press(client, action, "P-001").status_code == 404
    assert handed(rt) == []


@pytest.mark.parametrize(
    "role", ["assessor", "investigator", "data-manager", "monitor", "statistician", "administrator"]
)
def test_nobody_but_coordinators_sees_or_makes_cards(rt: Runtime, desk: FlaskClient, role: str) -> None:
    support.coordinator(rt, "other@example.org", role=role)
    client = desk.application.test_client()
    support.sign_in(client, "other@example.org")
    csrf = support.csrf_of(client.get("/account").text)
    assert client.get("/cards").status_code == 403
    for action in ("sheets", "handed", "back"):
        assert client.post(f"/cards/{action}", data={"csrf": csrf, "code": "P-001"}).status_code == 403
    with rt.sessions.reading() as session:
        assert "view_card" not in session.scalars(select(audit_trail.c.action)).all()

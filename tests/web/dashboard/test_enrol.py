"""Enrolling on the dashboard: the rules of the file, every fault beside its field, a look ahead, once and no more."""

import re
from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service.runtime import Runtime
from pro_service.store.schema import audit_trail, participants
from tests import support
from tests.peers import databases

GOOD = {
    "participant": "P-009",
    "site": "IST",
    "procedure_date": "2026-03-09",
    "procedure_time": "09:30",
    "language": "tr",
    "messaging_consent": "2026-03-09",
    "phone": "+1 202 555 0123",
    "channel": "sms-link",
    "baseline_nrs_avg": "7",
}


@pytest.fixture
def office(rt: Runtime, client: FlaskClient, study_id: int) -> FlaskClient:
    """Return a browser in which a coordinator of the site IST is signed in."""
    assert study_id
    support.coordinator(rt, site="IST")
    support.sign_in(client)
    return client


def sent(office: FlaskClient, step: str, **changed: str) -> tuple[int, str]:
    """Send the form; gives the status and the page as one reads it."""
    csrf = support.csrf_of(office.get("/enrol").text)
    answer = office.post("/enrol", data=GOOD | changed | {"csrf": csrf, "step": step})
    return answer.status_code, answer.location or re.sub(r"\s+", " ", unescape(answer.text))


def beside(page: str, name: str) -> str:
    """What stands beside a field, and is told to whoever hears the page."""
    field = re.search(rf'<(?:input|select) id="e-{name}"[^>]*>', page)
    fault = re.search(rf'<p class="fault" id="f-{name}">(.*?)</p>', page)
    assert field is not None
    assert ('aria-invalid="true"' in field[0], f"f-{name}" in field[0]) == (fault is not None,) * 2
    return fault[1] if fault else ""


def codes(rt: Runtime) -> list[str]:
    with rt.sessions.reading() as session:
        return list(session.scalars(select(participants.c.code)))


@databases.ON_BOTH
def test_looking_ahead_says_windows_and_the_first_text_and_writes_nothing(rt: Runtime, office: FlaskClient) -> None:
    before = support.rows_of(rt)
    status, page = sent(office, "look")
    assert status == 200
    assert "This is what will happen. Nobody is enrolled yet." in page
    assert "The first message is sent on Mon 16 Mar 10:00, for W1." in page
    assert "+1 2•• ••• 01 23" in page
    assert re.search(r"W1 .*?Mon 16 Mar 2026.*?Sun 15 Mar.*?Thu 19 Mar", page)
    assert support.rows_of(rt) == before


@databases.ON_BOTH
def test_enrolling_leads_to_what_comes_next(rt: Runtime, office: FlaskClient) -> None:
    status, place = sent(office, "make")
    assert (status, place) == (303, "/participants/P-009/enrolled?done=enrolled")
    page = office.get(place).text
    for step in ("Send a test message", "Show the card", "Open P-009"):
        assert step in page
    with rt.sessions.reading() as session:
        row = session.execute(select(audit_trail).where(audit_trail.c.action == "enrol")).one()
    assert (row.source, row.actor.startswith("user:")) == ("dashboard", True)


@databases.ON_BOTH
def test_the_same_form_twice_enrols_once_and_says_so(rt: Runtime, office: FlaskClient) -> None:
    sent(office, "make")
    before = support.rows_of(rt)
    status, place = sent(office, "make")
    assert (status, place) == (303, "/participants/P-009/enrolled?done=unchanged")
    assert "nothing was done twice" in office.get(place).text
    assert support.rows_of(rt) == before
    assert "enrolled already, with the same data" in sent(office, "look")[1]


@databases.ON_BOTH
def test_another_form_under_the_same_code_is_refused_beside_what_differs(rt: Runtime, office: FlaskClient) -> None:
    sent(office, "make")
    before = support.rows_of(rt)
    status, page = sent(office, "make", language="en", phone="+1 202 555 0124")
    assert status == 422
    assert "enrolled already, with another Language" in beside(page, "language")
    assert "open the participant" in beside(page, "phone")
    assert support.rows_of(rt) == before


def test_a_code_in_other_capitals_is_refused_beside_the_field_in_the_readers_language(
    rt: Runtime, office: FlaskClient
) -> None:
    sent(office, "make")
    for step in ("look", "make"):
        status, page = sent(office, step, participant="p-009")
        assert status == 422
        assert "enrolled already as P-009" in beside(page, "participant")
        assert "write the code in just that way" in beside(page, "participant")
    token = support.csrf_of(office.get("/enrol").text)
    office.post("/language", data={"csrf": token, "language": "tr", "next": "/enrol"})
    assert "P-009 yazılışıyla zaten çalışmada" in beside(sent(office, "make", participant="p-009")[1], "participant")
    assert codes(rt) == ["P-009"]


def test_every_fault_stands_beside_its_field_and_what_was_typed_is_kept(rt: Runtime, office: FlaskClient) -> None:
    wrong = {
        "participant": "Ayşe Y",
        "procedure_date": "2026-02-30",
        "procedure_time": "25:00",
        "messaging_consent": "2027-01-01",
        "phone": "O532 123 45 67",
        "channel": "pigeon",
        "timezone": "Europe/Istambul",
        "baseline_nrs_avg": "11",
    }
    assert sent(office, "make", **wrong)[0] == 422
    status, page = sent(office, "look", **wrong)
    assert status == 422
    for name, value in wrong.items():
        assert beside(page, name), name
        assert f'href="#e-{name}"' in page
        assert name == "channel" or f'value="{value}"' in page
    assert "letter O" in beside(page, "phone")
    assert beside(page, "language") == ""
    assert codes(rt) == []


def test_a_number_that_takes_no_texts_is_refused_with_the_reason(office: FlaskClient) -> None:
    for number, said in {
        "0850 123 45 67": "0850",
        "444 1 444": "444",
        "0212 123 45 67": "landlines",
        "+90 533 812 34 56": "Northern Cyprus",
        "0532 123": "not a number that exists",
    }.items():
        status, page = sent(office, "look", phone=number)
        assert (status, said in beside(page, "phone")) == (422, True), number


def test_a_turkish_number_is_led_to_the_card_or_the_telephone(office: FlaskClient) -> None:
    status, page = sent(office, "look", phone="0532 123 45 67")
    assert (status, "choose the printed card" in beside(page, "channel")) == (422, True)
    status, page = sent(office, "look", phone="0532 123 45 67", channel="sms-card")
    assert (status, "registered sender names only" in page) == (200, True)
    status, page = sent(office, "look", phone="0212 123 45 67", channel="", messaging_consent="")
    assert (status, "people call at each window" in page) == (200, True)


def test_a_channel_is_named_in_words_on_the_form(office: FlaskClient) -> None:
    status, page = sent(office, "look", channel_2="sms-card")
    said = "“a text with a link”, “a text; answers with the printed card” go the same way"
    assert (status, said in beside(page, "channel")) == (422, True)


def test_a_country_is_named_in_the_readers_language(rt: Runtime, client: FlaskClient, study_id: int) -> None:
    assert study_id
    support.coordinator(rt, site="IST", language="tr")
    support.sign_in(client)
    _, page = sent(client, "look", phone="0532 123 45 67", channel="sms-card")
    assert "Türkiye yalnızca kayıtlı gönderici adlarından" in page


def test_what_is_to_be_minded_about_a_date_is_said_before_it_is_kept(office: FlaskClient) -> None:
    for day, said in {
        "2026-05-21": "holds no working day",
        "2026-03-20": "nothing is sent before somebody confirms it",
        "2026-02-27": "is open now: only the steps that are still to come",
        "2026-01-12": "is over already: before enrolment, nobody is asked",
    }.items():
        status, page = sent(office, "look", procedure_date=day, procedure_time="")
        assert (status, said in page) == (200, True), day


@databases.ON_BOTH
def test_nobody_is_enrolled_at_anothers_site_nor_learns_of_its_participants(rt: Runtime, office: FlaskClient) -> None:
    status, page = sent(office, "make", site="BER")
    assert (status, "not your site" in beside(page, "site")) == (422, True)
    with rt.sessions.reading() as session:
        study_id = session.scalars(select(participants.metadata.tables["studies"].c.id)).one()
    support.enrolled(rt, study_id, "P-009", support.at("2026-03-09 10:00").date(), site="BER", phone="+12025550190")
    status, page = sent(office, "make")
    assert status == 422
    assert "enrolled at another site" in beside(page, "participant")
    assert beside(page, "phone") == ""


@databases.ON_BOTH
def test_a_form_whose_session_has_ended_is_there_after_signing_in(
    rt: Runtime, office: FlaskClient, clock: support.SetClock
) -> None:
    csrf = support.csrf_of(office.get("/enrol").text)
    clock.now += timedelta(minutes=16)
    ended = office.post("/enrol", data=GOOD | {"csrf": csrf, "step": "look"})
    kept = re.search(r'name="kept" value="([^"]+)"', ended.text)
    assert (ended.status_code, kept is not None) == (403, True)
    assert kept is not None
    login = {"email": support.EMAIL, "password": support.PASSWORD, "csrf": support.csrf_of(ended.text)}
    again = office.post("/login", data=login | {"kept": kept[1]})
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', again.text))
    assert {name: fields[name] for name in GOOD} == GOOD
    assert "This is what will happen" in office.post("/enrol", data=fields).text
    assert codes(rt) == []


def test_what_if_reads_its_date_from_the_address_and_names_holidays(office: FlaskClient) -> None:
    page = unescape(office.get("/what-if?date=2026-05-21&site=IST").text)
    assert "Kurban" in page or "Eid al-Adha" in page
    assert "holds no working day" in page
    page = unescape(office.get("/what-if?date=2026-01-31&site=IST").text)
    assert "the month has no such day" in page
    assert "Sat 28 Feb 2026" in page


def test_what_if_says_what_is_wrong_with_a_date(office: FlaskClient) -> None:
    for date in ("", "2026-02-30", "31.01.2026", "9999-12-31", "x"):
        answer = office.get("/what-if", query_string={"date": date})
        assert (answer.status_code, 'id="f-date"' in answer.text) == (422, True), date

"""The reachability test on a participant's page, and the page behind its link."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service.core.providers import FACTS
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import messages, reach_tests
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import tick
from pro_service.use_cases.transaction import plain_text
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

PHONE = "+12025550123"


@pytest.fixture
def desk(client: FlaskClient, rt: Runtime, study_id: int, clock: support.SetClock) -> FlaskClient:
    """Return a browser of a coordinator of IST, with one participant there and one at BER."""
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, language="en", channel="sms-link")
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), phone="+12025550124", site="BER")
    support.coordinator(rt, site="IST", language="en")
    support.sign_in(client)
    return client


def send(desk: FlaskClient, action: str, code: str = "P-001", **fields: object) -> str:
    """Press a button of the participant's page; gives the page that follows, or the status."""
    html = desk.get("/participants/P-001").text
    form = re.search(rf'action="/participants/P-001/reach/{action}".*?</form>', html, re.DOTALL)
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0] if form else html))
    answer = desk.post(f"/participants/{code}/reach/{action}", data=hidden | fields)
    return desk.get(answer.location).text if answer.status_code == 303 else str(answer.status_code)


def address(rt: Runtime) -> str:
    """The path of the link in the test's text."""
    with rt.sessions.reading() as session:
        m = messages.c
        p = messages.metadata.tables["participants"]
        asked = select(m.id, m.participant_id, m.body, p.c.data_key).join(p, p.c.id == m.participant_id)
        row = session.execute(asked.where(m.kind == "reach")).one()
    found = re.search(r"(/q/reach/\S+)", plain_text(rt, row) or "")
    assert found is not None
    return found[1]


@databases.ON_BOTH
def test_a_test_is_begun_seen_waiting_and_confirmed_by_its_link(desk: FlaskClient, rt: Runtime) -> None:
    assert "Not tried yet." in desk.get("/participants/P-001").text
    page = send(desk, "begin", minutes=10)
    assert re.search(r"Waiting to be confirmed</b>.*10 min left", page, re.DOTALL)
    assert "A test is waiting already" in send(desk, "begin", minutes=10)
    path = address(rt)
    before = support.rows_of(rt)
    stranger = desk.application.test_client()
    assert "Did our text arrive?" in stranger.get(path).text
    assert support.rows_of(rt) == before
    assert "Thank you. Our texts reach you." in stranger.post(path).text
    assert "Thank you. Our texts reach you." in stranger.post(path).text
    assert re.search(r"Confirmed</b> by its link", desk.get("/participants/P-001").text)
    assert stranger.get("/q/reach/nothing").status_code == stranger.post("/q/reach/nothing").status_code == 404
    assert stranger.get(path).headers["Cache-Control"] == "no-store"


def test_staff_say_that_they_saw_it(desk: FlaskClient) -> None:
    send(desk, "begin")
    assert re.search(r"Confirmed</b> by staff", send(desk, "confirm"))


def test_a_failed_test_is_telephone_first_and_can_be_tried_again(
    desk: FlaskClient, rt: Runtime, clock: support.SetClock
) -> None:
    send(desk, "begin", minutes=30)
    assert "Say why it does not work." in send(desk, "fail", reason=" ")
    clock.now += timedelta(minutes=30)
    tick(rt)
    support.sign_in(desk)
    page = desk.get("/participants/P-001").text
    assert re.search(r"Failed</b>: not confirmed in time", page)
    assert "Telephone first: no messages are sent" in page
    assert "messages do not reach this participant" in desk.get("/").text
    assert "Waiting to be confirmed" in send(desk, "begin", minutes=30)


def test_an_unreasonable_time_is_refused(desk: FlaskClient) -> None:
    assert "Choose one of the times." in send(desk, "begin", minutes=100000)


def test_a_stale_page_sends_nothing(desk: FlaskClient, rt: Runtime) -> None:
    assert "Something has changed since you opened this page" in send(desk, "begin", revision=77)
    assert support.rows_of(rt)["reach_tests"] == 0


def test_another_sites_participant_is_not_there(desk: FlaskClient, rt: Runtime) -> None:
    before = support.rows_of(rt)
    for action in ("begin", "confirm", "fail"):
        assert send(desk, action, code="P-002", reason="why") == "404"
    assert support.rows_of(rt) == before


@pytest.mark.parametrize(
    "role", ["assessor", "investigator", "data-manager", "monitor", "statistician", "administrator"]
)
def test_no_other_role_tests(client: FlaskClient, rt: Runtime, study_id: int, role: str) -> None:
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE)
    support.coordinator(rt, role=role)
    support.sign_in(client)
    csrf = support.csrf_of(client.get("/").text)
    assert client.post("/participants/P-001/reach/begin", data={"csrf": csrf}).status_code == 403
    with rt.sessions.reading() as session:
        assert session.scalars(select(reach_tests.c.id)).all() == []


def test_who_gets_no_texts_has_no_button(desk: FlaskClient, rt: Runtime) -> None:
    receive.receive(rt, text_of({"MessageSid": f"SM{1:032d}", "From": PHONE, "To": "+15005550006", "Body": "STOP"}))
    assert "Send a test message" not in desk.get("/participants/P-001").text
    assert "No message may go to this participant" in send(desk, "begin")


def test_who_agreed_to_whatsapp_alone_is_tried_there(
    desk: FlaskClient, rt: Runtime, study_id: int, clock: support.SetClock
) -> None:
    on_whatsapp = replace(rt, texts={**rt.texts, "whatsapp": Telephones("whatsapp:SM", clock, facts=FACTS["whatsapp"])})
    how = {"channel": "whatsapp", "whatsapp_consent": "2026-03-02", "messaging_consent": "", "phone": "+12025550125"}
    support.enrolled(on_whatsapp, study_id, "P-003", date(2026, 3, 2), **how)
    for path in ("/participants/P-003", "/participants/P-003/enrolled"):
        page = desk.get(path).text
        assert "Send a test message" in page
        assert "there is nothing to try" not in page

"""Two studies whose participants have the same codes: a page, its number and its form stay with one of them."""

import re
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service import paths
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import escalations, responses
from pro_service.use_cases import study
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases

pytestmark = databases.ON_BOTH

FIRST, SECOND = "+12025550123", "+12025550124"


@pytest.fixture
def people(rt: Runtime, study_id: int, clock: support.SetClock) -> tuple[int, int]:
    """Return P-001 of the demonstration and P-001 of another study, both to be called today."""
    text = (paths.protocols() / "demo.toml").read_text(encoding="utf-8").replace('"DEMO"', '"SECOND"', 1)
    other = study.load(rt, support.SETUP, text).study.id
    clock.now = support.at("2026-03-02 15:00")
    found = [
        support.enrolled(rt, each, "P-001", date(2026, 3, 2), phone=phone, language="en")
        for each, phone in ((study_id, FIRST), (other, SECOND))
    ]
    clock.now = support.at("2026-03-11 11:00")
    tick(rt)
    return found[0], found[1]


@pytest.fixture
def desk(client: FlaskClient, rt: Runtime, people: tuple[int, int]) -> FlaskClient:
    """Return a browser in which a coordinator of both studies looks at the first."""
    assert people
    support.coordinator(rt, language="en")
    support.sign_in(client)
    return client


def call_of(rt: Runtime, participant_id: int) -> int:
    """The call task of a participant."""
    e = escalations.c
    with rt.sessions.reading() as session:
        found: int = session.scalars(select(e.id).where(e.participant_id == participant_id, e.level == "E1")).one()
    return found


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def test_an_answer_entered_from_a_task_is_that_participants(
    rt: Runtime, desk: FlaskClient, people: tuple[int, int]
) -> None:
    found = re.search(
        r'href="(/participants/P-001/enter/[^"]*)"', desk.get(f"/escalations/{call_of(rt, people[1])}").text
    )
    assert found is not None
    address = found[1].replace("&amp;", "&")
    answer = desk.post(address, data=hidden(desk.get(address).text) | {"NRS-AVG": "4", "PGIC": "2"})
    assert answer.status_code == 303
    with rt.sessions.reading() as session:
        assert set(session.scalars(select(responses.c.participant_id))) == {people[1]}


def test_a_form_stays_with_its_study_though_another_was_chosen_since(
    rt: Runtime, desk: FlaskClient, people: tuple[int, int]
) -> None:
    form = hidden(desk.get("/participants/P-001/enter/W1").text)
    desk.post("/study", data={"csrf": form["csrf"], "study": "SECOND"})
    assert desk.post("/participants/P-001/enter/W1", data=form | {"NRS-AVG": "4", "PGIC": "2"}).status_code == 303
    with rt.sessions.reading() as session:
        assert set(session.scalars(select(responses.c.participant_id))) == {people[0]}


def test_the_number_of_a_task_is_that_participants(rt: Runtime, desk: FlaskClient, people: tuple[int, int]) -> None:
    task = call_of(rt, people[1])
    form = hidden(desk.get(f"/escalations/{task}").text)
    page = desk.post("/participants/P-001/telephone", data=form | {"task": task}).text
    assert (SECOND in page, FIRST in page) == (True, False)
    other = {"csrf": form["csrf"], "study": "DEMO", "task": task}
    assert desk.post("/participants/P-001/telephone", data=other).status_code == 404


def test_a_text_from_nobodys_telephone_is_a_task_of_each_study(rt: Runtime, desk: FlaskClient) -> None:
    receive.receive(rt, text_of({"MessageSid": f"SM{1:032d}", "From": "+12025550199", "Body": "hello"}))
    e = escalations.c
    with rt.sessions.reading() as session:
        found = session.scalars(select(e.id).where(e.reason == "possible_participant")).all()
    assert [desk.get(f"/escalations/{task}").status_code for task in found] == [200, 200]
    csrf = hidden(desk.get("/").text)["csrf"]
    assert desk.post(f"/escalations/{found[0]}/acknowledge", data={"csrf": csrf}).status_code == 404
    assert desk.post(f"/escalations/{found[0]}/resolve", data={"csrf": csrf}).status_code == 303


def test_a_study_one_has_no_part_in_is_not_there(desk: FlaskClient) -> None:
    assert desk.get("/participants/P-001?study=NONE").status_code == 404

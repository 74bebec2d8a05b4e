"""Revealed treatments: noted once and for good, read by those who lead the study, never by whoever assesses."""

from datetime import date

import pytest
from alembic import command
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Executable, delete, select, text, update
from sqlalchemy.exc import DBAPIError

from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store import migrate
from pro_service.store.schema import audit_trail, inbound, inbox_actions, participants, revelations
from pro_service.use_cases.inbound import receive
from tests import support
from tests.peers import databases

PHONE = "+12025550123"
PATH = "/participants/P-001/revealed"


@pytest.fixture
def desk(rt: Runtime, client: FlaskClient, study_id: int, clock: support.SetClock) -> FlaskClient:
    """Return a coordinator's browser; P-001 wrote something no rule understood."""
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, channel="sms-reply")
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), site="BER")
    clock.now = support.at("2026-03-09 10:00")
    receive.receive(
        rt, text_of({"MessageSid": "SM1", "From": PHONE, "Body": "please stop asking me, I got the real one"})
    )
    support.coordinator(rt, site="IST")
    support.sign_in(client)
    return client


def note(desk: FlaskClient, source: str = "call", revision: str | None = None) -> tuple[int, str]:
    page = desk.get(PATH).text
    shown = page.partition('name="revision" value="')[2].partition('"')[0]
    fields = {"csrf": support.csrf_of(page), "source": source, "revision": revision or shown}
    answer = desk.post(PATH, data=fields)
    return answer.status_code, answer.text


def in_the_inbox(rt: Runtime, desk: FlaskClient) -> None:
    with rt.sessions.reading() as session:
        text_id = session.scalars(select(inbound.c.id)).one()
    csrf = support.csrf_of(desk.get(f"/inbox/{text_id}").text)
    assert desk.post(f"/inbox/{text_id}/reveal", data={"csrf": csrf}).status_code == 303


def test_what_is_noted_and_what_is_marked_stand_in_one_log(rt: Runtime, app: Flask, desk: FlaskClient) -> None:
    assert note(desk)[0] == 303
    in_the_inbox(rt, desk)
    for number, role in enumerate(("investigator", "data-manager")):
        support.coordinator(rt, f"{number}@example.org", role=role)
        reader = app.test_client()
        support.sign_in(reader, f"{number}@example.org")
        page = reader.get("/revealed").text.partition("<main")[2]
        assert page.index("in a message") < page.index("on the telephone")
        assert page.count("P-001</a>") == 2
        sheet = reader.get("/revealed.csv").text.splitlines()
        assert sheet[0] == "\ufeffnoted_at,participant,site,source,noted_by"
        assert sheet[2] == f"2026-03-09T07:00:00Z,P-001,IST,call,{support.EMAIL}"
        assert "real one" not in page + "".join(sheet)


def test_a_second_click_and_a_stale_page_note_nothing(rt: Runtime, desk: FlaskClient) -> None:
    assert note(desk, revision="1")[0] in {303, 409}
    before = support.rows_of(rt)
    status, page = note(desk, revision="1")
    assert (status, "Nothing was noted" in page) == (409, True)
    assert support.rows_of(rt) == before


@pytest.mark.parametrize("source", ["", "text", "nonsense"])
def test_where_it_was_revealed_has_to_be_chosen(rt: Runtime, desk: FlaskClient, source: str) -> None:
    before = support.rows_of(rt)
    status, page = note(desk, source)
    assert (status, "Choose where it was revealed." in page) == (422, True)
    assert support.rows_of(rt) == before


def test_it_is_audited_without_a_word_of_it(rt: Runtime, desk: FlaskClient) -> None:
    note(desk, "visit")
    with rt.sessions.reading() as session:
        a = audit_trail.c
        row = session.execute(select(a.changes, a.reason, a.actor_kind).where(a.action == "reveal")).one()
    assert tuple(row) == ('{"source":[null,"visit"]}', None, "staff")


@pytest.mark.parametrize("statement", [update(revelations).values(source="other"), delete(revelations)])
@databases.ON_BOTH
def test_the_log_refuses_to_be_changed(rt: Runtime, desk: FlaskClient, statement: Executable) -> None:
    note(desk)
    with pytest.raises(DBAPIError, match="append-only"), rt.sessions.begin() as session:
        session.execute(statement)


def test_whoever_assesses_as_well_reads_neither_log_nor_what_others_noted(
    rt: Runtime, app: Flask, desk: FlaskClient
) -> None:
    note(desk)
    assert "Noted so far" in desk.get(PATH).text
    for role in ("coordinator", "data-manager", "assessor"):
        support.coordinator(rt, "both@example.org", role=role)
    both = app.test_client()
    support.sign_in(both, "both@example.org")
    assert both.get("/revealed").status_code == 403
    assert both.get("/revealed.csv").status_code == 403
    assert "Noted so far" not in both.get(PATH).text


def test_a_leader_of_one_site_reads_of_that_site(rt: Runtime, app: Flask, desk: FlaskClient) -> None:
    note(desk)
    support.coordinator(rt, "ber@example.org", role="investigator", site="BER")
    lead = app.test_client()
    support.sign_in(lead, "ber@example.org")
    assert "Nothing was noted so far." in lead.get("/revealed").text
    assert desk.get("/participants/P-002/revealed").status_code == 404


@databases.ON_BOTH
def test_what_was_marked_before_is_in_the_log(rt: Runtime, desk: FlaskClient) -> None:
    in_the_inbox(rt, desk)
    with rt.sessions.engine.connect() as connection:
        alembic = migrate.config()
        alembic.attributes["connection"] = connection
        command.downgrade(alembic, "0009-1")
        connection.commit()
        command.upgrade(alembic, "head")
        connection.commit()
        row = connection.execute(select(revelations.c.source, revelations.c.participant_id)).one()
        asked = select(participants.c.id).where(participants.c.code == "P-001")
        assert tuple(row) == ("text", connection.scalar(asked))
        assert connection.scalar(select(inbox_actions.c.action)) == "reveal"
        assert connection.scalar(text("SELECT count(*) FROM roles WHERE approved_at = granted_at")) == 1

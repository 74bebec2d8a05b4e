"""Erasing a participant on a page: a coordinator asks, an investigator decides, and the trail names both."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service.core.problems import RejectedError
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.schema import audit_trail
from pro_service.use_cases.participants import erase, erasure_requests
from pro_service.use_cases.trail.seal import seal
from pro_service.use_cases.trail.verify import verify
from tests import support

PAGE = "/participants/P-001/erasure"
ASKER, DECIDER = "asks@example.org", "decides@example.org"


def send(client: FlaskClient, what: str, reason: str = "") -> tuple[int, str]:
    """Press a button of the page; return the status and the page that follows."""
    page = client.get(PAGE).text
    request = page.partition('name="request" value="')[2].partition('"')[0]
    form = {"csrf": support.csrf_of(client.get("/account").text), "reason": reason, "request": request}
    answer = client.post(f"{PAGE}/{what}", data=form)
    return answer.status_code, client.get(answer.location).text if answer.status_code == 303 else answer.text


def test_a_coordinator_asks_and_an_investigator_decides(
    rt: Runtime, app: Flask, study_id: int, participant: int
) -> None:
    coordinator, investigator = app.test_client(), app.test_client()
    asker = support.coordinator(rt, ASKER, language="en", site="IST")
    decider = support.coordinator(rt, DECIDER, role="investigator", language="en")
    support.sign_in(coordinator, ASKER)
    support.sign_in(investigator, DECIDER)
    seal(rt)
    before = verify(rt, full=True).findings
    assert PAGE in coordinator.get("/participants/P-001").text
    assert "What goes" in investigator.get(PAGE).text
    assert "<textarea" not in investigator.get(PAGE).text, "nobody has asked"

    assert send(coordinator, "ask", " ")[0] == 422
    status, page = send(coordinator, "ask", "Ayşe's letter")
    assert (status, "Waits for an investigator" in page) == (303, True)
    assert "asked for already" in send(coordinator, "ask", "once more")[1]
    assert "waits for an investigator" in coordinator.get("/participants/P-001").text
    tasks = investigator.get("/tasks").text
    assert PAGE in tasks
    assert re.search(r'href="/tasks"[^<]*<span class="count" title="open tasks">\s*1\b', tasks), "in the navigation"
    assert "Ayşe&#39;s letter" in investigator.get(PAGE).text
    assert send(coordinator, "approve", "I say so")[0] == 403

    assert send(investigator, "refuse")[0] == 422
    assert send(investigator, "refuse", "the letter is not signed")[0] == 303
    assert "the letter is not signed" in coordinator.get(PAGE).text
    assert send(coordinator, "ask", "now it is signed")[0] == 303
    assert "Request withdrawn" in send(coordinator, "withdraw")[1]
    assert send(investigator, "approve", "too late")[0] == 422
    assert PAGE not in investigator.get("/tasks").text

    send(coordinator, "ask", "now it is signed")
    status, page = send(investigator, "approve", "Letter of 2 March")
    assert (status, "Erased." in page, DECIDER in page, ASKER in page) == (303, True, True, True)
    assert "signed" not in coordinator.get(PAGE).text
    assert support.loaded(rt, participant).case.participant.erased_at == rt.clock()
    with rt.sessions.reading() as session:
        a = audit_trail.c
        of = a.action.in_(("ask_erasure", "approve_erasure", "erase")) & (a.participant_id == participant)
        rows = session.execute(select(a.action, a.actor, a.reason).where(of).order_by(a.id)).all()
    assert [(row.action, row.actor) for row in rows[-3:]] == [
        ("ask_erasure", f"user:{asker}"),
        ("approve_erasure", f"user:{decider}"),
        ("erase", f"user:{decider}"),
    ]
    assert rows[-1].reason == "Letter of 2 March"
    assert rows[-3].reason.startswith("sealed:")
    seal(rt)
    assert verify(rt, full=True).findings == before
    assert study_id


def test_nobody_decides_about_their_own_request_and_an_erasure_by_command_ends_one(
    rt: Runtime, client: FlaskClient, study_id: int, participant: int
) -> None:
    assert participant
    user_id = support.coordinator(rt, language="en")
    support.coordinator(rt, role="investigator")
    support.sign_in(client)
    send(client, "ask", "asked on the telephone")
    assert PAGE not in client.get("/tasks").text
    assert "another investigator" in send(client, "approve", "I know best")[1]
    erase.erase(rt, support.SETUP, study_id, "P-001", "a letter")
    assert "Erased by command" in client.get(PAGE).text
    by = Actor("staff", f"user:{user_id}", "dashboard", user_id)
    with pytest.raises(RejectedError, match="erased_already"):
        erasure_requests.ask(rt, by, study_id, "P-001", "again")

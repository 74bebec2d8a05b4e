"""The page on which an investigator confirms the study's version, and the banner until then."""

import re
from dataclasses import replace
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pro_service import paths
from pro_service.runtime import Runtime
from pro_service.use_cases import study
from pro_service.use_cases.tick import tick
from pro_service.web.app import create_app
from tests import support
from tests.telephones import Telephones

DEMO = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
pytestmark = pytest.mark.usefixtures("participant")
BANNER = "No investigator has confirmed version 1 of this study"


@pytest.fixture
def app(rt: Runtime) -> Flask:
    """Return the application as it is with a provider on another machine."""
    return create_app(replace(rt, texts={"sms": Telephones(clock=rt.clock, elsewhere=True)}))


def signed_in(rt: Runtime, client: FlaskClient, role: str) -> FlaskClient:
    support.coordinator(rt, f"{role}@example.org", role=role)
    support.sign_in(client, f"{role}@example.org")
    return client


def test_an_investigator_reads_and_confirms(rt: Runtime, client: FlaskClient) -> None:
    signed_in(rt, client, "investigator")
    tasks = client.get("/tasks").text
    assert BANNER in tasks
    assert "Version 1 of the study is to be confirmed" in tasks
    assert "Nothing waits for you." not in tasks
    page = client.get("/study/confirm").text
    assert "The Turkish wording is a draft." in page
    sha256 = page.partition('name="sha256" value="')[2][:64]
    form = {"csrf": support.csrf_of(page), "sha256": sha256}
    missing = client.post("/study/confirm", data={**form, "reason": " "})
    assert (missing.status_code, "Say in a few words why." in missing.text) == (422, True)
    study.load(rt, support.SETUP, DEMO.replace('title = "Demonstration"', 'title = "Another"'))
    late = client.post("/study/confirm", data={**form, "reason": "approved"})
    assert late.status_code == 422
    assert "the version you read is no longer the newest: version 2 is" in late.text
    assert "approved</textarea>" in late.text
    sha256 = late.text.partition('name="sha256" value="')[2][:64]
    done = client.post("/study/confirm", data={**form, "sha256": sha256, "reason": "approved"}, follow_redirects=True)
    assert "Version 2 was confirmed by investigator@example.org" in done.text
    assert "Nothing waits for you." in client.get("/tasks").text
    assert "confirmed by investigator@example.org" in client.get("/study").text


def test_coordinators_are_told_and_cannot_confirm(rt: Runtime, client: FlaskClient, study_id: int) -> None:
    signed_in(rt, client, "coordinator")
    assert BANNER in client.get("/").text
    page = client.get("/study/confirm").text
    assert 'name="sha256"' not in page
    assert "An investigator of all sites of this study can confirm it." in page
    assert client.post("/study/confirm", data={"csrf": support.csrf_of(page), "reason": "x"}).status_code == 403
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), phone="+12025550142", channel="sms-reply")
    tick(rt)
    ledger = client.get("/messages").text
    assert "It waits: no investigator has confirmed" in client.get(re.findall(r'"(/messages/\d+)"', ledger)[0]).text

"""Requests nobody sends by hand: they cost nothing, reach nothing and are told so."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from pro_service.cli import service
from pro_service.runtime import Runtime
from pro_service.store.database import Sessions, make_engine
from pro_service.use_cases.staff import accounts
from pro_service.web import app
from tests import support

HUGE = 10**30


@pytest.fixture
def desk(client: FlaskClient, rt: Runtime, participant: int) -> FlaskClient:
    """Return a browser in which a coordinator is signed in."""
    assert participant
    support.coordinator(rt)
    support.sign_in(client)
    return client


def test_an_address_of_combining_marks_is_cut_before_it_is_folded() -> None:
    # In one piece this takes half a minute.
    assert len(accounts.folded("a" + "\u0301\u0323" * 60_000)) <= accounts.LONGEST_EMAIL + 1


def test_an_address_with_a_nul_is_nobodys(client: FlaskClient, study_id: int) -> None:
    assert study_id
    assert support.sign_in(client, "a\0@example.org").status_code == 422


@pytest.mark.parametrize("query", ["endpoint=x", "_method=PATCH", "_scheme=javascript&_external=1", "_anchor=x"])
def test_a_query_is_no_wish_about_the_address(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/login?{query}")
    assert answer.status_code == 200
    assert 'href="/login?lang=tr"' in answer.text


@pytest.mark.parametrize("path", [f"/escalations/{HUGE}", "/escalations/0"])
def test_a_task_beyond_all_counting_is_not_there(desk: FlaskClient, path: str) -> None:
    assert desk.get(path).status_code == 404
    assert desk.get(f"/participants/P-001/enter/W1?task={HUGE}").status_code == 200


@pytest.mark.parametrize("path", ["/participants/P%00", "/participants?code=%00", "/q/%00"])
def test_a_nul_in_an_address_is_refused(desk: FlaskClient, path: str) -> None:
    assert desk.get(path).status_code == 400


def test_no_body_is_kept_that_no_page_takes() -> None:
    assert app.LARGEST_REQUEST < service.LARGEST_BODY <= 4 * app.LARGEST_REQUEST


def test_a_gate_that_cannot_be_opened_locks_nobody_out(tmp_path: Path) -> None:
    sessions = Sessions(make_engine(f"sqlite:///{tmp_path / 'one.db'}"))
    gate = tmp_path / "one.db.gate"
    gate.mkdir()
    with sessions.begin() as session:
        session.execute(text("CREATE TABLE written (here INTEGER)"))
    gate.rmdir()
    with sessions.begin() as session:
        session.execute(text("INSERT INTO written VALUES (1)"))
    assert gate.is_file()
    with sessions.reading() as session:
        assert session.scalar(text("SELECT here FROM written")) == 1
    sessions.close()

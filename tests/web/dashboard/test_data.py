"""The page *Data*: a set is made for who may have it, streamed, and named afterwards with its hashes."""

import hashlib
import io
import zipfile
from datetime import date
from pathlib import Path
from tempfile import gettempdir

import pytest
from flask.testing import FlaskClient

from pro_service.runtime import Runtime
from tests import support


@pytest.fixture
def desk(rt: Runtime, study_id: int, clock: support.SetClock, client: FlaskClient) -> FlaskClient:
    """Return a browser of nobody yet; one participant at each site."""
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone="+12025550101", site="IST")
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), phone="+12025550102", site="BER")
    clock.now = support.at("2026-03-10 10:00")
    return client


def take(client: FlaskClient, **fields: str) -> tuple[int, bytes]:
    """Press a button; return the status and what came."""
    csrf = support.csrf_of(client.get("/data").text)
    with client.post("/data", data={"csrf": csrf, "what": "files", **fields}) as answer:
        return answer.status_code, answer.data


def test_a_statistician_takes_the_set_out_and_it_is_named_with_its_hashes(rt: Runtime, desk: FlaskClient) -> None:
    support.coordinator(rt, role="statistician")
    support.sign_in(desk)
    before = set(Path(gettempdir()).glob("pro-service-*"))
    status, data = take(desk)
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        visits = packed.read("data/visits.csv")
        assert {"data/visits.csv", "codebook.csv", "sav/visits.sav", "scripts/read.R"} <= set(packed.namelist())
    assert visits.count(b"P-001") == visits.count(b"P-002") == 5
    assert set(Path(gettempdir()).glob("pro-service-*")) == before, "something is kept on the server"
    page = desk.get("/data").text
    assert hashlib.sha256(visits).hexdigest() in page
    assert support.EMAIL in page
    status, data = take(desk, what="spreadsheet", site="BER")
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        assert "xl/workbook.xml" in book.namelist()


def test_who_sees_one_site_takes_that_site_alone_and_no_moment_is_in_the_future(rt: Runtime, desk: FlaskClient) -> None:
    support.coordinator(rt, role="monitor", site="IST")
    support.sign_in(desk)
    assert take(desk)[0] == 422
    assert take(desk, site="BER")[0] == 422
    status, page = take(desk, site="IST", as_of="2030-01-01T10:00")
    assert status == 422
    assert "is in the future" in page.decode()
    assert take(desk, site="IST", as_of="yesterday")[0] == 422
    _, data = take(desk, site="IST")
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert b"P-002" not in packed.read("data/visits.csv")


@pytest.mark.parametrize("roles", [("coordinator",), ("assessor",), ("assessor", "investigator")])
def test_who_is_blinded_or_sees_no_scores_gets_no_data(rt: Runtime, desk: FlaskClient, roles: tuple[str, ...]) -> None:
    for role in roles:
        support.coordinator(rt, role=role)
    support.sign_in(desk)
    assert desk.get("/data").status_code == 403

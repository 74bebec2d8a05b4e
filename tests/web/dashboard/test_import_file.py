"""Enrolling from a file on the dashboard: a dry run first, all or nothing, once; REDCap exports by their columns."""

import io
import re
from html import unescape
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from pro_service.core.enrolment.redcap_mapping import parse
from pro_service.runtime import Runtime
from pro_service.store.schema import participants
from tests import support
from tests.core.enrolment import redcap as sample
from tests.peers import databases

HEADER = "participant,site,procedure_date,language,messaging_consent,phone"
ROWS = ("P-001,IST,2026-03-02,tr,2026-03-01,+12025550101", "P-002,IST,2026-03-03,en,,")


@pytest.fixture
def office(rt: Runtime, client: FlaskClient, study_id: int) -> FlaskClient:
    """Return a browser in which a coordinator of the site IST is signed in."""
    assert study_id
    support.coordinator(rt, site="IST")
    support.sign_in(client)
    return client


def csv(*rows: str) -> bytes:
    return "\n".join((HEADER, *rows)).encode()


def send(office: FlaskClient, data: bytes, mapping: bytes = b"", step: str = "") -> TestResponse:
    fields: dict[str, Any] = {"csrf": support.csrf_of(office.get("/enrol/import").text), "step": step}
    fields["file"] = (io.BytesIO(data), "enrol.csv")
    if mapping:
        fields["mapping"] = (io.BytesIO(mapping), "redcap.toml")
    return office.post("/enrol/import", data=fields, content_type="multipart/form-data")


def press(office: FlaskClient, page: TestResponse, step: str, **changed: str) -> TestResponse:
    """Press a button of a page: send what its form holds."""
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text.partition("<main")[2]))
    return office.post("/enrol/import", data=fields | changed | {"step": step})


def codes(rt: Runtime) -> list[str]:
    with rt.sessions.reading() as session:
        return list(session.scalars(select(participants.c.code).order_by(participants.c.code)))


@databases.ON_BOTH
def test_a_dry_run_writes_nothing_and_its_very_file_is_confirmed_once(rt: Runtime, office: FlaskClient) -> None:
    before = support.rows_of(rt)
    looked = send(office, csv(*ROWS))
    assert (looked.status_code, "2 participants would be enrolled" in looked.text) == (200, True)
    assert support.rows_of(rt) == before
    digest = re.search(r'title="SHA-256">(\w+)<', looked.text)
    made = press(office, looked, "make")
    assert digest is not None
    assert made.location == f"/enrol/import?enrolled=2&unchanged=0&digest={digest[1]}"
    assert codes(rt) == ["P-001", "P-002"]
    after = support.rows_of(rt)
    assert "enrolled=0&unchanged=2" in (press(office, looked, "make").location or "")
    assert support.rows_of(rt) == after
    assert "2 participants enrolled." in office.get(made.location).text


def test_every_fault_of_every_row_is_listed_and_nobody_is_enrolled(rt: Runtime, office: FlaskClient) -> None:
    answer = send(office, csv(*ROWS, "P-3,BER,1.2.2026,tr,,", "Ayşe Y,IST,2026-03-02,xx,evet,12"))
    page = unescape(answer.text)
    assert (answer.status_code, codes(rt)) == (422, [])
    for line, said in (
        (4, "not your site"),
        (4, "more than one way"),
        (5, "not a participant code"),
        (5, "xx"),
        (5, "needs its date"),
    ):
        assert re.search(rf'<th scope="row"[^>]*>{line}</th>(?:(?!</tr>).)*{said}', page, re.DOTALL), said


def test_a_long_list_of_faults_is_cut_and_counted(office: FlaskClient) -> None:
    page = send(office, csv(*(f"P-{number},IST,x,tr,," for number in range(61)))).text
    assert page.count("is not a date") == 50
    assert "… and 11 more." in page


def test_a_column_that_looks_like_the_allocation_is_refused(rt: Runtime, office: FlaskClient) -> None:
    for column in ("arm", "Tedavi grubu"):
        answer = send(office, f"{HEADER},{column}\n{ROWS[0]},A".encode())
        assert (answer.status_code, "allocation must never be" in answer.text, codes(rt)) == (422, True, [])


@databases.ON_BOTH
def test_what_is_confirmed_is_what_was_looked_at(rt: Runtime, office: FlaskClient) -> None:
    looked = send(office, csv(*ROWS))
    for changed in ({"digest": "0" * 64}, {"held": "AAAA"}, {"held": "ş"}):
        assert press(office, looked, "make", **changed).status_code == 422
    assert codes(rt) == []


def test_nothing_of_the_file_can_be_read_in_what_the_browser_holds(office: FlaskClient) -> None:
    page = send(office, csv(*ROWS)).text
    assert "2025550101" not in page
    held = re.search(r'name="held" value="([^"]+)"', page)
    assert held is not None
    assert len(held[1]) > 100


def body(data: bytes, csrf: str = "") -> bytes:
    """A form as a browser sends it; Werkzeug's own client puts large ones onto the disk, and leaves them open."""
    parts = {'name="csrf"': csrf.encode(), 'name="file"; filename="enrol.csv"': data}
    texts = [f"--x\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + text for head, text in parts.items()]
    return b"\r\n".join([*texts, b"--x--\r\n"])


def test_a_file_too_large_for_a_form_is_led_to_the_command_line(office: FlaskClient) -> None:
    csrf = support.csrf_of(office.get("/enrol/import").text)
    large = csv(*(f"P-{n},IST,2026-03-02,tr,,+1202555{n:04}" for n in range(15_000)))
    kind = "multipart/form-data; boundary=x"
    answer = office.post("/enrol/import", data=body(large, csrf), content_type=kind)
    assert (answer.status_code, "participant import FILE" in answer.text) == (422, True)
    assert office.post("/enrol/import", data=body(b"x" * 2_000_000, csrf), content_type=kind).status_code == 413


def test_a_file_that_is_sent_stays_in_memory(app: Flask) -> None:
    size = 900_000
    whole = body(b"x" * size)
    kind = "multipart/form-data; boundary=x"
    with app.test_request_context("/enrol/import", method="POST", data=whole, content_type=kind):
        assert isinstance(request.files["file"].stream, io.BytesIO)
        assert request.files["file"].stream.getbuffer().nbytes == size


def test_no_file_is_a_fault(office: FlaskClient) -> None:
    assert "no file was chosen" in send(office, b"").text


@databases.ON_BOTH
def test_an_export_is_enrolled_by_choosing_columns_and_the_mapping_is_kept(rt: Runtime, office: FlaskClient) -> None:
    export = sample.export([sample.screening(1), sample.procedure(1), sample.screening(2), sample.repeated(1)])
    chooser = send(office, export, step="choose")
    assert '<option value="record_id" selected>' in chooser.text
    chosen = {
        "event": "baseline_arm_1",
        "from-participant": "record_id",
        "from-site": "redcap_data_access_group",
        "values-site": "istanbul=IST",
        "from-procedure_date": "proc_datetime",
        "from-procedure_time": "proc_datetime",
        "from-language": "lang",
        "values-language": "1=tr, 2=en",
        "from-messaging_consent": "consent_date",
        "when-messaging_consent": "consent___1",
        "from-phone": "mobile",
        "event-phone": "screening_arm_1",
        "always-channel": "sms-link",
        "from-baseline_nrs_avg": "nrs_avg",
    }
    looked = press(office, chooser, "chosen", **chosen)
    assert "1 participant would be enrolled" in looked.text
    assert "surname" in looked.text
    kept = press(office, looked, "keep")
    mapping, faults = parse(kept.text, ("NRS-AVG", "NRS-NOW"))
    assert (mapping, faults) == (parse(sample.MAPPING.replace(', "berlin" = "BER"', ""), ("NRS-AVG", "NRS-NOW"))[0], ())
    assert "attachment" in kept.headers["Content-Disposition"]
    assert "enrolled=1" in (press(office, looked, "make").location or "")
    assert codes(rt) == ["P-001"]
    again = send(office, export, kept.data)
    assert "0 participants would be enrolled" in again.text


def test_columns_chosen_wrongly_are_said_beside_them_and_the_choice_is_kept(office: FlaskClient) -> None:
    chooser = send(office, sample.export([sample.screening(1), sample.procedure(1)]), step="choose")
    chosen = {"from-participant": "record_id", "from-language": "lang", "values-language": "1:tr"}
    answer = press(office, chooser, "chosen", **chosen)
    page = unescape(answer.text)
    assert answer.status_code == 422
    for name in ("site", "procedure_date", "language"):
        assert f'id="f-{name}"' in page
    assert 'value="1:tr"' in page
    assert 'id="f-phone"' not in page


def test_an_export_with_an_allocation_is_refused_before_any_column_is_chosen(office: FlaskClient) -> None:
    answer = send(office, sample.export([f"{sample.procedure(1)},A"], f"{sample.HEADER},rand_arm"), step="choose")
    assert (answer.status_code, "export again without it" in answer.text) == (422, True)

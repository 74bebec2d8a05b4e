"""The pages of queries: asked beside a visit, answered by the site, closed by the askers, and never an assessor's."""

from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from pro_service.runtime import Runtime
from pro_service.store.participants import queries
from tests import support

DATA, SITE = "data@example.org", "site@example.org"
QUESTION = "Was the form filled in by herself?"
FORM = "/participants/P-001/ask/W1"


@pytest.fixture
def asked(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return a participant whose score of 7 a data manager may ask about."""
    clock.now = support.at("2026-03-02 15:00")
    person = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2))
    clock.now = support.at("2026-03-09 12:00")
    support.answered(rt, "P-001", "W1", {"NRS-AVG": "7", "PGIC": "2"})
    support.coordinator(rt, DATA, role="data-manager", language="en")
    support.coordinator(rt, SITE, site="IST", language="en")
    return person


def signed_in(app: Flask, email: str) -> tuple[FlaskClient, str]:
    browser = app.test_client()
    support.sign_in(browser, email)
    return browser, support.csrf_of(browser.get("/account").text)


def waits(browser: FlaskClient) -> bool:
    return "queries that wait for you" in browser.get("/account").text


def test_a_query_goes_to_the_site_and_comes_back_to_be_closed(rt: Runtime, app: Flask, asked: int) -> None:
    (data, of_data), (site, of_site) = signed_in(app, DATA), signed_in(app, SITE)
    assert FORM in data.get("/participants/P-001").text
    assert 'value="NRS-AVG" checked' in data.get(f"{FORM}?item=NRS-AVG").text
    empty = data.post(FORM, data={"csrf": of_data, "item": "NRS-AVG", "words": " "})
    assert (empty.status_code, "Write it in a few words." in empty.text) == (422, True)
    assert data.post(FORM, data={"csrf": of_data, "item": "NRS-AVG", "words": QUESTION}).status_code == 303
    again = data.post(FORM, data={"csrf": of_data, "item": "NRS-AVG", "words": QUESTION})
    assert (again.status_code, "A query about this is open" in again.text) == (422, True)
    assert (waits(data), waits(site)) == (False, True)
    with rt.sessions.reading() as session:
        [query] = queries.of_participant(session, rt.vault, asked)
    for path in ("/queries", "/participants/P-001", "/participants/P-001/enter/W1", "/queries?participant=P-001"):
        page = site.get(path).text
        assert QUESTION in page, path
        assert '<b class="number">7' not in page, path
    address = f"/queries/{query.id}"
    assert site.post(f"{address}/close", data={"csrf": of_site}).status_code == 403
    told = site.post(f"{address}/answer", data={"csrf": of_site, "words": "Sham arm, I think."})
    assert (told.status_code, "Sham arm, I think." in told.text) == (422, True)
    assert site.post(f"{address}/answer", data={"csrf": of_site, "words": "By her son."}).status_code == 303
    assert (waits(data), waits(site)) == (True, False)
    assert "By her son." in data.get("/queries").text
    assert [data.post(f"{address}/close", data={"csrf": of_data}).status_code for _ in range(2)] == [303, 409]
    assert (waits(data), "By her son." in site.get("/queries").text) == (False, True)


@pytest.mark.usefixtures("asked")
def test_an_assessor_sees_no_query_whatever_else_they_are(rt: Runtime, app: Flask) -> None:
    data, csrf = signed_in(app, DATA)
    data.post(FORM, data={"csrf": csrf, "words": QUESTION})
    for email in (DATA, SITE):
        support.coordinator(rt, email, role="assessor")
        browser, _ = signed_in(app, email)
        pages = {path: browser.get(path) for path in ("/participants/P-001", "/participants/P-001/enter/W1")}
        assert [path for path, page in pages.items() if QUESTION in page.text or "/queries" in page.text] == []
        assert browser.get("/queries").status_code == 403

"""Changes of the office on the pages: filled in, shown with every consequence, confirmed once; and what is refused."""

import re
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from pro_service.runtime import Runtime
from pro_service.store.schema import audit_trail
from pro_service.use_cases.participants.change_form import ACTIONS
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases

PHONE, NEW = "+12025550123", "+12025550145"
CALLING = support.at("2026-03-11 11:00")


@pytest.fixture
def desk(client: FlaskClient, rt: Runtime, study_id: int, clock: support.SetClock) -> FlaskClient:
    """Return a browser in which a coordinator of IST is signed in; P-001 there is to be called, P-002 is in Berlin."""
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, baseline_nrs_avg="6")
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), site="BER")
    clock.now = CALLING
    tick(rt)
    support.coordinator(rt, site="IST", language="en")
    support.sign_in(client)
    return client


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', page))


def look(desk: FlaskClient, action: str, code: str = "P-001", **fields: str) -> TestResponse:
    """Fill the form of a change in and ask for its consequences."""
    path = f"/participants/{code}/change/{action}"
    named = {name.rstrip("_"): value for name, value in fields.items()}
    return desk.post(path, data=hidden(desk.get(path).text) | {"reason": "as she said", "step": "look"} | named)


def make(desk: FlaskClient, action: str, shown: TestResponse, code: str = "P-001") -> TestResponse:
    """Press the button of the preview."""
    return desk.post(f"/participants/{code}/change/{action}", data=hidden(shown.text) | {"step": "make"})


def audited(rt: Runtime, action: str) -> list[str | None]:
    a = audit_trail.c
    with rt.sessions.reading() as session:
        kept = session.scalars(select(a.reason).where(a.action == action).order_by(a.id)).all()
    return [support.typed(rt, one) for one in kept]


def test_the_participants_page_leads_to_every_change(desk: FlaskClient) -> None:
    page = desk.get("/participants/P-001").text
    for action in ACTIONS:
        assert (f'href="/participants/P-001/change/{action}"' in page) == (action not in {"resume", "reinstate"}), (
            action
        )
        assert desk.get(f"/participants/P-001/change/{action}").status_code == 200


@pytest.mark.shows("case: date preview")
def test_a_date_is_changed_after_its_consequences_were_seen(desk: FlaskClient, rt: Runtime) -> None:
    rows = support.rows_of(rt)
    shown = look(desk, "reschedule", procedure_date="2026-03-01")
    assert support.rows_of(rt) == rows
    assert "This is what will follow. Nothing has been changed yet." in shown.text
    assert "7 Mar 00:00" in shown.text
    assert "kept, the baseline" in shown.text
    assert "ends: Date changed" in shown.text
    done = make(desk, "reschedule", shown)
    assert (done.status_code, done.location) == (303, "/participants/P-001?done=changed")
    page = desk.get(done.location or "").text
    assert "The change is made." in page
    assert "procedure 1 Mar 2026" in page
    assert audited(rt, "reschedule") == ["as she said"]


@pytest.mark.shows("turn: why")
def test_why_these_dates_says_what_moved_them_and_why(desk: FlaskClient) -> None:
    make(desk, "reschedule", look(desk, "reschedule", procedure_date="2026-03-01"))
    page = desk.get("/participants/P-001").text
    moved = re.search(r"procedure date changed, Procedure date 2 Mar 2026 → 1 Mar 2026.*“as she said”", page)
    assert moved is not None
    assert "Earlier dates" in page
    assert "Counted from 2 Mar 2026, Europe/Istanbul" in page
    assert re.search(r"<dt>Counted from</dt>\s*<dd>1 Mar 2026</dd>", page)


@pytest.mark.shows("turn: stale")
def test_pressing_twice_changes_once(desk: FlaskClient, rt: Runtime, clock: support.SetClock) -> None:
    shown = look(desk, "language", language="en")
    clock.now += timedelta(seconds=2)
    assert make(desk, "language", shown).status_code == 303
    again = make(desk, "language", shown)
    assert again.status_code == 409
    assert "Something has changed since you opened this page" in again.text
    assert "Language changed" in again.text
    assert audited(rt, "language") == ["as she said"]


@databases.ON_BOTH
def test_a_page_without_its_revision_is_stale(desk: FlaskClient, rt: Runtime) -> None:
    form = hidden(look(desk, "language", language="en").text) | {"step": "make"}
    form.pop("revision")
    assert desk.post("/participants/P-001/change/language", data=form).status_code == 409
    assert audited(rt, "language") == []


@pytest.mark.shows("turn: stale")
def test_a_stale_page_says_what_changed_and_keeps_what_was_typed(desk: FlaskClient, clock: support.SetClock) -> None:
    shown = look(desk, "reschedule", procedure_date="2026-03-01")
    clock.now += timedelta(minutes=1)
    make(desk, "pause", look(desk, "pause", until="2026-03-14"))
    stale = make(desk, "reschedule", shown)
    assert stale.status_code == 409
    assert "Prompts paused: as she said" in stale.text
    assert 'name="procedure_date" value="2026-03-01"' in stale.text


def test_what_is_wrong_stands_beside_its_field_with_the_remedy(desk: FlaskClient, rt: Runtime) -> None:
    rows = support.rows_of(rt)
    refused = look(desk, "phone", number="0532 123 45 6O", messages="stands", reason="")
    assert refused.status_code == 422
    assert re.search(r'id="f-number">holds the letter O where a digit should be → write the digit 0', refused.text)
    assert re.search(r'id="f-reason">a reason is needed', refused.text)
    assert 'aria-invalid="true" aria-describedby="f-number"' in refused.text
    assert support.rows_of(rt) == rows


def test_a_change_that_is_so_already_is_said(desk: FlaskClient) -> None:
    shown = look(desk, "language", language="tr")
    assert "This is saved already; there is nothing to change." in shown.text
    assert "Make this change" not in shown.text


def test_a_number_is_shown_masked_and_never_on_the_participants_page(desk: FlaskClient, rt: Runtime) -> None:
    shown = look(desk, "phone", number=NEW, messages="stands")
    assert "+1 2•• ••• 01 23" in shown.text or "•••" in shown.text
    assert PHONE not in shown.text
    make(desk, "phone", shown)
    assert NEW not in desk.get("/participants/P-001").text
    assert audited(rt, "new_telephone") == ["as she said"]


def test_the_consent_for_a_new_number_is_a_choice_and_no_word_to_be_typed(desk: FlaskClient) -> None:
    page = desk.get("/participants/P-001/change/phone").text
    assert re.findall(r'type="radio"\s+name="messages"\s+value="(\w+)"', page) == ["stands", "given", "none"]
    assert "“stands”" not in page
    for fields, field, said in (
        ({}, "messages", "nothing is said about the consent to messages"),
        ({"messages": "given"}, "consent", "the day of the consent is missing"),
        ({"messages": "none", "consent": "2026-03-01"}, "consent", "and another answer about the consent"),
    ):
        refused = look(desk, "phone", number=NEW, **fields)
        assert refused.status_code == 422
        assert said in refused.text.partition(f'id="f-{field}"')[2].partition("</span>")[0]
    assert "This is what will follow" in look(desk, "phone", number=NEW, messages="none").text
    assert "This is what will follow" in look(desk, "phone", number=NEW, messages="given", consent="2026-03-01").text


def test_filling_in_again_keeps_what_was_typed(desk: FlaskClient) -> None:
    shown = look(desk, "reschedule", procedure_date="2026-03-01")
    form = desk.post("/participants/P-001/change/reschedule", data=hidden(shown.text) | {"step": "again"})
    assert 'value="2026-03-01"' in form.text
    assert 'value="as she said"' in form.text


def test_whom_one_may_not_see_one_cannot_change(desk: FlaskClient, rt: Runtime) -> None:
    rows = support.rows_of(rt)
    for action in ACTIONS:
        path = f"/participants/P-002/change/{action}"
        assert desk.get(path).status_code == 404
        for step in ("look", "make"):
            data = hidden(desk.get(f"/participants/P-001/change/{action}").text) | {"step": step, "reason": "x"}
            assert desk.post(path, data=data).status_code == 404
    assert desk.get("/participants/P-001/change/everything").status_code == 404
    assert support.rows_of(rt) == rows


def test_a_participant_who_was_handed_over_is_gone_from_here(desk: FlaskClient) -> None:
    done = make(desk, "move", look(desk, "move", site="BER"))
    assert done.location == "/participants"
    assert desk.get("/participants/P-001").status_code == 404


def test_a_death_is_silent_and_final(desk: FlaskClient, rt: Runtime) -> None:
    shown = look(desk, "died")
    assert "ends: Died" in shown.text or "ends: Has died" in shown.text
    assert "not any more" in shown.text
    make(desk, "died", shown)
    assert "Died" in desk.get("/participants/P-001").text
    assert audited(rt, "died") == ["as she said"]


def test_everything_is_said_in_turkish_too(desk: FlaskClient) -> None:
    desk.post("/language", data=hidden(desk.get("/").text) | {"language": "tr", "next": "/"})
    shown = look(desk, "reschedule", procedure_date="2026-05-21")
    assert "iş günü yok" in shown.text
    refused = look(desk, "reschedule", procedure_date="30.02.2026")
    assert re.search(r'id="f-procedure_date">[^<]*takvimde yok', refused.text)

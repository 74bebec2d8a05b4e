"""The inbox's pages: who may read what, what waits first, and every quick action once."""

import re
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.schema import escalations, inbound, inbox_actions, messages, responses
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.participants import erase
from pro_service.use_cases.staff import accounts
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases

PHONE, BERLIN, STRANGER = "+12025550123", "+12025550125", "+12025550199"
NOW = support.at("2026-03-09 11:00")


@pytest.fixture
def texts(rt: Runtime, study_id: int, clock: support.SetClock) -> dict[str, int]:
    """Return the ids of texts that wait for a person: at IST, at BER, from nobody."""
    clock.now = support.at("2026-03-02 15:00")
    more = {"channel": "sms-reply", "language": "en"}
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, **more)
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), phone=BERLIN, site="BER", **more)
    clock.now = NOW
    tick(rt)
    said = {PHONE: "my mother says 5", BERLIN: "meine Mutter: please stop it now", STRANGER: "hello, who is it"}
    for number, (sender, body) in enumerate(said.items()):
        receive.receive(
            rt, text_of({"MessageSid": f"SM{number:032d}", "From": sender, "To": "+15005550006", "Body": body})
        )
    with rt.sessions.reading() as session:
        ids = session.scalars(select(inbound.c.id).order_by(inbound.c.provider_id)).all()
    return dict(zip(("IST", "BER", "nobody"), ids, strict=True))


@pytest.fixture
def desk(client: FlaskClient, rt: Runtime, texts: dict[str, int]) -> FlaskClient:
    """Return a browser in which a coordinator of IST is signed in."""
    assert texts
    support.coordinator(rt, site="IST", language="en")
    support.sign_in(client)
    return client


def signed_in(client: FlaskClient, rt: Runtime, *roles: tuple[str, str | None]) -> FlaskClient:
    """Sign somebody in who has these roles, each with a site or for every site."""
    for role, site in roles:
        accounts.add_user(rt, support.SETUP, support.EMAIL, support.PASSWORD, role, site=site)
    support.sign_in(client)
    return client


def send(desk: FlaskClient, page: str, action: str, **fields: object) -> tuple[int, str]:
    """Fill in the form of an action and send it; gives the status and what came back (or where it leads)."""
    form = re.search(rf'action="{page}/{action}">.*?</form>', desk.get(page).text, re.DOTALL)
    html = form[0] if form else desk.get(page).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))
    answer = desk.post(f"{page}/{action}", data=hidden | fields)
    return answer.status_code, answer.location or answer.text


def test_a_coordinator_reads_the_texts_of_the_own_site_alone(desk: FlaskClient, texts: dict[str, int]) -> None:
    page = desk.get("/inbox").text
    assert "my mother says 5" in page
    assert "meine Mutter" not in page
    assert "hello, who is it" not in page
    assert re.search(r'Inbox&nbsp;<span class="count"[^>]*>1</span>', desk.get("/").text)
    for name, status in (("IST", 200), ("BER", 404), ("nobody", 404)):
        assert desk.get(f"/inbox/{texts[name]}").status_code == status
    assert desk.get(f"/inbox/{2**70}").status_code == 404


def test_nothing_can_be_done_with_another_sites_text(desk: FlaskClient, rt: Runtime, texts: dict[str, int]) -> None:
    csrf = support.csrf_of(desk.get("/").text)
    before = support.rows_of(rt)
    for action in ("record", "answer", "call", "reveal", "done"):
        for name in ("BER", "nobody"):
            answer = desk.post(f"/inbox/{texts[name]}/{action}", data={"csrf": csrf, "participant": "P-002"})
            assert answer.status_code == 404, action
    assert support.rows_of(rt) == before


@databases.ON_BOTH
def test_whoever_sees_every_site_reads_unknown_numbers_too(
    client: FlaskClient, rt: Runtime, texts: dict[str, int]
) -> None:
    desk = signed_in(client, rt, ("coordinator", None))
    page = desk.get("/inbox").text
    assert page.index("my mother says 5") < page.index("meine Mutter") < page.index("hello, who is it")
    assert "No score can be saved" in desk.get(f"/inbox/{texts['nobody']}").text
    assert STRANGER not in desk.get(f"/inbox/{texts['nobody']}").text
    assert "hello, who is it" not in desk.get("/inbox?site=IST").text
    assert "meine Mutter" not in desk.get("/inbox?why=proxy_answer").text


@pytest.mark.parametrize(
    "role", ["assessor", "investigator", "data-manager", "monitor", "statistician", "administrator"]
)
def test_free_text_reaches_no_other_role(client: FlaskClient, rt: Runtime, texts: dict[str, int], role: str) -> None:
    desk = signed_in(client, rt, (role, None))
    assert desk.get("/inbox").status_code == 403
    assert desk.get(f"/inbox/{texts['IST']}").status_code == 403


def test_a_coordinator_who_assesses_reads_no_text_where_they_assess(
    client: FlaskClient, rt: Runtime, texts: dict[str, int]
) -> None:
    desk = signed_in(client, rt, ("coordinator", None), ("assessor", "IST"))
    page = desk.get("/inbox").text
    assert "my mother says 5" not in page
    assert "meine Mutter" in page
    assert "hello, who is it" not in page
    assert desk.get(f"/inbox/{texts['IST']}").status_code == 404


def test_who_assesses_everywhere_reads_nothing_and_still_works(client: FlaskClient, rt: Runtime, study_id: int) -> None:
    del study_id
    desk = signed_in(client, rt, ("coordinator", "IST"), ("assessor", None))
    assert desk.get("/inbox").status_code == 403
    assert desk.get("/").status_code == 200


def test_a_text_stands_in_its_thread_on_the_participants_clock(desk: FlaskClient, texts: dict[str, int]) -> None:
    page = desk.get(f"/inbox/{texts['IST']}").text
    assert "my mother says 5" in page
    assert "Please reply with one whole number" in page
    assert "9 Mar 11:00" in page
    assert PHONE not in page


def test_a_score_is_kept_with_its_reason(desk: FlaskClient, rt: Runtime, texts: dict[str, int]) -> None:
    path = f"/inbox/{texts['IST']}"
    status, page = send(desk, path, "record", place="W1 NRS-AVG", value="12")
    assert (status, "The number is not on that question" in page, "Say how you know" in page) == (422, True, True)
    assert 'value="12"' in page
    status, where = send(desk, path, "record", place="W1 NRS-AVG", value="5", reason="asked her herself")
    assert (status, where) == (303, f"{path}?did=record")
    assert "asked her herself" in desk.get(where).text
    with rt.sessions.reading() as session:
        r = responses.c
        kept = session.execute(select(r.value, r.source, r.reason, r.inbound_id)).one()
    assert support.typed(rt, kept.reason) == "asked her herself"
    assert (kept.value, kept.source, kept.inbound_id) == (5, "sms", texts["IST"])
    assert "Nothing waits" in desk.get("/inbox").text
    story = desk.get("/participants/P-001").text
    assert "asked her herself" in story
    assert "Answers by text" in story
    assert "read and entered by staff" in story


def test_an_answer_is_chosen_among_texts_whose_words_are_shown(
    desk: FlaskClient, rt: Runtime, texts: dict[str, int]
) -> None:
    path = f"/inbox/{texts['IST']}"
    assert "We could not read your answer (average pain score)" in desk.get(path).text
    assert send(desk, path, "answer", template="Take two pills")[0] == 422
    assert send(desk, path, "answer", template="reask")[0] == 303
    with rt.sessions.reading() as session:
        m = messages.c
        queued = session.execute(select(m.frame, m.state).where(m.dedup_key == f"m:{texts['IST']}:reask")).one()
    assert tuple(queued) == ("reask", "ready")


def test_a_call_task_appears_under_today(desk: FlaskClient, rt: Runtime, texts: dict[str, int]) -> None:
    assert send(desk, f"/inbox/{texts['IST']}", "call")[0] == 303
    assert "Call P-001" in desk.get("/").text
    with rt.sessions.reading() as session:
        e = escalations.c
        assert session.scalar(select(e.reason).where(e.level == "E1")) == "asked_for_call"


@databases.ON_BOTH
def test_a_double_click_is_told_what_was_done_before(desk: FlaskClient, rt: Runtime, texts: dict[str, int]) -> None:
    path = f"/inbox/{texts['IST']}"
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', desk.get(path).text))
    for action, fields in (("done", {"reason": "he laughed"}), ("call", {}), ("reveal", {})):
        now = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', desk.get(path).text)) or hidden
        assert desk.post(f"{path}/{action}", data=now | fields).status_code == 303
        again = desk.post(f"{path}/{action}", data=now | fields)
        assert (again.status_code, "That was done already" in again.text) == (409, True)
    with rt.sessions.reading() as session:
        assert session.scalars(select(inbox_actions.c.action).order_by(inbox_actions.c.id)).all() == [
            "done",
            "call",
            "reveal",
        ]


def test_a_stale_page_keeps_what_was_typed(desk: FlaskClient, rt: Runtime, texts: dict[str, int]) -> None:
    path = f"/inbox/{texts['IST']}"
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', desk.get(path).text))
    receive.receive(
        rt, text_of({"MessageSid": f"SM{'f' * 32}", "From": PHONE, "To": "+15005550006", "Body": "call me"})
    )
    typed = {"place": "W1 NRS-AVG", "value": "5", "reason": "asked her"}
    answer = desk.post(f"{path}/record", data=hidden | typed)
    assert answer.status_code == 409
    assert "Something has changed since you opened this page" in answer.text
    assert 'value="asked her"' in answer.text


def test_what_reveals_the_treatment_is_hidden_from_coordinators(
    desk: FlaskClient, rt: Runtime, texts: dict[str, int]
) -> None:
    path = f"/inbox/{texts['IST']}"
    assert send(desk, path, "reveal")[0] == 303
    for page in (desk.get(path).text, desk.get("/inbox").text):
        assert "my mother says 5" not in page
        assert "reveals the treatment" in page
    accounts.add_user(rt, support.SETUP, support.EMAIL, support.PASSWORD, "investigator")
    support.sign_in(desk)
    assert "my mother says 5" in desk.get(path).text


@databases.ON_BOTH
def test_pages_follow_on_by_their_address(
    client: FlaskClient, rt: Runtime, texts: dict[str, int], clock: support.SetClock
) -> None:
    del texts
    for number in range(30):
        clock.now += timedelta(seconds=5)
        given = {"MessageSid": f"SM{number:031d}x", "From": STRANGER, "To": "+15005550006", "Body": f"number {number}"}
        receive.receive(rt, text_of(given))
    desk = signed_in(client, rt, ("coordinator", None))
    page = desk.get("/inbox?why=unknown_sender").text
    following = re.search(r'href="(/inbox\?[^"]*after=[^"]*)"', page)
    assert following is not None
    rest = desk.get(following[1].replace("&amp;", "&")).text
    assert "number 23" in page
    assert "number 24" not in page
    assert "number 24" in rest
    assert "number 29" in rest
    assert desk.get("/inbox?after=nonsense&show=nothing&why=no").status_code == 200


def test_the_pages_of_somebody_who_was_erased_open_and_show_no_words(
    desk: FlaskClient, rt: Runtime, texts: dict[str, int], study_id: int
) -> None:
    before = desk.get(f"/inbox/{texts['IST']}").text
    assert "my mother says 5" in before
    erase.erase(rt, support.SETUP, study_id, "P-001", "a letter asks for it")
    of_person = [f"/participants/P-001{part}" for part in ("", "/change/phone", "/change/reinstate", "/enter/W1")]
    for path in (*of_person, f"/inbox/{texts['IST']}", "/inbox", "/audit", "/tasks"):
        answer = desk.get(path)
        assert (path, answer.status_code < 500, "my mother says 5" in answer.text) == (path, True, False)
    assert "Contact data and messages erased" in desk.get("/participants/P-001").text
    assert desk.post("/participants/P-001/card", data={"csrf": support.csrf_of(before)}).status_code < 500
    assert desk.post("/participants/P-001/telephone", data={"csrf": support.csrf_of(before)}).status_code < 500

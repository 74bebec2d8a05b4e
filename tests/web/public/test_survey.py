"""The participants' form: looking writes nothing, one answer is one version, and every closed door looks the same."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select

from pro_service.core.case import Answer, EscalationFacts
from pro_service.runtime import Runtime
from pro_service.store.schema import audit_trail, participants, windows
from pro_service.use_cases.participants import survey
from pro_service.use_cases.tasks import calls
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.web.conftest import OPEN, TOKEN

FORM = f"/q/{TOKEN}"
CLOSES = support.at("2026-03-13 00:00")


def answers(rt: Runtime, participant_id: int, code: str = "W1") -> dict[str, Answer]:
    case = support.loaded(rt, participant_id).case
    return dict(next(window for window in case.windows if window.code == code).answers)


def values(rt: Runtime, participant_id: int) -> dict[str, int | str | None]:
    return {
        item: "declined" if answer.declined else answer.value for item, answer in answers(rt, participant_id).items()
    }


def tasks(rt: Runtime, participant_id: int) -> list[EscalationFacts]:
    return [task for task in support.loaded(rt, participant_id).case.escalations if task.reason == "asked_for_call"]


# --- looking ---------------------------------------------------------------------------------------------------------


def test_the_form_asks_in_the_participants_language(client: FlaskClient, participant: int) -> None:
    page = client.get(FORM).text
    assert '<html lang="tr">' in page
    assert "<b>İstanbul Demo</b>" in page, "who asks"
    assert "Son 24 saatte" in page
    assert "çok fazla iyileşti" in page
    assert "12 Mart Perşembe 23:59" in page
    assert participant


def test_another_language_can_be_asked_for(client: FlaskClient, participant: int) -> None:
    page = client.get(f"{FORM}?lang=en", headers={"Accept-Language": "tr"}).text
    assert '<html lang="en">' in page
    assert "<b>Istanbul Demo Clinic</b>" in page
    assert "in the last 24 hours" in page
    assert client.post(f"{FORM}?lang=en", data={"NRS-AVG": "3"}).location == f"{FORM}?lang=en"
    assert participant


@pytest.mark.shows("form: no script")
def test_nothing_is_chosen_beforehand(client: FlaskClient, participant: int) -> None:
    page = client.get(FORM).text
    assert re.findall(r'name="NRS-AVG"[^>]* value="(\w+)"', page) == [*map(str, range(11)), "declined"]
    assert re.findall(r'name="PGIC"[^>]* value="(\w+)"', page) == [*map(str, range(1, 8)), "declined"]
    assert " checked" not in page
    assert participant


@pytest.mark.shows("form: looking")
@pytest.mark.parametrize("path", [FORM, f"{FORM}?change=1", f"{FORM}?called=1", f"{FORM}/call", "/q/unknown"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@databases.ON_BOTH
def test_looking_writes_nothing(rt: Runtime, client: FlaskClient, participant: int, method: str, path: str) -> None:
    before = support.rows_of(rt), support.loaded(rt, participant)
    client.open(path, method=method)
    assert (support.rows_of(rt), support.loaded(rt, participant)) == before


@pytest.mark.shows("form: nobody else")
def test_the_form_is_nobody_elses_business(client: FlaskClient, participant: int) -> None:
    answer = client.get(FORM)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"].startswith("noindex")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers
    assert "P-001" not in answer.text
    assert "+1 202 555 0199" in answer.text
    assert participant


# --- answering -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["web", "card"])
@databases.ON_BOTH
def test_answers_are_kept_and_thanked_for(
    rt: Runtime, client: FlaskClient, study_id: int, participant: int, source: str
) -> None:
    if source == "web":
        participant = support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), phone="+12025550123")
        tick(rt)
    form = f"/q/{support.link_to(rt, participant, 'W1', 'the-address-in-a-text-or-behind-a-card')}"
    sent = client.post(form, data={"NRS-AVG": "0", "PGIC": "2"})
    assert (sent.status_code, sent.location) == (303, form)
    assert values(rt, participant) == {"NRS-AVG": 0, "PGIC": 2}
    kept = answers(rt, participant)["NRS-AVG"]
    assert (kept.source, kept.in_window, kept.received_at) == (source, True, OPEN)
    page = client.get(form).text
    assert "Teşekkür ederiz." in page
    assert "şu zamana kadar değiştirebilirsiniz: 12 Mart Perşembe 23:59" in page


def test_the_participant_is_named_as_the_actor_by_id(rt: Runtime, client: FlaskClient, participant: int) -> None:
    client.post(FORM, data={"NRS-AVG": "4", "PGIC": "2"})
    with rt.sessions.reading() as session:
        a = audit_trail.c
        rows = session.execute(select(a.actor_kind, a.actor, a.source).where(a.action == "answer")).all()
    assert [tuple(row) for row in rows] == [("participant", f"participant:{participant}", "web")] * 2


@pytest.mark.shows("form: one version")
@databases.ON_BOTH
def test_a_double_click_makes_one_version(rt: Runtime, client: FlaskClient, participant: int) -> None:
    for _ in range(2):
        assert client.post(FORM, data={"NRS-AVG": "4", "PGIC": "2"}).status_code == 303
    assert support.rows_of(rt)["responses"] == 2
    assert answers(rt, participant)["NRS-AVG"].version == 1


@databases.ON_BOTH
def test_two_telephones_at_once_make_one_version(rt: Runtime, participant: int) -> None:
    fields = {"NRS-AVG": "4", "PGIC": "2"}
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: survey.submit(rt, TOKEN, fields), range(4)))
    assert [outcome.faults for outcome in outcomes] == [{}] * 4
    assert support.rows_of(rt)["responses"] == 2
    assert values(rt, participant) == {"NRS-AVG": 4, "PGIC": 2}


@pytest.mark.shows("form: one version")
def test_a_changed_answer_is_a_second_version(rt: Runtime, client: FlaskClient, participant: int) -> None:
    client.post(FORM, data={"NRS-AVG": "4", "PGIC": "2"})
    page = client.get(f"{FORM}?change=1").text
    assert re.findall(r'id="([\w-]+)" value="\w+" checked', page) == ["NRS-AVG-4", "PGIC-2"]
    client.post(f"{FORM}?change=1", data={"NRS-AVG": "6", "PGIC": "2"})
    assert values(rt, participant) == {"NRS-AVG": 6, "PGIC": 2}
    assert {item: answer.version for item, answer in answers(rt, participant).items()} == {"NRS-AVG": 2, "PGIC": 1}


@pytest.mark.shows("form: declined")
def test_not_wanting_to_answer_is_an_answer(rt: Runtime, client: FlaskClient, participant: int) -> None:
    client.post(FORM, data={"NRS-AVG": "declined", "PGIC": "declined"})
    assert values(rt, participant) == {"NRS-AVG": "declined", "PGIC": "declined"}
    assert "Teşekkür ederiz." in client.get(FORM).text


@pytest.mark.shows("conversation: partial")
def test_a_part_is_kept_and_the_rest_asked_for(rt: Runtime, client: FlaskClient, participant: int) -> None:
    assert client.post(FORM, data={"NRS-AVG": "4", "PGIC": ""}).status_code == 303
    assert values(rt, participant) == {"NRS-AVG": 4}
    page = client.get(FORM).text
    assert "Bir soru kaldı" in page
    assert 'name="PGIC"' in page
    assert 'name="NRS-AVG"' not in page
    client.post(FORM, data={"PGIC": "3"})
    assert values(rt, participant) == {"NRS-AVG": 4, "PGIC": 3}


@pytest.mark.parametrize("typed", ["11", "-1", "4.5", "4,5", "vier", "٤", "1e1", "07", "4 5"])
def test_what_is_no_score_is_asked_for_again(rt: Runtime, client: FlaskClient, participant: int, typed: str) -> None:
    before = support.rows_of(rt)
    answer = client.post(f"{FORM}?lang=en", data={"NRS-AVG": typed, "PGIC": "2"})
    assert answer.status_code == 422
    assert f"You sent: {typed}" in answer.text
    assert 'aria-describedby="NRS-AVG-fault"' in answer.text
    assert 'id="PGIC-2" value="2" checked' in answer.text
    assert support.rows_of(rt) == before
    assert values(rt, participant) == {}


@pytest.mark.parametrize("fields", [{}, {"NRS-AVG": "", "PGIC": " "}, {"NRS-NOW": "4"}])
def test_an_empty_form_says_what_to_do(
    rt: Runtime, client: FlaskClient, participant: int, fields: dict[str, str]
) -> None:
    answer = client.post(FORM, data=fields)
    assert answer.status_code == 422
    assert "Henüz bir yanıt seçilmedi" in answer.text
    assert values(rt, participant) == {}


# --- time ------------------------------------------------------------------------------------------------------------


def test_before_its_time_the_form_says_when(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, participant: int
) -> None:
    clock.now = support.at("2026-03-07 23:59")
    page = client.get(FORM)
    assert page.status_code == 200
    assert "8 Mart Pazar 00:00" in page.text
    assert client.post(FORM, data={"NRS-AVG": "4"}).status_code == 303
    assert values(rt, participant) == {}


@pytest.mark.shows("form: after close")
def test_a_late_answer_helps_and_is_kept_as_late(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, participant: int
) -> None:
    client.post(FORM, data={"NRS-AVG": "4"})
    clock.now = CLOSES
    page = client.get(FORM).text
    assert "Planlanan süre doldu" in page
    assert 'name="NRS-AVG"' not in page
    client.post(FORM, data={"NRS-AVG": "9", "PGIC": "2"})
    assert values(rt, participant) == {"NRS-AVG": 4, "PGIC": 2}
    assert not answers(rt, participant)["PGIC"].in_window
    done = client.get(f"{FORM}?change=1").text
    assert "Yanıtlarınız kaydedildi" in done
    assert "change=1" not in done.replace("?change=1&amp;lang=", "").replace("lang=tr&amp;change=1", "")


def leave(rt: Runtime, participant_id: int, fact: str) -> None:
    with rt.sessions.begin() as session:
        session.execute(participants.update().where(participants.c.id == participant_id).values(**{fact: OPEN}))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("why", ["closed", "withdrawn_at", "died_at"])
def test_every_closed_door_looks_and_costs_the_same(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, participant: int, why: str, method: str
) -> None:
    statements: list[str] = []
    event.listen(rt.sessions.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    if why == "closed":
        clock.now = support.loaded(rt, participant).case.windows[-2].span.late_until
    else:
        leave(rt, participant, why)

    def knock(token: str) -> tuple[int, str, list[str]]:
        client.open(f"/q/{token}", method=method, data={"NRS-AVG": "4"} if method == "POST" else None)
        statements.clear()
        answer = client.open(f"/q/{token}", method=method, data={"NRS-AVG": "4"} if method == "POST" else None)
        return answer.status_code, answer.text.replace(token, ""), list(statements)

    assert knock(TOKEN) == knock("a-token-that-nobody-has-got-yet")
    assert knock(TOKEN)[0] == 404
    assert values(rt, participant) == {}


@databases.ON_BOTH
def test_an_old_link_opens_the_window_that_took_its_place(rt: Runtime, client: FlaskClient, participant: int) -> None:
    with rt.sessions.begin() as session:
        w = windows.c
        row = session.execute(select(windows).where(w.participant_id == participant, w.code == "W1")).one()
        session.execute(windows.update().where(w.id == row.id).values(cancelled_at=OPEN))
        session.execute(windows.insert().values(dict(row._mapping) | {"id": 9_999, "schedule": 2}))  # noqa: SLF001
    client.post(FORM, data={"NRS-AVG": "4"})
    kept = [window for window in support.loaded(rt, participant).case.windows if window.answers]
    assert [(window.id, window.schedule) for window in kept] == [(9_999, 2)]


# --- please call me --------------------------------------------------------------------------------------------------


@databases.ON_BOTH
def test_asking_for_a_call_makes_one_task(rt: Runtime, client: FlaskClient, participant: int) -> None:
    for _ in range(2):
        answer = client.post(f"{FORM}/call")
        assert (answer.status_code, answer.location) == (303, f"{FORM}?called=1")
    assert [(task.level, task.window_id is not None) for task in tasks(rt, participant)] == [("E1", True)]
    page = client.get(FORM).text
    assert "Sizi mesai saatlerinde arayacağız" in page
    assert "Lütfen beni arayın" not in page
    assert "Başka bir saat bana daha uygun" in page


@pytest.mark.shows("form: call at a time")
@pytest.mark.parametrize(
    "language, choices, told",
    [
        (
            "tr",
            ["Sabah 09:00–12:00", "Öğleden sonra 12:00–16:00", "Akşama doğru 16:00–17:00", "Saat fark etmez"],
            "Sizi arayacağız: 9 Mart Pazartesi 16:00 ile 17:00 arası.",
        ),
        (
            "en",
            ["In the morning 09:00–12:00", "In the afternoon 12:00–16:00", "Towards the evening 16:00–17:00"],
            "We will call you: Monday 9 March 16:00 to 17:00.",
        ),
    ],
)
def test_one_is_asked_when_to_be_called_and_told_when(
    rt: Runtime, client: FlaskClient, participant: int, language: str, choices: list[str], told: str
) -> None:
    shown = re.sub(r"<[^>]+>", " ", client.get(f"{FORM}?lang={language}").text)
    page = " ".join(shown.split())
    assert [words for words in choices if words not in page] == []
    client.post(f"{FORM}/call?lang={language}", data={"part": "evening"})
    assert [(task.part_of_day, task.due_at) for task in tasks(rt, participant)] == [
        ("evening", support.at("2026-03-09 16:30"))
    ]
    assert told in client.get(f"{FORM}?lang={language}").text


@pytest.mark.shows("form: call at a time")
def test_another_time_moves_the_call(rt: Runtime, client: FlaskClient, participant: int) -> None:
    client.post(f"{FORM}/call", data={"part": "evening"})
    client.post(f"{FORM}/call", data={"part": "afternoon"})
    assert [(task.part_of_day, task.due_at) for task in tasks(rt, participant)] == [
        ("afternoon", support.at("2026-03-09 15:30"))
    ]
    assert "9 Mart Pazartesi 12:00 ile 16:00 arası." in client.get(FORM).text


@pytest.mark.parametrize("part", ["any", "", "night", "morning' OR 1=1"])
def test_no_part_of_the_day_is_any_time(rt: Runtime, client: FlaskClient, participant: int, part: str) -> None:
    client.post(f"{FORM}/call", data={"part": part})
    assert [(task.part_of_day, task.due_at) for task in tasks(rt, participant)] == [
        (None, support.at("2026-03-09 17:00"))
    ]
    assert "Sizi mesai saatlerinde arayacağız" in client.get(FORM).text


def test_hours_that_have_passed_are_promised_no_longer(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, participant: int
) -> None:
    client.post(f"{FORM}/call", data={"part": "evening"})
    clock.now = support.at("2026-03-09 17:00")
    page = client.get(FORM).text
    assert "Sizi mesai saatlerinde arayacağız" in page
    assert "16:00 ile 17:00" not in page
    assert len(tasks(rt, participant)) == 1


def test_who_asks_again_after_the_call_is_heard_again(rt: Runtime, client: FlaskClient, participant: int) -> None:
    client.post(FORM, data={"NRS-AVG": "4", "PGIC": "2"})
    for number in (1, 2):
        client.post(f"{FORM}/call", data={"part": "evening"})
        assert len(tasks(rt, participant)) == number
        calls.resolve(rt, support.SETUP, tasks(rt, participant)[-1].id)


def test_a_call_after_answering_is_a_task_that_no_close_ends(
    rt: Runtime, client: FlaskClient, participant: int
) -> None:
    client.post(FORM, data={"NRS-AVG": "4", "PGIC": "2"})
    client.post(f"{FORM}/call")
    assert [task.level for task in tasks(rt, participant)] == ["E0"]


def test_a_call_that_is_due_anyway_is_not_asked_for_twice(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, participant: int
) -> None:
    client.post(f"{FORM}/call")
    clock.now += timedelta(hours=1)
    client.post(f"{FORM}/call")
    assert len(tasks(rt, participant)) == 1


def test_nobody_is_called_through_an_unknown_link(rt: Runtime, client: FlaskClient, participant: int) -> None:
    assert client.post("/q/unknown/call").status_code == 404
    assert tasks(rt, participant) == []


def test_each_participant_answers_for_themselves(rt: Runtime, client: FlaskClient, study_id: int) -> None:
    early = replace(rt, clock=support.SetClock(support.at("2026-03-02 15:00")))
    ids = [support.enrolled(early, study_id, code, date(2026, 3, 2), language="en") for code in ("P-001", "P-002")]
    for participant_id in ids:
        support.link_to(rt, participant_id, "W1", f"token-of-{participant_id}")
    client.post(f"/q/token-of-{ids[1]}", data={"NRS-AVG": "4"})
    assert [values(rt, participant_id) for participant_id in ids] == [{}, {"NRS-AVG": 4}]

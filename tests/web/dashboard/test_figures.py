"""Compliance, the ledger of messages and the protocol: what the pages say, what their files hold, what they cost."""

import csv
import html
import io
import re
from dataclasses import replace
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select

from pro_service import paths
from pro_service.exports.formats.excel import harmless
from pro_service.runtime import Runtime
from pro_service.store.bulk import row_ids
from pro_service.store.schema import messages, participants
from pro_service.use_cases import study
from pro_service.use_cases.participants import entry
from pro_service.use_cases.participants.entry import Filled
from pro_service.use_cases.tick import beat, tick
from tests import support
from tests.peers import databases

PHONE = "+12025550123"
DAY = date(2026, 3, 2)
PAGES = ("/compliance", "/messages", "/study", "/study/texts", "/participants")


@pytest.fixture
def user(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return a coordinator of all sites, and participants whose first week has closed and whose month has not."""
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-001", DAY, phone=PHONE, channel="sms-reply")
    support.enrolled(rt, study_id, "P-002", DAY, site="BER")
    actor = support.SETUP
    entry.enter(rt, actor, study_id, "P-001", "V0", Filled({"NRS-AVG": "7", "NRS-NOW": "6"}))
    for day in ("2026-03-09 10:30", "2026-03-10 19:00", "2026-03-13 12:00"):
        clock.now = support.at(day)
        tick(rt)
    beat(rt, "tick")
    return support.coordinator(rt, language="en")


@pytest.fixture
def desk(client: FlaskClient, user: int) -> FlaskClient:
    """Return a browser in which a coordinator is signed in."""
    del user
    support.sign_in(client)
    return client


def lines(desk: FlaskClient, path: str) -> list[dict[str, str]]:
    """The rows of a table file."""
    answer = desk.get(path)
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@databases.ON_BOTH
def test_rates_stand_with_their_denominators(desk: FlaskClient) -> None:
    page = desk.get("/compliance").text
    assert re.search(r"In the window</dt>\s*<dd>\s*<b class=\"big\">25 %</b>\s+<span class=\"soft nowrap\">1/4", page)
    assert "Complete cases" in page
    assert "0/0" in page
    assert "1/1" in desk.get("/compliance?window=V0&site=IST").text


@databases.ON_BOTH
def test_filters_stay_in_every_address_of_the_page(desk: FlaskClient) -> None:
    page = desk.get("/compliance?site=BER&channel=calls&window=W1").text
    assert 'href="/compliance.csv?site=BER&amp;channel=calls&amp;window=W1"' in page
    assert 'href="/participants?site=BER&amp;channel=calls&amp;window=W1"' in page
    assert "over=so_far" in page
    assert lines(desk, "/compliance.csv?site=BER&channel=calls&window=W1")[0]["due"] == "1"


def test_what_is_asked_for_in_vain_is_left_out(desk: FlaskClient) -> None:
    odd = "?site=NONE&channel=pigeon&window=X9&state=odd&kind=odd&after=x&price=dear&since=someday&version=&day=never"
    for path in PAGES:
        assert desk.get(path + odd).status_code == 200, path
    page = desk.get("/messages" + odd).text
    assert "This is not a price." in page
    assert "This is not a day." in page
    assert desk.get("/study?version=99").status_code == 404
    assert desk.get("/messages/abc").status_code == 404


def test_the_rates_file_holds_what_the_page_shows(desk: FlaskClient) -> None:
    rows = lines(desk, "/compliance.csv")
    assert rows[0]["by"] == "all"
    assert (rows[0]["due"], rows[0]["completed_in_window"]) == ("4", "1")
    assert {row["value"] for row in rows if row["by"] == "site"} == {"IST", "BER"}
    assert {row["value"] for row in rows if row["by"] == "channel"} == {"sms-reply", "calls"}


@databases.ON_BOTH
def test_the_grid_file_holds_everybody_who_fits(desk: FlaskClient, rt: Runtime, study_id: int) -> None:
    for number in range(60):
        support.enrolled(rt, study_id, f"Q-{number:03}", DAY, messaging_consent="")
    assert len(lines(desk, "/participants.csv")) == 62
    found = lines(desk, "/participants.csv?channel=sms-reply&window=W1")
    assert [(row["participant"], row["W1_status"]) for row in found] == [("P-001", "missed")]
    assert "M1_status" not in found[0]
    assert found[0]["W1_closes_at"] == "2026-03-12T21:00:00Z"
    assert lines(desk, "/participants.csv?state=completed_in_window&window=W1") == []


def test_a_cell_that_a_spreadsheet_would_run_is_quoted() -> None:
    assert [harmless(cell) for cell in ("=1+1", "+1", "-1", "@a", "\ta", "P-1", 7, None)] == [
        "'=1+1",
        "'+1",
        "'-1",
        "'@a",
        "'\ta",
        "P-1",
        7,
        None,
    ]


def test_who_is_at_risk_is_shown_until_the_answer_is_there(
    desk: FlaskClient, rt: Runtime, study_id: int, clock: support.SetClock
) -> None:
    clock.now = support.at("2026-04-08 10:00")
    tick(rt)
    support.sign_in(desk)
    page = desk.get("/compliance").text
    assert "38 h left" in page
    assert 'href="/participants/P-001"' in page
    entry.enter(rt, support.SETUP, study_id, "P-001", "M1", Filled({"NRS-AVG": "3", "PGIC": "2"}))
    assert 'href="/participants/P-001"' not in desk.get("/compliance").text
    assert 'href="/participants/P-002"' not in desk.get("/compliance?site=IST").text


def test_what_is_due_is_counted_by_the_day_on_which_it_closes(desk: FlaskClient, clock: support.SetClock) -> None:
    clock.now = support.at("2026-04-01 10:00")
    support.sign_in(desk)
    page = desk.get("/compliance").text
    assert re.search(r"<b>2</b>\s*</span>\s*<svg[^>]*>.*?</svg>\s*<span class=\"name\">Thu <br>9", page, re.DOTALL)


def test_a_prompt_is_followed_from_expected_to_answered(desk: FlaskClient) -> None:
    page = desk.get("/messages").text
    cells = re.search(r'<th scope="row">W1 Invitation</th>(.*?)</tr>', page, re.DOTALL)
    assert cells is not None
    # Expected once: the other participant gets no texts. Queued, and nothing sends here.
    assert re.findall(r">(\d+)</td>", cells[1]) == ["1", "0", "1", "0", "0", "0", "0"]


@databases.ON_BOTH
def test_a_delivered_and_a_failed_text_are_counted_by_route_and_reason(desk: FlaskClient, rt: Runtime) -> None:
    with rt.sessions.begin() as session:
        sent = session.execute(select(messages).where(messages.c.channel == "sms")).mappings().first()
        assert sent is not None
        good, bad = sent["id"], next(row_ids(session))
        session.execute(messages.insert().values({**sent, "id": bad, "dedup_key": "another", "kind": "reminder-1"}))
        session.execute(messages.update().where(messages.c.id == good).values(state="delivered", segments=2))
        session.execute(
            messages.update().where(messages.c.id == bad).values(state="undelivered", segments=1, error="30005")
        )
    page = desk.get("/messages?price=0,5").text
    assert re.search(r"United States.*?>2</td>.*?>1</td>.*?>1</td>.*?>3</td>.*?>1\.50</td>", page, re.DOTALL)
    assert "number unknown or not in service" in page
    one = desk.get(f"/messages/{bad}").text
    assert "not delivered" in one
    assert [row["error"] for row in lines(desk, "/messages.csv?state=undelivered")] == ["30005"]


def test_the_ledger_holds_neither_words_nor_numbers(desk: FlaskClient, rt: Runtime) -> None:
    with rt.sessions.reading() as session:
        number = session.scalars(select(messages.c.id).where(messages.c.channel == "sms")).first()
    for path in ("/messages", f"/messages/{number}", "/messages.csv"):
        text = desk.get(path).text
        assert "555" not in text.replace(" ", ""), path
        assert "kalça" not in text, path


@databases.ON_BOTH
def test_another_sites_messages_are_not_there(rt: Runtime, client: FlaskClient, user: int) -> None:
    del user
    support.coordinator(rt, "berlin@example.org", site="BER", language="en")
    support.sign_in(client, "berlin@example.org")
    with rt.sessions.reading() as session:
        number = session.scalars(select(messages.c.id).where(messages.c.channel == "sms")).first()
    assert client.get(f"/messages/{number}").status_code == 404
    for path in ("/messages", "/messages.csv", "/compliance", "/participants.csv"):
        assert "P-001" not in client.get(path).text.replace('placeholder="P-001"', ""), path


@databases.ON_BOTH
def test_pages_of_the_ledger_meet_without_a_gap(desk: FlaskClient, rt: Runtime, study_id: int) -> None:
    for number in range(70):
        support.enrolled(rt, study_id, f"Q-{number:03}", date(2026, 3, 5), phone=f"+120255501{number:02}")
    tick(rt)
    seen: list[str] = []
    path: str | None = "/messages?kind=invitation"
    while path is not None:
        page = desk.get(path).text
        seen += re.findall(r'href="/messages/(\d+)"', page)
        found = re.search(r'href="(/messages\?after=[^"#]+)', page)
        path = None if found is None else found[1].replace("&amp;", "&")
    assert (len(seen), len(set(seen))) == (71, 71)


def test_the_protocol_is_read_with_its_texts_as_a_telephone_shows_them(desk: FlaskClient) -> None:
    page = desk.get("/study?day=2026-01-31").text
    assert "Friday 6 February 00:00" in page
    assert "the month has no such day" in page
    texts = desk.get("/study/texts").text
    assert "Please reply with one whole number from 0 to 10" in texts
    assert "UCS-2" in texts
    assert "GSM-7" in texts
    assert "the first text of all" in texts
    assert (
        "We received your message but do not know this telephone number."
        in desk.get("/study/texts?window=answers").text
    )


def said(page: str) -> str:
    """Return the words of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_what_texts_cost_is_said_with_the_letters_and_their_places(desk: FlaskClient) -> None:
    page = said(desk.get("/study").text)
    assert "What the texts cost" in page
    assert "in messages: Istanbul Demo Clinic · İstanbul Demo" in page
    assert "Turkish: 20 texts of more than 3 segments, or needlessly UCS-2" in page
    assert "English: 1 text of more than 3 segments, or needlessly UCS-2" in page
    assert "first.sms-card 248 4 2 in the text itself: ç ı ; {closes} : ğ ; site.IST.short_name.tr : İ" in page
    assert "The question PGIC alone has 158 characters." in page
    texts = said(desk.get("/study/texts").text)
    assert "3 segments instead of 2:" in texts
    assert "item.NRS-AVG.question.tr : ç ğ ı ş" in texts
    assert "This text is for P-012." in desk.get("/study/texts?window=answers").text


def test_a_letter_in_a_name_makes_english_texts_dear_and_the_page_says_which(desk: FlaskClient, rt: Runtime) -> None:
    text = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
    study.load(rt, support.SETUP, text.replace('en = "Istanbul Demo Clinic" }', 'en = "İstanbul Demo Clinic" }'))
    assert "reach-test 122 2 1 site.IST.short_name.en : İ" in said(desk.get("/study").text)


def test_a_version_whose_prompts_do_not_say_who_writes_is_said_to_be_mended(desk: FlaskClient, rt: Runtime) -> None:
    checked = study.check((paths.protocols() / "demo.toml").read_text(encoding="utf-8"))
    words = {tongue: {**frames, "reach-test": "?"} for tongue, frames in checked.frames.items()}
    study.store_version(rt, support.SETUP, replace(checked, frames=words))
    page = desk.get("/study").text
    assert page.count("this text, which nobody has just asked for, does not say who writes") == 2


def test_an_earlier_version_can_be_read_and_says_that_it_is_one(desk: FlaskClient, rt: Runtime) -> None:
    text = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
    study.load(rt, support.SETUP, text.replace('title = "Demonstration"', 'title = "Another title"'))
    assert "Another title" in desk.get("/study").text
    page = desk.get("/study?version=1").text
    assert "This is an earlier version. New participants get version 2." in page


@databases.ON_BOTH
def test_pages_are_small_and_ask_as_often_at_any_size(desk: FlaskClient, rt: Runtime, study_id: int) -> None:
    asked: dict[str, list[int]] = {path: [] for path in PAGES}
    for size in (0, 60):
        for number in range(size):
            support.enrolled(rt, study_id, f"Q-{number:03}", DAY, phone=f"+120255501{number:02}")
        tick(rt)
        for path in PAGES:
            statements: list[str] = []

            def count(_conn: object, _cursor: object, statement: str, *_: object, seen: list[str] = statements) -> None:
                seen.append(statement)

            event.listen(rt.sessions.engine, "before_cursor_execute", count)
            answer = desk.get(path)
            event.remove(rt.sessions.engine, "before_cursor_execute", count)
            assert (path, answer.status_code) == (path, 200)
            assert len(answer.data) <= 64_000, path
            asked[path].append(len([one for one in statements if one.startswith(("SELECT", "WITH"))]))
    assert [path for path, (few, many) in asked.items() if many > few + 2] == []


def test_nobody_sees_figures_without_signing_in(client: FlaskClient, user: int, rt: Runtime) -> None:
    del user
    with rt.sessions.reading() as session:
        assert session.scalars(select(participants.c.id)).first() is not None
    for path in (*PAGES, "/compliance.csv", "/messages.csv", "/participants.csv", "/messages/1"):
        assert client.get(path).status_code == 303, path

"""A participant's story: one line of time, what happened newest first, page by page, to each role what is theirs."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient

from pro_service.core.schedule.agenda import escalate
from pro_service.reports import events as report_events
from pro_service.reports.events import Mark, StoryQuery
from pro_service.runtime import Runtime
from pro_service.store.participants import cases
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.participants import entry
from pro_service.use_cases.participants.entry import Filled
from pro_service.use_cases.safety_alerts import alert
from pro_service.use_cases.tick import tick
from pro_service.use_cases.transaction import transaction
from pro_service.web.dashboard.story import CHIPS, PAGE
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

REASON = "her own words on the ward"


@pytest.fixture
def lived(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return the study, with one who was asked, answered, was corrected, and is called."""
    object.__setattr__(rt, "texts", {"sms": Telephones(clock=clock)})
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone="+12025550123")
    for moment in ("2026-03-09 10:00", "2026-03-10 18:30", "2026-03-11 11:00"):
        clock.now = support.at(moment)
        tick(rt)
        deliver(rt)
    for value in ("9", "8"):
        clock.now += timedelta(minutes=5)
        filled = Filled({"NRS-AVG": value, "PGIC": "2"}, reason=REASON, mode="telephone")
        entry.enter(rt, support.SETUP, study_id, "P-001", "W1", filled)
    return study_id


def seen_by(rt: Runtime, client: FlaskClient, role: str, path: str = "/participants/P-001") -> str:
    """The page as a role reads it."""
    support.coordinator(rt, f"{role}@example.org", role=role)
    support.sign_in(client, f"{role}@example.org")
    return client.get(path).text


def told(page: str) -> list[str]:
    """The lines of the story, as text."""
    found = re.search(r'<ol class="events card">(.*?)</ol>', page, re.DOTALL)
    assert found is not None
    lines = re.findall(r"<li.*?</li>", found[1], re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", line)).strip() for line in lines]


@pytest.mark.usefixtures("lived")
@databases.ON_BOTH
def test_what_happened_is_told_newest_first_with_its_outcome(rt: Runtime, client: FlaskClient) -> None:
    lines = told(seen_by(rt, client, "coordinator"))
    assert re.match(r"11 Mar 11:10 W1 Answers by telephone .*average pain score: answered, version 2", lines[0])
    assert any(re.match(r"11 Mar 09:00|11 Mar 11:00 W1 Call · ended", line) for line in lines)
    assert any("Invitation · accepted" in line and "handed over 10:00" in line for line in lines)
    assert "Enrolled" in " ".join(lines)
    assert not re.search(r"score: [89]\b", " ".join(lines))


@pytest.mark.usefixtures("lived")
@pytest.mark.parametrize(
    "role, scores, reason",
    [
        ("coordinator", False, True),
        ("investigator", True, True),
        ("data-manager", True, False),
        ("monitor", True, False),
        ("statistician", True, False),
    ],
)
def test_each_role_reads_what_is_theirs(
    rt: Runtime, client: FlaskClient, role: str, *, scores: bool, reason: bool
) -> None:
    page = seen_by(rt, client, role)
    assert ('<b class="number">8</b>' in page, '<b class="number">9</b>' in page) == (scores, scores)
    assert (REASON in page) == reason
    assert ("they may unblind" in page) == (role == "investigator")
    assert ("Derived values" in page) == scores


@pytest.mark.usefixtures("lived")
@databases.ON_BOTH
def test_the_address_asks_for_a_kind_and_for_older_ones(
    rt: Runtime, client: FlaskClient, lived: int, clock: support.SetClock
) -> None:
    for number in range(PAGE + 2):
        clock.now += timedelta(minutes=1)
        filled = Filled({"NRS-AVG": str(number % 10), "PGIC": "2"}, reason="again", mode="telephone")
        entry.enter(rt, support.SETUP, lived, "P-001", "W1", filled)
    page = seen_by(rt, client, "coordinator", "/participants/P-001?show=answers")
    first = told(page)
    assert len(first) == PAGE
    older = re.search(r'href="(/participants/P-001\?[^"]*before=[^"#]*)', page)
    assert older is not None
    rest = client.get(older[1].replace("&amp;", "&")).text
    assert "Back to the newest" in rest
    assert len(told(rest)) == 4
    assert all("Answers" in line for line in first + told(rest))
    assert not set(first) & set(told(rest))
    for odd in ("?before=never", "?before=20261399T999999.000000-answer-1", "?show=pigeons"):
        assert told(client.get("/participants/P-001" + odd).text)


@databases.ON_BOTH
def test_the_mails_of_one_night_are_one_line_that_can_be_opened(
    rt: Runtime, client: FlaskClient, lived: int, clock: support.SetClock
) -> None:
    assert lived
    for name in ("one", "two"):
        support.coordinator(rt, f"{name}@example.org", site="IST")
    with rt.sessions.reading() as session:
        who = cases.find(session, lived, "P-001") or 0
    mailing = replace(rt, mail=Telephones(kind="mail-"))
    clock.now = support.at("2026-03-14 03:10")
    with transaction(mailing, support.SETUP, clock.now) as tx:
        loaded = tx.rt.loader.one(tx.session, who)
        tx.carry_out(loaded, [escalate(loaded.case, "ES", "safety_word", tx.now)])
    for _ in range(6):
        clock.now += timedelta(hours=2)
        alert(mailing)
        deliver(mailing)
    page = seen_by(rt, client, "coordinator")
    mails = [line for line in told(page) if "to staff" in line]
    # The score of 9 had asked for a review: two tasks, and a line for each.
    assert len(mails) == 2
    assert "14 mails to staff · accepted" in mails[0]
    assert mails[0].count("14 Mar") == 1 + 14


@pytest.mark.usefixtures("lived")
@databases.ON_BOTH
def test_turning_every_page_tells_everything_once(rt: Runtime, client: FlaskClient) -> None:
    whole = told(seen_by(rt, client, "monitor"))
    assert len(whole) < PAGE
    parts: list[str] = []
    for chip in ("messages", "answers", "calls", "changes"):
        parts += told(client.get(f"/participants/P-001?show={chip}").text)
    assert sorted(parts) == sorted(line for line in whole if "The window" not in line)


@pytest.mark.usefixtures("lived")
def test_the_line_of_time_has_every_mark_and_a_table_behind_it(rt: Runtime, client: FlaskClient) -> None:
    page = seen_by(rt, client, "coordinator")
    assert re.search(r"<title>9 Mar 10:00 · Invitation W1: accepted</title>", page)
    assert "The timeline as a table" in page
    assert 'class="now"' in page
    places = [float(x) for x in re.findall(r'class="spot[^"]*" x="([\d.]+)%"', page)]
    assert places
    assert all(0 <= x <= 100 for x in places)


@databases.ON_BOTH
def test_pages_tell_everything_once_and_in_order(rt: Runtime, lived: int) -> None:
    with rt.sessions.reading() as session:
        loaded = cases.load_by_code(session, rt.loader, lived, "P-001")
        assert loaded is not None
        whole = [event.mark for event in report_events.events(session, loaded.case, rt.clock(), StoryQuery())]
        turned: list[Mark] = []
        while True:
            before = turned[-1] if turned else None
            wanted = StoryQuery(before=before, limit=3)
            page = [event.mark for event in report_events.events(session, loaded.case, rt.clock(), wanted)]
            if not page:
                break
            turned += page
    assert turned == whole
    assert [mark.order for mark in whole] == sorted((mark.order for mark in whole), reverse=True)


@pytest.mark.usefixtures("lived")
@databases.ON_BOTH
def test_values_are_not_even_read_for_whoever_may_not_see_them(rt: Runtime, lived: int) -> None:
    with rt.sessions.reading() as session:
        loaded = cases.load_by_code(session, rt.loader, lived, "P-001")
        assert loaded is not None
        for scores in (False, True):
            wanted = StoryQuery(CHIPS["answers"], scores=scores)
            events = report_events.events(session, loaded.case, rt.clock(), wanted)
            values = {given.value for event in events for given in event.answers}
            assert (values == {None}) != scores

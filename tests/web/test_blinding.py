"""Every stored value is flipped, and every page of every pair of roles is read before and after.

Nothing that an assessor of the study sees may differ, whatever else they are; nor what anybody sees who has no scores.
"""

import re
from collections.abc import Iterator
from datetime import date
from itertools import combinations_with_replacement
from typing import get_args

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import case, select, text

from pro_service.core.protocol import Role
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime, open_runtime
from pro_service.store import studies
from pro_service.store.audit import Actor
from pro_service.store.schema import audit_trail, responses
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.participants import entry, queries
from pro_service.use_cases.participants.change_form import ACTIONS
from pro_service.use_cases.participants.entry import Filled
from pro_service.use_cases.participants.queries import Asked
from pro_service.use_cases.tick import beat, tick
from pro_service.web import browsers
from pro_service.web.app import create_app
from tests import support
from tests.peers import configuration, databases
from tests.web.conftest import COMPILED
from tests.web.test_roles import KNOWN

ROLES: tuple[Role, ...] = get_args(Role)
PAIRS = tuple(combinations_with_replacement(ROLES, 2))
HAVE_SCORES = {"investigator", "data-manager", "monitor", "statistician"}
MAY_CHANGE = {"/participants/P-001", "/compliance/outcomes", "/compliance/outcomes.csv"}
"""The pages on which values stand, for those who have scores."""
ENTER = ("V0", "V1H", "W1")
# The room left on the disk changes by itself.
ONCE = re.compile(r'nonce-[^\']+|name="csrf" value="[^"]*"|content="[^"]*"|[\d,]+ MB')


NOW = support.at("2026-03-10 11:10")


@pytest.fixture(scope="module")
def lived(_sqlite_databases: databases.SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the database of people who answered in the clinic, on the telephone and by text, and were corrected."""
    clock = support.SetClock(support.at("2026-03-02 15:20"))
    with _sqlite_databases.fresh() as url:
        rt = support.with_clock(open_runtime(configuration.settings_for(url, tmp_path_factory.mktemp("lived"))), clock)
        study_id = support.load_demo(rt)
        for number in range(1, 4):
            more = {"phone": f"+1202555012{number}", "channel": "sms-reply", "procedure_time": "14:30"}
            support.enrolled(rt, study_id, f"P-00{number}", date(2026, 3, 2), **more)
            support.answered(rt, f"P-00{number}", "V0", {"NRS-AVG": str(number + 5), "NRS-NOW": "8"}, mode="clinic")
            support.answered(rt, f"P-00{number}", "V1H", {"NRS-NOW": "6", "PGIC": "2"}, mode="clinic")
        clock.now = support.at("2026-03-10 11:00")
        tick(rt)
        receive.receive(rt, text_of({"MessageSid": "SM1", "From": "+12025550122", "Body": "please stop asking me"}))
        support.answered(rt, "P-001", "W1", {"NRS-AVG": "3", "PGIC": "2"})
        clock.now = NOW
        corrected = Filled({"NRS-AVG": "4"}, reason="misheard", mode="telephone")
        entry.enter(rt, support.SETUP, study_id, "P-001", "W1", corrected)
        queries.ask(rt, support.SETUP, study_id, "P-001", Asked("W1", "NRS-AVG", "Is this right?"))
        tick(rt)
        beat(rt, "tick")
        rt.close()
        yield url


@pytest.fixture
def database_url(lived: str, _sqlite_databases: databases.SqliteDatabases) -> Iterator[str]:
    """Return a copy of that database: what a test does to it stays in it."""
    with _sqlite_databases.fresh(lived) as url:
        yield url


@pytest.fixture
def study(rt: Runtime, clock: support.SetClock) -> int:
    """Return the study of that database, at the moment at which it was left."""
    clock.now = NOW
    with rt.sessions.reading() as session:
        return studies.all_studies(session)[0].id


def flip(rt: Runtime, study_id: int) -> None:
    """Put every value at the other end of its scale; doing it twice brings everything back."""
    with rt.sessions.reading() as session:
        protocol = studies.newest_protocol(session, rt.loader, study_id)
    assert protocol is not None
    r = responses.c
    other_end = [(r.item == item.id, item.minimum + item.maximum - r.value) for item in protocol.items.values()]
    with rt.sessions.begin() as session:
        # No answer is ever changed; this database is thrown away. A guard that is gone would be said on every page.
        guard = session.execute(text("SELECT sql FROM sqlite_master WHERE name = 'responses_no_update'")).scalar_one()
        session.execute(text("DROP TRIGGER responses_no_update"))
        session.execute(responses.update().where(r.value.is_not(None)).values(value=case(*other_end)))
        session.execute(text(guard))


def addresses() -> list[str]:
    """Every page, of P-001 where it is about somebody."""
    values = {"code": "P-001", "task": 1, "decision": 1, "text": 1, "message": 1, "user": 1}
    found = [route.path.format(**values) for name, route in KNOWN.items() if name.startswith("GET ")]
    found += [f"/participants/P-001/enter/{window}" for window in ENTER]
    found += [f"/participants/P-001/change/{action}" for action in ACTIONS]
    found += [f"/messages/{number}" for number in range(2, 8)] + [f"/escalations/{number}" for number in range(2, 6)]
    return found


def read(client: FlaskClient, csrf: str) -> dict[str, tuple[int, str]]:
    """Every page as it stands; and the entry form as it answers somebody who gives no reason."""
    pages = {path: client.get(path) for path in addresses()}
    for window in ENTER:
        path = f"/participants/P-001/enter/{window}"
        for value in ("3", "4", "6", "7"):
            said = {"csrf": csrf, "NRS-AVG": value, "NRS-NOW": value, "PGIC": value}
            pages[f"POST {path} {value}"] = client.post(path, data=said)
    return {path: (page.status_code, ONCE.sub("", page.text)) for path, page in pages.items()}


def signed_in(rt: Runtime, app: Flask, pair: tuple[Role, Role]) -> tuple[FlaskClient, FlaskClient, str]:
    """Sign somebody in who has both roles, in two applications of which neither knows what the other has counted."""
    for role in set(pair):
        support.coordinator(rt, role=role, language="en")
    before, other = app.test_client(), create_app(rt)
    other.jinja_env.bytecode_cache = COMPILED
    after = other.test_client()
    support.sign_in(before)
    cookie = before.get_cookie(browsers.COOKIE)
    assert cookie is not None
    after.set_cookie(browsers.COOKIE, cookie.value)
    csrf = support.csrf_of(before.get("/account").text)
    return before, after, csrf


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
def test_a_flipped_value_changes_no_page_but_of_those_who_have_scores(
    rt: Runtime, app: Flask, study: int, pair: tuple[Role, Role]
) -> None:
    before, after, csrf = signed_in(rt, app, pair)
    first = read(before, csrf)
    flip(rt, study)
    second = read(after, csrf)
    differ = {path for path, page in first.items() if page != second[path]}
    seeing = set(pair) & HAVE_SCORES and "assessor" not in pair
    assert differ == (MAY_CHANGE if seeing else set())
    after.application.extensions["intake"].close()


@pytest.mark.parametrize("other", ROLES)
def test_saved_answers_are_shown_to_no_assessor(rt: Runtime, app: Flask, study: int, other: Role) -> None:
    assert study
    client, _, csrf = signed_in(rt, app, ("assessor", other))
    shown = client.post("/participants/P-001/enter/W1/show", data={"csrf": csrf})
    assert shown.status_code == 403
    assert "NRS" not in shown.text


def test_saved_answers_are_shown_by_a_press_and_the_trail_says_to_whom(
    rt: Runtime, client: FlaskClient, study: int
) -> None:
    assert study
    support.coordinator(rt, language="en")
    support.sign_in(client)
    form = client.get("/participants/P-001/enter/W1").text
    assert "Show the saved answers" in form
    assert not re.search(r'type="number"[^>]*value="\d|<b class="number">', form)
    shown = client.post("/participants/P-001/enter/W1/show", data={"csrf": support.csrf_of(form)}).text
    assert '<b class="number">4</b>' in shown
    assert not re.search(r'type="number"[^>]*value="\d', shown)
    with rt.sessions.reading() as session:
        a = audit_trail.c
        rows = session.execute(select(a.actor_kind, a.changes).where(a.action == "view_answers")).all()
    assert [(row.actor_kind, "4" in row.changes) for row in rows] == [("staff", False)]


def test_an_assessors_entry_is_a_version_whether_or_not_it_is_the_same(rt: Runtime, study: int) -> None:
    somebody = Actor(kind="staff", id="user:1", source="dashboard")
    for value in ("4", "9"):
        filled = Filled({"NRS-AVG": value}, reason="measured again", blind=True)
        assert entry.enter(rt, somebody, study, "P-001", "W1", filled).items == ("NRS-AVG",)

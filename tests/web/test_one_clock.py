"""One clock: what happened at a site is shown on that site's clock, on every page and to every reader."""

import re
import time
from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service import paths, wording
from pro_service.core.schedule.agenda import escalate
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.schema import inbound, messages
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.tasks import calls, hand_over
from pro_service.use_cases.tick import beat, tick
from pro_service.use_cases.transaction import transaction
from tests import support
from tests.web.test_roles import KNOWN

BERLIN = ZoneInfo("Europe/Berlin")
TELEPHONE = "+12025550123"
HAPPENED = {"07": "2026-03-11 11:07", "17": "2026-03-11 11:17", "27": "2026-03-11 11:27", "37": "2026-03-11 16:37"}
"""What happens at the site in Istanbul, each at a minute of its own: asked, answered by text, called, put off until."""
TOLD_OF_IT = {
    "/": {"37"},
    "/tasks": {"27"},
    "/escalations/{task}": {"07", "27", "37"},
    "/participants/P-002": {"07", "17", "27"},
    "/messages": {"07"},
    "/messages/{message}": {"07"},
    "/inbox": {"17"},
    "/inbox/{text}": {"17"},
    "/audit": {"07", "17", "27", "37"},
}
MINUTES = re.compile(r"\b(\d\d):(\d7)\b(?::\d\d)?")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this machine stand in New Zealand."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def named(rt: Runtime, study_id: int, clock: support.SetClock, elsewhere: None) -> dict[str, object]:
    """Return what stands in the addresses, of somebody at the site in Istanbul who lives in Dubai."""
    del elsewhere
    clock.now = support.at("2026-03-02 15:00")
    who = support.enrolled(
        rt, study_id, "P-002", date(2026, 3, 2), site="IST", phone=TELEPHONE, timezone="Asia/Dubai", language="en"
    )
    user = support.coordinator(rt, language="en")
    for role in ("investigator", "administrator"):
        support.coordinator(rt, role=role)
    office = Actor("staff", f"user:{user}", "dashboard", user)
    at = {minute: support.at(text) for minute, text in HAPPENED.items()}
    clock.now = at["07"]
    tick(rt)
    clock.now = at["17"]
    receive.receive(
        rt, text_of({"MessageSid": "SM1", "From": TELEPHONE, "Body": "please stop asking me, my mother is ill"})
    )
    tick(rt)
    clock.now = at["27"]
    with transaction(rt, support.SETUP, clock.now) as tx:
        loaded = rt.loader.one(tx.session, who)
        window = next(one for one in loaded.case.windows if one.code == "W1")
        tx.carry_out(loaded, [escalate(loaded.case, "E4", "missed_in_a_row", clock.now, window)])
    tasks = {one.level: one.id for one in support.loaded(rt, who).case.escalations}
    calls.record(rt, office, tasks["E1"], calls.CallResult("will_do_it"))
    hand_over.put_off(rt, office, tasks["E1"], at["37"])
    clock.now = support.at("2026-03-11 12:30")
    beat(rt, "tick")
    with rt.sessions.reading() as session:
        text = session.scalars(select(inbound.c.id)).one()
        asked = session.scalars(select(messages.c.id).where(messages.c.channel == "sms")).first()
    return {"code": "P-002", "task": tasks["E1"], "decision": tasks["E4"], "text": text, "message": asked, "user": user}


def test_the_same_event_is_told_at_the_same_time_on_every_page(
    rt: Runtime, client: FlaskClient, named: dict[str, object]
) -> None:
    assert rt.clock().astimezone().utcoffset() == datetime(2026, 3, 11, tzinfo=ZoneInfo("Pacific/Auckland")).utcoffset()
    support.sign_in(client)
    found = {}
    for name, route in KNOWN.items():
        if not name.startswith("GET ") or name == "GET auth.code":
            continue
        page = client.get(route.path.format(**named)).text
        said = MINUTES.findall(page)
        wrong = [f"{hour}:{minute}" for hour, minute in said if HAPPENED.get(minute, "")[11:13] != hour]
        assert wrong == [], route.path
        found[route.path.replace("{code}", "P-002")] = {minute for _, minute in said}
        if said and not route.path.endswith((".csv", "/today")):
            assert page.count("All times on this page: ") == 1, route.path
    missing = {path: minutes - found[path] for path, minutes in TOLD_OF_IT.items() if minutes - found[path]}
    assert missing == {}


def test_a_page_about_one_site_names_its_clock_and_a_page_about_several_says_which_counts(
    client: FlaskClient, named: dict[str, object]
) -> None:
    support.sign_in(client)
    about_one = client.get("/participants/P-002").text
    assert "All times on this page: Istanbul (Europe/Istanbul)." in about_one
    assert "11:07 (" not in about_one
    several = client.get("/messages").text
    assert "All times on this page: Berlin (Europe/Berlin)." in several
    assert "11 Mar 11:07 (Istanbul)" in several
    assert "A time on the clock of another site has its place beside it." in several
    assert named


def test_nothing_is_told_without_a_zone_or_past_the_one_function() -> None:
    now = support.at("2026-03-11 10:30")
    assert f"{wording.local(now, BERLIN):%H:%M}" == "08:30"
    for instant, zone in ((now, None), (now.replace(tzinfo=None), BERLIN)):
        with pytest.raises(TypeError):
            wording.local(instant, zone)  # type: ignore[arg-type]
    own = re.compile(r"astimezone\((?!UTC\))|format_time\(|format_datetime\((?!local)")
    package = paths.templates().parent / "pro_service"
    sources = [*(package / "web").rglob("*.py"), *(paths.templates() / "web" / "dashboard").rglob("*.html")]
    assert len(sources) > 80
    assert [source.name for source in sources if own.search(source.read_text(encoding="utf-8"))] == []

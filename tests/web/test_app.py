"""The frame of the web: closed unless open, the same headers everywhere, quiet pages for what went wrong."""

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient

from pro_service import paths
from pro_service.runtime import Runtime
from pro_service.store import heartbeats
from pro_service.store.database import Sessions, make_engine
from pro_service.web import access
from pro_service.web.app import create_app
from tests import support
from tests.peers import databases
from tests.web.conftest import TOKEN

ROOT = Path(__file__).resolve().parents[2]
WEB = paths.templates() / "web"


@pytest.fixture
def away(rt: Runtime) -> Iterator[FlaskClient]:
    """Return an application whose database cannot be reached."""
    sessions = Sessions(make_engine("postgresql+psycopg://nobody@127.0.0.1:1/nothing"))
    yield create_app(replace(rt, sessions=sessions)).test_client()
    sessions.close()


# --- default deny ----------------------------------------------------------------------------------------------------


def test_every_page_is_public_or_says_what_it_needs(app: Flask) -> None:
    private = {rule.endpoint for rule in app.url_map.iter_rules() if not access.is_public(rule.endpoint)}
    assert "dashboard.today" in private or private
    assert {name for name in private if access.needed(app, name) is None} == set()


def test_what_is_public_is_known_by_name(app: Flask) -> None:
    public = {rule.endpoint for rule in app.url_map.iter_rules() if access.is_public(rule.endpoint)}
    named = {name.partition(".")[0] for name in public}
    assert named == {"static", "auth", "welcome", "survey", "card", "webhooks", "health", "metrics", "guide"}
    assert {name for name in public if name.startswith("auth.")} == {"auth.sign_in"}


def test_nobody_sees_a_private_page_without_signing_in(app: Flask, client: FlaskClient) -> None:
    values = {"user_id": 1, "code": "P-001", "window": "W1", "escalation_id": 1, "escalation": 1, "id": 1}
    for rule in app.url_map.iter_rules():
        if access.is_public(rule.endpoint):
            continue
        named = {name: values.get(name, 1) for name in rule.arguments}
        if chosen := re.search(r"<any\((\w+)[^)]*\):(\w+)>", rule.rule):
            named[chosen[2]] = chosen[1]
        path = re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda found, named=named: str(named[found[1]]), rule.rule)  # type: ignore[misc]
        method = "GET" if "GET" in (rule.methods or ()) else "POST"
        answer = client.open(path, method=method)
        if getattr(app.view_functions[rule.endpoint], "unattended", False):
            assert answer.status_code == 401, "a page that asks by itself is told, and led nowhere"
        else:
            assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/login"), path


def test_whoever_is_sent_to_sign_in_comes_back(client: FlaskClient) -> None:
    assert client.get("/participants?site=IST").location == "/login?next=/participants?site%3DIST"


@pytest.mark.parametrize(
    "path, kept",
    [
        ("/participants?site=IST", "/participants?site=IST"),
        ("https://example.org/", "/"),
        ("//example.org", "/"),
        ("/\\example.org", "/"),
        ("/\t/example.org", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_next_leads_to_our_own_pages_only(path: str, kept: str) -> None:
    assert access.local(path) == kept


# --- headers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/login", "/nothing", "/q/unknown", "/healthz", "/static/pro.css"])
def test_every_answer_is_hardened(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        headers = answer.headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers


def test_over_https_cookies_and_addresses_stay_there(rt: Runtime) -> None:
    secure = replace(rt, settings=replace(rt.settings, public_base_url="https://pro.example.org"))
    headers = create_app(secure).test_client().get("/login").headers
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert re.match(r"__Host-pro_form=\S+; Secure; HttpOnly; Path=/; SameSite=Lax", headers["Set-Cookie"])


def test_stylesheets_are_small_and_kept_by_browsers(client: FlaskClient) -> None:
    addresses = re.findall(r'href="(/static/\w+\.css\?v=\w+)"', client.get("/login").text)
    assert [address.partition("?")[0] for address in addresses] == ["/static/pro.css", "/static/staff.css"]
    size = 0
    for address in addresses:
        with client.get(address) as answer:
            size += len(answer.data)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert size <= 24_000
    assert client.get("/login").headers["Cache-Control"] == "no-store"


def test_participants_load_one_small_stylesheet(client: FlaskClient) -> None:
    addresses = re.findall(r'href="(/static/\w+\.css)\?v=\w+"', client.get("/q/unknown").text)
    assert addresses == ["/static/pro.css"]
    with client.get(addresses[0]) as answer:
        assert len(answer.data) <= 14_000


# --- what went wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "language, words", [("tr", "Burada bir şey yok"), ("en", "There is nothing here"), ("de", "There is nothing")]
)
def test_an_error_page_speaks_the_readers_language(client: FlaskClient, language: str, words: str) -> None:
    answer = client.get("/nothing", headers={"Accept-Language": language})
    assert answer.status_code == 404
    assert words in answer.text


def test_a_wrong_method_says_which_are_right(client: FlaskClient) -> None:
    answer = client.delete("/login")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_too_much_is_refused(client: FlaskClient) -> None:
    assert client.post("/login", data={"email": "a" * 2_000_000}).status_code == 413


def test_a_fault_of_ours_is_told_without_details(rt: Runtime, participant: int) -> None:
    del participant

    def broken() -> datetime:
        raise ZeroDivisionError("secret detail")

    answer = create_app(replace(rt, clock=broken)).test_client().get(f"/q/{TOKEN}")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "went wrong" in answer.text


def test_an_absent_database_is_said_so(away: FlaskClient) -> None:
    answer = away.get("/q/unknown")
    assert answer.status_code == 503
    assert "not available" in answer.text


def test_the_log_names_the_rule_and_never_the_token(
    client: FlaskClient, participant: int, caplog: pytest.LogCaptureFixture
) -> None:
    del participant
    with caplog.at_level(logging.INFO, "pro_service"):
        client.get(f"/q/{TOKEN}")
    lines = [getattr(record, "ids", {}) for record in caplog.records if record.getMessage() == "request"]
    assert [(line["method"], line["rule"], line["status"]) for line in lines] == [("GET", "/q/<token>", 200)]
    assert TOKEN not in json.dumps(lines)


# --- health ----------------------------------------------------------------------------------------------------------


def test_alive_asks_nothing(away: FlaskClient) -> None:
    assert (away.get("/healthz").status_code, away.get("/healthz").text) == (200, "ok")


@databases.ON_BOTH
def test_ready_says_how_the_database_and_the_scheduler_are(
    rt: Runtime, client: FlaskClient, clock: support.SetClock
) -> None:
    never = client.get("/readyz")
    assert never.status_code == 200
    assert never.json == {
        "ready": True,
        "database": "reachable",
        "writable": True,
        "not_writable_because": None,
        "schema": "current",
        "scheduler_age_seconds": None,
        "scheduler_stale": True,
        "backup_age_seconds": None,
        "alarms": [],
    }
    with rt.sessions.begin() as session:
        heartbeats.beat(session, "tick", clock.now)
    clock.now += timedelta(seconds=90)
    assert client.get("/readyz").json == never.json | {"scheduler_age_seconds": 90, "scheduler_stale": False}


def test_not_ready_without_a_database(away: FlaskClient) -> None:
    answer = away.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert (answer.json["ready"], answer.json["database"]) == (False, "unreachable")


@databases.ON_BOTH
def test_not_ready_on_a_schema_that_is_behind(rt: Runtime, tmp_path: Path) -> None:
    empty = Sessions(make_engine(f"sqlite:///{tmp_path / 'empty.db'}"))
    answer = create_app(replace(rt, sessions=empty)).test_client().get("/readyz")
    empty.close()
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["schema"] == "behind"


# --- languages -------------------------------------------------------------------------------------------------------


def test_everything_a_page_says_has_turkish_words() -> None:
    with (WEB / "locale" / "tr.po").open("rb") as file:
        catalogue = read_po(file, locale="tr")
    messages = {message.id for message in catalogue if message.id}
    empty = [m.id for m in catalogue if m.id and not all(m.string if isinstance(m.string, tuple) else (m.string,))]
    assert [message for message in sorted(said(), key=str) if message not in messages] == []
    assert empty == []


def said() -> set[str | tuple[str, ...]]:
    """Everything the templates and the pages' code say in English."""
    options = {"**.html": {"trimmed": "true", "silent": "false"}}
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
    found: set[str | tuple[str, ...]] = set()
    for folder, method, kept in ((WEB, "jinja2.ext:babel_extract", options), (ROOT / "pro_service/web", "python", {})):
        mapping = [("**.html" if method != "python" else "**.py", method)]
        for file, _, message, *_ in extract_from_dir(folder, mapping, kept, keywords):
            if not file.startswith("simulator") and message:
                found.add(message)
    return found

"""The audit trail speaks the reader's language: every action, record and field that the code audits has a word."""

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html import unescape
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import select

import pro_service
from pro_service.runtime import Runtime
from pro_service.store.schema import audit_trail, participants
from pro_service.web.administration import audit
from pro_service.web.dashboard.formatting import fact, trail_value
from pro_service.web.dashboard.vocabulary import vocabulary
from tests import support

WRITERS = ("store", "use_cases")
"""The packages that write the trail."""
BOOKKEEPING = {
    "id",
    "study_id",
    "data_key",
    "phone_index",
    "next_check_at",
    "phone_since",
    "email_since",
    "faults",
    "revision",
}
"""Columns of participants that no audit row names."""


def trees() -> Iterator[ast.AST]:
    root = Path(pro_service.__file__).parent
    for package in WRITERS:
        for file in (root / package).rglob("*.py"):
            yield from ast.walk(ast.parse(file.read_text(encoding="utf-8")))


def audited_fields() -> set[str]:
    """Names that a mapping in the code gives a pair of an old and a new value; two bare words are no such pair."""
    return {
        key.value
        for node in trees()
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
        if isinstance(value, ast.Tuple) and len(value.elts) == len(("old", "new"))
        if not all(isinstance(part, ast.Constant | ast.JoinedStr) for part in value.elts)
    }


def audited_records() -> set[str]:
    """The second argument of each `Entry` and each `note` of a writer, where it is written out."""
    calls = (node for node in trees() if isinstance(node, ast.Call))
    of_rows = (call for call in calls if _name(call.func) == "Entry" or ast.unparse(call.func).endswith("writer.note"))
    named = (call.args[1 if _name(call.func) == "Entry" else 2] for call in of_rows if len(call.args) > 2)
    return {node.value for node in named if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def audited_actions() -> set[str]:
    """The action of each `Entry`, `note` and `change` of a writer, and every text that is called `action` before."""
    found: list[ast.expr] = []
    for node in trees():
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == "Entry" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
                found.append(node.args[0])
            elif called in ("self.note", "writer.note", "tx.writer.note"):
                found.append(node.args[1])
            elif called in ("self.change", "writer.change", "tx.writer.change"):
                found += node.args[2:3]
        elif isinstance(node, ast.Assign) and (
            "action" in map(_name, node.targets) or _name(getattr(node.targets[0], "elts", [node])[0]) == "action"
        ):
            found.append(node.value.elts[0] if isinstance(node.value, ast.Tuple) else node.value)
    parts = [part for one in found for part in ast.walk(one)]
    texts = {part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    return texts - {"inbox_"}


def said(page: str) -> str:
    """Return what stands on a page, without its elements."""
    return " ".join(re.sub(r"<[^>]+>", "", page).split())


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("language", ["en", "tr"])
def test_every_field_and_record_that_is_audited_has_a_word(app: Flask, language: str) -> None:
    with app.test_request_context():
        g.language = language
        fields, records = audit.fields(language), audit.records(language)
    assert fields["look_again_at"] == {"en": "Postponed until", "tr": "Ne zamana ertelendiği"}[language]
    named = audited_fields()
    assert {"look_again_at", "sessions_ended", "settled", "away_until"} <= named
    assert (named | set(participants.c.keys())) - BOOKKEEPING - set(fields) == set()
    assert {"escalation", "channel", "reach_test"} <= (kinds := audited_records())
    assert kinds - set(records) == set()


@pytest.mark.parametrize("language", ["en", "tr"])
def test_every_action_that_is_audited_has_a_word(app: Flask, language: str) -> None:
    with app.test_request_context():
        g.language = language
        known = vocabulary(language)["action"]
    assert {"load_protocol", "queue", "retract", "believe", "put_off"} <= (done := audited_actions())
    assert done - set(known) == set()


def test_values_are_told_as_people_say_them(app: Flask) -> None:
    zone = ZoneInfo("Europe/Istanbul")
    with app.test_request_context():
        g.language = "tr"
        told = [
            trail_value(name, given, zone)
            for name, given in (
                ("level", "ES"),
                ("settled", "declined"),
                ("procedure_date", "2026-03-02"),
                ("due_at", "2026-03-09T07:00:00.000000Z"),
                ("digest", True),
                ("sites", ["IST", "ANK"]),
                ("baseline", {"NRS-AVG": 5, "PGIC": 2}),
                ("phone", None),
            )
        ]
        when = fact("due_at", datetime(2026, 3, 9, 7, tzinfo=UTC), zone)
        assert [when, *(fact(name, "tr", zone) for name in ("language", "site"))] == ["9 Mar 10:00", "Türkçe", "tr"]
    first = ["Güvenlik", "Yanıtlamak istemedi", "2 Mar 2026", "2026-03-09 10:00:00", "evet", "IST, ANK"]
    assert told == [*first, "NRS-AVG 5, PGIC 2", "–"]


def test_an_enrolment_is_told_in_words_and_no_word_is_of_a_field_that_nothing_audits(
    app: Flask, rt: Runtime, study_id: int
) -> None:
    support.enrolled(
        rt,
        study_id,
        "P-001",
        date(2026, 3, 2),
        phone="+12025550123",
        email="a@example.org",
        procedure_time="09:00",
        baseline_nrs_avg="7",
    )
    with rt.sessions.reading() as session:
        enrolment = session.scalars(select(audit_trail.c.changes).where(audit_trail.c.action == "enrol")).one()
    named = set(json.loads(enrolment))
    with app.test_request_context():
        known = set(audit.fields("en"))
    assert named <= known
    assert known <= named | audited_fields() | set(participants.c.keys()) | {"site", "protocol_version"}


def test_the_page_says_records_fields_and_values_in_words_and_names_of_the_export_where_one_points(
    rt: Runtime, client: FlaskClient, study_id: int
) -> None:
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2))
    support.coordinator(rt)
    support.sign_in(client)
    page = unescape(client.get("/audit").text)
    assert "Procedure date: 2 Mar 2026" in said(page)
    assert 'title="procedure_date"' in page
    assert re.search(r"Participant [0-9]+", said(page))
    assert not re.search(r"[a-z]+_[a-z]+", said(page))
    client.post("/language", data={"csrf": support.csrf_of(page), "language": "tr", "next": "/audit"})
    page = unescape(client.get("/audit").text)
    assert "İşlem tarihi: 2 Mar 2026" in said(page)
    assert "Çalışma yüklendi" in said(page)
    assert re.search(r"Katılımcı [0-9]+", said(page))


def test_looks_and_downloads_leave_one_row_a_sign_in_after_the_answer(
    rt: Runtime, client: FlaskClient, study_id: int
) -> None:
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2))
    support.coordinator(rt, role="investigator")
    paths = (
        "/participants/P-001",
        "/compliance/outcomes",
        "/participants.csv",
        "/participants/P-009",
        "/audit?participant=P-001",
    )

    def left() -> list[tuple[str, int | None, str]]:
        a = audit_trail.c
        with rt.sessions.reading() as session:
            asked = select(a.action, a.participant_id, a.changes).where(a.entity == "page").order_by(a.id)
            return [(row[0], row[1], json.loads(row[2])["page"][1]) for row in session.execute(asked)]

    for _ in range(2):
        support.sign_in(client)
        for path in (*paths, *paths):
            answer = client.get(path)
            before = left()
            assert answer.data
            answer.close()
            # Another process does not know what this one has written.
            rt.memory.looks.clear()
            assert len(left()) <= len(before) + 1
        # The page with the settings of mails.
        with client.get("/account") as own:
            page = own.get_data(as_text=True)
        client.post("/logout", data={"csrf": support.csrf_of(page)})
    found = left()
    assert [(action, page) for action, _, page in found] == 2 * [
        ("look", "participant"),
        ("look", "outcomes"),
        ("download", "participants.csv"),
        ("look", "audit"),
        ("look", "account"),
    ]
    assert [one is not None for _, one, _ in found] == 2 * [True, False, False, True, False]
    support.sign_in(client)
    page = client.get("/audit?participant=P-001").text
    assert "Page viewed" in said(page)
    assert "Page: Participant" in said(page)
    client.post("/language", data={"csrf": support.csrf_of(page), "language": "tr", "next": "/audit"})
    assert "Sayfa: Katılımcılar dosyası" in unescape(said(client.get("/audit").text))

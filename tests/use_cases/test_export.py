"""Data sets: written whole or not at all, the same again for the same instant, and without a word about a person."""

import csv
import json
import zipfile
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from pro_service.core.problems import RejectedError
from pro_service.exports.check import check
from pro_service.gateways.twilio.hooks import text_of
from pro_service.reports.compliance import compliance
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.schema import audit_trail
from pro_service.store.studies import Study
from pro_service.use_cases import closing
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.export import Wanted, export, read_instant
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.participants import change, entry, erase, queries
from pro_service.use_cases.participants.change_form import ChangeForm
from pro_service.use_cases.tasks import calls as calling
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

PHONE, OTHERS = "+12025550102", "+12025550109"
STAFF = Actor("staff", "cli:tests", "cli")
TYPED: tuple[str, ...] = (
    "merhaba, ben bir hastayım",
    "eşi açtı",
    "kızı söyledi",
    "taşındığından söyledi",
    "o kadar da iyi değilim",
)
TYPED += ("değerin doğruluğu kuşkulu", "kaynağa bakıldı, doğrudur")
CONTACT = (PHONE, PHONE[1:], "hasta@example.org", "5550109", support.EMAIL)


@dataclass
class Stage:
    """A study with P-001, of whom much has happened, and P-002."""

    rt: Runtime
    study_id: int
    clock: support.SetClock
    phones: Telephones

    def set(self, folder: Path, **wanted: object) -> Path:
        """Write a data set and return where it is."""
        export(self.rt, STAFF, Wanted(Study(self.study_id, "DEMO"), **wanted), folder)  # type: ignore[arg-type]
        return folder

    def says(self, body: str) -> None:
        """P-001 writes."""
        self.clock.now += timedelta(minutes=2)
        sid = self.phones.write(PHONE, body)
        receive.receive(self.rt, text_of({"MessageSid": sid, "From": PHONE, "To": "+15005550006", "Body": body}))
        deliver(self.rt)

    def change(self, code: str, action: str, **fields: str) -> None:
        """Change something about a participant."""
        self.clock.now += timedelta(minutes=1)
        form = ChangeForm(action, fields, TYPED[3])  # type: ignore[arg-type]
        change.change(self.rt, STAFF, self.study_id, code, form)


@pytest.fixture
def stage(rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones) -> Stage:
    """Return a study in which something of everything has happened."""
    how = {"channel": "sms-reply", "procedure_time": "10:00", "baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
    person = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, email=CONTACT[2], **how)
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), phone=OTHERS, **how)
    support.enrolled(rt, study_id, "P-003", date(2026, 3, 12), phone="+12025550111", messaging_consent="2026-03-01")
    stage = Stage(rt, study_id, clock, phones)
    stage.says(TYPED[0])
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    deliver(rt)
    stage.says("7")
    stage.says(TYPED[4])
    stage.says("lütfen beni arayın")
    task = next(one for one in support.loaded(rt, person).case.escalations if one.open)
    user = support.coordinator(rt)
    by = Actor("staff", f"user:{user}", "dashboard", user)
    calling.record(rt, by, task.id, calling.CallResult("no_answer", note=TYPED[1]))
    clock.now += timedelta(minutes=5)
    entry.enter(rt, by, study_id, "P-001", "W1", entry.Filled({"NRS-AVG": "9"}, mode="telephone", reason=TYPED[2]))
    query = queries.ask(rt, by, study_id, "P-001", queries.Asked("W1", "NRS-AVG", TYPED[5]))
    queries.answer(rt, by, study_id, query, TYPED[6])
    queries.ask(rt, by, study_id, "P-002", queries.Asked("W1", None, TYPED[5]))
    return stage


def rows(folder: Path, table: str, inside: str = "data") -> list[dict[str, str]]:
    """Return the rows of a table."""
    with (folder / inside / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def texts(folder: Path) -> dict[str, bytes]:
    """Return every text file but the manifest: path -> bytes."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != "manifest.json")
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


@databases.ON_BOTH
def test_a_set_holds_a_row_for_every_planned_visit_and_every_version_of_every_answer(
    stage: Stage, tmp_path: Path
) -> None:
    stage.clock.now = support.at("2026-03-20 10:00")
    tick(stage.rt)
    folder = stage.set(tmp_path / "set")
    visits = {(row["participant"], row["visit"]): row for row in rows(folder, "visits")}
    assert Counter(who for who, _ in visits) == {"P-001": 5, "P-002": 5, "P-003": 5}
    week = visits["P-001", "W1"]
    told: tuple[str, ...] = ("status", "due", "mode", "nrs_avg", "nrs_avg_versions", "nrs_avg_base", "nrs_avg_pct")
    assert [week[name] for name in told] == ["partial", "1", "telephone", "9", "2", "6", "-50.00"]
    told = ("study_day", "days_from_target", "in_window", "entered_by_role", "prompts_sent", "answered_after")
    assert [week[name] for name in told] == ["8", "0", "1", "coordinator", "1", "call"]
    assert week["missing_reason"] == "not_explained"
    baseline = visits["P-001", "V0"]
    told = ("status", "mode", "answered_at", "study_day", "nrs_avg", "nrs_avg_base", "pgic", "pgic_versions")
    assert [baseline[name] for name in told] == ["completed_in_window", "import", "", "1", "6", "", "", ""]
    assert visits["P-003", "V1H"]["status"] == "not_scheduled"
    assert visits["P-003", "V1H"]["target_date"] == ""
    versions = [row for row in rows(folder, "answers") if row["visit"] == "W1" and row["item"] == "nrs_avg"]
    assert [(row["version"], row["current"], row["value"], row["mode"], row["reason_given"]) for row in versions] == [
        ("1", "0", "7", "sms", "0"),
        ("2", "1", "9", "telephone", "1"),
    ]
    told = ("participant", "visit", "item", "state", "opened_by", "answered_by")
    asked = [[row[name] for name in told] for row in rows(folder, "queries")]
    by = asked[0][4]
    assert asked == [["P-001", "W1", "nrs_avg", "answered", by, by], ["P-002", "W1", "", "open", by, ""]]
    with stage.rt.sessions.reading() as session:
        reported = {row["code"]: row for row in compliance(session, stage.rt.loader, stage.study_id, stage.clock.now)}
    paper = {row["visit"]: row for row in rows(folder, "completeness", "paper") if row["site"] == row["mode"] == "all"}
    for code, row in reported.items():
        rates = ["" if rate is None else f"{rate:.4f}" for rate in (row["rate_in_window"], row["rate_any"])]
        assert [paper[code][name] for name in ("due", "rate_due", "rate_any")] == [str(row["due"]), *rates]
        due = Counter(one["status"] for (_, visit), one in visits.items() if visit == code and one["due"] == "1")
        assert (due.total(), due["missed"], due["partial"]) == (row["due"], row["missed"], row["partial"])


@databases.ON_BOTH
def test_an_instant_gives_the_same_bytes_whatever_happens_later(stage: Stage, tmp_path: Path) -> None:
    then = stage.clock.now
    stage.clock.now += timedelta(minutes=1)
    before = texts(stage.set(tmp_path / "before", as_of=then))
    stage.change("P-001", "reschedule", procedure_date="2026-03-03", procedure_time="11:00")
    stage.change("P-002", "language", language="en")
    stage.change("P-002", "channel", channel="sms-link")
    stage.change("P-002", "pause", until="2026-03-20")
    stage.change("P-002", "move", site="BER")
    stage.clock.now += timedelta(minutes=1)
    by = Actor("staff", "cli:tests", "cli")
    filled = entry.Filled({"NRS-AVG": "3", "NRS-NOW": "2", "PGIC": "2"}, mode="telephone", reason=TYPED[2])
    entry.enter(stage.rt, by, stage.study_id, "P-001", "W1", filled)
    stage.says("STOP")
    stage.change("P-002", "zone", timezone="Europe/Berlin")
    stage.change("P-002", "consent", withdrawn="yes")
    stage.change("P-002", "withdraw", **{"from": "study"})
    for day in range(10, 40):
        stage.clock.now = support.at("2026-03-01 10:00") + timedelta(days=day)
        tick(stage.rt)
        deliver(stage.rt)
    erase.finish(
        stage.rt, erase.erase(stage.rt, support.SETUP, stage.study_id, "P-001", "a letter asks for it"), stage.study_id
    )
    again = texts(stage.set(tmp_path / "again", as_of=then))
    assert again == before
    assert texts(stage.set(tmp_path / "now")).keys() == before.keys()
    assert rows(tmp_path / "now", "visits") != rows(tmp_path / "again", "visits")


def test_a_visit_that_ended_with_the_study_says_so_and_is_not_due(stage: Stage, tmp_path: Path) -> None:
    stage.clock.now += timedelta(days=1)
    closing.close(stage.rt, support.SETUP, stage.study_id, "the study has ended early")
    stage.clock.now += timedelta(minutes=1)
    tick(stage.rt)
    stage.clock.now += timedelta(minutes=1)
    folder = stage.set(tmp_path / "set", formats=("csv", "sav"))
    assert not check(folder).findings
    last = [row for row in rows(folder, "visits") if row["visit"] == "M3"]
    assert {(row["status"], row["due"]) for row in last} == {("cancelled", "0")}


def test_nothing_about_a_person_is_in_any_file_of_any_format(stage: Stage, tmp_path: Path) -> None:
    folder = stage.set(tmp_path / "set", formats=("csv", "dta", "sav", "xpt", "xlsx", "redcap"))
    whole = {name: data for name, data in texts(folder).items() if not name.endswith(".xlsx")}
    whole["manifest"] = (folder / "manifest.json").read_bytes()
    with zipfile.ZipFile(folder / "xlsx" / "data.xlsx") as book:
        whole |= {name: book.read(name) for name in book.namelist()}
    assert any(b"P-001" in data for data in whole.values())
    canaries = [*(word for said in TYPED for word in said.replace(",", "").split() if len(word) > 5), *CONTACT]
    for name, data in whole.items():
        for canary in canaries:
            for encoding in ("utf-8", "utf-16-le", "iso-8859-9"):
                assert canary.encode(encoding) not in data, (name, canary)


def test_what_cannot_be_written_is_refused_and_nothing_is_left_behind(stage: Stage, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "notes.txt").write_text("mine", encoding="utf-8")
    later = stage.clock.now + timedelta(days=1)
    for folder, wanted, code in (
        (tmp_path / "set", {"as_of": later}, "export_future"),
        (tmp_path / "set", {"as_of": stage.clock.now - timedelta(days=400)}, "export_before_study"),
        (tmp_path / "set", {"site": "PARIS"}, "not_a_site"),
        (tmp_path / "set", {"formats": ("csv", "doc")}, "format_unknown"),
        (taken, {}, "export_not_empty"),
        (taken / "notes.txt", {}, "export_not_empty"),
        (tmp_path / "nowhere" / "set", {}, "export_no_folder"),
    ):
        with pytest.raises(RejectedError) as refused:
            stage.set(folder, **wanted)
        assert [fault.code for fault in refused.value.faults] == [code]
    with support.no_file_larger_than(4_000), pytest.raises(RejectedError) as refused:
        stage.set(tmp_path / "set")
    assert isinstance(refused.value.__cause__, OSError)
    assert [fault.code for fault in refused.value.faults] == ["export_not_written"]
    for ends in ("0001-01-01T00:00+03:00", "9999-12-31T23:59:59-03:00", "2026-05-01", "tomorrow"):
        with pytest.raises(RejectedError, match="not_an_instant"):
            read_instant(ends)
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith((".", "set", "nowhere"))] == []
    assert [file.name for file in taken.iterdir()] == ["notes.txt"]
    assert exports(stage.rt) == []


def test_each_set_leaves_a_row_that_names_it_and_is_what_its_manifest_says(stage: Stage, tmp_path: Path) -> None:
    file = stage.set(tmp_path / "set.zip", site="BER", formats=("csv", "redcap"), excel=True)
    assert check(file).findings == ()
    with zipfile.ZipFile(file) as packed:
        manifest = json.loads(packed.read("manifest.json"))
        assert {one["path"] for one in manifest["files"]} == set(packed.namelist()) - {"manifest.json"}
        flow = packed.read("paper/flow.csv").decode().splitlines()[1:]
        assert {line.partition(";")[0] for line in flow} == {"all", "BER"}
    assert file.stat().st_mode & 0o777 == 0o600
    assert not check(file).findings
    assert not check(stage.set(tmp_path / "for-excel", excel=True)).findings
    row, _excel = exports(stage.rt)
    told = json.loads(row)
    assert told["site"] == [None, "BER"]
    hashes = {one["path"]: one["sha256"] for one in manifest["files"]}
    assert {path: sha for path, sha in told["files"][1].items() if path != "manifest.json"} == hashes


def exports(rt: Runtime) -> list[str]:
    """Return what the trail says of the data sets that were written."""
    with rt.sessions.reading() as session:
        a = audit_trail.c
        return list(session.scalars(select(a.changes).where(a.action == "export").order_by(a.id)))

"""A check of a data set finds every way in which it was damaged, and says where; what is hostile is refused."""

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from pro_service.cli import main
from pro_service.core.problems import RejectedError
from pro_service.exports import check as checking
from pro_service.exports.check import check
from tests.exports import made_set

VISITS, ANSWERS, BOOK = "data/visits.csv", "data/answers.csv", "codebook.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    return made_set.write(tmp_path / "set")


def found(place: Path) -> set[tuple[str, str, int | None, str]]:
    return {(one.problem.code, one.file, one.line, one.column) for one in check(place).findings}


def replaced(path: str, old: str, new: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        data = (folder / path).read_bytes()
        assert old.encode() in data
        (folder / path).write_bytes(data.replace(old.encode(), new.encode(), 1))

    return damage


def swapped(path: str, one: int, other: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        lines = (folder / path).read_bytes().splitlines(keepends=True)
        lines[one], lines[other] = lines[other], lines[one]
        (folder / path).write_bytes(b"".join(lines))

    return damage


def without_line(path: str, number: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        lines = (folder / path).read_bytes().splitlines(keepends=True)
        (folder / path).write_bytes(b"".join(lines[:number] + lines[number + 1 :]))

    return damage


def added(path: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / path).write_text("x\n")

    return damage


def unlisted(path: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["files"] = [entry for entry in manifest["files"] if entry["path"] != path]
        (folder / "manifest.json").write_text(json.dumps(manifest))

    return damage


def twice(path: str, number: int) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        lines = (folder / path).read_bytes().splitlines(keepends=True)
        (folder / path).write_bytes(b"".join(lines[: number + 1] + lines[number:]))

    return damage


def test_nothing_is_found_in_a_set_as_it_was_written(folder: Path) -> None:
    done = check(folder)
    assert (done.findings, done.more) == ((), 0)
    assert (done.files, done.rows) == (14, 10 + 4 + 2 + 20 + 112)


@pytest.mark.parametrize(
    "damage, expected",
    [
        (replaced("README.txt", "study", "studY"), {("set_hash", "README.txt", None, "")}),
        (
            without_line(ANSWERS, 4),
            {("set_hash", ANSWERS, None, ""), ("set_rows", ANSWERS, None, "")},
        ),
        (added("data/more.csv"), {("set_file_unlisted", "data/more.csv", None, "")}),
        (
            lambda folder: (folder / ANSWERS).unlink(),
            {("set_file_missing", ANSWERS, None, "")},
        ),
        (
            unlisted(VISITS),
            {("set_file_unlisted", VISITS, None, ""), ("set_described_missing", VISITS, None, "")},
        ),
        (
            replaced("manifest.json", '"sha256": "', '"sha256": "Z'),
            {("set_manifest_entry", "manifest.json", None, ""), ("set_file_unlisted", VISITS, None, "")}
            | {("set_described_missing", VISITS, None, "")},
        ),
        (
            lambda folder: (folder / "data" / "link.csv").symlink_to("/etc/hostname"),
            {("set_no_file", "data/link.csv", None, "")},
        ),
    ],
    ids=["one byte", "a row gone", "a file added", "a file gone", "not in the manifest", "a bad entry", "a link"],
)
def test_a_difference_from_the_manifest_is_named(
    folder: Path, damage: Callable[[Path], None], expected: set[tuple[str, str, int | None, str]]
) -> None:
    damage(folder)
    assert found(folder) == expected


@pytest.mark.parametrize(
    "path, damage, expected",
    [
        (VISITS, replaced(VISITS, ",4,0,", ",11,0,"), ("set_above", VISITS, 2, "nrs_avg")),
        (VISITS, replaced(VISITS, ",4,0,", ",-1,0,"), ("set_below", VISITS, 2, "nrs_avg")),
        (VISITS, replaced(VISITS, ",4,0,", ",4.0,0,"), ("set_cell_kind", VISITS, 2, "nrs_avg")),
        (VISITS, replaced(VISITS, ",4,0,", ",4,2,"), ("set_cell_kind", VISITS, 2, "nrs_avg_declined")),
        (VISITS, replaced(VISITS, "completed_in_window", "finished"), ("set_code_unknown", VISITS, 2, "status")),
        (VISITS, replaced(VISITS, "P-001,1,V0,", ",1,V0,"), ("set_cell_empty", VISITS, 2, "participant")),
        (VISITS, replaced(VISITS, "06:00:00Z", "26:00:00Z"), ("set_cell_kind", VISITS, 2, "answered_at")),
        (VISITS, replaced(VISITS, "06:00:01Z", "06:00:01"), ("set_cell_kind", VISITS, 2, "recorded_at")),
        ("data/participants.csv", replaced("data/participants.csv", "2026-03-02", "2026-02-30"), None),
        (VISITS, replaced(VISITS, "study,site", "site,study"), ("set_header", VISITS, 1, "")),
        (VISITS, replaced(VISITS, ",4,0,", ",4,0,,"), ("set_width", VISITS, 2, "")),
        (VISITS, swapped(VISITS, 1, 2), ("set_order", VISITS, 3, "")),
        (ANSWERS, swapped(ANSWERS, 1, 3), ("set_order", ANSWERS, 3, "")),
        (ANSWERS, twice(ANSWERS, 2), ("set_key_twice", ANSWERS, 4, "")),
        (VISITS, replaced(VISITS, "\n", "\r\n"), ("set_line_ends", VISITS, None, "")),
        (VISITS, replaced(VISITS, "study,", "\ufeffstudy,"), ("set_line_ends", VISITS, None, "")),
        (ANSWERS, replaced(ANSWERS, "nrs_avg,2", '"nrs_avg,2'), ("set_unreadable", ANSWERS, 5, "")),
        (
            "codebook.csv",
            replaced("codebook.csv", ",integer,", ",number,"),
            ("set_codebook_row", "codebook.csv", 5, ""),
        ),
        (BOOK, replaced(BOOK, ",study,1", ",Study,1"), ("set_column_name", VISITS, None, "Study")),
        ("datapackage.json", replaced("datapackage.json", '"primaryKey"', '"key"'), ("set_no_key", VISITS, None, "")),
        ("datapackage.json", replaced("datapackage.json", "{", "["), None),
    ],
)
def test_a_set_that_was_made_wrong_is_named_by_file_line_and_column(
    folder: Path, path: str, damage: Callable[[Path], None], expected: tuple[str, str, int | None, str] | None
) -> None:
    damage(folder)
    made_set.sign_again(folder, path)
    wanted = (
        expected
        or {
            "data/participants.csv": ("set_cell_kind", "data/participants.csv", 2, "procedure_date"),
            "datapackage.json": ("set_datapackage", "datapackage.json", None, ""),
        }[path]
    )
    assert wanted in found(folder)


def test_what_is_found_often_is_counted_after_the_first_few(folder: Path) -> None:
    header = (folder / VISITS).read_text().partition("\n")[0]
    (folder / VISITS).write_text(header + "\n" + "x\n" * 50)
    made_set.sign_again(folder, VISITS)
    done = check(folder)
    assert [one.line for one in done.findings] == [*range(2, 2 + checking.MOST)]
    assert done.more == 50 - checking.MOST


# --- ZIP files --------------------------------------------------------------------------------------------------------


def packed(folder: Path, *, top: str = "") -> Path:
    """Return a ZIP file of the set."""
    archive = folder.parent / "set.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for one in sorted(folder.rglob("*")):
            if one.is_file():
                file.write(one, top + one.relative_to(folder).as_posix())
    return archive


@pytest.mark.parametrize("top", ["", "nct07326982/"])
def test_a_zip_file_is_checked_like_its_folder(folder: Path, top: str) -> None:
    assert check(packed(folder, top=top)) == check(folder)
    replaced(VISITS, ",4,0,", ",11,0,")(folder)
    expected = {("set_above", VISITS, 2, "nrs_avg"), ("set_hash", VISITS, None, "")}
    assert found(packed(folder, top=top)) == expected


def test_a_damaged_zip_file_is_named(folder: Path) -> None:
    archive = packed(folder)
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as file:
        start = file.getinfo("README.txt").header_offset
    data[start + 60] ^= 0xFF
    archive.write_bytes(data)
    assert found(archive) == {("set_unreadable", "README.txt", None, "")}


def hostile(
    *entries: tuple[str | zipfile.ZipInfo, bytes], packing: int = zipfile.ZIP_DEFLATED
) -> Callable[[Path], None]:
    def make(place: Path) -> None:
        with zipfile.ZipFile(place, "w", packing) as file:
            for name, data in entries:
                file.writestr(name, data)

    return make


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    "make, code",
    [
        (lambda place: place.write_bytes(b"PK\x03\x04 no more"), "set_no_zip"),
        (lambda place: place.write_text("participant\nP-001\n"), "set_no_zip"),
        (hostile(("../../etc/passwd", b"x")), "set_zip_names"),
        (hostile(("/etc/passwd", b"x")), "set_zip_names"),
        (hostile(("C:\\passwd", b"x")), "set_zip_names"),
        (hostile(("manifest.json", b"{}"), ("bomb", bytes(1 << 24))), "set_zip_bomb"),
        (hostile((link("manifest.json"), b"/etc/passwd")), "set_zip_foreign"),
        (hostile(("manifest.json", b"{}"), packing=zipfile.ZIP_LZMA), "set_zip_foreign"),
        (hostile(("README.txt", b"x")), "set_no_manifest"),
        (hostile(("manifest.json", b"[" * 100_000)), "set_manifest_unreadable"),
    ],
)
def test_what_is_no_data_set_is_refused(tmp_path: Path, make: Callable[[Path], object], code: str) -> None:
    place = tmp_path / "set.zip"
    make(place)
    with pytest.raises(RejectedError) as refused:
        check(place)
    assert [fault.code for fault in refused.value.faults] == [code]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RejectedError) as refused:
        check(tmp_path)
    assert [fault.code for fault in refused.value.faults] == ["set_no_manifest"]


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_says_what_it_found_and_fails(folder: Path) -> None:
    run = CliRunner()
    good = run.invoke(main, ["export", "check", str(folder)])
    assert (good.exit_code, good.output) == (
        0,
        "14 files, 148 rows: nothing found. The data set is as it was written.\n",
    )
    replaced(VISITS, ",4,0,", ",11,0,")(folder)
    bad = run.invoke(main, ["export", "check", str(folder)])
    assert bad.exit_code == 1
    assert "data/visits.csv, line 2, nrs_avg: the value is above 10\n" in bad.output
    listed = run.invoke(main, ["export", "check", "--json", str(packed(folder))])
    assert listed.exit_code == 1
    assert [one["code"] for one in json.loads(listed.output)["findings"]] == ["set_hash", "set_above"]
    refused = run.invoke(main, ["export", "check", str(folder / "README.txt")])
    assert (refused.exit_code, "is no ZIP file" in refused.output) == (1, True)

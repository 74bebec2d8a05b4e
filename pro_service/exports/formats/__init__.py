"""The formats of an exported data set beside CSV, each made from the finished CSV files, so that all hold the same."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pro_service.core.problems import Problem, nearest, problem
from pro_service.exports import csv_files
from pro_service.exports.csv_files import WrittenFile
from pro_service.exports.formats import excel, redcap, stats
from pro_service.exports.formats.finished import Finished, Progress

CSV = "csv"
"""What every set is made of."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format, and what it needs to be written."""

    write: Callable[[Finished, Path, Progress], None]
    """Writes its files into a folder that is there."""
    extra: str = ""
    """What is installed for it: `pro-service[…]`."""
    needs: Sequence[str] = ()
    """Packages that this brings."""


FORMATS: Mapping[str, Format] = {
    "dta": Format(stats.write_dta, "stats", ("pyreadstat", "pandas")),
    "sav": Format(stats.write_sav, "stats", ("pyreadstat", "pandas")),
    "xpt": Format(stats.write_xpt, "stats", ("pyreadstat", "pandas")),
    "xlsx": Format(excel.write_xlsx, "excel", ("xlsxwriter",)),
    "redcap": Format(redcap.write_redcap),
}
"""Every format but CSV; its files lie in a folder of its name."""


def faults_of(names: Iterable[str], find: Callable[[str], object | None] = find_spec) -> tuple[Problem, ...]:
    """Return why these formats cannot be made here: one is unknown, or what it needs is not installed."""
    faults = []
    for name in dict.fromkeys(names):
        if name not in FORMATS:
            known = (CSV, *FORMATS)
            if name != CSV:
                faults.append(problem("format_unknown", name, near=nearest(name, known), known=known))
        elif missing := tuple(package for package in FORMATS[name].needs if find(package) is None):
            faults.append(problem("format_needs_extra", name, missing=missing, extra=FORMATS[name].extra))
    return tuple(faults)


def write(
    name: str, finished: Finished, folder: Path, progress: Progress = lambda _done, _total: None
) -> tuple[WrittenFile, ...]:
    """Make one of FORMATS in `folder`/name and return its files. RejectedError if the data do not fit into it."""
    place = folder / name
    place.mkdir(mode=0o700)
    FORMATS[name].write(finished, place, progress)
    files = sorted(place.iterdir())
    for file in files:
        file.chmod(0o600)
    return tuple(csv_files.written(folder, f"{name}/{file.name}", _rows_in(file)) for file in files)


def _rows_in(file: Path) -> int | None:
    """Return how many rows a CSV file has below its head; None for a file of another kind."""
    if file.suffix != ".csv":
        return None
    with file.open(encoding="utf-8", newline="") as lines:
        return sum(1 for _ in csv.reader(lines)) - 1

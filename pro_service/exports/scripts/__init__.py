"""Scripts that read a data set's CSV files with types and labels: for R, Python, Stata, SAS and SPSS."""

from collections.abc import Callable, Mapping
from pathlib import Path

from pro_service.exports import csv_files
from pro_service.exports.csv_files import WrittenFile
from pro_service.exports.formats.finished import Finished
from pro_service.exports.scripts import python, r, sas, spss, stata

SCRIPTS: Mapping[str, Callable[[Finished], str]] = {
    "read.R": r.script,
    "read.do": stata.script,
    "read.py": python.script,
    "read.sas": sas.script,
    "read.sps": spss.script,
}
"""File -> what makes it. A script is made from the tables alone, so that it stays the same while data come in."""


def write(finished: Finished, folder: Path) -> tuple[WrittenFile, ...]:
    """Write every script into `folder`/scripts and return the files."""
    return tuple(csv_files.write_text(folder, f"scripts/{name}", make(finished)) for name, make in SCRIPTS.items())

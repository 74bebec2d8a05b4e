"""`codebook.csv`: one row for each column of the data set, and below it one for each of its codes."""

import csv
import io
from collections.abc import Iterator, Sequence

from pro_service.exports.tables import Code, Column, Table, Words
from pro_service.exports.words import LANGUAGES

FILE = "codebook.csv"
SEPARATOR = ","
FOR_EXCEL = ";"
"""What stands between the cells of a set that is written for Excel, …"""
EXCEL_MARK = ","
"""… before the decimals of its numbers, …"""
BOM = "\ufeff"
"""… and at the beginning of its files."""
SEVERAL = " "
"""What stands between the names in `derived_from`."""


def as_csv(tables: Sequence[Table], languages: Sequence[str], *, separator: str = SEPARATOR) -> str:
    """Return the whole codebook. `languages`: those of the study, in which its questions are worded."""
    written = io.StringIO()
    if separator == FOR_EXCEL:
        written.write(BOM)
    writer = csv.writer(written, delimiter=separator, lineterminator="\n")
    writer.writerow(header(languages))
    writer.writerows(rows(tables, languages))
    return written.getvalue()


def header(languages: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the codebook's own columns."""
    labels = (f"label_{language}" for language in _labelled(languages))
    questions = (f"question_{language}" for language in languages)
    limits = ("minimum", "maximum", "code", "missing_means", "derived_from", "formula")
    return ("file", "column", "position", "type", "unit", *labels, *questions, *limits)


def rows(tables: Sequence[Table], languages: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the codebook's rows, in the order of the tables and of their columns; a row of a code has its label."""
    for table in tables:
        for position, column in enumerate(table.columns, start=1):
            place = (table.path, column.name, str(position), column.kind, column.unit)
            yield (*place, *_about_column(column, languages))
            for code in column.codes:
                yield (*place, *_about_code(code, languages))


def _about_column(column: Column, languages: Sequence[str]) -> Iterator[str]:
    yield from (_said(column.labels, language) for language in _labelled(languages))
    yield from (column.questions.get(language, "") for language in languages)
    yield "" if column.minimum is None else str(column.minimum)
    yield "" if column.maximum is None else str(column.maximum)
    yield ""
    yield _said(column.missing, LANGUAGES[0])
    yield SEVERAL.join(column.derived_from)
    yield column.formula


def _about_code(code: Code, languages: Sequence[str]) -> Iterator[str]:
    yield from (_said(code.labels, language) for language in _labelled(languages))
    yield from ("" for _ in languages)
    yield from ("", "", str(code.value), "", "", "")


def _labelled(languages: Sequence[str]) -> tuple[str, ...]:
    """The languages of labels: those of every data set, then the study's other ones."""
    return (*LANGUAGES, *(language for language in languages if language not in LANGUAGES))


def _said(words: Words, language: str) -> str:
    """A text in a language; in English where it is not said in it."""
    return words.get(language) or words.get(LANGUAGES[0]) or next(iter(words.values()), "")

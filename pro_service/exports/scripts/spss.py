"""The script for SPSS, which PSPP runs too: a data set for each CSV file, with labels, days and instants."""

from collections.abc import Iterator, Mapping

from pro_service.exports.formats.finished import Finished, numbers, with_codes
from pro_service.exports.formats.stats import SPSS, cut, label_of, value_labels
from pro_service.exports.scripts.kinds import read_as
from pro_service.exports.tables import Column, Table

_READ: Mapping[str, str] = {
    "text": "A2000",
    "words": "A40",
    "integer": "F10.0",
    "decimal": "F12.2",
    "date": "SDATE10",
    "instant": "A25",
}
_HEAD = """\
* Encoding: UTF-8.
* Reads the CSV files of data/ into data sets of their names. Start in the folder that holds README.txt.
* A column of words becomes numbers from 1 with labels. Instants are in UTC.
"""
LINE = 60
"""Signs of a label in one line: a line of syntax has at most 251 bytes."""


def script(finished: Finished) -> str:
    """Return read.sps."""
    return "\n".join((_HEAD, *("\n".join(_table(finished, table)) + "\n" for table in finished.tables)))


def _table(finished: Finished, table: Table) -> Iterator[str]:
    columns = [with_codes(column) for column in table.columns]
    yield f"GET DATA /TYPE=TXT /FILE='{table.path}' /ENCODING='UTF8' /ARRANGEMENT=DELIMITED"
    yield "  /DELIMITERS=',' /QUALIFIER='\"' /FIRSTCASE=2 /VARIABLES="
    yield from (f"  {_read_into(place, column)} {_READ[read_as(column)]}" for place, column in enumerate(columns))
    yield "."
    for place, column in enumerate(columns):
        yield from _made(column, _read_into(place, column))
    yield "EXECUTE."
    yield "MATCH FILES /FILE=* /KEEP="
    yield from (f"  {column.name}" for column in columns)
    yield "."
    yield f"FILE LABEL {_text(cut(finished.said(table.labels), SPSS.table_label))}."
    for column in columns:
        yield from _labels(finished, column)
    # A copy: to PSPP, reading the next file ends the data set that is active, also one that has a name.
    yield f"DATASET COPY {table.name}."


def _read_into(place: int, column: Column) -> str:
    """Return the variable that a column is read into: its own, or one for the text that it is made from."""
    return f"text_{place}" if read_as(column) in ("words", "instant") else column.name


def _made(column: Column, text: str) -> Iterator[str]:
    """Yield what makes a column from its text."""
    name, kind = column.name, read_as(column)
    if kind == "words":
        yield f"RECODE {text}"
        yield from (f"  ({_text(word)}={number})" for word, number in numbers(column).items())
        yield f"  INTO {name}."
        yield f"FORMATS {name} (F4.0)."
    if kind == "instant":

        def part(first: int, wide: int) -> str:
            return f"NUMBER(SUBSTR({text}, {first}, {wide}), F{wide})"

        yield f"COMPUTE {name} = DATE.DMY({part(9, 2)},"
        yield f"  {part(6, 2)}, {part(1, 4)})"
        yield f"  + {part(12, 2)} * 3600 + {part(15, 2)} * 60"
        yield f"  + {part(18, 2)}."
        yield f"IF (SUBSTR({text}, 20, 1) = '-') {name} = {name}"
        yield f"  + {part(21, 2)} * 3600 + {part(24, 2)} * 60."
        yield f"IF (SUBSTR({text}, 20, 1) = '+') {name} = {name}"
        yield f"  - {part(21, 2)} * 3600 - {part(24, 2)} * 60."
        yield f"FORMATS {name} (DATETIME20)."


def _labels(finished: Finished, column: Column) -> Iterator[str]:
    label = label_of(finished, column, SPSS)
    parts = [_text(label[start : start + LINE]) for start in range(0, len(label), LINE)]
    yield f"VARIABLE LABELS {column.name}"
    yield "  " + "\n  + ".join(parts) + "."
    if column.codes:
        yield f"VALUE LABELS {column.name}"
        yield from (f"  {number} {_text(said)}" for number, said in value_labels(finished, column, SPSS).items())
        yield "."


def _text(text: str) -> str:
    """Return a text as SPSS writes it."""
    return "'" + text.replace("'", "''") + "'"

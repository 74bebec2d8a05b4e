"""The script for SAS: a data set for each CSV file, with formats for its codes."""

from collections.abc import Iterator, Mapping

from pro_service.exports.formats.finished import Finished, numbers, with_codes
from pro_service.exports.formats.stats import cut
from pro_service.exports.scripts.kinds import read_as
from pro_service.exports.tables import Column, Table

TEXT, WORD, LABEL = 2_000, 40, 240
"""Bytes of a text and of a word, and signs of a label."""
_TYPES: Mapping[str, str] = {
    "text": f"length=${TEXT} informat=${TEXT}.",
    "words": f"length=${WORD} informat=${WORD}.",
    "integer": "length=8 informat=32.",
    "decimal": "length=8 informat=32.",
    "date": "length=8 informat=yymmdd10. format=yymmdd10.",
    "instant": "length=8 informat=e8601dz25. format=e8601dt19.",
}
_HEAD = """\
/* Reads the CSV files of data/ into data sets of the library WORK, with labels. Start SAS with -encoding utf8.
   A column of words holds the words, and a format shows their labels. Days are dates, instants datetimes in UTC.
   Written by SAS's manual, and never run: we have no SAS. An export with the format xpt holds the same tables.

   For the transport files of xpt/, which hold numbers from 1 in place of words:
   %xpt2loc(libref=work, memlist=visits, filespec='xpt/visits.xpt');
   then run the PROC FORMAT below and: proc datasets lib=work; modify visits; format status n1c11x.; quit;
   (the format of a column's words is $t…, that of its numbers n…). */

%let set = .; /* the folder that holds README.txt */
options compress=yes;
"""


def script(finished: Finished) -> str:
    """Return read.sas."""
    tables = list(enumerate(finished.tables, 1))
    formats = [line for number, table in tables for line in _formats(finished, table, number)]
    steps = ["\n".join(_step(finished, table, number)) + "\n" for number, table in tables]
    return "\n".join((_HEAD, "proc format;", *formats, "run;\n", *steps))


def _formats(finished: Finished, table: Table, number: int) -> Iterator[str]:
    """Yield the formats of a table's codes: a name has at most 31 signs, and no digit at its end."""
    for place, column in enumerate(map(with_codes, table.columns), 1):
        if not column.codes:
            continue
        known = numbers(column)
        labels = [(code.value, finished.said(code.labels)) for code in column.codes]
        yield f"  /* {table.name}.{column.name} */"
        if known:
            yield f"  value $t{number}c{place}x"
            yield from (f"    {_text(str(value))} = {_text(said)}" for value, said in labels)
            yield "  ;"
        yield f"  value n{number}c{place}x"
        yield from (f"    {known.get(str(value), value)} = {_text(said)}" for value, said in labels)
        yield "  ;"


def _step(finished: Finished, table: Table, number: int) -> Iterator[str]:
    yield f"data {table.name} (label={_text(finished.said(table.labels))});"
    yield f'  infile "&set/{table.path}" dsd dlm="," firstobs=2 truncover lrecl=1000000 encoding="utf-8" termstr=lf;'
    yield "  attrib"
    for place, column in enumerate(map(with_codes, table.columns), 1):
        shown = f"{_format(column, number, place)} label={_label(finished, column)}"
        yield f"    {column.name} {_TYPES[read_as(column)]}{shown}"
    yield "  ;"
    yield "  input"
    yield from (f"    {column.name}" for column in table.columns)
    yield "  ;"
    yield "run;"


def _format(column: Column, number: int, place: int) -> str:
    if not column.codes:
        return ""
    return f" format={'$t' if read_as(column) == 'words' else 'n'}{number}c{place}x."


def _label(finished: Finished, column: Column) -> str:
    return _text(cut(finished.said(column.labels), LABEL) + (" (UTC)" if column.kind == "instant" else ""))


def _text(text: str) -> str:
    """Return a text as SAS writes it; in single quotes no macro is put in its place."""
    return "'" + text.replace("'", "''") + "'"

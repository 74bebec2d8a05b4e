"""The script for Stata: a .dta file for each CSV file, with labels, days and instants."""

from collections.abc import Iterator

from pro_service.exports.formats.finished import Finished, numbers, with_codes
from pro_service.exports.formats.stats import STATA, cut, label_of, value_labels
from pro_service.exports.scripts.kinds import read_as
from pro_service.exports.tables import Column, Table

_HEAD = """\
* Reads the CSV files of data/ and saves each as a .dta file in the working directory. Stata 14 or later.
* Written by Stata's manual, and never run: we have no Stata. An export with the format dta holds the same tables.
* Start in the folder that holds README.txt, or name it here:
local set "."

* A column of words becomes numbers from 1 with labels. Days are %td, instants %tc in UTC.

version 14
capture program drop pro_keep
program pro_keep
    * The new column takes the place and the name of the old one.
    args name
    order pro_new, after(`name')
    drop `name'
    rename pro_new `name'
end

capture program drop pro_day
program pro_day
    args name
    generate long pro_new = daily(`name', "YMD")
    pro_keep `name'
    format `name' %td
end

capture program drop pro_instant
program pro_instant
    * 2026-03-09T06:30:00Z; of 2026-03-09T09:30:00+03:00 the offset is taken away.
    args name
    generate double pro_new = clock(subinstr(substr(`name', 1, 19), "T", " ", 1), "YMDhms")
    replace pro_new = pro_new - real(substr(`name', 20, 1) + "1") * ///
        (real(substr(`name', 21, 2)) * 3600000 + real(substr(`name', 24, 2)) * 60000) ///
        if inlist(substr(`name', 20, 1), "+", "-")
    pro_keep `name'
    format `name' %tc
end
"""


def script(finished: Finished) -> str:
    """Return read.do."""
    return "\n".join((_HEAD, *("\n".join(_table(finished, table)) + "\n" for table in finished.tables)))


def _table(finished: Finished, table: Table) -> Iterator[str]:
    # By itself it also drops the value labels of the table before, some of which have the same names.
    yield "clear"
    yield f'import delimited using "`set\'/{table.path}", varnames(1) case(preserve) stringcols(_all) ///'
    yield '    encoding("utf-8") bindquote(strict)'
    yield f"label data {_text(cut(finished.said(table.labels), STATA.table_label))}"
    for column in map(with_codes, table.columns):
        yield from _column(finished, column)
    yield f"save {table.name}, replace"


def _column(finished: Finished, column: Column) -> Iterator[str]:
    name, known = column.name, numbers(column)
    match read_as(column):
        case "words":
            yield "generate byte pro_new = ."
            for word, number in known.items():
                yield f"replace pro_new = {number} if {name} == {_text(word)}"
            yield f"pro_keep {name}"
        case "integer" | "decimal":
            yield f"destring {name}, replace"
        case "date":
            yield f"pro_day {name}"
        case "instant":
            yield f"pro_instant {name}"
        case _:
            pass
    for value, said in value_labels(finished, column, STATA).items():
        yield f"label define {name} {value} {_text(said)}, add"
    if column.codes:
        yield f"label values {name} {name}"
    yield f"label variable {name} {_text(label_of(finished, column, STATA))}"


def _text(text: str) -> str:
    """Return a text as Stata writes it, without what it would put macros in place of."""
    return '`"' + text.replace("`", "'").replace("$", "\\$") + "\"'"

"""The script for R: data frames with factors, haven's labels, days and instants."""

from collections.abc import Iterator

from pro_service.exports.formats.finished import Finished, with_codes
from pro_service.exports.scripts.kinds import read_as
from pro_service.exports.tables import Column, Table

_HEAD = """\
# Reads data/*.csv into data frames, one for each table: visits, answers and so on.
# Start in the folder that holds README.txt: source("scripts/read.R", encoding = "UTF-8")
# Needs the package haven. A column of words is a factor with its words in order; attr(x, "labels") has their labels.
# A whole number with labels is haven's labelled. Days are Dates, instants POSIXct in UTC. attr(x, "label") is a label.

if (!requireNamespace("haven", quietly = TRUE)) stop('Install haven first: install.packages("haven")')

read_column <- function(text, column) {
  codes <- column$codes
  value <- switch(column$kind,
    text = as.character(text),
    words = structure(factor(text, levels = unname(codes)), labels = codes),
    integer = as.integer(text),
    decimal = as.numeric(text),
    date = as.Date(text, format = "%Y-%m-%d"),
    instant = as.POSIXct(
      sub("([+-][0-9]{2}):([0-9]{2})$", "\\\\1\\\\2", sub("Z$", "+0000", text)),
      format = "%Y-%m-%dT%H:%M:%S%z", tz = "UTC"
    )
  )
  if (column$kind == "integer" && !is.null(codes)) value <- haven::labelled(value, codes)
  attr(value, "label") <- column$label
  value
}

read_table <- function(path, label, columns) {
  frame <- utils::read.csv(path, colClasses = "character", na.strings = "", encoding = "UTF-8", check.names = FALSE)
  if (!identical(names(frame), names(columns))) stop(path, " is of another version than this script")
  for (name in names(columns)) frame[[name]] <- read_column(frame[[name]], columns[[name]])
  structure(frame, label = label)
}
"""


def script(finished: Finished) -> str:
    """Return read.R."""
    return "\n".join((_HEAD, *(_table(finished, table) for table in finished.tables)))


def _table(finished: Finished, table: Table) -> str:
    columns = ",\n".join(_column(finished, with_codes(column)) for column in table.columns)
    label = finished.said(table.labels)
    return f"{table.name} <- read_table({_text(table.path)}, {_text(label)}, list(\n{columns}\n))\n"


def _column(finished: Finished, column: Column) -> str:
    parts = [f"kind = {_text(read_as(column))}", f"label = {_text(finished.said(column.labels))}"]
    if column.codes:
        parts.append("codes = c(\n" + ",\n".join(_codes(finished, column)) + "\n  )")
    return f"  {column.name} = list({', '.join(parts)})"


def _codes(finished: Finished, column: Column) -> Iterator[str]:
    for code in column.codes:
        value = _text(code.value) if isinstance(code.value, str) else f"{code.value}L"
        yield f"    {_text(finished.said(code.labels))} = {value}"


def _text(text: str) -> str:
    """Return a text as R writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

"""CSV for spreadsheets: streamed, and without cells that a spreadsheet would run as a formula."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from flask import Response

from pro_service.exports.formats.excel import harmless
from pro_service.runtime import Runtime

CHUNK = 200
"""So many rows leave together."""

Cell = str | int | float | Decimal | None


def sheet(rt: Runtime, name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """Return a file `name`.csv that is written while it is read: UTF-8 with the mark that spreadsheets ask for."""
    answer = Response(_lines(head, rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name(rt, name)}.csv"'
    return answer


def file_name(rt: Runtime, name: str) -> str:
    """Return what a file is called that leaves: it says if the telephones are simulated, for a file has no banner."""
    return f"simulated-{name}" if rt.for_trying_out else name


def _lines(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    page = io.StringIO()
    page.write("\ufeff")
    writer = csv.writer(page)
    writer.writerow(head)
    for number, row in enumerate(rows, start=1):
        writer.writerow([harmless(cell) for cell in row])
        if number % CHUNK == 0:
            yield _take(page)
    yield _take(page)


def _take(page: io.StringIO) -> str:
    text = page.getvalue()
    page.seek(0)
    page.truncate()
    return text

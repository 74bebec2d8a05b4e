"""A small data set with all that is hard on a format: Turkish letters, long texts, negative decimals, empty columns."""

import csv
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from pro_service.exports import words
from pro_service.exports.formats.finished import Finished
from pro_service.exports.tables import Cell, Code, Column, Table

LONG = ('Ağrı değerlendirmesi; «günün en kötü ağrısı», "tırnaklı", | ve =1+1 ' * 5).strip()
"""More than 300 bytes, without a blank at the end, which SPSS and SAS do not keep."""
SCALE = tuple(
    Code(value, {"en": f"{value}", "tr": f"{value}"} if 0 < value < 3 else {"en": f"end {value}", "tr": f"uç {value}"})
    for value in range(4)
)
VISIT_CODES = (
    Code("t0", {"en": "Before the procedure", "tr": "İşlemden önce"}),
    Code("t1", {"en": "1 hour", "tr": "1 saat"}),
)


def column(name: str, kind: str, **more: object) -> Column:
    return Column(name, kind, {"en": f"What {name} is", "tr": f"{name} nedir, ığüşöç İ"}, **more)  # type: ignore[arg-type]


VISITS = Table(
    "visits",
    words.word("tables", "visits"),
    (
        column("participant", "text"),
        column("visit_number", "integer"),
        column("visit", "code", codes=VISIT_CODES),
        column("visit_label", "text"),
        column("status", "code", codes=words.codes("status")),
        column("due", "boolean"),
        column("missing_reason", "code", codes=words.codes("missing_reason")),
        column("target_date", "date"),
        column("answered_at", "instant"),
        column("nrs_avg", "integer", codes=SCALE, minimum=0, maximum=3),
        column("nrs_avg_change", "decimal"),
        column("remark", "text"),
        column("never_filled", "text"),
        column("never_dated", "instant"),
        column("never_counted", "integer"),
    ),
    ("participant", "visit_number"),
)
PARTICIPANTS = Table(
    "participants",
    words.word("tables", "participants"),
    (column("participant", "text"), column("status", "text"), column("zone", "text"), column("enrolled_at", "instant")),
    ("participant",),
)
EMPTY = Table("answers", words.word("tables", "answers"), VISITS.columns, ("participant",))
IST, BER = "2026-03-10T09:30:00+03:00", "2026-03-10T22:30:05Z"
NOTHING = (None, None, None)
ROWS: Sequence[Sequence[Cell]] = (
    ("P-001", 1, "t0", "Before", "completed_in_window", 1, None, "2026-03-09", IST, 3, None, "=1+1", *NOTHING),
    ("P-001", 2, "t1", "1 hour", "missed", 1, "too_ill", "2026-03-10", None, None, None, "ığüşöç İĞÜŞÖÇ", *NOTHING),
    ("P-002", 1, "t0", "Before", "completed_late", 1, None, "2026-03-09", BER, 0, Decimal("-14.29"), LONG, *NOTHING),
    ("P-002", 2, "t1", "1 hour", "not_scheduled", 0, None, None, None, None, Decimal("33.33"), None, *NOTHING),
)
PEOPLE: Sequence[Sequence[Cell]] = (
    ("P-001", "Ankara'da", "Europe/Istanbul", IST),
    ("P-002", None, "Europe/Berlin", BER),
)
SET = ((VISITS, ROWS), (PARTICIPANTS, PEOPLE), (EMPTY, ()))


def finished(folder: Path, language: str = "en") -> Finished:
    """Write the CSV files of the set and return it."""
    for table, rows in SET:
        path = folder / table.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([one.name for one in table.columns])
            writer.writerows(rows)
    (folder / "codebook.csv").write_text("file,column,code\nvisits,status,missed\n", encoding="utf-8")
    return Finished(folder, tuple(table for table, _ in SET), language, {"study": "DEMO"})

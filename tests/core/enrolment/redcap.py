"""Invented REDCap exports, made by pattern: raw or labelled, events, repeated instruments, checkboxes."""

from collections.abc import Iterable

MAPPING = """
event = "baseline_arm_1"

[column.participant]
from = "record_id"
[column.site]
from = "redcap_data_access_group"
values = { "istanbul" = "IST", "berlin" = "BER" }
[column.procedure_date]
from = "proc_datetime"
[column.procedure_time]
from = "proc_datetime"
[column.language]
from = "lang"
values = { "1" = "tr", "2" = "en" }
[column.messaging_consent]
from = "consent_date"
when = "consent___1"
[column.phone]
from = "mobile"
event = "screening_arm_1"
[column.channel]
always = "sms-link"
[column.baseline_nrs_avg]
from = "nrs_avg"
"""

HEADER = (
    "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,surname,"
    "mobile,lang,consent___1,consent___2,consent_date,proc_datetime,nrs_avg,baseline_complete"
)
"""As REDCap writes it raw: system columns first, a checkbox a column an option, `…_complete` last."""


def screening(number: int) -> str:
    """The row of the screening; numbers are of a range reserved for fiction."""
    return f"P-{number:03},screening_arm_1,,,istanbul,Demir,+1 202 555 01{number:02},,,,,,,2"


def procedure(number: int, lang: str = "1", consent: str = "1", at: str = "2026-03-02 09:30", nrs: str = "7") -> str:
    """The row of the procedure's event."""
    given = "2026-03-01" if consent == "1" else ""
    return f"P-{number:03},baseline_arm_1,,,istanbul,,,{lang},{consent},0,{given},{at},{nrs},2"


def repeated(number: int) -> str:
    """A row of a repeated instrument."""
    return f"P-{number:03},baseline_arm_1,adverse_events,1,istanbul,,,,,,,,,"


def export(rows: Iterable[str], header: str = HEADER, *, mark: bool = True) -> bytes:
    """The file's bytes; REDCap may put a byte order mark at its start."""
    text = "\r\n".join((header, *rows, ""))
    return text.encode("utf-8-sig" if mark else "utf-8")

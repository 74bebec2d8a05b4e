"""The form in which the columns of a REDCap export are chosen: what it asks, what it guesses, what it makes of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pro_service.core.enrolment.file import OPTIONAL, REQUIRED, columns_of
from pro_service.core.enrolment.redcap import Export
from pro_service.core.enrolment.redcap_mapping import CONTACT, DATES, NEEDED, Column, ColumnMapping, check
from pro_service.core.problems import Fault
from pro_service.core.protocol import Protocol
from pro_service.core.routes import CHANNELS
from pro_service.web.dashboard import enrol_form as words

ALIASES: Mapping[str, tuple[str, ...]] = {
    "participant": ("participant", "record_id", "Record ID", "study_id"),
    "site": ("site", "redcap_data_access_group", "Data Access Group"),
    "procedure_date": ("procedure_date", "proc_date", "islem_tarihi"),
    "procedure_time": ("procedure_time", "proc_time", "islem_saati"),
    "language": ("language", "lang", "dil"),
    "messaging_consent": ("messaging_consent", "consent_date", "onay_tarihi"),
    "phone": ("phone", "mobile", "telephone", "telefon"),
}
"""What such columns are often called; a guess that a person looks at."""
_PAIR = re.compile(r"\s*([^=,;\n]+?)\s*=\s*([^=,;\n]*?)\s*(?:[,;\n]|$)")


@dataclass(frozen=True, slots=True)
class ColumnQuestion:
    """What is asked about one of our columns."""

    name: str
    needed: bool
    dated: bool
    coded: bool
    """Its values may be codes."""
    ticked: bool
    """A checkbox may stand before it."""
    always: tuple[str, ...] = ()
    """What it may be for everybody."""


def asked(protocol: Protocol, export: Export) -> tuple[ColumnQuestion, ...]:
    """Our columns, those that must be there first."""
    del export
    baseline = tuple(columns_of(protocol.baseline.items if protocol.baseline else ()))
    same: Mapping[str, tuple[str, ...]] = {
        "site": tuple(protocol.sites),
        "language": protocol.languages,
        "channel": CHANNELS,
    }
    return tuple(
        ColumnQuestion(
            name,
            needed=name in NEEDED,
            dated=name in DATES or name == "procedure_time",
            coded=name not in {*CONTACT, *DATES, "participant", "procedure_time"},
            ticked=name == "messaging_consent",
            always=same.get(name, ()),
        )
        for name in (*REQUIRED, *OPTIONAL, *baseline)
        if name != "email"
    )


def guessed(every: tuple[ColumnQuestion, ...], export: Export) -> dict[str, str]:
    """What the form begins with."""
    typed = {}
    for one in every:
        names = ALIASES.get(one.name, (one.name,))
        typed[f"from-{one.name}"] = next((name for name in names if name in export.columns), "")
    return typed


def filled(
    every: tuple[ColumnQuestion, ...], typed: Mapping[str, str], protocol: Protocol
) -> tuple[ColumnMapping | None, dict[str, list[tuple[str, str]]]]:
    """The mapping that was chosen, or what is wrong with it, by our column."""
    columns = {one.name: column for one in every if (column := _column(one, typed)) is not None}
    mapping = ColumnMapping(columns, typed.get("event", ""))
    found: dict[str, list[tuple[str, str]]] = {}
    for fault in check(mapping, protocol.baseline.items if protocol.baseline else ()):
        found.setdefault(_about(fault), []).append(words.in_words(fault))
    for one in every:
        text = typed.get(f"values-{one.name}", "").strip()
        if text and _PAIR.sub("", text).strip(" ,;\n"):
            unread = Fault("", None, "these values cannot be read", "write code=word, separated by commas: 1=tr, 2=en")
            found.setdefault(one.name, []).append(words.in_words(unread))
    return (None if found else mapping), found


def _about(fault: Fault) -> str:
    return fault.path.removeprefix("column.").partition(".")[0]


def _column(one: ColumnQuestion, typed: Mapping[str, str]) -> Column | None:
    """What was chosen for one column; None for nothing."""

    def text(kind: str) -> str:
        return typed.get(f"{kind}-{one.name}", "").strip()

    source, always = text("from"), text("always")
    if not source and not always:
        return None
    if not source:
        return Column(always=always)
    pairs = dict(_PAIR.findall(text("values"))) if one.coded else {}
    # What it is for everybody counts where nothing is read; both at once is said as a fault.
    return Column(
        source,
        always,
        pairs,
        text("format") if one.dated else "",
        text("when") if one.ticked else "",
        text("event"),
    )

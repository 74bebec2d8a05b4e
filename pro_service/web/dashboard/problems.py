"""What can be said about a change, in the reader's language: our own notes, and what is wrong with a cell."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache

from babel import Locale

from pro_service.core.problems import ALLOWED, FINDINGS, NOTES, Fault, Note
from pro_service.core.routes import Finding
from pro_service.use_cases.participants.change_form import NO_ROUTE
from pro_service.web.i18n import day, gettext, language

CELLS = (
    "is empty",
    "{given} is not a date",
    "{given} can be read in more than one way",
    "{given} is not in the calendar",
    "{given} is not a date of a study",
    "write year-month-day, e.g. 2026-05-11; in the spreadsheet, format the column as text first",
    "{given} is not a time of day",
    "write hours and minutes, e.g. 14:30, or leave it empty",
    "{given} is not a site of this study",
    "{given} is not a language of this study",
    "{given} is not a channel",
    "{given} is not a thing to withdraw from",
    "one of: {known}",
    "did you mean {known}?",
    "{given} is not a time zone",
    "write an IANA name, e.g. Europe/Istanbul, or leave it empty",
    "the consent lies in the future",
    "write when it was given; leave it empty if it was not yet",
    "a consent needs its date",
    "write the day on which it was given, e.g. 2026-05-11",
    "is not a telephone number",
    "write it with + and the country's code, e.g. +90 532 123 45 67",
    "is not a number that exists",
    "count its digits and check the country's code; write it with + and the country's code, e.g. +90 532 123 45 67",
    "is a service number, nobody's telephone",
    "holds the letter O where a digit should be",
    "write the digit 0 (zero)",
    "holds more than one number",
    "holds characters that no telephone number has",
    "give one number of digits; write it with + and the country's code, e.g. +90 532 123 45 67",
    "0850 is a company's number: it takes no texts",
    "444 is a company's number: it takes no texts",
    "give the participant's own mobile number",
    "the number begins with {prefix}, which is used in Northern Cyprus, which the provider does not serve",
    "{provider} sends no texts to landlines in {country}",
    "{provider} carries no answers by text in {country}",
    "{provider} carries no links in texts in {country}",
    NO_ROUTE,
)
"""What the readers of cells say, with blanks for what they repeat; the catalogue translates each whole."""


def note_words(note: Note) -> tuple[str, str]:
    """Return (what, what to do) for the reader."""
    if note.code == "cell":
        return cell_words(str(note.values["fault"])), cell_words(str(note.values["remedy"]))
    what, remedy = NOTES[note.code]
    values = {name: _value_words(value) for name, value in note.values.items()}
    return gettext(what).format(**values), gettext(remedy).format(**values)


def cell_words(text: str) -> str:
    """Return a sentence about a cell in the reader's language; as it is where nobody has translated it."""
    for template, pattern in _patterns().items():
        found = pattern.fullmatch(text)
        if found is not None:
            return gettext(template).format(**found.groupdict())
    return text


@lru_cache(maxsize=1)
def _patterns() -> Mapping[str, re.Pattern[str]]:
    """Return for each template what it looks like filled in."""
    return {
        template: re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(template)), re.DOTALL)
        for template in CELLS
    }


def _value_words(value: object) -> str:
    return day(value) if isinstance(value, date) and not isinstance(value, datetime) else str(value)


def fault_words(fault: Fault) -> tuple[str, str]:
    """Return (what, what to do) of a fault in a text or a site; as it stands where it has no code."""
    return _finding_words(fault.code, dict(fault.values)) if fault.code else (fault.fault, fault.remedy)


def route_words(finding: Finding) -> tuple[str, str]:
    """Return (what, what to do) of a finding about a route."""
    if not finding.code:
        return finding.reason, finding.remedy
    values = dict(finding.values)
    name = Locale(language()).territories.get(str(values.pop("of", "")))
    values |= {"country": name} if name else {}
    if "caution" in values:
        values["caution"] = gettext(str(values["caution"]))
    what, remedy = _finding_words(finding.code, values)
    return (gettext(ALLOWED).format(reason=what, stated=finding.stated) if finding.stated else what), remedy


def _finding_words(code: str, values: Mapping[str, object]) -> tuple[str, str]:
    what, remedy = FINDINGS[code]
    return gettext(what).format(**values), gettext(remedy).format(**values)

"""The words of enrolment: the fields of its form, and what the readers of a row say, in the reader's language."""

import re
from collections.abc import Mapping
from functools import lru_cache

from babel import Locale

from pro_service.core.enrolment.file import BASELINE, BLINDING, columns_of
from pro_service.core.problems import Fault
from pro_service.core.protocol import Protocol
from pro_service.core.routes import CHANNELS, ROUTES
from pro_service.web.dashboard import problems
from pro_service.web.dashboard.change_words import Field
from pro_service.web.i18n import gettext as _
from pro_service.web.i18n import language, of

SENTENCES = (
    "give every participant a code, e.g. P-001",
    "{given} is not a participant code",
    "use the letters A to Z, digits, - _ . only, at most 40, and begin with a letter or digit; no names",
    "{given} is not your site",
    "have it enrolled by somebody of that site",
    "{code} is enrolled at another site",
    "check the code, or give this participant another",
    "{code} is enrolled already, with another {which}",
    "{code} is enrolled already as {there} (capital letters do not tell two participants apart)",
    "if it is the same person, write the code in just that way; if not, give this participant another code",
    "is not an e-mail address",
    "write one address, name@host, or leave it empty",
    "{given} is not an answer to this item",
    "write a whole number from {least} to {most}, or leave it empty",
    "no consent is written as an empty cell",
    "leave it empty: this participant is only called",
    "{given} says no time zone",
    "write the day alone, or add the offset: 2026-05-11T10:00+03:00",
    "the procedure's end lies in the future",
    "leave it empty until the procedure has ended, if this is only planned",
    "is a landline, internet or personal number, and texts are read on a mobile telephone",
    "give a mobile number; or leave messaging_consent and channel empty: then people call",
    "{code} has no telephone number: neither a text nor a call can ask",
    "{code} has no telephone number although texts are agreed to: neither a text nor a call can ask",
    "give the number; until then a task asks for it",
    "{code} has no card yet",
    "print it first",
    "the card of {code} was made after that day",
    "check the day",
    "this day is still to come",
    "this is no day",
    "write the day on which it was handed over",
    "nobody is chosen",
    "choose at least one participant",
    "these are {n} cards, and at most {most} are printed at once",
    "name fewer, then the others",
    "it is not known whether {provider} carries answers by text in {country}",
    "it is not known whether {provider} carries links in texts in {country}",
    "it is not known whether {provider} carries texts to {country}",
    "{country} takes texts from registered sender names only",
    "Have the sender name registered with the provider before the study goes live (TWILIO_FROM).",
    "Send a text and, for sms-reply, an answer from a telephone of that country before the study goes live.",
    "write {channel} in the column channel: it works there",
    "these texts are missing or hold an internet address: {texts}",
    "the code of line {line} again (capital letters do not tell two participants apart)",
    "take one of the rows out, or give one of the participants another code",
    "this column is missing",
    'add a column "{column}"',
    "unknown column",
    "take this column out of the file",
    "take it out of the file, or choose its columns",
    BLINDING,
    "{n} cells for {m} columns",
    "give every row as many cells as there are columns",
    "the file holds no participants",
    "write one row for each participant below the names of the columns",
    "the file is empty",
    "this is a spreadsheet's own format (xlsx, ods), not CSV",
    'in the spreadsheet choose "Save as" and the type "CSV UTF-8 (comma delimited)"',
    "the file is not UTF-8; it looks like Windows-1254 (Turkish) or another older alphabet",
    "no file was chosen",
    "choose a CSV file",
    "the file that was looked at did not come back as it was",
    "choose it again",
    "the file is too large for the dashboard",
    "import it on the command line: pro-service participant import FILE --dry-run",
    "take this field out of the report in REDCap, export again without it, and import that",
    f"the events are of {{n}} arms, and in REDCap an arm is often the treatment group: {BLINDING}",
    "the export has events, and the mapping names none",
    "no row is of the event {event}",
    "the mapping names this column, and the export has none of that name",
    "correct the mapping, or put the field into the report",
    "{given} is not in the mapping's values",
    "add it; there are: {known}",
    "{box} is ticked, and {column} is empty",
    "write it in REDCap and export again",
    "{box} is no checkbox: {given}",
    "it must be 1 or 0, Checked or Unchecked",
    "{given} is not written as {format}",
    "correct `format` in the mapping",
    "is missing",
    "choose one of the export's columns",
    "needs one of `from` and `always`",
    "choose a column, or the same for everybody; not both",
    "these values cannot be read",
    "write code=word, separated by commas: 1=tr, 2=en",
)
"""What is said of a row or a file, with blanks; the catalogue translates each whole, else it stays English."""

_CHOOSE: Mapping[str, str] = {
    "is missing": "choose one of the export's columns",
    "needs one of `from` and `always`": "choose a column, or the same for everybody; not both",
}
"""Faults of a mapping whose remedy speaks of its file, and what to do in the form."""

INSTEAD = (
    "Leave messaging_consent and channel empty (the telephone may stay): coordinators then call at each window. Or "
    "write sms-card in the column channel and give the participant the printed card: its texts hold no address and ask "
    "for no reply. Or connect a gateway of that country and state it in the study file as a route override with its "
    "reason."
)
BY_PHONE = "Leave messaging_consent and channel empty (the telephone may stay): coordinators then call at each window."


def fault_words(fault: Fault, *, form: bool = False) -> tuple[str, str]:
    """Return (what, what to do) in the reader's language. `form`: of the page's form, which has no columns."""
    remedy = _CHOOSE.get(fault.fault, fault.remedy)
    if remedy.startswith("take it out; known columns:"):
        # The page says above which columns there are, and need not say it once for each.
        remedy = "take it out of the file, or choose its columns"
    return _translated(fault.fault), _remedy_in_form(fault) if form else _translated(remedy)


def _remedy_in_form(fault: Fault) -> str:
    """Return what to do on the page where a file's remedy would speak of columns or commands."""
    if "pro-service participant" in fault.remedy:
        return _("nothing is changed from here: open the participant and change it there, or give another code")
    if fault.remedy.startswith(INSTEAD) or fault.remedy.endswith(BY_PHONE) or "messaging_consent" in fault.remedy:
        return _(
            "Choose the printed card, or leave consent and channel empty: then people call. The number may stay if it "
            "is only called."
        )
    return _translated(fault.remedy)


def _translated(text: str) -> str:
    for template, pattern in _patterns().items():
        found = pattern.fullmatch(text)
        if found is not None:
            blanks = found.groupdict()
            named = {"which": column(blanks.get("which", "")), "country": _country(blanks.get("country", ""))}
            return _(template).format(**blanks | named)
    return problems.cell_words(text)


def _country(name: str) -> str:
    """Return a country of the table of routes in the reader's language."""
    code = next((row.country for row in ROUTES if row.name == name), name)
    return str(Locale(language()).territories.get(code, name))


@lru_cache(maxsize=1)
def _patterns() -> Mapping[str, re.Pattern[str]]:
    return {
        template: re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(template)), re.DOTALL)
        for template in SENTENCES
    }


def titles() -> dict[str, str]:
    """Return what the parts of the form are called."""
    return {
        "who": _("Who"),
        "procedure": _("Procedure"),
        "contact": _("How they are reached"),
        "baseline": _("Baseline, before the procedure"),
    }


def fields(protocol: Protocol, sites: Mapping[str, str]) -> dict[str, tuple[Field, ...]]:
    """Return the form in its parts; `sites`: code -> name of those one may enrol at."""
    where = tuple((code, f"{code} · {name}") for code, name in sites.items())
    where = where if len(where) == 1 else (("", _("not chosen")), *where)
    tongues = {"tr": _("Turkish"), "en": _("English")}
    languages = tuple((code, tongues.get(code, code)) for code in protocol.languages)
    return {
        "who": (
            Field("participant", "text", _("Participant code"), _("As in the study's list, e.g. P-001. Never a name.")),
            Field("site", "select", _("Site"), options=where),
            Field("language", "select", _("Language of texts and forms"), options=languages),
        ),
        "procedure": (
            Field("procedure_date", "date", _("Procedure date"), _("Planned ones too: confirm them on the day.")),
            Field("procedure_time", "time", _("End of the procedure"), _("At the site, if it has ended. Else empty.")),
        ),
        "contact": (
            Field("messaging_consent", "date", _("Consent to messages given on"), _("Empty: people call, no texts.")),
            Field("phone", "tel", _("Telephone"), _("With the country's code: +90 532 123 45 67. Kept encrypted.")),
            Field(
                "channel",
                "select",
                _("How they are asked"),
                _("Matters with consent alone. Not chosen: what works in the telephone's country."),
                (("", _("not chosen")), *_channels()),
            ),
            Field("timezone", "text", _("Time zone"), _("Only if they live by another clock, e.g. Europe/Berlin")),
        ),
        "baseline": tuple(_baseline(protocol)),
    }


def _channels() -> tuple[tuple[str, str], ...]:
    known = {
        "sms-reply": _("a text, answered by text"),
        "sms-link": _("a text with a link"),
        "sms-card": _("a text; answers with the printed card"),
    }
    return tuple((code, known[code]) for code in CHANNELS)


def _baseline(protocol: Protocol) -> list[Field]:
    items = protocol.baseline.items if protocol.baseline else ()
    return [
        Field(
            column,
            "text",
            of(protocol.items[item].short),
            _("{least} to {most}; empty if it was not asked").format(
                least=protocol.items[item].minimum, most=protocol.items[item].maximum
            ),
        )
        for column, item in columns_of(items).items()
    ]


def columns() -> dict[str, str]:
    """Return what the columns are called where people read them."""
    return {
        "participant": _("Participant code"),
        "site": _("Site"),
        "procedure_date": _("Procedure date"),
        "procedure_time": _("End of the procedure"),
        "language": _("Language"),
        "messaging_consent": _("Consent to messages"),
        "phone": _("Telephone"),
        "email": _("E-mail address"),
        "timezone": _("Time zone"),
        "channel": _("How they are asked"),
    }


def column_of_export(path: str) -> str:
    """Return a fault's column in the reader's words, with what the export calls it."""
    name, _space, theirs = path.partition(" (")
    return f"{column(name)} ({theirs}" if theirs else column(name)


def column(name: str) -> str:
    """Return a column in the reader's words; one of the baseline by its item."""
    if name.startswith(BASELINE):
        return _("Baseline {item}").format(item=name.removeprefix(BASELINE).upper().replace("_", "-"))
    return columns().get(name, name)

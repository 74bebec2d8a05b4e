"""What goes wrong, in the reader's language; and the columns of an enrolment file, which it speaks of."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from babel import Locale

from pro_service.core import problems
from pro_service.core.enrolment.file import BASELINE
from pro_service.core.problems import ChannelCode, Column, Country, Problem
from pro_service.web.i18n import day, gettext, language
from pro_service.web.i18n import gettext as _


def words(found: Problem, *, of_file: bool = False) -> tuple[str, str]:
    """Return (what is wrong, what to do about it); `of_file`: channels are named as an enrolment file names them."""
    return problems.words(found, gettext, _shown_of_file if of_file else _shown, on_page=True)


def by_field(faults: Iterable[Problem]) -> Mapping[str, str]:
    """Return what to do about each field, by field: the first fault of each."""
    found = dict[str, str]()
    for fault in faults:
        found.setdefault(fault.path, words(fault)[1])
    return found


def _shown(value: object) -> str:
    match value:
        case Country():
            return str(Locale(language()).territories.get(value.code, value.name))
        case Column():
            return column(value)
        case ChannelCode():
            return f"“{channels()[value]}”"
        case date() if not isinstance(value, datetime):
            return day(value)
        case _:
            return str(value)


def _shown_of_file(value: object) -> str:
    return str(value) if isinstance(value, ChannelCode) else _shown(value)


def channels() -> dict[str, str]:
    """Return what the channels are called where one is chosen."""
    return {
        "sms-reply": _("a text, answered by text"),
        "sms-link": _("a text with a link"),
        "sms-card": _("a text; answers with the printed card"),
        "email-link": _("a mail with a link"),
        "whatsapp": _("a WhatsApp message, answered there"),
    }


def columns() -> dict[str, str]:
    """Return what the columns are called where people read them."""
    return {
        "participant": _("Participant code"),
        "site": _("Site"),
        "procedure_date": _("Procedure date"),
        "procedure_time": _("End of the procedure"),
        "language": _("Language"),
        "messaging_consent": _("Consent to texts"),
        "email_consent": _("Consent to mails"),
        "whatsapp_consent": _("Consent to WhatsApp"),
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

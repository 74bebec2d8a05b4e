"""The fields of the form in which one participant is enrolled, in the reader's language."""

from collections.abc import Mapping

from pro_service.core import ladder as ladders
from pro_service.core.enrolment.file import columns_of
from pro_service.core.protocol import Protocol
from pro_service.core.routes import CHANNELS
from pro_service.web.dashboard.change_words import Field
from pro_service.web.i18n import gettext as _
from pro_service.web.i18n import of
from pro_service.web.problems import channels


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
            Field("language", "select", _("Language of messages and forms"), options=languages),
        ),
        "procedure": (
            Field("procedure_date", "date", _("Procedure date"), _("Planned procedures too: confirm them on the day.")),
            Field(
                "procedure_time",
                "time",
                _("End of the procedure"),
                _("Local time of the site, if it has ended. Otherwise leave it empty."),
            ),
        ),
        "contact": (
            Field("messaging_consent", "date", _("Consent to texts given on"), _("Empty: no texts.")),
            Field("phone", "tel", _("Telephone"), _("With the country's code: +90 532 123 45 67. Stored encrypted.")),
            Field("email_consent", "date", _("Consent to mails given on"), _("Empty: no mails.")),
            Field("email", "email", _("E-mail address"), _("Stored encrypted.")),
            Field("whatsapp_consent", "date", _("Consent to WhatsApp given on"), _("Empty: nothing on WhatsApp.")),
            Field(
                "channel",
                "select",
                _("How they are asked"),
                _("Used only with a consent to it. Not chosen: what works in the telephone's country."),
                (("", _("not chosen")), *_channels()),
            ),
            Field(
                "channel_2",
                "select",
                _("If that fails, they are asked by"),
                _("Asks on the same day if the one before it fails for good. After the last one, people call."),
                (("", _("nothing more: people call")), *_channels()),
            ),
            Field(
                "channel_3",
                "select",
                _("If that fails too, they are asked by"),
                options=(("", _("nothing more: people call")), *_channels()),
            ),
            Field("timezone", "text", _("Time zone"), _("Only if they live in another time zone, e.g. Europe/Berlin")),
        ),
        "baseline": tuple(_baseline(protocol)),
    }


def cells(typed: Mapping[str, str]) -> dict[str, str]:
    """Return what was filled in as the cells of a row: its channels are one ladder."""
    chosen = [typed.get(name, "") for name in ladders.RUNGS]
    given = {name: value for name, value in typed.items() if name not in ladders.RUNGS}
    return given | {"channel": ladders.written([channel for channel in chosen if channel])}


def _channels() -> tuple[tuple[str, str], ...]:
    known = channels()
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

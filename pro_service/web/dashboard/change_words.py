"""The words of staff's changes: their names, their fields, what becomes of windows, answers and texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pro_service.core.case import CONSENTED, Case
from pro_service.core.protocol import Medium, Site
from pro_service.core.routes import CHANNELS
from pro_service.use_cases.participants.change_form import BY_TELEPHONE, GIVEN, NO_CONSENT, STANDS, Action
from pro_service.web.i18n import gettext as _
from pro_service.web.i18n import of

Kind: TypeAlias = Literal["date", "time", "tel", "email", "text", "select", "radio", "check"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a change's form, in the reader's words."""

    name: str
    kind: Kind
    label: str
    help: str = ""
    options: tuple[tuple[str, str], ...] = ()
    """(value, word), of a choice."""
    value: str = ""
    """What stands in it at first."""


def words() -> dict[str, dict[str, str]]:
    """Return the words of each kind of code, for the vocabulary of the pages."""
    return {"change": changes(), "verdict": _verdicts(), "fate": _fates(), "fact": _facts(), "cause": _causes()}


def changes() -> dict[str, str]:
    """Return what each change is called."""
    return {
        "reschedule": _("Procedure date"),
        "phone": _("Telephone number"),
        "email": _("E-mail address"),
        "language": _("Language"),
        "zone": _("Time zone"),
        "channel": _("How they are asked"),
        "consent": _("Consent to messages"),
        "pause": _("Pause prompts"),
        "resume": _("Resume prompts"),
        "move": _("Another site"),
        "withdraw": _("Withdrawal"),
        "died": _("Has died"),
        "reinstate": _("Undo the withdrawal or death"),
    }


def explained(action: Action) -> str:
    """Return what a change does, in a sentence."""
    return {
        "reschedule": _("Windows are calculated again from the right day; answers are kept and assessed again."),
        "phone": _("Messages that wait for the old number are not sent. The old number is stored encrypted."),
        "email": _("Mails that wait for the old address are not sent. The new one is stored encrypted."),
        "language": _("Messages and forms from now on; what was sent is not repeated."),
        "zone": _("Prompts follow this time zone from now on; what was sent is not repeated."),
        "channel": _(
            "The first channel that reaches them asks, from the next prompt on; what was sent is not repeated."
        ),
        "consent": _("Given for texts, mails and WhatsApp one by one. Where none is left, people call."),
        "pause": _("No prompts until that day; then they begin again by themselves. Calls go on."),
        "resume": _("Ends a pause, or a hold after a stop word, now."),
        "move": _("Pages and open tasks go to the new site, and windows to come follow its calendar."),
        "withdraw": _("From messages: nothing more is sent, calls are still allowed. From the study: everything ends."),
        "died": _("Nothing is sent any more from this moment on, and all tasks end."),
        "reinstate": _("It was entered by mistake. Tasks are open again, windows are counted again, prompts go on."),
    }[action]


def fields(action: Action, case: Case) -> tuple[Field, ...]:
    """Return the fields of a change's form."""
    person, protocol = case.participant, case.protocol
    on = Field("on", "date", _("Day"), _("If it was not today"))
    consent = _("The day on which it was given; empty: not")
    found: Mapping[str, tuple[Field, ...]] = {
        "reschedule": (
            Field("procedure_date", "date", _("Procedure date"), value=person.procedure_date.isoformat()),
            Field("procedure_time", "time", _("End of the procedure"), _("At the site; empty: as it is")),
        ),
        "pause": (Field("until", "date", _("Until"), _("Prompts begin again on this day")),),
        "resume": (),
        "withdraw": (Field("from", "radio", _("Withdraws from"), options=_origins()), on),
        "died": (on,),
        "reinstate": (),
        "phone": (
            Field("number", "tel", _("New number"), _("With + and the country's code")),
            Field("remove", "check", _("There is no number any more")),
            Field("messages", "radio", _("Consent to messages on it"), options=_consents(case, *BY_TELEPHONE)),
            Field("consent", "date", _("Day of the consent"), _("Only if it was given for this number")),
        ),
        "email": (
            Field("address", "email", _("New address"), _("Stored encrypted")),
            Field("remove", "check", _("There is no address any more")),
            Field("messages", "radio", _("Consent to mails to it"), options=_consents(case, "email")),
            Field("consent", "date", _("Day of the consent"), _("Only if it was given for this address")),
        ),
        "move": (Field("site", "select", _("Site"), options=_named(protocol.sites), value=person.site.code),),
        "language": (
            Field("language", "select", _("Language"), options=_named(protocol.languages), value=person.language),
        ),
        "zone": (Field("timezone", "text", _("Time zone"), _("E.g. Europe/Berlin"), value=person.zone.key),),
        "channel": (
            Field("channel", "select", _("How they are asked"), options=_channels(), value=person.channel),
            Field(
                "channel_2",
                "select",
                _("If that fails, they are asked by"),
                _("Asks on the same day if the one before it fails for good"),
                (("", _("nothing more: people call")), *_channels()),
                person.channel_2 or "",
            ),
            Field(
                "channel_3",
                "select",
                _("If that fails too, they are asked by"),
                options=(("", _("nothing more: people call")), *_channels()),
                value=person.channel_3 or "",
            ),
        ),
        "consent": (
            Field("medium", "select", _("Consent to"), options=_media()),
            Field("consent", "date", _("Consent given on"), consent),
            Field("withdrawn", "check", _("It is taken back: nothing goes that way any more")),
        ),
    }
    return found[action]


def _consents(case: Case, *media: Medium) -> tuple[tuple[str, str], ...]:
    """Return what may be said of the consent for a new number or address; without one before there is none to stand."""
    if "email" in media:
        stands = _("They said that their consent stands for this address too")
        given, none = _("Given for this address, on the day below"), _("None: no mails")
    else:
        stands = _("They said that their consent stands for this number too")
        given, none = _("Given for this number, on the day below"), _("None: calls only")
    others = ((GIVEN, given), (NO_CONSENT, none))
    agreed = any(getattr(case.participant, CONSENTED[medium]) is not None for medium in media)
    return ((STANDS, stands), *others) if agreed else others


def _media() -> tuple[tuple[Medium, str], ...]:
    return (("sms", _("texts (SMS)")), ("email", _("mails")), ("whatsapp", _("WhatsApp")))


def _origins() -> tuple[tuple[str, str], ...]:
    return (("messages", _("Messages only: stays in the study")), ("study", _("The study: everything ends")))


def _named(codes: Mapping[str, Site] | tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    if isinstance(codes, tuple):
        return tuple((code, code.upper()) for code in codes)
    return tuple((code, f"{code} · {of(site.name)}") for code, site in codes.items())


def _channels() -> tuple[tuple[str, str], ...]:
    known = {
        "sms-reply": _("answers by text"),
        "sms-link": _("answers by link"),
        "sms-card": _("answers with the printed card"),
        "email-link": _("gets a mail with a link"),
        "whatsapp": _("answers on WhatsApp"),
    }
    return tuple((code, known.get(code, code)) for code in CHANNELS)


def actions() -> dict[str, str]:
    """Return what the audit trail's actions are called."""
    return {
        "reschedule": _("Procedure date changed"),
        "pause": _("Prompts paused"),
        "resume": _("Prompts resumed"),
        "new_telephone": _("Another telephone number"),
        "new_address": _("Another e-mail address"),
        "language": _("Language changed"),
        "zone": _("Time zone changed"),
        "channel": _("Channel changed"),
        "consent": _("Consent changed"),
        "move": _("Moved to another site"),
        "migrate": _("Moved to another protocol version"),
    }


def _causes() -> dict[str, str]:
    return {
        "confirm": _("procedure confirmed on another day, or with its time"),
        "reschedule": _("procedure date changed"),
        "move": _("moved to another site"),
        "migrate": _("another protocol version"),
    }


def _verdicts() -> dict[str, str]:
    return {
        "in_window": _("kept, in the window"),
        "late": _("kept, late"),
        "baseline": _("kept, the baseline"),
        "early": _("early: stays with the old window; asked again"),
        "too_late": _("too late: stays with the old window"),
        "not_asked": _("not asked any more: stays with the old window"),
    }


def _fates() -> dict[str, str]:
    return {
        "counts": _("sent; counts for the window, not repeated"),
        "past": _("sent; was about the old window"),
        "withdrawn": _("waits; will not be sent"),
        "waits": _("waits"),
        "may_arrive": _("may be on its way already"),
    }


def ladder_facts() -> dict[str, str]:
    """Return what the facts of a participant's further channels are called, in changes and in the trail."""
    return {
        "channel_2": _("If that fails, they are asked by"),
        "channel_3": _("If that fails too, they are asked by"),
        "email_consented_at": _("Consent to mails"),
        "email_unreachable_at": _("Mails do not arrive since"),
        "whatsapp_consented_at": _("Consent to WhatsApp"),
        "whatsapp_unreachable_at": _("Not reached on WhatsApp since"),
    }


def _facts() -> dict[str, str]:
    return {
        "procedure_date": _("Procedure date"),
        "procedure_end": _("End of the procedure"),
        "confirmed_at": _("Procedure confirmed"),
        "consented_at": _("Consent to texts"),
        "opted_out_at": _("Wants no messages since"),
        "paused_at": _("Paused since"),
        "paused_until": _("Paused until"),
        "texts_held_until": _("Messages held until"),
        "withdrawn_at": _("Withdrawn from the study"),
        "died_at": _("Died"),
        "unreachable_at": _("Number not usable since"),
        **ladder_facts(),
        "card_made_at": _("Card made"),
        "card_handed_at": _("Card handed over"),
        "phone": _("Telephone number"),
        "email": _("E-mail address"),
        "language": _("Language"),
        "zone": _("Time zone"),
        "channel": _("How they are asked"),
        "site": _("Site"),
        "version": _("Protocol version"),
        "part_of_day": _("Part of the day"),
        "due_at": _("To be done by"),
    }

"""A change as it was filled in, on the command line or a page -> the change, or everything that is wrong with it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias, TypeVar, cast, get_args
from zoneinfo import ZoneInfo

from pro_service.core import ladder as ladders
from pro_service.core.case import CONSENTED
from pro_service.core.changes.model import (
    Change,
    Die,
    Move,
    NewAddress,
    NewChannel,
    NewConsent,
    NewLanguage,
    NewTelephone,
    NewZone,
    Origin,
    Pause,
    Reinstate,
    Reschedule,
    Resume,
    Withdraw,
)
from pro_service.core.enrolment import cells
from pro_service.core.enrolment.cells import CellError
from pro_service.core.ladder import Ladder
from pro_service.core.problems import ChangeRefusedError, ChannelCode, Problem, problem
from pro_service.core.protocol import MEDIA, Channel, Language, Medium
from pro_service.core.replies.folding import visible
from pro_service.core.routes import BY_TEXT, CARD, CHANNELS, Carriers, preflight, preflight_number
from pro_service.core.schedule.windows import local_instant
from pro_service.core.study_file.frames import Frames, lacks_texts, unfit_for_cards
from pro_service.store.participants.cases import Loaded
from pro_service.use_cases import phone_numbers
from pro_service.use_cases.phone_numbers import Telephone

Action: TypeAlias = Literal[
    "reschedule",
    "pause",
    "resume",
    "withdraw",
    "died",
    "reinstate",
    "phone",
    "email",
    "move",
    "language",
    "zone",
    "channel",
    "consent",
]
ACTIONS: tuple[Action, ...] = get_args(Action)
STANDS = "stands"
"""The participant said that the consent there is holds for the new number or address too."""
GIVEN, NO_CONSENT = "given", "none"
"""The other answers to the page's question about it: on the day in the field `consent`, and not."""
LONGEST_REASON = 300
BY_TELEPHONE: tuple[Medium, ...] = ("sms", "whatsapp")
_MIDNIGHT = time(0)

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class ChangeForm:
    """One change as it was filled in; empty and absent are the same."""

    action: Action
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What the form is read against."""

    loaded: Loaded
    country: str | None
    """Of the number there is."""
    now: datetime
    frames: Frames
    """Of the version they keep."""
    own: Collection[str] = ()
    """Telephones of the study."""
    carriers: Carriers = field(default_factory=Carriers)


@dataclass(frozen=True, slots=True)
class Read:
    """The change, and the number or address, where it is about one."""

    change: Change
    telephone: Telephone | None = None
    address: str | None = None


class _Form:
    """The fields of one form and what was found about them."""

    def __init__(self, wanted: ChangeForm, known: Known) -> None:
        self.wanted, self.known = wanted, known
        self.case = known.loaded.case
        self.notes: list[Problem] = []

    def text(self, name: str) -> str:
        return visible(self.wanted.fields.get(name, ""))

    def read(self, name: str, reader: Callable[[str], Value]) -> Value | None:
        """The value of a field; None with a note if it cannot be used."""
        try:
            return reader(self.text(name))
        except CellError as error:
            self.notes.append(error.problem.at(name))
            return None

    def day(self, name: str) -> date | None:
        return self.read(name, cells.day)

    def instant(self, name: str, zone: ZoneInfo) -> datetime | None:
        """The beginning of a day in a zone; None if the field is empty, or cannot be used."""
        day = self.day(name) if self.text(name) else None
        return None if day is None else local_instant(day, _MIDNIGHT, zone)

    def one_of(self, name: str, known: Iterable[str], unknown: str) -> str | None:
        return self.read(name, lambda text: cells.one_of(text, known, unknown))


def read(wanted: ChangeForm, known: Known) -> Read:
    """The change that was filled in. ChangeRefusedError with everything that is wrong with the form."""
    form = _Form(wanted, known)
    found = _READERS[wanted.action](form) if wanted.action in _READERS else None
    if found is None and not form.notes:
        form.notes.append(problem("unknown_action"))
    reason = wanted.reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        form.notes.append(problem("needs_reason", "reason", most=LONGEST_REASON))
    if form.notes or found is None:
        raise ChangeRefusedError(tuple(form.notes))
    return found


def _reschedule(form: _Form) -> Read | None:
    day = form.day("procedure_date")
    zone, before = form.case.site_zone, form.case.participant.procedure_end
    at = None if before is None else before.astimezone(zone).time()
    if form.text("procedure_time"):
        at = form.read("procedure_time", cells.clock)
    end = None if at is None or day is None else local_instant(day, at, zone)
    return None if day is None else Read(Reschedule(day, end))


def _pause(form: _Form) -> Read | None:
    if not form.text("until"):
        form.day("until")
        return None
    until = form.instant("until", form.case.participant.zone)
    return None if until is None else Read(Pause(until))


def _resume(form: _Form) -> Read:
    del form
    return Read(Resume())


def _withdraw(form: _Form) -> Read | None:
    origin = form.one_of("from", get_args(Origin), "not_to_withdraw_from")
    if origin == "messages" and form.text("on"):
        form.notes.append(problem("no_day_needed", "on"))
    at = form.instant("on", form.case.site_zone)
    return None if origin is None else Read(Withdraw(cast("Origin", origin), at))


def _died(form: _Form) -> Read:
    return Read(Die(form.instant("on", form.case.site_zone)))


def _reinstate(form: _Form) -> Read:
    del form
    return Read(Reinstate())


def _phone(form: _Form) -> Read | None:
    """As at enrolment: a number that is only called may be any; one that gets texts must be able to."""
    person = form.case.participant
    consents = _consents_to_new(form, "number", *BY_TELEPHONE)
    if form.text("remove"):
        if form.text("number"):
            form.notes.append(problem("number_or_none", "number"))
        return Read(NewTelephone(given=False, consents=dict.fromkeys(BY_TELEPHONE)))
    if not form.text("number"):
        form.notes.append(problem("needs_number", "number"))
        return None
    phone = form.read("number", lambda text: phone_numbers.read(text, person.site.country, form.known.own))
    if phone is None:
        return None
    if consents["sms"] is not None:
        _can_be_texted(form, phone)
    if consents["whatsapp"] is not None:
        _can_go_by(form, "number", "whatsapp")
    return Read(NewTelephone(given=True, consents=consents), phone)


def _email(form: _Form) -> Read | None:
    consented_at = _consents_to_new(form, "address", "email")["email"]
    if form.text("remove"):
        if form.text("address"):
            form.notes.append(problem("address_or_none", "address"))
        return Read(NewAddress(given=False, consented_at=None))
    if not form.text("address"):
        form.notes.append(problem("needs_address", "address"))
        return None
    address = form.read("address", cells.email)
    if address is None:
        return None
    if consented_at is not None:
        _can_go_by(form, "address", "email")
    return Read(NewAddress(given=True, consented_at=consented_at), address=address)


def _consents_to_new(form: _Form, name: str, *media: Medium) -> dict[Medium, datetime | None]:
    """Return the consents that were said to hold for what is new in a field: as they stand, or given on a day.

    A day holds for the media that were agreed to before; where none was, for the first of them.
    """
    before, choice = len(form.notes), form.text("messages")
    consent = STANDS if choice == STANDS else form.text("consent")
    if "messages" in form.wanted.fields and form.text(name) and not (choice or consent):
        form.notes.append(problem("consent_not_said", "messages"))
    if choice == GIVEN and not consent:
        form.notes.append(problem("needs_consent_day", "consent"))
    elif choice in (STANDS, NO_CONSENT) and form.text("consent"):
        form.notes.append(problem("consent_day_or_not", "consent"))
    stand: dict[Medium, datetime | None] = {
        medium: getattr(form.case.participant, CONSENTED[medium]) for medium in media
    }
    agreed = [medium for medium, at in stand.items() if at is not None]
    if consent == STANDS:
        if not agreed and len(form.notes) == before:
            form.notes.append(problem("nothing_stands", "consent"))
        return stand
    at = _consented(form)
    return {medium: at if medium in (agreed or media[:1]) else None for medium in media}


def _consented(form: _Form) -> datetime | None:
    return form.read("consent", lambda text: cells.consent(text, form.case.site_zone, form.known.now))


def _can_be_texted(form: _Form, phone: Telephone) -> None:
    landline = phone.kind == "landline"
    findings = preflight_number(_provider(form, phone.country), phone.country, phone.e164, landline=landline)
    form.notes += [finding.at("number") for finding in findings]
    if landline and not findings:
        form.notes.append(problem("landline", "number"))
    _can_go_by(form, "number", "sms", phone.country)


def _can_go_by(form: _Form, name: str, medium: Medium, country: str | None = None) -> None:
    """Note what is missing for the participant's channel of a medium; `country` is that of the telephone."""
    for channel in form.case.participant.ladder:
        if MEDIA[channel] == medium:
            _check_rung(form, name, channel, country)


def _check_rung(form: _Form, name: str, channel: Channel, country: str | None) -> None:
    """Note what is missing for one channel: a provider, a way to this country, texts of the version they keep."""
    if channel in BY_TEXT and country is not None:
        _route(form, name, country, channel)
    form.notes += [lack.at(name) for lack in form.known.carriers.lacking_for(channel)]
    if any(lacks_texts(form.case.protocol, given, channel) for given in form.known.frames.values()):
        form.notes.append(problem("version_lacks_channel", name, channel=ChannelCode(channel)))


def _provider(form: _Form, country: str) -> str:
    return form.known.carriers.to(country, form.case.participant.site.provider)


def _route(form: _Form, name: str, country: str, channel: str) -> None:
    routes = preflight(_provider(form, country), country, channel, form.case.protocol.routes)
    lacking = form.known.carriers.lacking(form.case.participant.site)
    form.notes += [one.at(name) for one in (*lacking, *routes) if one.severity == "refuse"]


def _texts_fit(form: _Form, name: str, ladder: Ladder, language: Language) -> None:
    """Texts to a participant with a card hold no address: the version they keep must have such texts."""
    unfit = unfit_for_cards(form.case.protocol, language, form.known.frames.get(language, {})) if CARD in ladder else ()
    if unfit:
        form.notes.append(problem("kept_texts_unfit_for_card", name, texts=unfit))


def _move(form: _Form) -> Read | None:
    sites = form.case.protocol.sites
    code = form.one_of("site", sites, "not_a_site")
    return None if code is None else Read(Move(sites[code]))


def _language(form: _Form) -> Read | None:
    language = form.one_of("language", form.case.protocol.languages, "not_a_language")
    if language is not None:
        _texts_fit(form, "language", form.case.participant.ladder, language)
    return None if language is None else Read(NewLanguage(language))


def _zone(form: _Form) -> Read | None:
    zone = form.read("timezone", lambda text: cells.zone(text or form.case.participant.site.zone))
    return None if zone is None else Read(NewZone(zone))


def _channel(form: _Form) -> Read | None:
    """The rungs of a page are a ladder, as the one text of a command is."""
    written = [text for name in ladders.RUNGS if (text := form.text(name))]
    if not written:
        form.one_of("channel", CHANNELS, "not_a_channel")
        return None
    ladder, faults = ladders.read(ladders.written(written))
    form.notes += [fault.at("channel") for fault in faults]
    person = form.case.participant
    for channel in ladder:
        _check_rung(form, "channel", channel, form.known.country if person.consented_at is not None else None)
    _texts_fit(form, "channel", ladder, person.language)
    return Read(NewChannel(ladder)) if ladder else None


def _consent(form: _Form) -> Read | None:
    """Given (again) on a day, or taken back: one of the two must be said."""
    given, taken_back = form.text("consent"), form.text("withdrawn")
    medium = form.one_of("medium", CONSENTED, "not_a_medium") if form.text("medium") else "sms"
    if bool(given) == bool(taken_back):
        form.notes.append(problem("given_or_taken_back", "consent"))
        return None
    at = None if taken_back else _consented(form)
    if medium is None or (given and at is None):
        return None
    if at is not None:
        _can_go_by(form, "consent", cast("Medium", medium), form.known.country)
    return Read(NewConsent(at, cast("Medium", medium)))


_READERS: Mapping[str, Callable[[_Form], Read | None]] = {
    "reschedule": _reschedule,
    "pause": _pause,
    "resume": _resume,
    "withdraw": _withdraw,
    "died": _died,
    "reinstate": _reinstate,
    "phone": _phone,
    "email": _email,
    "move": _move,
    "language": _language,
    "zone": _zone,
    "channel": _channel,
    "consent": _consent,
}


def tomorrow(now: datetime, zone: ZoneInfo) -> date:
    """The first day that a pause can end on."""
    return now.astimezone(zone).date() + timedelta(days=1)

"""What a provider can carry to each country, as data, and the check before a study relies on it.

Of several rows of one country the first whose provider is configured counts. Source of the rows: Twilio's SMS
guidelines per country (twilio.com/guidelines/<country>/sms), undated archived copies read in November 2026, and for
Turkey the study's delivery rules and Verimor's public guide. Rules of operators change: a row says what was read, None
says that nothing was, and a study file may state its own reason against a refusal.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import time
from typing import Literal, TypeAlias, get_args

from pro_service.core.problems import ChannelCode, Country, Problem, problem
from pro_service.core.protocol import MEDIA, Channel, Medium, RouteOverride, Site
from pro_service.core.providers import FACTS, SMS

CHANNELS: tuple[Channel, ...] = get_args(Channel)
BY_TEXT: tuple[Channel, ...] = tuple(channel for channel in CHANNELS if MEDIA[channel] == "sms")
"""Channels that a route can refuse, because texts are carried otherwise in each country."""
OTHERWISE: tuple[Channel, ...] = tuple(channel for channel in CHANNELS if channel not in BY_TEXT)
"""Channels that go by no text: the country does not matter to them."""
CARD: Channel = "sms-card"
"""A text that only says that the questions are open: the printed card holds the address and the code."""

Sender: TypeAlias = Literal["alphanumeric", "long-code", "toll-free", "short-code"]


@dataclass(frozen=True, slots=True)
class Prefix:
    """Numbers of a country that a provider does not serve although they look valid."""

    digits: str
    """Beginning of the E.164 form, `+` included."""
    why: str
    """The code of what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Route:
    """What one provider can carry to one country; None means that no source says so."""

    provider: str
    country: str
    """ISO 3166-1 alpha-2; empty for a country without a row."""
    name: str
    two_way: bool | None
    """Participants can answer by text."""
    urls: bool | None
    """Texts that hold an internet address arrive."""
    senders: tuple[Sender, ...] = ("long-code",)
    landlines: bool = False
    """Texts to landlines are taken by the provider (False: refused, error 21614)."""
    suffix: int = 0
    """Characters that operators append, to be kept free."""
    opt_out: Literal["provider", "study"] = "provider"
    """Who answers STOP: the provider by default where it receives texts, else nobody but the study's people."""
    quiet: tuple[time, time] | None = None
    """Local time from which until which operators hold promotional texts; a study's own contact hours are narrower."""
    unserved: tuple[Prefix, ...] = ()
    caution: str = ""
    """The code of what to clear before going live."""
    note: str = ""
    """Source and date."""


_READ = "Twilio SMS guidelines, archived copy read 2026-11"

ROUTES: tuple[Route, ...] = (
    Route(
        "verimor",
        "TR",
        "Turkey",
        two_way=True,
        urls=True,
        senders=("alphanumeric", "long-code", "short-code"),
        opt_out="study",
        note=(
            "Verimor's public guide to its SMS API, read 2026-11; tried against an emulator only, until an account "
            "exists. A header is registered beforehand; replies come to a number or short code of one's own."
        ),
    ),
    Route(
        "twilio",
        "TR",
        "Turkey",
        two_way=False,
        urls=False,
        senders=("alphanumeric",),
        suffix=5,
        opt_out="study",
        unserved=(
            Prefix("+905338", "northern_cyprus"),
            Prefix("+905488", "northern_cyprus"),
            Prefix("+90392", "northern_cyprus"),
        ),
        note=(
            f"{_READ}: no two-way, sender name registered beforehand (about two weeks), landlines refused (21614). "
            "Since 2026-04-01 texts from abroad that hold an internet address are not delivered: reported by press and "
            "carriers, the decision itself was not read."
        ),
    ),
    Route(
        "twilio",
        "US",
        "United States",
        two_way=True,
        urls=True,
        senders=("long-code", "toll-free", "short-code"),
        landlines=True,
        note=f"{_READ}. Long codes need a registered A2P 10DLC campaign.",
    ),
    Route(
        "twilio",
        "CA",
        "Canada",
        two_way=True,
        urls=True,
        senders=("long-code", "toll-free", "short-code"),
        landlines=True,
        note=_READ,
    ),
    Route(
        "twilio",
        "GB",
        "United Kingdom",
        two_way=True,
        urls=True,
        senders=("alphanumeric", "long-code", "short-code"),
        landlines=True,
        note=_READ,
    ),
    Route(
        "twilio",
        "DE",
        "Germany",
        two_way=True,
        urls=True,
        senders=("alphanumeric", "long-code", "short-code"),
        note="A second party's table drawn from Twilio's guidelines, read 2026-11; Twilio's own page was not read.",
    ),
    Route("twilio", "NL", "Netherlands", two_way=True, urls=True, senders=("alphanumeric", "long-code"), note=_READ),
    Route(
        "twilio",
        "FR",
        "France",
        two_way=True,
        urls=True,
        senders=("alphanumeric", "long-code", "short-code"),
        quiet=(time(22), time(8)),
        caution="sender_to_agree",
        note=f"{_READ}; quiet hours, Sundays and holidays hold for promotional texts.",
    ),
    Route(
        "twilio",
        "ES",
        "Spain",
        two_way=None,
        urls=None,
        senders=("alphanumeric", "long-code", "short-code"),
        note="Twilio's page on texts was not read.",
    ),
    Route(
        "twilio",
        "IT",
        "Italy",
        two_way=True,
        urls=True,
        senders=("alphanumeric", "long-code"),
        quiet=(time(22), time(8)),
        note=f"{_READ}; quiet hours and Sundays hold for promotional texts. Sender names follow AGCOM 42/13/CIR.",
    ),
    Route(
        "twilio",
        "CL",
        "Chile",
        two_way=None,
        urls=None,
        note="Twilio's page on texts was not read; operators replace the sender's number.",
    ),
    Route("twilio", "AU", "Australia", two_way=True, urls=True, senders=("alphanumeric", "long-code"), note=_READ),
    Route(
        "twilio",
        "MA",
        "Morocco",
        two_way=False,
        urls=None,
        senders=("alphanumeric",),
        opt_out="study",
        note=f"{_READ}; sender name registered beforehand (about three weeks).",
    ),
)


NAMES = {facts.provider: facts.name for facts in FACTS.values()}
"""What providers call themselves."""


DEFAULT = "twilio"
"""Whose table is read where no provider is configured."""


@dataclass(frozen=True, slots=True)
class Carriers:
    """Who carries texts in one installation."""

    configured: tuple[str, ...] = ()
    """Providers, in the order of `FACTS`."""
    media: frozenset[Medium] = frozenset()
    """What leads to participants: `sms` where any provider of texts is configured."""
    senders: frozenset[str] = frozenset()
    """The numbers and names that texts come from; no participant has one of them."""
    named: frozenset[str] = frozenset()
    """Providers whose sender is a name, which nobody can reply to."""
    answered_at: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Provider -> the number that people answer to, and the word a text to it begins with, where that is no reply."""

    def lacking(self, site: Site) -> tuple[Problem, ...]:
        """Return what is missing where a site wants a provider that is not configured; nothing found is good."""
        if not site.provider or site.provider in self.configured:
            return ()
        facts = FACTS[SMS[site.provider]]
        return (problem("provider_not_configured", site=site.code, provider=facts.name, settings=facts.needs),)

    def lacking_for(self, channel: Channel) -> tuple[Problem, ...]:
        """Return what is missing for a channel that goes by no text; nothing found is good."""
        medium = MEDIA[channel]
        if medium == "sms" or medium in self.media:
            return ()
        needs = next(facts.needs for facts in FACTS.values() if facts.medium == medium)
        return (problem("channel_not_configured", channel=ChannelCode(channel), settings=needs),)

    def to(self, country: str | None, wanted: str = "") -> str:
        """Return the provider who carries texts to a country (ISO 3166-1 alpha-2, of the telephone).

        The one that its site wants; else of those that are configured the first with a row for the country, else the
        first of them.
        """
        code = (country or "").upper()
        rows = [row.provider for row in ROUTES if row.country == code]
        known = [provider for provider in rows if provider in self.configured]
        return wanted or next(iter([*known, *self.configured]), DEFAULT)


def route(provider: str, country: str) -> Route:
    """Return what is known of a provider in a country; a row of Nones if nothing is."""
    code = country.upper()
    known = (row for row in ROUTES if (row.provider, row.country) == (provider, code))
    return next(known, Route(provider, "", code or "an unknown country", two_way=None, urls=None))


def preflight(
    provider: str,
    country: str,
    channel: str,
    overrides: Iterable[RouteOverride] = (),
) -> tuple[Problem, ...]:
    """Return what stands against asking participants of a country by a channel; nothing found is good.

    `country` is ISO 3166-1 alpha-2 (of the telephone number, not of the site). A refusal for which the study file
    states a reason becomes a warning that shows the reason. A country without a row is allowed with a warning.
    """
    if channel not in CHANNELS:
        return (problem("not_a_channel", given=repr(channel), known=CHANNELS),)
    if channel not in BY_TEXT:
        return ()
    row = route(provider, country)
    if channel == CARD:
        return tuple(_of_a_card(row))
    replies = channel == "sms-reply"
    allowed = row.two_way if replies else row.urls
    found = []
    if allowed is False:
        refusal = _of_row(row, "no_answers" if replies else "no_links")
        stated = _stated(row, channel, overrides)
        found.append(_allowed(refusal, stated) if stated else refusal)
    elif allowed is None:
        found.append(_of_row(row, "unsure_answers" if replies else "unsure_links"))
    if row.caution:
        found.append(_of_row(row, row.caution))
    return tuple(found)


_ALLOWED = {"no_answers": "no_answers_allowed", "no_links": "no_links_allowed"}
"""Refusals that a study file overrules, and what they are then."""


def _allowed(refusal: Problem, stated: str) -> Problem:
    """Return a refusal as a warning that shows why the study allows it."""
    return replace(refusal, code=_ALLOWED[refusal.code], values={**refusal.values, "stated": stated})


SENDING: frozenset[str] = frozenset({"registered_sender", "sender_to_agree"})
"""What is to be minded about the sender, whatever a text holds: they speak against no channel."""


def usual_channel(provider: str, country: str, overrides: Iterable[RouteOverride] = ()) -> Channel:
    """Return the channel to begin with in a country: of BY_TEXT the first that nothing is known against.

    Where there is none, the first that is not refused. What the study file states a reason for counts as working.
    """
    stated = tuple(overrides)

    def against(channel: Channel) -> set[str]:
        found = preflight(provider, country, channel, stated)
        return {one.severity for one in found if one.code not in {*SENDING, *_ALLOWED.values()}}

    found = {channel: against(channel) for channel in BY_TEXT}
    works = (channel for channel in BY_TEXT if not found[channel])
    return next(works, next(channel for channel in BY_TEXT if "refuse" not in found[channel]))


def _of_row(row: Route, code: str) -> Problem:
    return problem(code, provider=NAMES.get(row.provider, row.provider), country=Country(row.country, row.name))


def _of_a_card(row: Route) -> Iterator[Problem]:
    """Return what to mind about card texts: they have no address and ask for no reply, so no route refuses them."""
    if row.two_way is None and row.urls is None:
        yield _of_row(row, "unsure_texts")
    if row.senders == ("alphanumeric",):
        yield _of_row(row, "registered_sender")
    if row.caution:
        yield _of_row(row, row.caution)


def preflight_number(provider: str, country: str, e164: str, *, landline: bool = False) -> tuple[Problem, ...]:
    """Return why a single number cannot be texted: a landline, or a prefix the provider does not serve.

    Neither depends on the channel and no study file overrides it. Problems name the prefix, never the number.
    """
    row = route(provider, country)
    found = [problem(prefix.why, prefix=prefix.digits) for prefix in row.unserved if e164.startswith(prefix.digits)]
    if landline and not row.landlines:
        found.append(_of_row(row, "no_texts_to_landlines"))
    return tuple(found)


def _stated(row: Route, channel: str, overrides: Iterable[RouteOverride]) -> str:
    """Return the study's reason for this country and channel; empty if it states none."""
    reasons = (
        override.reason.strip()
        for override in overrides
        if override.country.upper() == (row.country or row.name) and override.channel == channel
    )
    return next((reason for reason in reasons if reason), "")

"""The composition root: everything a use case needs, made once from the settings and passed on.

What takes long to import is imported where it is used: most commands call no provider, upgrade nothing and plan no day.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache, partial
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from pro_service import wording
from pro_service.clock import GuardedClock
from pro_service.core.problems import SetUpError
from pro_service.core.protocol import Protocol
from pro_service.core.providers import FACTS, MAIL, SMS, STAFF_MAIL, Facts, Pace, WayOut
from pro_service.core.routes import Carriers
from pro_service.core.study_file.protocol_json import from_json
from pro_service.gateways.hooks import Hooks
from pro_service.gateways.outgoing import Accepted, Channel, Gateway, Outgoing
from pro_service.gateways.time_stamps import TimeStamps
from pro_service.settings import Settings
from pro_service.store import keys, readiness, standing
from pro_service.store.database import Sessions, make_engine
from pro_service.store.participants import cases
from pro_service.store.session import Session
from pro_service.store.throttle import Flood
from pro_service.store.vault import Vault, open_vault

Clock = Callable[[], datetime]
HOLIDAY_YEARS = range(2020, 2046)
TOKEN = 32
"""Hexadecimal digits of an attempt's token."""
ASKERS = 4
"""How many questions about texts in doubt are put to a provider side by side."""


class ClockError(SetUpError):
    """PRO_SERVICE_NOW cannot be used: not a test database, or not an instant."""


class TelephonesError(SetUpError):
    """The texts of this database went to simulated telephones, and would now go to people; or the other way round."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A protocol version, parsed: the protocol and its words."""

    protocol: Protocol
    wording: wording.Wording


class Bundles:
    """Protocol versions by row id. They are immutable, so each is parsed once a process."""

    def __init__(self) -> None:
        self._bundles: dict[int, Bundle] = {}
        self._lock = threading.Lock()

    def get(self, asking: Session | Connection, version_id: int) -> Bundle:
        """The bundle of this version."""
        found = self._bundles.get(version_id)
        if found is None:
            row = cases.version_row(asking, version_id)
            found = Bundle(from_json(row.protocol), wording.from_json(version_id, row.wording))
            with self._lock:
                self._bundles[version_id] = found
        return found


@dataclass(slots=True)
class Memory:
    """What this process remembers of its database, to notice when another one stands in its place."""

    last_id: int = 0
    second_clock: tuple[float, timedelta | None] | None = None
    """When another clock was last asked (monotonic seconds), and by how much ours is ahead of it; None = no answer."""
    flood: Flood = field(default_factory=Flood)
    read_until: int | None = None
    """The newest row that `interpret.read_new` has looked at; None before its first time."""
    noted_reached: bool = False
    """Whether the database says whose telephones its texts go to."""
    looks: set[object] = field(default_factory=set)
    """Looks by staff that are in the trail already."""


Key = TypeVar("Key")
Value = TypeVar("Value")


class _WhenUsed(Mapping[Key, Value]):
    """Values that are made when they are first asked for; which there are is known before."""

    def __init__(self, makers: Mapping[Key, Callable[[], Value]]) -> None:
        self._makers = makers
        self._made: dict[Key, Value] = {}
        self._lock = threading.Lock()

    def __getitem__(self, key: Key) -> Value:
        with self._lock:
            if key not in self._made:
                self._made[key] = self._makers[key]()
            return self._made[key]

    def __contains__(self, key: object) -> bool:
        return key in self._makers

    def __iter__(self) -> Iterator[Key]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


class PasswordCost(NamedTuple):
    """What hashing a password costs (argon2id): the second choice of RFC 9106, for machines that spare 64 MiB."""

    time_cost: int = 3
    memory_cost: int = 65536
    """KiB."""
    parallelism: int = 4


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a use case is given. Frozen; tests replace single parts with `dataclasses.replace`."""

    settings: Settings
    sessions: Sessions
    clock: Clock
    vault: Vault
    bundles: Bundles
    loader: cases.Loader
    texts: Mapping[WayOut, Channel]
    """The ways to telephones that are configured; empty: prompts wait in the outbox."""
    mail: Gateway | None
    hooks: Mapping[str, Hooks] = field(default_factory=dict)
    """Provider -> what it calls; see `/hooks/<provider>/…`."""
    time_stamps: TimeStamps | None = None
    """None: seals are not time-stamped, and stored ones cannot be checked."""
    simulated_before: bool = False
    """Whether texts of this database went to simulated telephones: its participants are invented."""
    monotonic: Callable[[], float] = time.monotonic
    """Seconds that nobody can set: how long something took. Where time is virtual, so are these."""
    memory: Memory = field(default_factory=Memory)
    password_cost: PasswordCost = field(default_factory=PasswordCost)
    opened: ExitStack = field(default_factory=ExitStack)
    """Connections to providers, opened when they were first called."""
    carriers: Carriers = field(init=False)
    """Who carries texts, and what else leads to participants."""

    def __post_init__(self) -> None:
        """Work out who carries texts: it is asked for every text."""
        # By name: asked for its facts, a provider would be made ready.
        facts = [FACTS[way] for way in self.texts]
        carriers = replace(
            self.settings.carriers,
            configured=tuple(dict.fromkeys(one.provider for one in facts if one.medium == "sms")),
            media=frozenset(FACTS[way].medium for way in self.ways),
        )
        object.__setattr__(self, "carriers", carriers)

    def way_out(self, way: WayOut) -> Gateway | None:
        """Return what carries this way out; None where nothing is configured for it."""
        return self.mail if FACTS[way].medium == "email" else self.texts.get(way)

    @property
    def ways(self) -> tuple[WayOut, ...]:
        """Every way out that is configured."""
        return (*self.texts, *(() if self.mail is None else (MAIL, STAFF_MAIL)))

    def token(self, message_id: int, attempt: int, began: datetime) -> str:
        """Return the token of an attempt: nobody else can guess it, and it is worked out again where it is asked for.

        With the moment it began, for a restored database hands out ids a second time.
        """
        return self.vault.index("attempt", f"{message_id}:{attempt}:{began.isoformat()}").hex()[:TOKEN]

    def pace(self, way: WayOut) -> Pace:
        """What the sender of a way out may carry."""
        told = self.settings.delivery.paces.get(way, Pace())
        if told.per_second is not None:
            return replace(told, per_second=told.per_second or None)
        return replace(told, per_second=self.texts[way].pace if way in self.texts else None)

    @property
    def texts_leave(self) -> bool:
        """Whether messages to participants leave this machine: then only those of confirmed versions go."""
        # A relay on this machine passes mails on, unless all of it is played here.
        return not self.simulates and (self.mail is not None or bool(self.texts))

    @property
    def simulates(self) -> bool:
        """Whether texts go to simulated telephones on this machine: nobody gets one."""
        return bool(self.texts) and not any(way.elsewhere for way in self.texts.values())

    @property
    def for_trying_out(self) -> bool:
        """Whether its participants are invented, as far as anybody can tell: whatever leaves it says so."""
        return self.simulates or self.simulated_before

    def carrier(self, country: str | None, wanted: str = "") -> Facts:
        """Return the way out of texts to a country; see `Carriers.to`."""
        return FACTS[SMS[self.carriers.to(country, wanted)]]

    def wording(self, session: Session, version_id: int) -> wording.Wording:
        """The words of a protocol version."""
        return self.bundles.get(session, version_id).wording

    def make_ready(self) -> None:
        """Make now what else is made at its first use: in a program that stays, nobody's text is to wait for it."""
        for made_when_used in (self.texts, self.hooks):
            dict(made_when_used)

    def close(self) -> None:
        """Give the connections to the database and the providers back."""
        self.sessions.close()
        self.opened.close()


def open_runtime(settings: Settings, *, pool_size: int = 10, lasting: bool = True, finished: bool = True) -> Runtime:
    """Make a runtime from the settings. `lasting`: see `make_engine`; `finished`: `readiness.require_current`.

    Raises BehindError (schema), WrongKeyError (DATA_KEYS), ClockError (PRO_SERVICE_NOW), TelephonesError, or SetUpError
    (unfinished).
    """
    engine = make_engine(settings.database_url, pool_size=pool_size, lasting=lasting)
    try:
        readiness.require_current(engine, finished=finished)
        sessions = Sessions(engine)
        with sessions.reading() as session:
            vault = open_vault(session, settings.data_keys)
            keys.check(session, vault)
            reached = standing.reached(session)
            _check_telephones(settings, reached)
            test = readiness.is_test(session)
        clock = _clock(settings, test=test)
    except BaseException:
        engine.dispose()
        raise
    bundles, opened = Bundles(), ExitStack()
    return Runtime(
        settings=settings,
        sessions=sessions,
        clock=clock,
        vault=vault,
        bundles=bundles,
        loader=cases.Loader(lambda session, version: bundles.get(session, version).protocol, holidays_of),
        texts=_texts(settings, clock, opened),
        mail=_mail(settings, clock),
        hooks=_hooks(settings),
        time_stamps=_time_stamps(settings),
        simulated_before=reached == "simulated",
        opened=opened,
    )


def _check_telephones(settings: Settings, reached: str | None) -> None:
    """Refuse real accounts for a database that was tried with invented numbers, and simulators for a real one."""
    if reached == "simulated" and settings.reaches_people:
        raise TelephonesError("telephones_were_simulated")
    if reached == "people" and settings.simulates:
        raise TelephonesError("telephones_were_real", given=" and ".join(settings.aimed_elsewhere))


def upgrade(
    settings: Settings, *, test: bool = False, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> tuple[str | None, str]:
    """Migrate the database of these settings; gives (revision before, revision after). See `migrate.upgrade`."""
    from pro_service.store import migrate  # noqa: PLC0415

    engine = make_engine(settings.database_url)
    try:
        return migrate.upgrade(engine, settings.data_keys, test=test, progress=progress)
    finally:
        engine.dispose()


@lru_cache(maxsize=256)
def holidays_of(country: str) -> frozenset[date]:
    """Public holidays of a country (ISO 3166-1 alpha-2), 2020 to 2045; none for a country without a calendar."""
    import holidays as public_holidays  # noqa: PLC0415

    try:
        return frozenset(public_holidays.country_holidays(country, years=HOLIDAY_YEARS))
    except NotImplementedError:
        return frozenset()


@lru_cache(maxsize=256)
def holiday_names(country: str, year: int, language: str) -> Mapping[date, str]:
    """The public holidays of one year by name, in this language where the calendar knows it."""
    import holidays as public_holidays  # noqa: PLC0415

    try:
        known = public_holidays.country_holidays(country).supported_languages
        spoken = next((code for code in known if code == language or code.startswith(f"{language}_")), None)
        return dict(public_holidays.country_holidays(country, years=year, language=spoken))
    except NotImplementedError:
        return {}


def _clock(settings: Settings, *, test: bool) -> Clock:
    if settings.now is not None and not test:
        raise ClockError("clock_set_in_use")
    return clock_of(settings)


def clock_of(settings: Settings) -> Clock:
    """The clock of these settings: the system's, or the one a rehearsal sets. Raises ClockError."""
    if settings.now is None:
        return GuardedClock()
    text = settings.now
    path = settings.home / text

    def set_clock() -> datetime:
        return _instant(path.read_text(encoding="utf-8") if path.is_file() else text)

    set_clock()
    return set_clock


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ClockError("clock_unreadable")
    return instant.astimezone(UTC)


def _texts(settings: Settings, clock: Clock, opened: ExitStack) -> Mapping[WayOut, Channel]:
    def twilio(way: WayOut, sender: str | None) -> Channel:
        return opened.enter_context(closing(_twilio(settings, way, sender)))

    def verimor() -> Channel:
        return opened.enter_context(closing(_verimor(settings, clock)))

    makers: dict[WayOut, Callable[[], Channel]] = {}
    if settings.twilio:
        makers["sms"] = partial(twilio, "sms", settings.twilio_from)
    if settings.verimor:
        makers["verimor"] = verimor
    if settings.whatsapp:
        makers["whatsapp"] = partial(twilio, "whatsapp", settings.twilio_whatsapp_from)
    return _WhenUsed(makers)


def _hooks(settings: Settings) -> Mapping[str, Hooks]:
    makers: dict[str, Callable[[], Hooks]] = {"twilio": partial(_twilio_hooks, settings)}
    if settings.verimor_hook_secret:
        makers["verimor"] = partial(_verimor_hooks, settings)
    return _WhenUsed(makers)


def _twilio_hooks(settings: Settings) -> Hooks:
    from pro_service.gateways.twilio.hooks import TwilioHooks  # noqa: PLC0415

    return TwilioHooks(settings.twilio_auth_tokens)


def _verimor_hooks(settings: Settings) -> Hooks:
    from pro_service.gateways.verimor.hooks import VerimorHooks  # noqa: PLC0415

    secret, networks = settings.verimor_hook_secret, settings.verimor_hook_addresses
    return VerimorHooks(secret, networks, keyword=settings.verimor_keyword)


def _twilio(settings: Settings, way: WayOut, sender: str | None) -> Channel:
    from pro_service.gateways.twilio.texts import TwilioTexts  # noqa: PLC0415

    secret = settings.twilio_api_secret
    key = (settings.twilio_api_key, secret) if settings.twilio_api_key and secret else None
    return TwilioTexts(
        account_sid=settings.twilio_account_sid or "",
        auth_token=settings.twilio_auth_tokens[0] if settings.twilio_auth_tokens else None,
        api_key=key,
        facts=FACTS[way],
        # A Messaging Service would choose among its senders those of the other kind too.
        messaging_service_sid=settings.twilio_messaging_service_sid if way == "sms" else None,
        from_number=sender,
        base_url=settings.twilio_base_url,
        callbacks=f"{settings.public_base_url}/hooks/twilio/status",
        timeouts=settings.delivery.waits("sms"),
        pool_size=settings.delivery.workers + ASKERS + 1,  # and one that fetches replies
    )


def _verimor(settings: Settings, clock: Clock) -> Channel:
    from pro_service.gateways.verimor.texts import VerimorTexts  # noqa: PLC0415

    return VerimorTexts(
        settings.verimor_username or "",
        settings.verimor_password or "",
        sender=settings.verimor_sender or "",
        clock=clock,
        keyword=settings.verimor_keyword,
        base_url=settings.verimor_base_url,
        timeouts=settings.delivery.waits("verimor"),
        pool_size=settings.delivery.workers + ASKERS + 1,
    )


def _mail(settings: Settings, clock: Clock) -> Gateway | None:
    if not settings.mails:
        return None
    return _MailWhenUsed(settings, clock)


class _MailWhenUsed:
    """The mail relay, made ready at its first mail: to read the trusted certificates takes as long as an idle tick."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock

    def send(self, outgoing: Outgoing) -> Accepted:
        """Hand one mail to the relay."""
        return self._gateway.send(outgoing)

    @cached_property
    def _gateway(self) -> Gateway:
        from pro_service.gateways.email import EmailGateway  # noqa: PLC0415

        settings = self._settings
        return EmailGateway(
            settings.smtp_host or "",
            settings.smtp_port,
            mail_from=settings.mail_from or "",
            clock=self._clock,
            username=settings.smtp_username,
            password=settings.smtp_password,
            timeout=settings.delivery.waits(STAFF_MAIL)[1],
        )


def _time_stamps(settings: Settings) -> TimeStamps | None:
    if not settings.timestamp_certificates:
        return None
    return TimeStamps(settings.timestamp_url, settings.timestamp_certificates)

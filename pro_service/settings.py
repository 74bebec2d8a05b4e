"""The configuration: one frozen value, read once from the environment and a .env file, all faults said at once."""

import base64
import binascii
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_network
from math import inf, isfinite, nan
from pathlib import Path
from typing import Any, get_args, overload
from urllib.parse import urlsplit

from dotenv import dotenv_values

from pro_service.core.addresses import is_this_machine, leads_to_this_machine
from pro_service.core.problems import Problem, problem, words
from pro_service.core.protocol import Medium, Role
from pro_service.core.providers import STAFF_MAIL, Pace, WayOut
from pro_service.core.routes import Carriers

SECRETS = (
    "SECRET_KEY", "DATA_KEYS", "TWILIO_AUTH_TOKEN", "TWILIO_API_SECRET", "VERIMOR_PASSWORD", "VERIMOR_HOOK_SECRET",
    "SMTP_PASSWORD", "METRICS_TOKEN", "DATABASE_URL",
)  # fmt: skip
"""Names that may also be given as `<NAME>_FILE`; their values are never shown."""

NAMES = (
    *SECRETS,
    "PUBLIC_BASE_URL",
    "TWILIO_ACCOUNT_SID", "TWILIO_API_KEY", "TWILIO_MESSAGING_SERVICE_SID", "TWILIO_FROM", "TWILIO_WHATSAPP_FROM",
    "TWILIO_BASE_URL", "TWILIO_TIMEOUT_SECONDS", "TWILIO_PER_SECOND", "TWILIO_PER_DAY",
    "VERIMOR_USERNAME", "VERIMOR_SENDER", "VERIMOR_REPLY_TO", "VERIMOR_KEYWORD", "VERIMOR_HOOK_ADDRESSES",
    "VERIMOR_BASE_URL", "VERIMOR_TIMEOUT_SECONDS", "VERIMOR_PER_SECOND", "VERIMOR_PER_DAY",
    "SEND_WORKERS",
    "DELIVERY_LEASE_SECONDS", "DELIVERY_ASK_AFTER_SECONDS", "DELIVERY_ASK_AGAIN_SECONDS",
    "SMTP_HOST", "SMTP_PORT", "SMTP_USERNAME", "SMTP_TIMEOUT_SECONDS", "MAIL_FROM",
    "SECOND_FACTOR_ROLES",
    "TIMESTAMP_URL", "TIMESTAMP_CERTIFICATE",
    "BACKUP_DIR", "PG_BIN",
    "LOG_LEVEL",
    "PRO_SERVICE_NOW",
)  # fmt: skip
"""Every name that is read."""

_HOST = re.compile(r"[\w.-]+|[0-9a-fA-F:]+")
_HEADER = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9 .&-]{3,11}|\+?[0-9]{4,13}")
"""A header of Verimor's: a name, or a number that is registered as one."""
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_REPLY_NUMBER = re.compile(r"\+?[0-9]{4,13}")
_NATIONAL = 10
"""Digits of a Turkish number without the country's code."""
_SHORT_CODE = 6
"""Digits of the longest number that texts of many customers come in at."""
_PLAIN = re.compile(r"[A-Za-z0-9_-]*")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
KEY_BYTES = 32
SECRET_CHARACTERS = 32
MOST_WORKERS = 256
TIMEOUT = 20.0
BACKUPS = Path("var/backups")


class SettingsError(Exception):
    """The configuration has faults: `faults` holds all of them."""

    def __init__(self, faults: tuple[Problem, ...]) -> None:
        # The value itself is in none of them: it may be a secret.
        super().__init__("; ".join(f"{fault.path}: {words(fault)[0]}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Delivery:
    """The times and limits of sending; every default is the specification's, tests shorten them."""

    timeouts: Mapping[WayOut, float] = field(default_factory=dict)
    """Way out -> how many seconds an answer of its provider is waited for, `TIMEOUT` unless it says so."""
    lease: timedelta = timedelta(seconds=60)
    """How long a worker that claimed a message may take to say what became of it."""
    ask_after: timedelta = timedelta(seconds=120)
    """How long after an uncertain attempt the provider is first asked about it."""
    ask_again: timedelta = timedelta(seconds=60)
    """How far apart the two answers are that say it never left."""
    doubts: tuple[float, ...] = (1, 5, 30)
    """How many times `ask_after` a text stays in doubt at least, by how often it was found not to have left before."""
    same_mail: tuple[timedelta, ...] = (timedelta(minutes=10), timedelta(hours=1))
    """How long after each doubt a participant's mail is sent again. Not more often: some mailboxes show each copy.

    The first is what RFC 5321 has one wait for the answer to a mail.
    """
    back_off: tuple[float, ...] = (5, 15, 60, 300, 900)  # seconds before the next try, by how many there were
    workers: int = 8
    """How many messages are sent side by side."""
    paces: Mapping[WayOut, Pace] = field(default_factory=dict)
    """Way out -> what its sender may carry; `per_second` None = as the kind of sender allows, 0 = without a limit."""

    def doubt(self, resends: int) -> timedelta:
        """Return how long a text stays in doubt at least that was sent again so often: 2 minutes, 10, then an hour."""
        return self.ask_after * self.doubts[min(resends, len(self.doubts) - 1)]

    def patience(self, resends: int = 0) -> timedelta:
        """Return how long it may stay in doubt before a person gets a task, and how long answers wait for its end."""
        return self.doubt(resends) + 3 * self.ask_again

    def waits(self, way: WayOut) -> tuple[float, float]:
        """Return how many seconds a connection, and an answer, of one way out is waited for."""
        answer = self.timeouts.get(way, TIMEOUT)
        return min(5.0, answer), answer

    @property
    def longest_call(self) -> timedelta:
        """The longest that one call to a provider can take, with a second to spare."""
        longest = max(self.timeouts.values(), default=TIMEOUT)
        return timedelta(seconds=min(5.0, longest) + longest + min(1.0, longest))


@dataclass(frozen=True, slots=True)
class Settings:
    """What this process was told. Secrets do not appear in its repr."""

    home: Path
    """Folder that relative paths resolve against: the .env file's."""
    database_url: str = field(repr=False)
    secret_key: bytes = field(repr=False)
    data_keys: tuple[tuple[str, bytes], ...] = field(repr=False)
    """(id, 32 bytes), newest first."""
    public_base_url: str = ""
    twilio_account_sid: str | None = None
    twilio_auth_tokens: tuple[str, ...] = field(default=(), repr=False)
    twilio_api_key: str | None = None
    twilio_api_secret: str | None = field(default=None, repr=False)
    twilio_messaging_service_sid: str | None = None
    twilio_from: str | None = None
    twilio_whatsapp_from: str | None = None
    """The number that WhatsApp messages come from."""
    twilio_base_url: str | None = None
    verimor_username: str | None = field(default=None, repr=False)
    verimor_password: str | None = field(default=None, repr=False)
    verimor_sender: str | None = None
    verimor_reply_to: str | None = None
    """The number that people answer to, where that is not the sender."""
    verimor_keyword: str = ""
    verimor_hook_secret: str = field(default="", repr=False)
    verimor_hook_addresses: tuple[str, ...] = ()
    verimor_base_url: str | None = None
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_username: str | None = None
    smtp_password: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    delivery: Delivery = Delivery()
    second_factor_roles: frozenset[str] = frozenset()
    """Roles whose holders sign in with a second factor; those who were invited do in any case."""
    timestamp_url: str | None = None
    timestamp_certificates: bytes = b""
    """The content of the file in TIMESTAMP_CERTIFICATE, in PEM."""
    metrics_token: str = field(default="", repr=False)
    """The token by which a program on another machine may read the figures; without one, only this machine may."""
    backup_dir: Path = BACKUPS
    """Where a backup is made if no folder is named, and where the newest one is looked for."""
    pg_bin: Path | None = None
    """The folder of pg_dump and pg_restore; None: as they are found on the PATH."""
    log_level: str = "INFO"
    now: str | None = None
    """PRO_SERVICE_NOW: an ISO instant or the path of a file that holds one."""

    @property
    def texts(self) -> bool:
        """Whether texts can be sent at all."""
        return self.twilio or self.verimor

    @property
    def _twilio_account(self) -> bool:
        key = self.twilio_auth_tokens or (self.twilio_api_key and self.twilio_api_secret)
        return bool(self.twilio_account_sid and key)

    @property
    def twilio(self) -> bool:
        """Whether texts can be sent through Twilio."""
        return self._twilio_account and bool(self.twilio_messaging_service_sid or self.twilio_from)

    @property
    def whatsapp(self) -> bool:
        """Whether WhatsApp messages can be sent, which is through Twilio."""
        return self._twilio_account and bool(self.twilio_whatsapp_from)

    @property
    def verimor(self) -> bool:
        """Whether texts can be sent through Verimor."""
        return bool(self.verimor_username and self.verimor_password and self.verimor_sender)

    @property
    def carriers(self) -> Carriers:
        """Who carries texts, as far as it is configured."""
        ours = {"twilio": self.twilio, "verimor": self.verimor}
        twilio = None if self.twilio_messaging_service_sid else self.twilio_from
        answered = {"twilio": twilio, "verimor": self.verimor_reply_to or self.verimor_sender}
        reply_to, sender = self.verimor_reply_to, self.verimor_sender
        media: Mapping[Medium, object] = {
            "sms": any(ours.values()),
            "email": self.mails,
            "whatsapp": self.whatsapp,
        }
        own = bool(reply_to and sender) and _forms(reply_to or "")[-1] == _forms(sender or "")[-1]
        known = (self.twilio_from, self.twilio_whatsapp_from, sender, reply_to)
        return Carriers(
            configured=tuple(name for name, there in ours.items() if there),
            media=frozenset(medium for medium, there in media.items() if there),
            senders=frozenset(form for one in known if one for form in _forms(one)),
            named=frozenset(name for name, one in answered.items() if one and not one.removeprefix("+").isdecimal()),
            answered_at={"verimor": (reply_to, self.verimor_keyword)} if reply_to and not own else {},
        )

    @property
    def aimed_elsewhere(self) -> tuple[str, ...]:
        """Names of the settings that aim at another address than the provider's own."""
        aimed = {"TWILIO_BASE_URL": self.twilio_base_url, "VERIMOR_BASE_URL": self.verimor_base_url}
        return tuple(name for name, url in aimed.items() if url)

    @property
    def simulates(self) -> bool:
        """Whether texts go to simulated telephones on this machine."""
        aimed = (self.twilio or self.whatsapp, self.twilio_base_url), (self.verimor, self.verimor_base_url)
        return any(there and url and leads_to_this_machine(url) for there, url in aimed)

    @property
    def reaches_people(self) -> tuple[str, ...]:
        """Names of the settings by which a message leaves this machine, and may reach somebody."""
        real = {
            "TWILIO_ACCOUNT_SID": (self.twilio or self.whatsapp)
            and not leads_to_this_machine(self.twilio_base_url or ""),
            "VERIMOR_USERNAME": self.verimor and not leads_to_this_machine(self.verimor_base_url or ""),
            "SMTP_HOST": self.mails and not is_this_machine(self.smtp_host),
        }
        return tuple(name for name, reaches_people in real.items() if reaches_people)

    @property
    def needed_for_calls(self) -> Mapping[str, str]:
        """Provider that is configured, and whose calls are all refused -> what is to be set before they are not."""
        heard = self.verimor_hook_secret and self.verimor_hook_addresses
        return {"verimor": "VERIMOR_HOOK_SECRET and VERIMOR_HOOK_ADDRESSES"} if self.verimor and not heard else {}

    @property
    def mails(self) -> bool:
        """Whether mails can be sent at all."""
        return bool(self.smtp_host and self.mail_from)


def _forms(sender: str) -> tuple[str, ...]:
    """Return a sender, and as the number that it is: Turkish ones are written 0850… or 90850… as well."""
    national = sender.removeprefix("+").removeprefix("90").removeprefix("0")
    return (sender, f"+90{national}") if national.isdecimal() and len(national) == _NATIONAL else (sender,)


def load(env_file: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings: the environment wins over the .env file (default: `.env` in the working folder).

    Raises SettingsError with every fault at once.
    """
    path = env_file if env_file is not None else Path.cwd() / ".env"
    found = {name: value for name, value in dotenv_values(path).items() if value is not None} if path.is_file() else {}
    found |= dict(os.environ if environment is None else environment)
    faults: list[Problem] = []
    if env_file is not None and not path.is_file():
        faults.append(problem("no_env_file", "--env-file"))
    reader = _Reader(found, path.resolve().parent, faults)
    settings = reader.read()
    if not faults:
        faults += _real_beside_simulated(settings)
    if faults:
        raise SettingsError(tuple(faults))
    return settings


def at(settings: Settings, url: str, option: str) -> Settings:
    """Return the same settings for the database at this address. SettingsError: it is none; `option` named it."""
    found = _database_url(url, settings.home)
    if found is None:
        raise SettingsError((problem("no_database_address", option),))
    return replace(settings, database_url=found)


def _database_url(value: str, home: Path) -> str | None:
    """Return the address as SQLAlchemy takes it; None if it is no database's."""
    scheme, _, rest = value.partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        return f"postgresql+psycopg://{rest}"
    if scheme == "sqlite" and rest.startswith("/") and rest.strip("/"):
        return f"sqlite:///{(home / rest[1:]).resolve()}"
    return None


def environment(**more: str) -> dict[str, str]:
    """Return the environment of this process, and more: for a program that is started."""
    return {**os.environ, **more}


def _real_beside_simulated(settings: Settings) -> Iterator[Problem]:
    """Name the settings that would reach people while texts go to simulated telephones."""
    if settings.simulates:
        for name in settings.reaches_people:
            yield problem("real_beside_simulated", name, given=" and ".join(settings.aimed_elsewhere))


class _Reader:
    """Reads one setting after the other and keeps every fault."""

    def __init__(self, values: Mapping[str, str], home: Path, faults: list[Problem]) -> None:
        self.values, self.home, self.faults = values, home, faults

    def read(self) -> Settings:
        return Settings(
            home=self.home,
            database_url=self.database_url(),
            secret_key=self.secret_key(),
            data_keys=self.data_keys(),
            public_base_url=self.url("PUBLIC_BASE_URL", required=True) or "",
            twilio_account_sid=self.text("TWILIO_ACCOUNT_SID"),
            twilio_auth_tokens=tuple(t.strip() for t in (self.text("TWILIO_AUTH_TOKEN") or "").split(",") if t.strip()),
            twilio_api_key=self.text("TWILIO_API_KEY"),
            twilio_api_secret=self.text("TWILIO_API_SECRET"),
            twilio_messaging_service_sid=self.text("TWILIO_MESSAGING_SERVICE_SID"),
            twilio_from=self.text("TWILIO_FROM"),
            twilio_whatsapp_from=self.whatsapp_number("TWILIO_WHATSAPP_FROM"),
            twilio_base_url=self.provider_url("TWILIO_BASE_URL"),
            **self.verimor(),
            smtp_host=self.host("SMTP_HOST"),
            smtp_port=self.port("SMTP_PORT", 587),
            smtp_username=self.text("SMTP_USERNAME"),
            smtp_password=self.text("SMTP_PASSWORD"),
            mail_from=self.text("MAIL_FROM"),
            delivery=self.delivery(),
            second_factor_roles=self.second_factor_roles(),
            timestamp_url=self.url("TIMESTAMP_URL"),
            timestamp_certificates=self.certificates("TIMESTAMP_CERTIFICATE", needed="TIMESTAMP_URL"),
            metrics_token=self.secret("METRICS_TOKEN"),
            backup_dir=self.folder("BACKUP_DIR") or self.home / BACKUPS,
            pg_bin=self.folder("PG_BIN"),
            log_level=self.level(),
            now=self.text("PRO_SERVICE_NOW"),
        )

    def fault(self, name: str, code: str, /, **values: object) -> None:
        self.faults.append(problem(code, name, **values))

    def text(self, name: str) -> str | None:
        value = self.values.get(name, "").strip()
        file = self.values.get(f"{name}_FILE", "").strip() if name in SECRETS else ""
        if value or not file:
            return value or None
        try:
            return (self.home / file).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError):
            self.fault(f"{name}_FILE", "secret_unreadable")
            return None

    def folder(self, name: str) -> Path | None:
        value = self.text(name)
        return None if value is None else self.home / value

    def url(self, name: str, *, required: bool = False) -> str | None:
        value = self.text(name)
        if value is None:
            if required:
                self.fault(name, "address_missing")
            return None
        try:
            parts = urlsplit(value)
            whole = bool(parts.hostname) and parts.port != 0
        except ValueError:
            self.fault(name, "no_address")
            return None
        if "@" in parts.netloc:
            # It would stand in links, in what `doctor` prints, and in the log of every proxy on the way.
            self.fault(name, "address_with_login")
        elif parts.scheme not in ("http", "https") or not whole or parts.query or parts.fragment:
            self.fault(name, "no_address")
        # In small letters, so that HTTPS:// is found to be https too.
        return f"{parts.scheme}{value[len(parts.scheme) :]}".rstrip("/")

    def provider_url(self, name: str) -> str | None:
        """Return an address to which credentials and contact data go: encrypted, or this machine's own."""
        value = self.url(name)
        if value is not None and value.startswith("http:") and not leads_to_this_machine(value):
            self.fault(name, "address_in_clear")
        return value

    def whatsapp_number(self, name: str) -> str | None:
        value = self.text(name)
        if value is not None and not _E164.fullmatch(value):
            self.fault(name, "no_whatsapp_number")
        elif value is not None and not self.text("TWILIO_ACCOUNT_SID"):
            self.fault("TWILIO_ACCOUNT_SID", "setting_needed", given=name)
        return value

    def verimor(self) -> dict[str, Any]:
        """Return what belongs to Verimor: all of it that sending needs, or none."""
        login = {name: self.text(f"VERIMOR_{name}") for name in ("USERNAME", "PASSWORD", "SENDER")}
        given = [f"VERIMOR_{name}" for name, value in login.items() if value]
        for name in (name for name, value in login.items() if given and not value):
            self.fault(f"VERIMOR_{name}", "setting_needed", given=given[0])
        sender, reply_to = login["SENDER"], self.text("VERIMOR_REPLY_TO")
        keyword = self.text("VERIMOR_KEYWORD") or ""
        if sender is not None and not _HEADER.fullmatch(sender):
            self.fault("VERIMOR_SENDER", "no_header")
        if reply_to is not None and not _REPLY_NUMBER.fullmatch(reply_to):
            self.fault("VERIMOR_REPLY_TO", "no_reply_number")
        elif reply_to is not None and len(reply_to) <= _SHORT_CODE and not keyword:
            self.fault("VERIMOR_KEYWORD", "keyword_missing")
        return {
            "verimor_username": login["USERNAME"],
            "verimor_password": login["PASSWORD"],
            "verimor_sender": sender,
            "verimor_reply_to": reply_to,
            "verimor_keyword": keyword,
            "verimor_hook_secret": self.secret("VERIMOR_HOOK_SECRET"),
            "verimor_hook_addresses": self.networks("VERIMOR_HOOK_ADDRESSES"),
            "verimor_base_url": self.provider_url("VERIMOR_BASE_URL"),
        }

    def secret(self, name: str) -> str:
        """Return a secret that goes into an address or a header; empty if there is none."""
        value = self.text(name) or ""
        if value and (len(value) < SECRET_CHARACTERS or not _PLAIN.fullmatch(value)):
            self.fault(name, "secret_unfit", least=SECRET_CHARACTERS)
        return value

    def networks(self, name: str) -> tuple[str, ...]:
        """Return addresses and networks (CIDR), as they are written."""
        given = (self.text(name) or "").replace(",", " ").split()
        try:
            return tuple(str(ip_network(one)) for one in given)
        except ValueError:
            self.fault(name, "no_network")
            return ()

    def host(self, name: str) -> str | None:
        value = self.text(name)
        if value is not None and not _HOST.fullmatch(value):
            self.fault(name, "no_host")
            return None
        return value

    def port(self, name: str, default: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or not 0 < int(value) < 2**16:
            self.fault(name, "no_port")
            return default
        return int(value)

    def delivery(self) -> Delivery:
        timeouts = {
            way: (self.number(f"{name}_TIMEOUT_SECONDS", TIMEOUT, least=0.1), self.text(needed))
            for way, name, needed in (
                ("sms", "TWILIO", "TWILIO_ACCOUNT_SID"),
                ("verimor", "VERIMOR", "VERIMOR_USERNAME"),
                (STAFF_MAIL, "SMTP", "SMTP_HOST"),
            )
        }
        made = Delivery(
            # Who is not configured keeps nobody waiting.
            timeouts={way: seconds for way, (seconds, configured) in timeouts.items() if configured},
            lease=timedelta(seconds=self.number("DELIVERY_LEASE_SECONDS", 60.0, least=0.1)),
            ask_after=timedelta(seconds=self.number("DELIVERY_ASK_AFTER_SECONDS", 120.0, least=0.1)),
            ask_again=timedelta(seconds=self.number("DELIVERY_ASK_AGAIN_SECONDS", 60.0, least=0.1)),
            workers=int(self.number("SEND_WORKERS", 8, least=1, most=MOST_WORKERS, whole=True)),
            paces={"sms": self.pace("TWILIO"), "verimor": self.pace("VERIMOR")},
        )
        if made.lease <= made.longest_call:
            seconds = f"{made.longest_call.total_seconds():g}"
            self.fault("DELIVERY_LEASE_SECONDS", "lease_too_short", seconds=seconds)
        return made

    def pace(self, prefix: str) -> Pace:
        """Return what the sender of one provider may carry."""
        per_day = self.number(f"{prefix}_PER_DAY", None, least=1, whole=True)
        per_second = self.number(f"{prefix}_PER_SECOND", None, least=0)
        return Pace(per_second, None if per_day is None else int(per_day))

    @overload
    def number(self, name: str, default: float, *, least: float, most: float = inf, whole: bool = False) -> float: ...
    @overload
    def number(
        self, name: str, default: None, *, least: float, most: float = inf, whole: bool = False
    ) -> float | None: ...
    def number(
        self, name: str, default: float | None, *, least: float, most: float = inf, whole: bool = False
    ) -> float | None:
        value = self.text(name)
        if value is None:
            return default
        try:
            found = float(value)
        except ValueError:
            found = nan
        if isfinite(found) and least <= found <= most and not (whole and found % 1):
            return found
        if most == inf:
            self.fault(name, "setting_no_count" if whole else "setting_no_number", least=f"{least:g}")
        else:
            self.fault(name, "setting_out_of_range", least=f"{least:g}", most=f"{most:g}")
        return default

    def second_factor_roles(self) -> frozenset[str]:
        # A service that others can reach asks everybody for it, unless told not to; a demonstration does not.
        open_to_others = (self.text("PUBLIC_BASE_URL") or "").lower().startswith("https:")
        given = self.text("SECOND_FACTOR_ROLES") or ("all" if open_to_others else "none")
        known, named = frozenset(get_args(Role)), frozenset(given.replace(",", " ").split())
        if named - known - {"all"} not in (frozenset(), {"none"}) or ("none" in named and len(named) > 1):
            self.fault("SECOND_FACTOR_ROLES", "setting_no_role", known=tuple(sorted(known)))
        return known if "all" in named else named & known

    def certificates(self, name: str, *, needed: str) -> bytes:
        """Return the content of a file of certificates."""
        file = self.text(name)
        if file is None:
            if self.text(needed) is not None:
                self.fault(name, "certificate_missing", needed=needed)
            return b""
        from cryptography import x509  # noqa: PLC0415 -- takes long, and few installations name one

        try:
            found = (self.home / file).read_bytes()
            x509.load_pem_x509_certificates(found)
        except (OSError, ValueError):
            self.fault(name, "certificate_unreadable")
            return b""
        return found

    def level(self) -> str:
        value = (self.text("LOG_LEVEL") or "INFO").upper()
        if value not in LEVELS:
            self.fault("LOG_LEVEL", "setting_no_level", known=tuple(LEVELS))
        return value

    def database_url(self) -> str:
        value = self.text("DATABASE_URL") or "sqlite:///var/pro-service.db"
        found = _database_url(value, self.home)
        if found is None:
            self.fault("DATABASE_URL", "no_database_address")
        return found or value

    def secret_key(self) -> bytes:
        value = self.text("SECRET_KEY") or ""
        if len(value) < SECRET_CHARACTERS:
            self.fault("SECRET_KEY", "secret_key_short", least=SECRET_CHARACTERS)
        return value.encode()

    def data_keys(self) -> tuple[tuple[str, bytes], ...]:
        keys: list[tuple[str, bytes]] = []
        for part in (self.text("DATA_KEYS") or "").split(","):
            name, separator, encoded = part.strip().partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except binascii.Error:
                key = b""
            if part.strip() and (not name or not separator or len(key) != KEY_BYTES):
                self.fault("DATA_KEYS", "no_data_key")
            elif part.strip():
                keys.append((name, key))
        if not keys and not any(fault.path == "DATA_KEYS" for fault in self.faults):
            self.fault("DATA_KEYS", "data_keys_missing")
        if len({name for name, _ in keys}) < len(keys):
            self.fault("DATA_KEYS", "data_key_twice")
        return tuple(keys)

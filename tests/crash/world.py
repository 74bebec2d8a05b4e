"""The world of one run: a faulty provider, short times in production's proportions, and people who are due at once."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers

from pro_service.settings import Settings
from pro_service.simulator import Faults, VerimorAccount
from pro_service.simulator.whatsapp import LOST
from tests.peers.configuration import ACCOUNT_SID, AUTH_TOKEN, settings_for
from tests.peers.servers import free_port

SENDER, VERIMOR, MAIL, WHATSAPP = "+15005550006", "verimor", "email-link", "whatsapp"
COLUMNS = (
    "participant,site,procedure_date,language,messaging_consent,phone,timezone,channel,baseline_nrs_avg,email,"
    "email_consent,whatsapp_consent"
)
FIRST_AREA, LAST_AREA, FICTION = 201, 989, 100
NOON = 12
BACKLOG = 256
"""Callers who wait while no web server lives."""

TIMES = {
    "{}_TIMEOUT_SECONDS": "0.5",
    "DELIVERY_LEASE_SECONDS": "3.5",
    "DELIVERY_ASK_AFTER_SECONDS": "3",
    "DELIVERY_ASK_AGAIN_SECONDS": "1",
}
"""Production's are 20, 60, 120 and 60."""
PAUSES = (0.5, 1.0, 2.0)
"""Seconds before a push that was not taken comes again: Verimor's are 300 each."""
PROVIDERS = ("twilio", VERIMOR, MAIL, WHATSAPP)
MAIL_HOST = "127.0.0.1"
BACK_OFF = (1.0, 2.0, 4.0)
DOUBTS = (1, 2, 4)
"""A run has no hour for a text that is in doubt for the third time."""
SAME_MAIL = (timedelta(seconds=1),) * 20
"""A run has a hundred kills in a minute; nobody's server ends so often while it sends one mail."""
HANGS, LAGS = 1.0, 0.4
"""Seconds: a late acceptance is over, and listed, before the provider is first asked; the list lags less than the time
between two questions. What lies outside of that no sender can tell from a text that never left."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run does."""

    messages: int
    kills: int
    every: float
    """Seconds between two kills, on average."""
    seed: int
    senders: int
    webs: int
    """Web servers, on one address."""
    burst: bool
    """Everybody is due before the first sender starts, and the provider has a good day."""
    patience: float
    """Seconds that everything may take to settle after the last kill."""
    folder: Path
    database_url: str
    provider: str
    """Who carries the texts."""
    listener: socket.socket
    """Where the web servers listen; bound here, for a port can be bound once."""
    simulator_port: int
    mail_port: int

    @property
    def settings(self) -> Settings:
        """What the programs are told."""
        told = settings_for(
            self.database_url,
            self.folder,
            PUBLIC_BASE_URL=self.web_url,
            **{VERIMOR: self._verimor, MAIL: self._mail}.get(self.provider, self._twilio),
            SEND_WORKERS="8",
            LOG_LEVEL="ERROR",
            **({} if self.burst else {name.format(who): value for name, value in TIMES.items() for who in self._asked}),
        )
        return replace(told, delivery=replace(told.delivery, back_off=BACK_OFF, doubts=DOUBTS, same_mail=SAME_MAIL))

    @property
    def channel(self) -> str:
        """How everybody is asked; empty: by text."""
        return self.provider if self.provider in (MAIL, WHATSAPP) else ""

    @property
    def _asked(self) -> tuple[str, ...]:
        """Whose time-outs are short: of all that are configured."""
        return {VERIMOR: ("VERIMOR",), MAIL: ("SMTP", "TWILIO")}.get(self.provider, ("TWILIO",))

    @property
    def _mail(self) -> dict[str, str]:
        # Beside simulated telephones, or these mails would be to people: a study's version is confirmed before those.
        relay = {"SMTP_HOST": MAIL_HOST, "SMTP_PORT": str(self.mail_port), "MAIL_FROM": "Clinic <pro@clinic.example>"}
        return self._twilio | relay

    @property
    def _twilio(self) -> dict[str, str]:
        return {
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "TWILIO_WHATSAPP_FROM" if self.provider == WHATSAPP else "TWILIO_FROM": SENDER,
            "TWILIO_BASE_URL": self.simulator_url,
            "TWILIO_PER_SECOND": "0",
        }

    @property
    def _verimor(self) -> dict[str, str]:
        return {
            "VERIMOR_USERNAME": "908501234567",
            "VERIMOR_PASSWORD": AUTH_TOKEN,
            "VERIMOR_SENDER": "KLINIK",
            "VERIMOR_REPLY_TO": "08501234567",
            "VERIMOR_HOOK_SECRET": "only-for-tests-" * 4,
            "VERIMOR_HOOK_ADDRESSES": "127.0.0.0/8",
            "VERIMOR_BASE_URL": self.simulator_url,
            "VERIMOR_PER_SECOND": "0",
        }

    @property
    def account(self) -> VerimorAccount | None:
        """The account at Verimor, where that is who carries the texts."""
        told = self.settings
        if not told.verimor:
            return None
        return VerimorAccount(
            username=told.verimor_username or "",
            password=told.verimor_password or "",
            headers=(told.verimor_sender or "",),
            hook_url=f"{self.web_url}/hooks/verimor/{told.verimor_hook_secret}",
            reply_to=told.verimor_reply_to or "",
            pauses=PAUSES,
        )

    @property
    def web_url(self) -> str:
        """Where the web servers are."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    @property
    def simulator_url(self) -> str:
        """Where the provider is."""
        return f"http://127.0.0.1:{self.simulator_port}"

    @property
    def faults(self) -> Faults:
        """The provider's worst day; in a burst, none."""
        if self.burst:
            return Faults(seed=self.seed)
        return Faults(
            seed=self.seed,
            accept_then_500=0.02,
            accept_then_hang=0.01,
            late_accept=0.005,
            unavailable=0.03,
            too_many_requests=0.02,
            hang_seconds=HANGS,
            list_lag_seconds=LAGS,
            duplicate_callbacks=0.05,
            reordered_callbacks=0.05,
            callback_first=0.05,
        )


def planned(
    *,
    messages: int,
    kills: int,
    every: float,
    seed: int,
    senders: int,
    webs: int,
    burst: bool,
    provider: str,
    folder: Path,
    url: str,
) -> Plan:
    """Plan a run on a database that is there."""
    most = len(list(telephones()))
    if messages > most:
        raise SystemExit(f"--messages: there are {most} telephone numbers for fiction, write fewer")
    return Plan(
        messages=messages,
        kills=kills,
        every=every,
        seed=seed,
        senders=senders,
        webs=webs,
        burst=burst,
        provider=provider,
        patience=60 + messages / 10,
        folder=folder,
        database_url=url,
        listener=socket.create_server(("127.0.0.1", 0), backlog=BACKLOG),
        simulator_port=free_port(),
        mail_port=free_port(),
    )


def telephones() -> Iterator[str]:
    """Every number of the United States that is reserved for fiction, but the last two of each area.

    Those are 555-0100 to 555-0199; the study's own clinics have the last ones, which no participant may give. Nor those
    that the simulator gives no WhatsApp.
    """
    for area in range(FIRST_AREA, LAST_AREA + 1):
        first = phonenumbers.parse(f"+1{area}5550100")
        if phonenumbers.is_valid_number(first) and phonenumbers.region_code_for_number(first) == "US":
            numbers = (f"+1{area}55501{last:02}" for last in range(FICTION - 2))
            yield from (number for number in numbers if number not in LOST)


def enrolment_files(count: int, size: int, now: datetime, first: int = 0, channel: str = "") -> Iterator[bytes]:
    """Files that enrol so many people from this one on, `size` in each, whose first invitation is due.

    All are asked by this channel; else by text, each second one with a link.

    Where they live it is noon or so: nobody's next reminder falls into the run.
    """
    hours = now.hour - NOON
    zone = f"Etc/GMT{hours:+d}" if hours else "Etc/GMT"
    today = now.astimezone(ZoneInfo(zone)).date()
    procedure = today - timedelta(days=7)
    rows = []
    for number, telephone in zip(range(first, first + count), islice(telephones(), first, None), strict=False):
        language, asked_by = ("tr", "en")[number % 2], channel or ("sms-reply", "sms-link")[number // 2 % 2]
        address = f"reader-{number}@example.org"
        who = (f"K-{number:05}", "IST", procedure, language)
        cells = (*who, procedure, telephone, zone, asked_by, number % 11, address, procedure, procedure)
        rows.append(",".join(map(str, cells)))
    for start in range(0, count, size):
        yield "\n".join([COLUMNS, *rows[start : start + size]]).encode()

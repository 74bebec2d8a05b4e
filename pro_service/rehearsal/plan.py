"""What is rehearsed, with which participants and for how long, and the temporary database it runs in."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from pro_service.core.protocol import Medium, Protocol
from pro_service.rehearsal.people import longest_follow_up
from pro_service.rehearsal.temperaments import Crowd
from pro_service.runtime import Runtime, open_runtime, upgrade
from pro_service.settings import Delivery, Settings
from pro_service.use_cases.study import Checked, digest

UNDATED = date(2026, 1, 5)
"""Where a protocol without a first day is rehearsed: a Monday, always the same."""
USUAL_CHANNELS = ("sms-reply", "sms-reply", "sms-reply", "sms-link")
EXAMPLE = "https://pro.example.org"
"""Stands for the installation's address where none is configured: links have to have a length."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides the result of a rehearsal: the same plan gives the same bytes."""

    checked: Checked
    crowd: Crowd
    participants: int = 42
    days: int = 120
    seed: int = 7
    version: int | None = None
    """Number of the stored version; None: it is a file."""
    starts: date | None = None
    """None: the study's first day, else UNDATED."""
    enrolment_days: int | None = None
    """None: as many as leave time for the last window to close."""
    channels: tuple[str, ...] = USUAL_CHANNELS
    price: Decimal | None = None
    """Of one segment."""
    price_whatsapp: Decimal | None = None
    """Of one WhatsApp message."""
    most_segments: int = 3
    """A longer text is a finding."""
    base_url: str = EXAMPLE

    @property
    def protocol(self) -> Protocol:
        """The protocol that is rehearsed."""
        return self.checked.protocol

    @property
    def prices(self) -> Mapping[Medium, float]:
        """What a segment of a text and a WhatsApp message cost, as far as somebody said."""
        said: Mapping[Medium, Decimal | None] = {"sms": self.price, "whatsapp": self.price_whatsapp}
        return {medium: float(price) for medium, price in said.items() if price is not None}

    @property
    def sha256(self) -> str:
        """The digest of protocol and texts."""
        return digest(self.checked)

    @property
    def first(self) -> date:
        """The first virtual day."""
        return self.starts or self.protocol.starts or UNDATED

    @property
    def last(self) -> date:
        """The last virtual day."""
        return self.first + timedelta(days=self.days - 1)

    @property
    def end(self) -> datetime:
        """The end of the last virtual day, at the first site."""
        zone = ZoneInfo(next(iter(self.protocol.sites.values())).zone)
        return datetime.combine(self.last + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)

    @property
    def enrolling(self) -> int:
        """Days over which the procedures are spread."""
        usual = max(self.days - longest_follow_up(self.protocol, self.first), min(self.days, 7))
        return min(self.enrolment_days or usual, self.days)


@contextmanager
def stage(folder: Path, base_url: str) -> Iterator[Runtime]:
    """Return a runtime on a new database in `folder`, with keys of its own; nothing leaves the process."""
    settings = Settings(
        home=folder,
        database_url=f"sqlite:///{folder / 'rehearsal.db'}",
        secret_key=secrets.token_bytes(32),
        data_keys=(("rehearsal", secrets.token_bytes(32)),),
        public_base_url=base_url,
        # One after the other and at once: nobody is waited for.
        delivery=Delivery(workers=1),
    )
    upgrade(settings)
    rt = open_runtime(settings, lasting=False)
    try:
        yield rt
    finally:
        rt.close()

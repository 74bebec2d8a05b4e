"""Each way out, for every worker alike: its pace, its day's limit, what stopped it, and whether it is in quarantine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate

from sqlalchemy import Connection, func, or_, select, update

from pro_service.core.providers import Pace
from pro_service.store.schema import AnyRow, channels, messages
from pro_service.store.session import Session

c = channels.c
AHEAD = timedelta(seconds=5)
"""How far ahead a worker reserves moments of a paced sender: what it claims it must be able to send soon."""

LONGEST_REST, LONGEST_RESERVED = timedelta(hours=1), timedelta(minutes=15)
"""What is further ahead than any rest or reserved moment was set by a wrong clock, and holds nothing back."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One way out as every worker sees it. Instants: None = never, or not now."""

    name: str
    free_at: datetime | None
    """When the sender may send its next segment."""
    day: date | None
    sent: int
    """Segments claimed on `day`."""
    stopped_until: datetime | None
    stopped_by: str | None
    quarantined_at: datetime | None
    quarantine_reason: str | None
    known_until: datetime | None
    pulled_until: datetime | None

    def goes(self, now: datetime) -> bool:
        """Whether anything may leave this way."""
        stopped = self.stopped_until is not None and now < self.stopped_until <= now + LONGEST_REST
        return self.quarantined_at is None and not stopped

    def free_from(self, now: datetime) -> datetime:
        """When the sender may send its next segment, at the earliest now."""
        return now if self.free_at is None or self.free_at > now + LONGEST_RESERVED else max(self.free_at, now)

    def sent_on(self, day: date) -> int:
        """Segments claimed on a UTC day."""
        return self.sent if self.day == day else 0


FREE = Pace()


def all_channels(session: Session | Connection) -> dict[str, Channel]:
    """Name -> channel."""
    return {row.name: Channel(*row) for row in session.execute(select(channels))}


def lock_channel(session: Session, name: str) -> Channel:
    """Return one channel, with its row taken: moments of its sender are reserved by one worker at a time."""
    statement = select(channels).where(c.name == name)
    if session.get_bind().dialect.name == "postgresql":
        statement = statement.with_for_update()
    return Channel(*session.execute(statement).one())


def room(channel: Channel, pace: Pace, now: datetime) -> int | None:
    """How many segments may be claimed now; None = any number."""
    rooms = []
    if pace.per_second is not None:
        free = channel.free_from(now)
        rooms.append(int(max((now + AHEAD - free).total_seconds(), 0) * pace.per_second) or int(free <= now))
    if pace.per_day is not None:
        rooms.append(max(pace.per_day - channel.sent_on(now.date()), 0))
    return min(rooms) if rooms else None


def next_room(channel: Channel, pace: Pace, now: datetime) -> datetime | None:
    """Return from when on another segment may be claimed, as far as the pace decides; None if it holds nothing back.

    None also where the day's limit is reached: that is no matter of seconds.
    """
    if pace.per_second is None or channel.free_at is None or room(channel, Pace(per_day=pace.per_day), now) == 0:
        return None
    within_reach = max(AHEAD - timedelta(seconds=1 / pace.per_second), timedelta(0))
    return max(channel.free_from(now) - within_reach, now)


def reserve(session: Session, channel: Channel, pace: Pace, segments: Sequence[int], now: datetime) -> list[datetime]:
    """Reserve a moment for each message, one after the other by its segments; return the moments."""
    at, moments = channel.free_from(now), list[datetime]()
    for count in segments:
        moments.append(at)
        if pace.per_second is not None:
            at += timedelta(seconds=max(count, 1) / pace.per_second)
    total = channel.sent_on(now.date()) + sum(max(count, 1) for count in segments)
    values = {"day": now.date(), "sent": total} | ({} if pace.per_second is None else {"free_at": at})
    session.execute(update(channels).where(c.name == channel.name).values(values))
    return moments


def stop(session: Session, name: str, until: datetime, code: str, now: datetime) -> bool:
    """Let nothing leave this way until then; False if it is stopped already."""
    still = or_(c.stopped_until.is_(None), c.stopped_until <= now, c.stopped_until > now + LONGEST_REST)
    statement = update(channels).where(c.name == name, still).values(stopped_until=until, stopped_by=code)
    return session.execute(statement).rowcount > 0


def go_on(session: Session, name: str) -> None:
    """What stopped a channel is over: something was accepted."""
    stopped = update(channels).where(c.name == name, c.stopped_by.is_not(None))
    session.execute(stopped.values(stopped_until=None, stopped_by=None))


def go_on_after(session: Session, name: str, accepted_at: datetime) -> None:
    """What stopped a channel is over: a text that was accepted after its rest has been sent on."""
    over = update(channels).where(c.name == name, c.stopped_by.is_not(None), c.stopped_until <= accepted_at)
    session.execute(over.values(stopped_until=None, stopped_by=None))


def quarantine(session: Session, name: str, reason: str, known_until: datetime, now: datetime) -> bool:
    """Let nothing leave this way before it is known what did; False if that is so already."""
    statement = update(channels).where(c.name == name, c.quarantined_at.is_(None))
    values = {"quarantined_at": now, "quarantine_reason": reason, "known_until": known_until}
    return session.execute(statement.values(values)).rowcount > 0


def release(session: Session, name: str) -> bool:
    """End a quarantine; False if there is none."""
    statement = update(channels).where(c.name == name, c.quarantined_at.is_not(None))
    values = {"quarantined_at": None, "quarantine_reason": None, "known_until": None}
    return session.execute(statement.values(values)).rowcount > 0


def sent_since(session: Session, name: str, since: datetime) -> int:
    """Return how many messages this database knows that a way out has taken since then."""
    m = messages.c
    taken = select(func.count()).where(m.channel == name, m.provider_id.is_not(None), m.accepted_at >= since)
    return session.execute(taken).scalar_one()


def pulled(session: Session, name: str, until: datetime) -> None:
    """Replies up to here were fetched."""
    session.execute(update(channels).where(c.name == name).values(pulled_until=until))


def within(rows: Sequence[AnyRow], room: int | None) -> list[int]:
    """As many of these messages, in order, as fit; the first one always."""
    if room is None:
        return [row.id for row in rows]
    sums = accumulate(max(row.segments, 1) for row in rows)
    return [row.id for place, (row, total) in enumerate(zip(rows, sums, strict=True)) if place == 0 or total <= room]

"""When the product itself has something to do next, asked in one look."""

from datetime import datetime

from sqlalchemy import bindparam, func, or_, select

from pro_service.runtime import Runtime
from pro_service.store.messages.waiting import LONGEST_DOUBT, READY, UNCERTAIN, UNSETTLED
from pro_service.store.schema import Instant, channels, escalations, inbound, messages, participants
from tests.simulation.weather import Weather

e, m = escalations.c, messages.c
_LOOK = select(func.min(participants.c.next_check_at)).scalar_subquery()
_READY = select(func.min(m.next_try_at)).where(READY).scalar_subquery()
_LEASE = select(func.min(m.lease_until)).where(UNSETTLED, m.state == "sending").scalar_subquery()
_ASK = select(func.min(m.ask_at)).where(UNCERTAIN).scalar_subquery()
_DOUBT = select(
    or_(
        # A moment that a wrong clock had set has come.
        select(m.id).where(UNCERTAIN, or_(m.ask_at <= bindparam("now"), m.ask_at > bindparam("far"))).exists(),
        select(channels.c.name).where(channels.c.quarantined_at.is_not(None)).exists(),
    )
)
_ALERT = (
    select(func.min(e.due_at))
    .where(e.level == "ES", e.resolved_at.is_(None), e.due_at > bindparam("now", type_=Instant()))
    .scalar_subquery()
)
_UNREAD = select(func.min(inbound.c.received_at)).where(inbound.c.interpreted_at.is_(None)).scalar_subquery()
_NEXT = select(_LOOK, _UNREAD, _ALERT, _READY, _LEASE, _ASK)


def next_due(rt: Runtime, weather: Weather, now: datetime) -> datetime | None:
    """The next instant at which a beat that is not down may find something to do; past where it is due already."""
    with rt.sessions.glance() as connection:
        look, unread, overdue, *sending, ask = connection.execute(_NEXT, {"now": now}).one()
    wanted = [_when_up(moment, "scheduler", weather, now) for moment in (look, unread, overdue)]
    wanted += [_when_up(moment, "delivery", weather, now) for moment in sending]
    # Asked every half minute while the provider is away, it would be asked ten thousand times.
    wanted.append(_when_up(_when_up(ask, "provider", weather, now), "delivery", weather, now))
    return min((moment for moment in wanted if moment is not None), default=None)


def in_doubt(rt: Runtime, now: datetime) -> bool:
    """Whether there is anything to ask the provider about; the product asks for itself, this only saves time."""
    with rt.sessions.glance() as connection:
        return bool(connection.execute(_DOUBT, {"now": now, "far": now + LONGEST_DOUBT}).scalar())


def _when_up(moment: datetime | None, down: str, weather: Weather, now: datetime) -> datetime | None:
    """This moment, or the end of the outage that it falls into."""
    if moment is None:
        return None
    at = max(moment, now)
    ends = [o.end for o in weather.outages if o.down in (down, "everything") and o.start <= at < o.end]
    return max(ends) if ends else moment

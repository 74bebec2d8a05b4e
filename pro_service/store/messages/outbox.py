"""The outbox: claim and outcome. Each transition is one conditional update, fenced by the attempt number.

A claim is committed before a byte leaves, and no transaction is open while a provider is called. A worker who finds no
row changed has lost the message to somebody else, and drops the result.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    update,
)

from pro_service.core.case import CONSENTED, PROMPTS
from pro_service.core.conversation.unknown_sender import KIND as STRANGER
from pro_service.core.providers import FACTS, MAIL, STAFF_MAIL, Pace, WayOut, ways_of
from pro_service.core.routes import CARD
from pro_service.core.schedule.safety_alerts import KIND as STAFF
from pro_service.store.bulk import Bulk, change, change_apart, row_ids
from pro_service.store.confirmations import HELD
from pro_service.store.messages import channels, staff_texts
from pro_service.store.messages.channels import FREE, Channel
from pro_service.store.messages.waiting import READY
from pro_service.store.participants.ladder import reached_by
from pro_service.store.schema import (
    AnyRow,
    Instant,
    attempts,
    escalations,
    inbound,
    messages,
    on_ladder,
    participants,
    staff_telephones,
    telephone_keys,
    users,
    windows,
)
from pro_service.store.session import Session
from pro_service.store.vault import token_hash

i, m, p, w = inbound.c, messages.c, participants.c, windows.c
TokenOf: TypeAlias = Callable[[int, int, datetime], str]
"""(message, attempt, when it began) -> the token of that attempt."""
WAITS = timedelta(days=1)
"""Longer than this nobody's text waits for its hour."""
ADDRESS = case((m.channel == MAIL, p.email), else_=func.coalesce(p.phone, staff_telephones.c.phone))
"""What a message goes to, sealed: its participant's address or number, or the number of its reader among the staff."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One message that is ours to send until its lease ends."""

    id: int
    attempt: int
    token: str
    """Of this attempt: what its provider says of it comes under it."""
    channel: str
    kind: str
    body: bytes
    participant_id: int | None
    data_key: bytes | None
    address: bytes | None
    """The number or address it goes to, sealed."""
    email: str | None
    """Of the member of staff it is for."""
    useful_until: datetime | None
    today_until: datetime | None
    closes_at: datetime | None
    reference: str
    segments: int
    has_card: bool = False
    """Its participant is one of those who answer with a card: no text to them holds an address."""
    inbound_id: int | None = None
    raw: bytes | None = None
    """Where there is no participant: the sealed text that this one answers, which alone holds the number."""
    telephone_key_id: int | None = None
    telephone_key: bytes | None = None
    """Wrapped: what opens both."""
    user_id: int | None = None
    """The member of staff it is for."""
    frame: str = ""
    version_id: int | None = None
    """Of its words."""
    language: str | None = None
    """Its participant's."""
    wrote_at: datetime | None = None
    """When somebody wrote last from the telephone it goes to, the same way; known where it decides what may be said."""
    resends: int = 0
    """How many attempts before this one were in doubt until it was certain that they never left; of mails, in doubt."""
    leaves_at: datetime | None = None
    """When the sender's pace lets it leave; None = at once."""


def may_go(now: datetime | BindParameter[datetime], *, leaves: bool | BindParameter[bool]) -> ColumnElement[bool]:
    """What must hold in the database at the claim: the same gate as the rules', and the window open.

    `leaves`: texts go to a provider that is not on this machine, so only those of confirmed versions go.
    """
    led_to = or_(*(and_(m.channel.in_(ways_of(medium)), reached_by(medium)) for medium in CONSENTED))
    written_to = and_(
        p.died_at.is_(None),
        or_(
            and_(m.frame == "stopped", p.phone.is_not(None)),
            and_(p.opted_out_at.is_(None), p.withdrawn_at.is_(None), led_to),
        ),
    )
    prompt_fits = and_(
        w.cancelled_at.is_(None),
        w.opens_at <= now,
        w.closes_at > now,
        or_(p.paused_at.is_(None), and_(p.paused_until.is_not(None), p.paused_until <= now)),
        or_(p.texts_held_until.is_(None), p.texts_held_until <= now),
        or_(m.frame.not_like(f"%.{CARD}"), p.card_made_at.is_not(None)),
    )
    # The neutral answer to a telephone of nobody's: its gate is asked when it is queued, and a stop withdraws it.
    neutral = and_(m.kind == STRANGER, m.participant_id.is_(None))
    to_staff = and_(m.kind == STAFF, staff_texts.MAY_GO)
    allowed = or_(
        m.channel == STAFF_MAIL, neutral, to_staff, and_(written_to, or_(m.kind.not_in(PROMPTS), prompt_fits))
    )
    confirmed_only = leaves if isinstance(leaves, BindParameter) else literal(leaves)
    return and_(allowed, not_(and_(confirmed_only, HELD)))


UNREAD = and_(
    m.kind.in_(PROMPTS),
    select(inbound.c.id).where(inbound.c.interpreted_at.is_(None), inbound.c.sender_index == p.phone_index).exists(),
)
"""What somebody wrote on this telephone was not read yet: it may be the answer that a prompt says we do not have."""


def existing_keys(session: Session, keys: Iterable[str]) -> frozenset[str]:
    """Return those of these keys under which a message exists."""
    return frozenset(session.scalars(select(m.dedup_key).where(m.dedup_key.in_(list(keys)))))


def lately(session: Session, way: WayOut, participant_id: int, since: datetime) -> Sequence[AnyRow]:
    """Return the texts that went to a participant's telephone this way since then, or wait to: (id, body, …key)."""
    theirs = select(p.phone_index).where(p.id == participant_id).scalar_subquery()
    statement = (
        select(m.id, m.body, m.participant_id, p.data_key)
        .join(participants, p.id == m.participant_id)
        .where(p.phone_index == theirs, m.channel == way, m.state.not_in(("cancelled", "expired", "refused")))
        .where(m.queued_at > since - WAITS, or_(m.accepted_at.is_(None), m.accepted_at > since))
    )
    return session.execute(statement).all()


def claim(
    session: Session,
    now: datetime,
    lease: timedelta,
    limit: int,
    ways: Mapping[str, Pace],
    token_of: TokenOf,
    *,
    leaves: bool,
) -> list[Claimed]:
    """Take up to `limit` messages that are due and may go (`leaves`: see there); the caller commits before it sends.

    Nothing is taken of a way out that is stopped or in quarantine, and of one that is paced no more than its sender's
    pace and day have room for. `token_of` gives each attempt its token.
    """
    known = channels.all_channels(session)
    going = [name for name in ways if known[name].goes(now)]
    claimed: list[Claimed] = []
    # In one order everywhere: two workers never wait for each other's channel.
    for name in sorted(name for name in going if ways[name] != FREE):
        channel, pace = channels.lock_channel(session, name), ways[name]
        room = channels.room(channel, pace, now)
        taken = _take(session, now, lease, limit - len(claimed), [name], token_of, room, leaves=leaves)
        claimed += _at_their_moments(session, channel, pace, taken, now)
    if free := [name for name in going if ways[name] == FREE]:
        claimed += _take(session, now, lease, limit - len(claimed), free, token_of, leaves=leaves)
    _begin_attempts(session, claimed, now)
    return claimed


def _at_their_moments(
    session: Session, channel: Channel, pace: Pace, claimed: Sequence[Claimed], now: datetime
) -> list[Claimed]:
    if not claimed:
        return []
    moments = channels.reserve(session, channel, pace, [one.segments for one in claimed], now)
    return [replace(one, leaves_at=moment) for one, moment in zip(claimed, moments, strict=True)]


def _take(
    session: Session,
    now: datetime,
    lease: timedelta,
    limit: int,
    ways: Sequence[str],
    token_of: TokenOf,
    room: int | None = None,
    *,
    leaves: bool,
) -> list[Claimed]:
    """Take up to `limit` messages of these ways out, of no more than `room` segments together."""
    if limit <= 0 or room == 0:
        return []
    found = _DUE_TAKEN if session.get_bind().dialect.name == "postgresql" else _DUE
    given = {"m_now": now, "m_ways": list(ways), "m_limit": limit, "m_leaves": leaves}
    ids = channels.within(session.execute(found, given).all(), room)
    if not ids:
        return []
    session.execute(_TAKEN, {"m_ids": ids, "m_lease": now + lease})
    rows = session.execute(_NEEDED, {"m_ids": ids}).all()
    return [Claimed(row.id, row.attempt, token_of(row.id, row.attempt, now), *row[2:]) for row in rows]


@dataclass(frozen=True, slots=True)
class Held:
    """Texts that are due and may go, and wait for nothing but their sender's pace."""

    count: int
    room_at: datetime
    """When the next of them may be claimed."""
    leaves_at: datetime
    """When it leaves then."""


def held_by_pace(
    connection: Connection, ways: Mapping[str, Pace], now: datetime, most: int, *, leaves: bool
) -> Held | None:
    """Return what the pace of its sender holds back, counted up to `most`, on the way that has room first.

    None if no pace holds anything back.
    """
    held = []
    for name, channel in channels.all_channels(connection).items():
        room_at = channels.next_room(channel, ways[name], now) if name in ways and channel.goes(now) else None
        if room_at is None:
            continue
        due = connection.execute(_DUE, {"m_now": now, "m_ways": [name], "m_limit": most, "m_leaves": leaves}).all()
        if due:
            held.append(Held(len(due), room_at, channel.free_from(now)))
    if not held:
        return None
    return replace(min(held, key=lambda one: one.room_at), count=min(sum(one.count for one in held), most))


def _useful(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """It is still of use, and its contact hours are not over."""
    return and_(
        or_(m.useful_until.is_(None), m.useful_until > now),
        or_(m.today_until.is_(None), m.today_until > now),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What the last look at claimed messages found."""

    may_go: frozenset[int] = frozenset()
    """Still ours, and still to be sent: somebody may have answered or said stop since, or have another number."""
    unread: frozenset[int] = frozenset()
    """Of these, prompts that wait until a text is read that may be their answer."""


def look_again(connection: Connection, claimed: Iterable[Claimed], now: datetime, *, leaves: bool) -> Standing:
    """Look once more at what is about to leave."""
    to = {one.id: (one.attempt, None if one.channel == STAFF_MAIL else one.address) for one in claimed}
    rows = connection.execute(_STILL, {"m_ids": list(to), "m_now": now, "m_leaves": leaves})
    ours = [row for row in rows if to[row.id] in ((row.attempt, row.address), (row.attempt, None))]
    return Standing(frozenset(row.id for row in ours), frozenset(row.id for row in ours if row.unread))


def _begin_attempts(session: Session, claimed: Sequence[Claimed], now: datetime) -> None:
    ids = row_ids(session, len(claimed))
    rows = [
        {"id": next(ids), "message_id": c.id, "number": c.attempt, "token": token_hash(c.token), "started_at": now}
        for c in claimed
    ]
    if rows:
        Bulk(session.connection(), attempts, tuple(rows[0])).write(rows)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt came to. `state` is the message's new state."""

    claimed: Claimed
    state: str
    error: str | None = None
    provider_id: str | None = None
    provider_status: str | None = None
    next_try_at: datetime | None = None
    accepted_at: datetime | None = None
    ask_at: datetime | None = None
    """When the provider is first asked, where nobody knows whether it left."""
    in_doubt: bool = False
    """It goes again although it may have left: it is the same message then."""


def record(session: Session, outcomes: Sequence[Outcome], now: datetime) -> list[Outcome]:
    """Write outcomes down; return those that still counted (state and attempt unchanged since the claim).

    A callback may have come before the response: what it said stays.
    """
    # Participants before messages, as everywhere, and both in order: two use cases never wait for each other.
    _check_again(session, outcomes, now)
    outcomes = sorted(outcomes, key=lambda outcome: outcome.claimed.id)
    accepted = [o for o in outcomes if o.state == "accepted"]
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_TAKE_ROWS, {"m_ids": [one.claimed.id for one in outcomes]})
    change_apart(session.connection(), _ACCEPTED, [_accepted_row(o, now) for o in accepted])
    counted = [*accepted, *(one for one in outcomes if one.state != "accepted" and _moved(session, one, now))]
    rows = [
        {"a_m": o.claimed.id, "a_n": o.claimed.attempt, "a_at": now, "a_out": o.state, "a_err": o.error}
        for o in outcomes
    ]
    change_apart(session.connection(), _ATTEMPT_ENDED, rows)
    return counted


def _moved(session: Session, outcome: Outcome, now: datetime) -> bool:
    """Write down what is no acceptance; False if the message is no longer this attempt's."""
    ended = now if outcome.state in ("refused", "dead", "expired", "cancelled") else None
    values: dict[str, Any] = {"state": outcome.state, "error": outcome.error, "lease_until": None, "ended_at": ended}
    if outcome.in_doubt:
        values["resends"] = m.resends + 1
    values |= {"ask_at": outcome.ask_at} | ({"next_try_at": outcome.next_try_at} if outcome.next_try_at else {})
    # What is certain ends the doubt that the end of the lease began.
    still = ("sending",) if outcome.state == "uncertain" else ("sending", "uncertain")
    ours = (m.id == outcome.claimed.id, m.state.in_(still), m.attempt == outcome.claimed.attempt)
    return session.execute(update(messages).where(*ours).values(values)).rowcount > 0


def _accepted_row(outcome: Outcome, now: datetime) -> dict[str, Any]:
    return {
        "m_id": outcome.claimed.id,
        "m_attempt": outcome.claimed.attempt,
        "m_sid": outcome.provider_id,
        "m_status": outcome.provider_status,
        "m_at": outcome.accepted_at or now,
    }


def _check_again(session: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Check those again who waited for these messages.

    A pending prompt holds back the next until it is void; a text that was taken may end the task that says that nobody
    knows whether one left.
    """
    taken = {o.claimed.participant_id for o in outcomes if o.state == "accepted" and o.claimed.channel != STAFF_MAIL}
    in_doubt = select(escalations.c.participant_id).where(
        escalations.c.participant_id.in_([one for one in taken if one is not None]),
        escalations.c.reason == "uncertain_delivery",
        escalations.c.resolved_at.is_(None),
    )
    told_of = frozenset(session.scalars(in_doubt))
    rows = [
        {"p_id": c.participant_id, "p_until": c.useful_until, "p_now": now, "p_told": c.participant_id in told_of}
        for c in (outcome.claimed for outcome in outcomes)
        if c.participant_id in told_of or (c.kind in PROMPTS and c.useful_until is not None)
    ]
    change(session.connection(), _LOOK_AGAIN, sorted(rows, key=itemgetter("p_id")))


_IDS: BindParameter[Sequence[int]] = bindparam("m_ids", expanding=True)
_TAKEN = (
    update(messages)
    .where(m.id.in_(_IDS), m.state == "ready")
    .values(state="sending", attempt=m.attempt + 1, lease_until=bindparam("m_lease"))
)
_TAKE_ROWS = select(m.id).where(m.id.in_(_IDS)).order_by(m.id).with_for_update()
_NOW: BindParameter[datetime] = bindparam("m_now", type_=Instant())
_LEAVES: BindParameter[bool] = bindparam("m_leaves", type_=Boolean())
_DUE = (
    select(m.id, m.segments)
    .outerjoin(participants, p.id == m.participant_id)
    .outerjoin(windows, w.id == m.window_id)
    .where(READY, m.next_try_at <= _NOW, m.channel.in_(bindparam("m_ways", expanding=True)), _useful(_NOW))
    .where(may_go(_NOW, leaves=_LEAVES), ~UNREAD)
    .order_by(m.next_try_at)
    .limit(bindparam("m_limit"))
)
_DUE_TAKEN = _DUE.with_for_update(of=messages, skip_locked=True)
_WROTE_AT = case(
    (
        m.channel.in_([way for way, facts in FACTS.items() if facts.session is not None]),
        select(func.max(case((i.provider_at < i.received_at, i.provider_at), else_=i.received_at)))
        .where(i.sender_index == p.phone_index, i.channel == m.channel)
        .correlate(messages, participants)
        .scalar_subquery(),
    )
)
_OF_STAFF = and_(staff_telephones.c.user_id == m.user_id, m.kind == STAFF)
_NEEDED: Any = (
    select(
        m.id,
        m.attempt,
        m.channel,
        m.kind,
        m.body,
        m.participant_id,
        p.data_key,
        ADDRESS.label("address"),
        users.c.email,
        m.useful_until,
        m.today_until,
        w.closes_at,
        m.dedup_key,
        m.segments,
        func.coalesce(on_ladder(CARD), false()),
        m.inbound_id,
        inbound.c.raw,
        telephone_keys.c.id.label("telephone_key_id"),
        telephone_keys.c.key.label("telephone_key"),
        m.user_id,
        m.frame,
        m.protocol_version_id,
        p.language,
        _WROTE_AT,
        m.resends,
    )
    .outerjoin(participants, p.id == m.participant_id)
    .outerjoin(windows, w.id == m.window_id)
    .outerjoin(users, users.c.id == m.user_id)
    .outerjoin(inbound, and_(inbound.c.id == m.inbound_id, m.kind == STRANGER))
    .outerjoin(telephone_keys, telephone_keys.c.id == inbound.c.telephone_key_id)
    .outerjoin(staff_telephones, _OF_STAFF)
    .where(m.id.in_(_IDS), m.state == "sending")
    .order_by(m.next_try_at)
)
_STILL = (
    select(m.id, m.attempt, ADDRESS.label("address"), UNREAD.label("unread"))
    .outerjoin(participants, p.id == m.participant_id)
    .outerjoin(windows, w.id == m.window_id)
    .outerjoin(staff_telephones, _OF_STAFF)
    .where(m.id.in_(_IDS), m.state == "sending")
    .where(may_go(_NOW, leaves=_LEAVES), _useful(_NOW))
)
_ACCEPTED = (
    update(messages)
    # An answer that comes after the lease still tells what happened to this attempt.
    .where(
        m.id == bindparam("m_id"),
        or_(m.state == "sending", m.state == "uncertain"),
        m.attempt == bindparam("m_attempt"),
    )
    .values(
        state="accepted",
        provider_id=bindparam("m_sid"),
        provider_status=bindparam("m_status"),
        accepted_at=bindparam("m_at"),
        lease_until=None,
        error=None,
    )
)
_ATTEMPT_ENDED = (
    update(attempts)
    .where(attempts.c.message_id == bindparam("a_m"), attempts.c.number == bindparam("a_n"))
    .values(ended_at=bindparam("a_at"), outcome=bindparam("a_out"), error=bindparam("a_err"))
)
_LOOK_AGAIN = (
    update(participants)
    .where(
        p.id == bindparam("p_id"),
        or_(
            p.next_check_at == bindparam("p_until"),
            and_(
                bindparam("p_told", type_=Boolean()),
                or_(p.next_check_at.is_(None), p.next_check_at > bindparam("p_now")),
            ),
        ),
    )
    .values(next_check_at=bindparam("p_now"))
)

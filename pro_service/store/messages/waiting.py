"""Messages that wait: whose time is over, who may not go any more, whose night begins, whose fate nobody knows."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, bindparam, case, func, literal_column, or_, select, text, update

from pro_service.core.case import PROMPTS, UNREACHABLE, WRONG_CLOCK
from pro_service.core.conversation.unknown_sender import KIND as STRANGER
from pro_service.core.providers import SAME_MESSAGE, ways_of
from pro_service.core.schedule.safety_alerts import KIND as STAFF
from pro_service.store.confirmations import HELD
from pro_service.store.schema import IN_DOUBT, IS_TEXT, AnyRow, attempts, messages, participants, windows
from pro_service.store.session import Session

m, p, w = messages.c, participants.c, windows.c

AT_ONCE = 1_000
"""How many leases are ended, or texts counted, at a time; the others follow at the next run."""
LONGEST_WAIT, LONGEST_LEASE, LONGEST_DOUBT = timedelta(days=2), timedelta(minutes=15), timedelta(hours=2)
"""No text that waits is put off further, no lease is longer, and no question about a text in doubt is put later."""
NEVER_ASKED_ABOUT = (STRANGER, STAFF)
"""Kinds of text about which the provider is never asked: they are not sent again, and nothing waits for them."""
READY = text("messages.state = 'ready'")
UNCERTAIN = text("messages.state = 'uncertain'")
UNSETTLED = text("messages.state IN ('sending', 'uncertain')")
"""Written word for word as in the partial indexes: with bound values neither database would use these."""


_NO_PROMPT = m.kind.not_in(PROMPTS)


def cap(session: Session, now: datetime, lease: timedelta) -> None:
    """Let texts go, and leases end, whose moment is further ahead than any is ever set: a wrong clock had set it.

    What goes in contact hours alone waits for the next ones from now on, like any whose hours are over. A prompt that
    was queued by that clock is not let go: it is withdrawn where all is undone that the clock had decided.
    """
    ahead = update(messages).where(READY, m.next_try_at > now + LONGEST_WAIT, or_(m.queued_at <= now, _NO_PROMPT))
    session.execute(ahead.where(m.today_until.is_(None)).values(next_try_at=now))
    session.execute(ahead.where(m.today_until.is_not(None)).values(next_try_at=now, today_until=now))
    longest = max(LONGEST_LEASE, 2 * lease)
    held = update(messages).where(UNSETTLED, m.state == "sending", m.lease_until > now + longest)
    session.execute(held.values(lease_until=now))


def leases_over(session: Session, now: datetime, ask_at: datetime) -> None:
    """Messages whose worker never came back: whether a text left is uncertain, and the provider is asked at `ask_at`.

    A mail goes again, as the same mail.
    """
    over = select(m.id).where(UNSETTLED, m.state == "sending", m.lease_until <= now).limit(AT_ONCE)
    if session.get_bind().dialect.name == "postgresql":
        # In no order that others keep to, so it waits for nobody: a row that is taken is being settled right now.
        over = over.with_for_update(skip_locked=True)
    ids = session.scalars(over).all()
    if not ids:
        return
    ended = update(messages).where(m.id.in_(ids), m.state == "sending", m.lease_until <= now)
    again = ended.where(m.channel.in_(SAME_MESSAGE)).values(
        state="ready", error="lease", lease_until=None, next_try_at=now, resends=m.resends + 1
    )
    texts = ended.where(m.channel.not_in(SAME_MESSAGE))
    given_up = texts.where(m.kind.in_(NEVER_ASKED_ABOUT)).values(
        state="dead", error="lease", lease_until=None, ended_at=now
    )
    in_doubt = texts.where(m.kind.not_in(NEVER_ASKED_ABOUT)).values(
        state="uncertain", error="lease", lease_until=None, ask_at=ask_at
    )
    for statement in (again, given_up, in_doubt):
        session.execute(statement)


def void(session: Session, now: datetime) -> Sequence[AnyRow]:
    """End what waits and may not go any more: too late, or no longer allowed. Gives (id, participant id, state)."""
    ended: list[AnyRow] = []
    late = update(messages).where(READY, m.useful_until <= now)
    # A mail that may have left is not one that never did: its step is not taken again.
    over = case((IN_DOUBT, "dead"), else_="expired")
    ended += session.execute(late.values(state=over, ended_at=now).returning(m.id, m.participant_id, m.state)).all()
    allowed = (
        select(m.id)
        .join(participants, p.id == m.participant_id)
        .outerjoin(windows, w.id == m.window_id)
        .where(READY, m.next_try_at <= now, IS_TEXT)
    )
    gone = or_(
        p.died_at.is_not(None),
        and_(
            m.frame != "stopped",
            or_(
                p.opted_out_at.is_not(None),
                p.withdrawn_at.is_not(None),
                *(
                    and_(
                        m.channel.in_(ways_of(medium)),
                        p[fact].is_not(None),
                    )
                    for medium, fact in UNREACHABLE.items()
                ),
            ),
        ),
        and_(m.kind.in_(PROMPTS), or_(w.cancelled_at.is_not(None), w.closes_at <= now)),
    )
    ids = session.scalars(allowed.where(gone)).all()
    if ids:
        void_now = update(messages).where(m.id.in_(ids), m.state == "ready")
        ended += session.execute(
            void_now.values(state="cancelled", ended_at=now).returning(m.id, m.participant_id, m.state)
        ).all()
    return ended


def next_try(session: Session) -> datetime | None:
    """When the next message that waits may go; None = nothing waits."""
    moment: datetime | None = session.scalar(select(func.min(m.next_try_at)).where(READY))
    return moment


def past_today(session: Session, now: datetime, limit: int) -> Sequence[AnyRow]:
    """Prompts whose contact hours ended before they left: (id, zone, protocol version id, useful until)."""
    statement = (
        select(m.id, p.zone, p.protocol_version_id, m.useful_until)
        .join(participants, p.id == m.participant_id)
        .where(READY, m.next_try_at <= now, m.today_until <= now)
        .limit(limit)
    )
    return session.execute(statement).all()


def postpone(session: Session, message_id: int, next_try_at: datetime, today_until: datetime | None) -> None:
    """Try a waiting message on a later day."""
    statement = update(messages).where(m.id == message_id, m.state == "ready")
    session.execute(statement.values(next_try_at=next_try_at, today_until=today_until))


def long_uncertain(session: Session, before: Sequence[datetime], limit: int) -> Sequence[AnyRow]:
    """Return texts nobody could confirm for long, not reported to a person yet: (id, participant id).

    `before`: since when, for those that were sent again never, once …; the last holds for all that were oftener.
    """
    most = len(before) - 1
    long = or_(
        *(and_(m.resends == count, attempts.c.started_at < moment) for count, moment in enumerate(before[:-1])),
        and_(m.resends >= most, attempts.c.started_at < before[-1]),
        attempts.c.error == WRONG_CLOCK,
    )
    statement = (
        select(m.id, m.participant_id)
        .join(attempts, and_(attempts.c.message_id == m.id, attempts.c.number == m.attempt))
        .where(UNSETTLED, m.state == "uncertain", IS_TEXT, m.told_at.is_(None), long)
        .limit(limit)
    )
    return session.execute(statement).all()


def mark_reported(session: Session, message_id: int, now: datetime) -> bool:
    """Note that a person is told of this message, so that it is not reported again; False: it is in doubt no more."""
    still = (m.id == message_id, m.state == "uncertain", m.told_at.is_(None))
    return session.execute(update(messages).where(*still).values(told_at=now)).rowcount > 0


def count_unconfirmed(connection: Session | Connection, study_id: int) -> int:
    """Return how many texts of a study wait for the confirmation of their version; counted up to AT_ONCE."""
    held = select(m.id).where(READY, HELD, m.study_id == study_id).limit(AT_ONCE).subquery()
    return connection.execute(select(func.count()).select_from(held)).scalar_one()


def unconfirmed_since(session: Session) -> datetime | None:
    """Return since when the oldest text waits for the confirmation of its version; None if none does."""
    moment: datetime | None = session.scalar(select(func.min(m.queued_at)).where(READY, HELD))
    return moment


def anything(connection: Connection, now: datetime) -> bool:
    """Whether there is anything to do: what is due and waits, leases that are over, moments to `cap`. One question."""
    given = {"now": now, "wait": now + LONGEST_WAIT, "lease": now + LONGEST_LEASE}
    return bool(connection.execute(_ANYTHING, given).scalar())


_ANYTHING = select(
    or_(
        select(m.id)
        .where(READY, m.next_try_at <= bindparam("now"))
        .order_by(m.next_try_at)
        .limit(literal_column("1"))
        .scalar_subquery()
        .is_not(None),
        select(m.id)
        .where(READY, m.next_try_at > bindparam("wait"), or_(m.queued_at <= bindparam("now"), _NO_PROMPT))
        .exists(),
        select(m.id)
        .where(UNSETTLED, m.state == "sending")
        .where(or_(m.lease_until <= bindparam("now"), m.lease_until > bindparam("lease")))
        .exists(),
    )
)

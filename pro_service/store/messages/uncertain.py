"""Texts of unknown fate: which are to be asked about, what the provider remembers, and what follows.

Every change is conditional on the state, the attempt and the first negative answer the asker saw: one that finds no row
changed has been overtaken by a callback or another asker, and drops its result.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, or_, select, update

from pro_service.core.case import WRONG_CLOCK
from pro_service.core.providers import WayOut
from pro_service.core.schedule.safety_alerts import KIND as STAFF
from pro_service.store.messages.waiting import LONGEST_DOUBT, UNCERTAIN, UNSETTLED
from pro_service.store.participants import contact
from pro_service.store.schema import IS_TEXT, AnyRow, attempts, inbound, messages, participants, receipts, windows
from pro_service.store.session import Session
from pro_service.store.staff import telephones

a, m, p, w = attempts.c, messages.c, participants.c, windows.c


@dataclass(frozen=True, slots=True)
class InDoubt:
    """One text nobody knows the fate of. Its telephone and words are encrypted still."""

    id: int
    attempt: int
    started_at: datetime
    missed_at: datetime | None
    """When the provider first did not know of this attempt."""
    error: str | None
    resends: int
    ask_at: datetime
    kind: str
    channel: str
    participant_id: int
    data_key: bytes | None
    phone: bytes | None
    phone_index: bytes | None
    body: bytes
    useful_until: datetime | None
    closes_at: datetime | None
    place: str = ""
    """Where its telephone is sealed for."""

    def began(self, now: datetime) -> datetime | None:
        """When it was tried; None where a wrong clock says so."""
        return None if self.error == WRONG_CLOCK or self.started_at > now else self.started_at

    def useful(self, now: datetime) -> bool:
        """Whether sending it again could still serve."""
        ends = [end for end in (self.useful_until, self.closes_at) if end is not None]
        return all(now < end for end in ends)


def to_ask(session: Session, now: datetime, limit: int) -> list[InDoubt]:
    """Texts whose turn to be asked about has come, longest first."""
    statement = (
        select(
            m.id,
            m.attempt,
            a.started_at,
            a.missed_at,
            a.error,
            m.resends,
            m.ask_at,
            m.kind,
            m.channel,
            m.participant_id,
            p.data_key,
            p.phone,
            p.phone_index,
            m.body,
            m.useful_until,
            w.closes_at,
        )
        .join(attempts, and_(a.message_id == m.id, a.number == m.attempt))
        .join(participants, p.id == m.participant_id)
        .outerjoin(windows, w.id == m.window_id)
        # A moment further ahead than any is set was set by a wrong clock: it is set anew.
        .where(UNCERTAIN, IS_TEXT, or_(m.ask_at <= now, m.ask_at > now + LONGEST_DOUBT))
        .order_by(m.ask_at)
        .limit(limit)
    )
    rows: Sequence[AnyRow] = session.execute(statement).all()
    return [_where_it_went(session, InDoubt(*row)) for row in rows]


def _where_it_went(session: Session, doubt: InDoubt) -> InDoubt:
    """Asked about under the number it went to, though the participant may have another by now."""
    former = contact.went_to(session, doubt.participant_id, doubt.started_at)
    if former is None:
        return replace(doubt, place=f"participants|phone|{doubt.participant_id}")
    place = contact.former_place(former.id)
    return replace(doubt, phone=former.phone, phone_index=former.phone_index, place=place)


def claim(session: Session, doubt: InDoubt, ask_at: datetime) -> bool:
    """Be the one who asks about it now; False if another is. `ask_at`: when it is anybody's turn again."""
    return _changed(session, doubt, {"ask_at": ask_at}, m.ask_at == doubt.ask_at)


def rivals(session: Session, doubt: InDoubt) -> Sequence[AnyRow]:
    """Other texts to the same telephone that may be the ones the provider remembers: (id, state, body, …key)."""
    statement = (
        select(m.id, m.state, m.body, m.participant_id, p.data_key)
        .join(participants, p.id == m.participant_id)
        .where(UNSETTLED, IS_TEXT, p.phone_index == doubt.phone_index, m.id != doubt.id)
    )
    return session.execute(statement).all()


def known_sids(session: Session, sids: Collection[str]) -> frozenset[str]:
    """Those of the provider's ids that belong to a message of ours already."""
    ids = list(sids)
    ours = session.scalars(select(m.provider_id).where(m.provider_id.in_(ids))).all()
    reported = session.scalars(select(receipts.c.provider_id).where(receipts.c.provider_id.in_(ids))).all()
    return frozenset([*(sid for sid in ours if sid is not None), *reported])


def found(session: Session, doubt: InDoubt, sid: str, status: str, accepted_at: datetime) -> bool:
    """The provider has it: it was accepted then."""
    values = {"state": "accepted", "provider_id": sid, "provider_status": status, "accepted_at": accepted_at}
    return _changed(session, doubt, values | {"ask_at": None, "error": None})


def missed(session: Session, doubt: InDoubt, now: datetime, ask_at: datetime) -> bool:
    """The provider does not know of it, for the first time; a first time that is yet to come was a wrong clock's."""
    never = or_(a.missed_at.is_(None), a.missed_at > now)
    first = (a.message_id == doubt.id, a.number == doubt.attempt, never)
    if session.execute(update(attempts).where(*first).values(missed_at=now)).rowcount == 0:
        return False
    return _changed(session, doubt, {"ask_at": ask_at})


def send_again(session: Session, doubt: InDoubt, now: datetime) -> bool:
    """It certainly never left: it may go again. What a person was told of its doubt is over."""
    values = {"state": "ready", "error": "never_left", "resends": m.resends + 1, "next_try_at": now, "ask_at": None}
    return _changed(session, doubt, values | {"told_at": None}, m.resends == doubt.resends)


def end(session: Session, doubt: InDoubt, state: str, now: datetime) -> bool:
    """It never left and will not (`expired`, `cancelled`), or nobody can ever tell (`dead`)."""
    error = {} if state == "dead" else {"error": "never_left"}
    return _changed(session, doubt, {"state": state, "ended_at": now, "ask_at": None} | error)


def accepted_since(session: Session, channel: str, moment: datetime, limit: int) -> Sequence[AnyRow]:
    """Return the first texts to participants that were handed over since then, and that this provider accepted.

    Gives (message id, attempt, provider id, when it was handed over, participant id, data key, telephone).
    """
    return session.execute(
        select(m.id, m.attempt, m.provider_id, a.started_at, m.participant_id, p.data_key, p.phone)
        .join(attempts, and_(a.message_id == m.id, a.number == m.attempt))
        .join(participants, p.id == m.participant_id)
        .where(m.channel == channel, m.provider_id.is_not(None), p.phone.is_not(None), a.started_at >= moment)
        .order_by(a.started_at)
        .limit(limit)
    ).all()


def accepted_about(session: Session, inbound_ids: Collection[int]) -> Sequence[AnyRow]:
    """Return texts of which it is not clear whether they were taken before one of these unread texts was written.

    Somebody handed them over before it, and we heard after it that they were taken. Gives (id, provider id, accepted
    at, channel, id of the unread text).
    """
    i = inbound.c
    written = case((i.provider_at < i.received_at, i.provider_at), else_=i.received_at)
    begun = select(a.id).where(a.message_id == m.id, or_(a.started_at < written, a.error == WRONG_CLOCK)).exists()
    statement = (
        select(m.id, m.provider_id, m.accepted_at, m.channel, i.id.label("inbound_id"))
        .join(participants, p.id == m.participant_id)
        .join(inbound, i.sender_index == p.phone_index)
        .where(i.id.in_(list(inbound_ids)), i.interpreted_at.is_(None))
        .where(IS_TEXT, m.provider_id.is_not(None), m.accepted_at > written, begun)
    )
    return session.execute(statement).all()


def set_accepted(session: Session, row: AnyRow, accepted_at: datetime) -> None:
    """Say when the provider took a text, by its own word: never later than we heard of it."""
    heard = (m.id == row.id, m.provider_id == row.provider_id, m.accepted_at > accepted_at)
    session.execute(update(messages).where(*heard).values(accepted_at=accepted_at))


def ask_later(session: Session, doubt: InDoubt, ask_at: datetime) -> bool:
    """No answer, or none that tells yet."""
    return _changed(session, doubt, {"ask_at": ask_at})


def _changed(session: Session, doubt: InDoubt, values: dict[str, Any], *more: Any) -> bool:
    same = (m.id == doubt.id, m.state == "uncertain", m.attempt == doubt.attempt)
    return session.execute(update(messages).where(*same, *more).values(values)).rowcount > 0


def could_be(session: Session, way: WayOut, phone_index: bytes) -> Sequence[AnyRow]:
    """Texts that go this way to a telephone, of which the provider may know more than we: not known to be accepted."""
    of_whom = select(m.id, m.state, m.attempt, m.body, m.participant_id, m.window_id, m.queued_at, p.data_key)
    not_sent = m.state.in_(("ready", "uncertain", "sending")), m.provider_id.is_(None), m.channel == way
    statement = (
        of_whom.join(participants, p.id == m.participant_id)
        .where(IS_TEXT, p.phone_index == phone_index, *not_sent)
        .order_by(m.queued_at)
    )
    found = list(session.execute(statement))
    if staff := telephones.owners(session, phone_index):
        to_staff = of_whom.outerjoin(participants, p.id == m.participant_id)
        to_staff = to_staff.where(m.kind == STAFF, m.user_id.in_(staff), *not_sent)
        found += session.execute(to_staff.order_by(m.queued_at))
    return found


def somebody_has(session: Session, phone_index: bytes) -> bool:
    """Whether this telephone is a participant's."""
    return session.execute(select(p.id).where(p.phone_index == phone_index).limit(1)).first() is not None


def adopt(session: Session, row: AnyRow, sid: str, status: str, accepted_at: datetime) -> bool:
    """A text this database thought not sent was sent: it is the one the provider has."""
    values = {"state": "accepted", "provider_id": sid, "provider_status": status, "accepted_at": accepted_at}
    same = (m.id == row.id, m.state == row.state, m.attempt == row.attempt, m.provider_id.is_(None))
    changed = update(messages).where(*same).values(**values, ask_at=None, lease_until=None, error=None)
    return session.execute(changed).rowcount > 0

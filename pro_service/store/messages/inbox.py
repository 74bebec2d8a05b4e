"""Texts from telephones: kept raw first, read afterwards, and what people did with those that no rule understood.

Each thing is done once with a text; what was done is append-only and audited.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Connection, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from pro_service.core.providers import Arrival
from pro_service.store.audit import Entry
from pro_service.store.bulk import Bulk, change, row_ids
from pro_service.store.messages import telephone_keys
from pro_service.store.messages.telephone_keys import TelephoneKey
from pro_service.store.participants import typed_reasons
from pro_service.store.participants.cases import Loaded, zone_of
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import AnyRow, Instant, escalations, inbound, inbox_actions, participants, users, windows
from pro_service.store.schema import telephone_keys as keys_table
from pro_service.store.session import Session
from pro_service.store.vault import Vault, opened, sealed

i = inbound.c

FAULTS = 3
"""So often a text is tried to be read before a person is asked."""

Text: TypeAlias = AnyRow
"""One row of `inbound`, with the wrapped key of its telephone."""
TEXTS = select(inbound, keys_table.c.key.label("telephone_key")).select_from(
    inbound.outerjoin(keys_table, keys_table.c.id == i.telephone_key_id)
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a kept text says."""

    sender: str
    """E.164."""
    body: str
    media: int
    opt_out: str | None
    """What the provider itself made of it."""


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that was done with a text."""

    action: str
    at: datetime
    who: str | None
    """E-mail of the member of staff; None for the command line."""
    detail: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that is being done with a text."""

    inbound_id: int
    action: str
    detail: str | None = None
    reason: str | None = None
    changes: Mapping[str, tuple[object, object]] | None = None


# --- kept as they come -----------------------------------------------------------------------------------------------


def keep_text(session: Session, vault: Vault, arrival: Arrival, now: datetime) -> int | None:
    """Keep one text as it came; return its row id, or None if it is here already (providers repeat themselves)."""
    index = _sender_index(vault, arrival)
    key = telephone_keys.of(session, vault, [index]).get(index)
    row = _row(vault, next(row_ids(session)), arrival, now, key)
    try:
        with session.begin_nested():
            session.execute(insert(inbound).values(row))
    except IntegrityError:
        return None
    return int(row["id"])


def keep_together(session: Session, vault: Vault, arrivals: Sequence[tuple[Arrival, datetime]]) -> list[int]:
    """Keep texts as they came, each with when it did; return the row ids of those that were not here.

    IntegrityError: another process keeps one of them at this moment, or one cannot be kept. Then try each alone.
    """
    arrived = {arrival.provider_id: (arrival, received_at) for arrival, received_at in arrivals}
    for here in known_ids(session, arrived):
        del arrived[here]
    # In one order everywhere, or two processes with the same texts would wait for each other.
    new = [arrived[provider_id] for provider_id in sorted(arrived)]
    keys = telephone_keys.of(session, vault, {_sender_index(vault, arrival) for arrival, _ in new})
    rows = [
        _row(vault, row_id, arrival, received_at, keys.get(_sender_index(vault, arrival)))
        for (arrival, received_at), row_id in zip(new, row_ids(session), strict=False)
    ]
    if rows:
        Bulk(session.connection(), inbound, tuple(rows[0])).write(rows)
    return [row["id"] for row in rows]


def known_ids(session: Session, provider_ids: Collection[str]) -> frozenset[str]:
    """Those of these texts that are here already."""
    return frozenset(session.execute(_KNOWN, {"ids": list(provider_ids)}).scalars())


def set_provider_time(session: Session, inbound_id: int, provider_at: datetime) -> None:
    """Say when the provider got a text."""
    session.execute(update(inbound).where(i.id == inbound_id).values(provider_at=provider_at))


# --- read ------------------------------------------------------------------------------------------------------------


def waiting(session: Session, limit: int) -> Sequence[tuple[int, datetime]]:
    """Texts that nobody has read: (id, when they were written as far as we know), oldest first."""
    rows = session.execute(
        select(i.id, i.received_at, i.provider_at)
        .where(i.interpreted_at.is_(None))
        .order_by(i.received_at)
        .limit(limit)
    )
    return sorted(((row.id, row.provider_at or row.received_at) for row in rows), key=lambda one: one[1])


def uninterpreted(session: Session, limit: int) -> Sequence[int]:
    """Texts that nobody has read yet, oldest first."""
    return session.scalars(select(i.id).where(i.interpreted_at.is_(None)).order_by(i.received_at).limit(limit)).all()


def kept_since(connection: Connection, inbound_id: int, limit: int) -> Sequence[int]:
    """The first texts kept after this row that nobody has read yet, in the order of their ids."""
    since = select(i.id).where(i.id > inbound_id, i.interpreted_at.is_(None)).order_by(i.id)
    return connection.scalars(since.limit(limit)).all()


def unread(session: Session, ids: Collection[int]) -> Sequence[Text]:
    """Those of these texts that nobody has read yet and nobody else is reading, locked, in the order they came in."""
    statement = _UNREAD_LOCKED if session.get_bind().dialect.name == "postgresql" else _UNREAD
    return session.execute(statement, {"ids": list(ids)}).all()


def still_unread(session: Session, ids: Collection[int]) -> Sequence[AnyRow]:
    """Return those of these texts that nobody has read yet, in the order they came in.

    Gives (id, channel, provider id, sender index, received at, provider at).
    """
    return session.execute(_STILL_UNREAD, {"ids": list(ids)}).all()


def after_a_close(session: Session, texts: Sequence[AnyRow], within: timedelta) -> frozenset[int]:
    """Return the ids of those of these unread texts that came so soon after a close of a window of their sender's.

    Only of those whose provider's time is not known.
    """
    came = {text.id: text.received_at for text in texts if text.provider_at is None}
    if not came:
        return frozenset()
    given = {"ids": list(came), "before": min(came.values()) - within}
    return frozenset(row.id for row in session.execute(_CLOSED, given) if row.closed > came[row.id] - within)


def said(vault: Vault, row: Text) -> Said:
    """What a kept text says."""
    return _said(opened(key_of(vault, row), row.raw, f"inbound|raw|{row.id}"))


def key_of(vault: Vault, row: Text) -> bytes:
    """The key of the telephone that a text came from; also what is answered to a stranger is sealed with it."""
    return vault.telephone_key(row.telephone_key_id, row.telephone_key)


def sender(key: bytes, inbound_id: int, raw: bytes) -> str:
    """The telephone that a text came from."""
    return _said(opened(key, raw, f"inbound|raw|{inbound_id}")).sender


@dataclass(frozen=True, slots=True)
class Read:
    """How a text was read, and whose it is."""

    inbound_id: int
    reading: str
    study_id: int | None = None
    participant_id: int | None = None


def mark_interpreted(session: Session, now: datetime, read: Sequence[Read]) -> None:
    """Say that texts were read, how, and whose they are."""
    rows = [
        {
            "i_id": one.inbound_id,
            "i_at": now,
            "i_reading": one.reading,
            "i_study": one.study_id,
            "i_participant": one.participant_id,
        }
        for one in read
    ]
    change(session.connection(), _MARK, rows)


def count_fault(session: Session, inbound_id: int) -> int:
    """Count one more fault in reading this text; return how many there were."""
    counted = update(inbound).where(i.id == inbound_id).values(faults=i.faults + 1).returning(i.faults)
    return int(session.execute(counted).scalar_one())


# --- dealt with by a person ------------------------------------------------------------------------------------------


def hand_to_person(session: Session, inbound_id: int, now: datetime, reason: str) -> None:
    """Say that a person has to look at this text, and why."""
    change(session.connection(), _HAND, [{"i_id": inbound_id, "i_at": now, "i_reason": reason}])


def lock_text(session: Session, inbound_id: int) -> Text | None:
    """Return the text, locked, whether or not it has been read."""
    statement = TEXTS.where(i.id == inbound_id)
    if session.get_bind().dialect.name == "postgresql":
        statement = statement.with_for_update(of=inbound)
    return session.execute(statement).first()


def attribute(session: Session, inbound_id: int, study_id: int, participant_id: int) -> None:
    """Say whose text it is, as a person found out."""
    session.execute(update(inbound).where(i.id == inbound_id).values(study_id=study_id, participant_id=participant_id))


def actions_on(session: Session, vault: Vault, inbound_id: int) -> Sequence[Done]:
    """What was done with this text, in order."""
    a = inbox_actions.c
    statement = (
        select(a.action, a.at, users.c.email, a.detail, a.reason)
        .outerjoin(users, users.c.id == a.user_id)
        .where(a.inbound_id == inbound_id)
        .order_by(a.id)
    )
    rows = session.execute(statement).all()
    known = typed_reasons.known(session, vault, (row.reason for row in rows))
    return [Done(row.action, row.at, row.email, row.detail, known.get(row.reason, row.reason)) for row in rows]


def keep_action(writer: Writer, study_id: int, loaded: Loaded | None, act: Act) -> None:
    """Keep what is being done, with its audit row; a second time the same is refused by the table's own constraint."""
    participant_id = None if loaded is None else loaded.case.participant.id
    reason = act.reason if loaded is None else writer.sealed_reason(loaded, act.reason)
    writer.add(
        inbox_actions,
        {
            "study_id": study_id,
            "inbound_id": act.inbound_id,
            "participant_id": participant_id,
            "user_id": writer.actor.user_id,
            "at": writer.now,
            "action": act.action,
            "detail": act.detail,
            "reason": reason,
        },
    )
    changes = {"detail": (None, act.detail)} | dict(act.changes or {})
    zone = zone_of("UTC") if loaded is None else loaded.case.site_zone
    action = f"inbox_{act.action}"
    entry = Entry(action, "inbound", act.inbound_id, changes, study_id, participant_id, reason)
    writer.audit(entry, zone)


def mark_handled(session: Session, inbound_id: int, now: datetime) -> None:
    """Say that a person has dealt with this text; the first time counts."""
    for column in (i.handed_at, i.handled_at):
        session.execute(update(inbound).where(i.id == inbound_id, column.is_(None)).values({column.name: now}))


def has_waiting_text(session: Session, participant_id: int) -> bool:
    """Whether a text of this participant still waits for a person."""
    w = select(i.id).where(i.participant_id == participant_id, i.handed_at.is_not(None), i.handled_at.is_(None))
    return session.execute(w.limit(1)).first() is not None


def has_waiting_text_from(session: Session, sender_index: bytes) -> bool:
    """Whether a text of nobody's from this telephone still waits for a person."""
    mine = (i.sender_index == sender_index, i.participant_id.is_(None))
    w = select(i.id).where(*mine, i.handed_at.is_not(None), i.handled_at.is_(None))
    return session.execute(w.limit(1)).first() is not None


def strangers_tasks(session: Session, sender_index: bytes, study_id: int) -> Sequence[int]:
    """Open tasks "possible participant" about this telephone."""
    e = escalations.c
    mine = e.dedup_key.like(f"E0:possible_participant:{sender_index.hex()[:24]}:%")
    return session.scalars(select(e.id).where(mine, e.study_id == study_id, e.resolved_at.is_(None))).all()


def _sender_index(vault: Vault, arrival: Arrival) -> bytes:
    return vault.index("phone", arrival.sender)


def _row(
    vault: Vault, row_id: int, arrival: Arrival, received_at: datetime, key: TelephoneKey | None
) -> dict[str, Any]:
    """Return a text's row; sealed with the installation's key where its telephone's is damaged."""
    return {
        "id": row_id,
        "channel": arrival.way,
        "provider_id": arrival.provider_id,
        "sender_index": _sender_index(vault, arrival),
        "raw": sealed(key.key if key else vault.system_key, _kept(arrival), f"inbound|raw|{row_id}"),
        "telephone_key_id": key.id if key else None,
        "received_at": received_at,
        "provider_at": arrival.at,
    }


def _kept(arrival: Arrival) -> bytes:
    """Return what is sealed of a text: what it says in our words, and everything as it came."""
    said = {"sender": arrival.sender, "body": arrival.body, "media": arrival.media, "opt_out": arrival.opt_out}
    return json.dumps(said | {"raw": dict(arrival.raw)}).encode()


def _said(text: bytes) -> Said:
    given: dict[str, Any] = json.loads(text)
    if "raw" in given:
        return Said(given["sender"], given["body"], given["media"], given["opt_out"])
    # Kept by a release that knew one provider, under that provider's names.
    media = given.get("NumMedia", "0")
    sender, body = given.get("From", ""), given.get("Body", "")
    return Said(sender, body, int(media) if media.isdecimal() else 0, given.get("OptOutType"))


_KNOWN = select(i.provider_id).where(i.provider_id.in_(bindparam("ids", expanding=True)))

_THESE = (i.id.in_(bindparam("ids", expanding=True)), i.interpreted_at.is_(None))
_UNREAD = TEXTS.where(*_THESE).order_by(i.received_at, i.id)
_UNREAD_LOCKED = _UNREAD.with_for_update(of=inbound, skip_locked=True)
_STILL_UNREAD = (
    select(i.id, i.channel, i.provider_id, i.sender_index, i.received_at, i.provider_at)
    .where(*_THESE)
    .order_by(i.received_at, i.id)
)

_BEFORE: BindParameter[datetime] = bindparam("before", type_=Instant())
_CLOSED = (
    select(i.id, func.max(windows.c.closes_at).label("closed"))
    .join(participants, participants.c.phone_index == i.sender_index)
    .join(windows, windows.c.participant_id == participants.c.id)
    .where(*_THESE, windows.c.cancelled_at.is_(None))
    .where(windows.c.closes_at <= i.received_at, windows.c.closes_at > _BEFORE)
    .group_by(i.id)
)
"""The last close before each text."""

_HAND = (
    update(inbound)
    .where(i.id == bindparam("i_id"))
    .values(handed_at=bindparam("i_at", type_=Instant()), handed_for=bindparam("i_reason"))
)
_MARK = (
    update(inbound)
    .where(i.id == bindparam("i_id"))
    .values(
        interpreted_at=bindparam("i_at", type_=Instant()),
        reading=bindparam("i_reading"),
        study_id=bindparam("i_study"),
        participant_id=bindparam("i_participant"),
    )
)

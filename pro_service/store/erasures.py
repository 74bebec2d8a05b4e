"""Find what is kept of a participant, make it unreadable for good, and list erasures.

The row of the participant stays, with code, dates and answers. Their keys are destroyed, what was sealed with them is
emptied as well, and blind indexes become random, because the index key and a number are enough to make them again.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, insert, or_, select, text, update

from pro_service.core.case import PENDING
from pro_service.core.conversation.unknown_sender import KIND as STRANGER
from pro_service.core.providers import MAIL, STAFF_MAIL
from pro_service.store.bulk import row_ids
from pro_service.store.database import Sessions
from pro_service.store.participants.writer import WITHOUT_WORDS
from pro_service.store.schema import (
    IS_TEXT,
    AnyRow,
    audit_trail,
    calls,
    entry_codes,
    erasures,
    escalations,
    former_telephones,
    inbound,
    inbox_actions,
    links,
    messages,
    participants,
    provider_copies,
    reach_tests,
    responses,
    schedule_changes,
    staff_telephones,
    studies,
    telephone_keys,
    typed_reasons,
)
from pro_service.store.session import Session
from pro_service.store.unavailable import UNREACHABLE
from pro_service.store.vault import UnreadableError, Vault

p, f, i, m, e = participants.c, former_telephones.c, inbound.c, messages.c, escalations.c
k, s, r, a = telephone_keys.c, schedule_changes.c, responses.c, audit_trail.c

EMPTY = b""
"""What a sealed value is replaced by."""
INDEX_BYTES = 32
CONTACT = ("phone", "email", "number")
"""Fields of the trail that hold contact data, masked."""
INDEX_DIGITS = 24, 32
"""The number of digits of a telephone's index in the unique keys of tasks and of replies to strangers."""


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that is kept of one person."""

    rows: Mapping[str, Sequence[int]]
    """Table -> ids of its rows that are emptied, changed or deleted."""
    numbers: tuple[bytes, ...] = field(repr=False)
    """Blind indexes of telephones that were theirs alone."""
    shared: tuple[bytes, ...] = field(repr=False)
    """Blind indexes of telephones that somebody else has or had too: texts of unknown senders there stay."""
    left: Mapping[str, Sequence[int]]
    """What cannot be reached -> row ids: rows of append-only tables, from before reasons were sealed."""
    provider_ids: Sequence[str]
    """Ids at the provider, of texts that it has a copy of."""

    def counts(self) -> dict[str, int]:
        """Return table -> number of its rows."""
        return {table: len(ids) for table, ids in self.rows.items() if ids}


# --- what there is ---------------------------------------------------------------------------------------------------


def stand_in_line(session: Session) -> None:
    """Let only one erasure at a time look at what there is.

    Two who share a telephone and are erased at once would otherwise each leave its texts to the other.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_LINE)))


_LINE = 0x65726173
"""The number of the lock: a role that may only add rows to a table cannot lock the table itself."""


def find(session: Session, participant_id: int) -> Found:
    """Return everything that is kept of one person. Before an erasure the caller locks the participant's row."""
    numbers, shared = _telephones(session, participant_id)
    texts = _ids(session, inbound, or_(i.participant_id == participant_id, _nobodys(numbers)))
    mine = m.participant_id == participant_id
    to_us = and_(m.kind == STRANGER, m.inbound_id.in_(texts))
    # Mails to staff name a code and a task; one that is still to be sent is not emptied, because it may be leaving now.
    ended_mail = and_(mine, m.channel == STAFF_MAIL, m.state.not_in(sorted(PENDING)))
    sent = _ids(session, messages, or_(and_(mine, IS_TEXT), to_us, ended_mail))
    rows = {
        "inbound": texts,
        "messages": sent,
        "calls": _ids(session, calls, and_(_of(calls, participant_id), calls.c.note.is_not(None))),
        "former_telephones": _ids(session, former_telephones, _of(former_telephones, participant_id)),
        "links": _ids(session, links, _of(links, participant_id)),
        "entry_codes": _ids(session, entry_codes, _of(entry_codes, participant_id)),
        "reach_tests": _ids(
            session, reach_tests, and_(_of(reach_tests, participant_id), reach_tests.c.token.is_not(None))
        ),
        "responses": _ids(session, responses, and_(_of(responses, participant_id), r.reason.is_not(None))),
        "schedule_changes": _ids(
            session, schedule_changes, and_(_of(schedule_changes, participant_id), s.reason.is_not(None))
        ),
        "typed_reasons": _ids(session, typed_reasons, _of(typed_reasons, participant_id)),
        "telephone_keys": _ids(session, telephone_keys, k.phone_index.in_(numbers)),
        "escalations": _ids(session, escalations, _keyed(e.dedup_key, _TASK, numbers, INDEX_DIGITS[0])),
    }
    return Found(rows, numbers, shared, _out_of_reach(session, participant_id, texts), _copies(session, texts, sent))


def _telephones(session: Session, participant_id: int) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return the blind indexes of the person's telephones: theirs alone, and those that are somebody else's too."""
    asked = (
        select(p.phone_index).where(p.id == participant_id, p.phone_index.is_not(None)),
        select(f.phone_index).where(f.participant_id == participant_id),
        select(i.sender_index).where(i.participant_id == participant_id),
    )
    found = sorted({bytes(index) for statement in asked for index in session.scalars(statement)})
    others = (
        select(p.phone_index).where(p.id != participant_id, p.phone_index.in_(found)),
        # Those who were erased have no number any more.
        select(f.phone_index).where(f.participant_id != participant_id, f.phone_index.in_(found)),
        select(i.sender_index).where(i.participant_id != participant_id, i.sender_index.in_(found)),
        select(staff_telephones.c.phone_index).where(staff_telephones.c.phone_index.in_(found)),
    )
    shared = {bytes(index) for statement in others for index in session.scalars(statement)}
    return tuple(one for one in found if one not in shared), tuple(one for one in found if one in shared)


def _nobodys(numbers: Sequence[bytes]) -> ColumnElement[bool]:
    return and_(i.participant_id.is_(None), i.sender_index.in_(numbers))


def _of(table: Table, participant_id: int) -> ColumnElement[bool]:
    return table.c.participant_id == participant_id


def _ids(session: Session, table: Table, about: ColumnElement[bool]) -> list[int]:
    return list(session.scalars(select(table.c.id).where(about).order_by(table.c.id)))


_TASK, _ANSWER = "E0:possible_participant:", "u:"


def _keyed(column: Any, prefix: str, numbers: Sequence[bytes], signs: int) -> ColumnElement[bool]:
    """Whether a key holds the index of one of these telephones."""
    keys = [f"{prefix}{number.hex()[:signs]}:" for number in numbers]
    return or_(*(column.between(key, f"{key}~") for key in keys)) if keys else column.is_(None)


def _out_of_reach(session: Session, participant_id: int, texts: Sequence[int]) -> dict[str, list[int]]:
    """Return what cannot be reached, in append-only tables."""
    said = inbox_actions.c
    told = or_(said.participant_id == participant_id, said.inbound_id.in_(texts))
    plain = a.reason.not_like("sealed:%")
    typed = and_(
        a.reason.is_not(None), plain, a.actor_kind == "staff", a.action.not_in(WITHOUT_WORDS), a.action != "erase"
    )
    masked = [a.changes.contains(f'"{name}":') for name in CONTACT]
    found = {
        "reasons_in_trail": _ids(session, audit_trail, and_(a.participant_id == participant_id, typed)),
        "masked_contact_in_trail": _ids(session, audit_trail, and_(a.participant_id == participant_id, or_(*masked))),
        "reasons_in_inbox": _ids(session, inbox_actions, and_(told, said.reason.not_like("sealed:%"))),
    }
    return {what: ids for what, ids in found.items() if ids}


def _copies(session: Session, texts: Sequence[int], sent: Sequence[int]) -> list[str]:
    # A mail lies in a mailbox, where no provider can take it away.
    out = select(m.provider_id).where(m.id.in_(sent), IS_TEXT, m.channel != MAIL, m.provider_id.is_not(None))
    return [*session.scalars(select(i.provider_id).where(i.id.in_(texts))), *session.scalars(out)]


# --- making it unreadable --------------------------------------------------------------------------------------------


def fingerprints(session: Session, vault: Vault, participant_id: int, found: Found) -> dict[str, str]:
    """Return place -> SHA-256 of each key that is about to be destroyed, or DAMAGED."""
    wrapped = session.scalar(select(p.data_key).where(p.id == participant_id))
    keys = {f"participants|data_key|{participant_id}": wrapped}
    for row in session.execute(select(k.id, k.key).where(k.id.in_(found.rows["telephone_keys"]))):
        keys[f"telephone_keys|key|{row.id}"] = row.key
    return {place: DAMAGED if key is None else _fingerprint(vault, key, place) for place, key in keys.items()}


def empty(session: Session, participant_id: int, found: Found, now: datetime) -> None:
    """Destroy the keys, empty what was sealed with them, make indexes random, and end what waits for a person."""
    rows = found.rows
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        # What comes from one of these telephones at this moment is either found below, or sealed with a new key.
        connection.execute(select(k.id).where(k.id.in_(rows["telephone_keys"])).order_by(k.id).with_for_update())
    for key_id in rows["telephone_keys"]:
        gone = {"key": None, "phone_index": os.urandom(INDEX_BYTES)}
        connection.execute(update(telephone_keys).where(k.id == key_id).values(gone))
    for text_id in rows["inbound"]:
        one = update(inbound).where(i.id == text_id)
        connection.execute(one.values(raw=EMPTY, sender_index=os.urandom(INDEX_BYTES)))
    read = {"interpreted_at": func.coalesce(i.interpreted_at, now), "handled_at": func.coalesce(i.handled_at, now)}
    connection.execute(update(inbound).where(i.id.in_(rows["inbound"]), i.interpreted_at.is_(None)).values(read))
    waits = and_(i.id.in_(rows["inbound"]), i.handed_at.is_not(None), i.handled_at.is_(None))
    connection.execute(update(inbound).where(waits).values(handled_at=now))
    connection.execute(update(messages).where(m.id.in_(rows["messages"])).values(body=EMPTY))
    unsent = and_(m.id.in_(rows["messages"]), m.state == "ready")
    connection.execute(update(messages).where(unsent).values(state="cancelled", ended_at=now))
    _scramble(session, messages, _keyed(m.dedup_key, _ANSWER, found.numbers, INDEX_DIGITS[1]), _ANSWER, INDEX_DIGITS[1])
    _scramble(session, escalations, e.id.in_(rows["escalations"]), _TASK, INDEX_DIGITS[0])
    of_person = typed_reasons.c.id.in_(rows["typed_reasons"])
    connection.execute(update(typed_reasons).where(of_person).values(words=EMPTY))
    connection.execute(update(calls).where(calls.c.id.in_(rows["calls"])).values(note=None))
    connection.execute(update(reach_tests).where(reach_tests.c.id.in_(rows["reach_tests"])).values(token=None))
    connection.execute(update(responses).where(r.id.in_(rows["responses"])).values(reason=None))
    connection.execute(update(schedule_changes).where(s.id.in_(rows["schedule_changes"])).values(reason=None))
    for table in (former_telephones, links, entry_codes):
        connection.execute(delete(table).where(table.c.id.in_(rows[table.name])))
    contact = ("data_key", "phone", "phone_index", "phone_country", "email")
    connection.execute(update(participants).where(p.id == participant_id).values(dict.fromkeys(contact)))


def _scramble(session: Session, table: Table, about: ColumnElement[bool], prefix: str, signs: int) -> None:
    """Replace a telephone's index in unique keys by random digits."""
    for row in session.execute(select(table.c.id, table.c.dedup_key).where(about)).all():
        rest = row.dedup_key[len(prefix) + signs :]
        key = f"{prefix}{os.urandom(signs // 2).hex()}{rest}"
        session.execute(update(table).where(table.c.id == row.id).values(dedup_key=key))


def open_tasks(session: Session, found: Found) -> list[int]:
    """Return the open tasks about telephones that were the person's alone, which name no participant."""
    return _ids(session, escalations, and_(e.id.in_(found.rows["escalations"]), e.resolved_at.is_(None)))


def end_tasks(session: Session, ids: Sequence[int], now: datetime, outcome: str) -> None:
    """End these tasks."""
    session.execute(update(escalations).where(e.id.in_(ids)).values(resolved_at=now, outcome=outcome))


# --- the list of erasures ---------------------------------------------------------------------------------------------


def add(
    session: Session, row_id: int, who: tuple[int, int], actor: str, at: datetime, erased: Mapping[str, Any]
) -> None:
    """Store an erasure. `who`: study and participant. `erased`: the `keys` and `rows` that were destroyed."""
    row = {"id": row_id, "study_id": who[0], "participant_id": who[1], "erased_at": at}
    row |= {"actor": actor, "key_fingerprints": json.dumps(erased["keys"]), "row_ids": json.dumps(erased["rows"])}
    session.execute(insert(erasures).values(row))


def all_erased(session: Session, study_id: int | None = None) -> list[AnyRow]:
    """Return the rows of `erasures` with the codes of participant and study, oldest first."""
    x, t = erasures.c, studies.c
    named = select(erasures, p.code, t.code.label("study")).join(participants, p.id == x.participant_id)
    statement = named.join(studies, t.id == x.study_id).order_by(x.erased_at, x.id)
    return list(session.execute(statement if study_id is None else statement.where(x.study_id == study_id)))


def last_erased_at(session: Session) -> datetime | None:
    """Return when somebody was erased last; None if nobody was."""
    found: datetime | None = session.scalar(select(func.max(erasures.c.erased_at)))
    return found


def not_erased(session: Session, study_id: int) -> Sequence[AnyRow]:
    """Return `id` and `code` of a study's participants who are not erased, in the order of their codes."""
    left = select(p.id, p.code).where(p.study_id == study_id, p.erased_at.is_(None))
    return session.execute(left.order_by(p.code)).all()


def studies_to_erase(session: Session, today: date) -> Sequence[int]:
    """Return the studies whose day is over and in which somebody is not erased yet."""
    t = studies.c
    left = select(p.id).where(p.study_id == t.id, p.erased_at.is_(None)).exists()
    return session.scalars(select(t.id).where(t.erase_after < today, left).order_by(t.id)).all()


GONE, DAMAGED = "gone", ""
"""In the place of a key's fingerprint: it is destroyed; it cannot be decrypted."""


def key_fingerprint(session: Session, vault: Vault, participant_id: int) -> str | None:
    """Return the SHA-256 of a participant's key, GONE or DAMAGED; None if there is no such participant."""
    row = session.execute(select(p.data_key).where(p.id == participant_id)).first()
    if row is None or row.data_key is None:
        return None if row is None else GONE
    return _fingerprint(vault, row.data_key, f"participants|data_key|{participant_id}")


def _fingerprint(vault: Vault, wrapped: bytes, place: str) -> str:
    try:
        return hashlib.sha256(vault.unwrap(wrapped, place)).hexdigest()
    except UnreadableError:
        return DAMAGED


# --- the provider's copies -------------------------------------------------------------------------------------------

c = provider_copies.c


def keep_copies(
    session: Session, study_id: int, participant_id: int, provider_ids: Sequence[str], now: datetime
) -> None:
    """Note which of the provider's copies are to be deleted."""
    known = set(session.scalars(select(c.provider_id).where(c.provider_id.in_(provider_ids))))
    ids = row_ids(session)
    rows = [
        {
            "id": next(ids),
            "study_id": study_id,
            "participant_id": participant_id,
            "provider_id": one,
            "next_try_at": now,
        }
        for one in dict.fromkeys(provider_ids)
        if one not in known
    ]
    if rows:
        session.execute(insert(provider_copies), rows)


def late_copies(session: Session) -> list[tuple[int, int, str]]:
    """Return (study, participant, provider's id) of texts whose copy became known after their erasure."""
    statement = (
        select(m.study_id, m.participant_id, m.provider_id)
        .join(erasures, erasures.c.participant_id == m.participant_id)
        .where(IS_TEXT, m.channel != MAIL, m.provider_id.is_not(None))
        .where(~exists().where(c.provider_id == m.provider_id))
    )
    return [(row.study_id, row.participant_id, row.provider_id) for row in session.execute(statement)]


def due_copies(session: Session, now: datetime, limit: int, participant_id: int | None = None) -> Sequence[AnyRow]:
    """Return the copies whose next try is due; all that are left of one participant, due or not."""
    due = c.next_try_at <= now if participant_id is None else c.participant_id == participant_id
    statement = select(provider_copies).where(c.ended_at.is_(None), due).order_by(c.next_try_at, c.id).limit(limit)
    return session.execute(statement).all()


def copy_tried(session: Session, copy_id: int, values: Mapping[str, Any]) -> None:
    """Store the result of a try."""
    session.execute(update(provider_copies).where(c.id == copy_id).values(tries=c.tries + 1, **values))


def copies(session: Session, participant_id: int) -> Sequence[AnyRow]:
    """Return what became of each of the provider's copies of one person's texts."""
    return session.execute(select(provider_copies).where(_of(provider_copies, participant_id)).order_by(c.id)).all()


# --- what is left in the files ---------------------------------------------------------------------------------------


CHANGED: tuple[Table, ...] = (
    participants,
    telephone_keys,
    inbound,
    messages,
    former_telephones,
    links,
    entry_codes,
    calls,
    reach_tests,
    responses,
    schedule_changes,
    typed_reasons,
    escalations,
)
"""Whose rows an erasure empties, changes or deletes; those with keys come first."""


def scrub(sessions: Sessions) -> bool:
    """Overwrite what the database's files still hold of rows that were changed; False if that is not possible now.

    SQLite: all pages are written anew, and the log is emptied. PostgreSQL: every table that an erasure changes; only
    their owner may do that, and its log (WAL) is kept and recycled by the server.
    """
    try:
        with sessions.apart() as connection:
            if sessions.sqlite:
                connection.exec_driver_sql("VACUUM")
                return connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar() == 0
            if not all(connection.scalar(_OWNED, {"name": table.name}) for table in CHANGED):
                return False
            for table in CHANGED:
                connection.exec_driver_sql(f"VACUUM (FULL) {table.name}")
            return True
    except UNREACHABLE:
        return False


_OWNED = text("SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = CAST(:name AS regclass)")

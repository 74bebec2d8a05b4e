"""The inbox as its readers see it: what waits for a person, page by page, and the thread around one text.

A text belongs to the site of the participant who sent it. If it is not known who did, it belongs to the sites of all
participants who have the telephone; if none has, to the readers who see every site of the study.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from pro_service.core.conversation.inbox import Received
from pro_service.core.protocol import Medium
from pro_service.core.providers import FACTS, WayOut
from pro_service.reports import statements
from pro_service.store.messages.inbox import TEXTS, Text, key_of, said
from pro_service.store.schema import IS_TEXT, inbound, inbox_actions, messages, participants, telephone_keys
from pro_service.store.schema import sites as sites_table
from pro_service.store.session import Session
from pro_service.store.studies import Sites
from pro_service.store.vault import UnreadableError, Vault, opened

CAP = 100
"""Texts that wait are counted up to this number."""
PAGE = 25
THREAD = 30
"""Texts shown around one, in each direction of travel."""
SLOW = timedelta(minutes=15)
"""A text that the service has not read for this long waits for a person."""
i, p, m, a = inbound.c, participants.c, messages.c, inbox_actions.c


@dataclass(frozen=True, slots=True)
class Reader:
    """What the reader may see: texts of which sites, and whether those that reveal the treatment."""

    study_id: int
    sites: Sites
    """None = all of the study."""
    strangers: bool
    """Whether they may read texts from telephones that no participant has."""
    revealing: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """Which part of the inbox to show."""

    show: str = "open"
    """`open`, `done` or `all`: what waits, what was dealt with, both."""
    why: str | None = None
    """One reason alone; `unread` = read by nobody yet."""
    after: tuple[bool, datetime, int] | None = None
    """(dealt with, received, row id) of the last text of the page before."""


@dataclass(frozen=True, slots=True)
class Item:
    """One text that waits for a person, or waited."""

    id: int
    received_at: datetime
    why: str
    handled_at: datetime | None
    participant: str | None
    site: str | None
    """The participant's, or of the first whose text it may be; None for a telephone that no participant has."""
    owners: tuple[str, ...]
    """Codes of the participants whose text it may be, as far as the reader may see them."""
    reveals: bool
    text: str | None
    """None if the reader may not see it, or it cannot be decrypted."""
    media: int
    way: WayOut = "sms"
    """The way out of the provider that brought it."""

    @property
    def medium(self) -> Medium:
        """Whether it is a text or a WhatsApp message, whichever provider brought it."""
        return FACTS[self.way].medium

    @property
    def received(self) -> Received:
        """The text as the rules know it."""
        return Received(self.id, self.way, self.received_at)

    @property
    def place(self) -> tuple[bool, datetime, int]:
        """Where it stands in the order of all."""
        return self.handled_at is not None, self.received_at, self.id


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text of a thread."""

    at: datetime
    ours: bool
    text: str | None
    media: int = 0
    kind: str | None = None
    state: str | None = None
    inbound_id: int | None = None
    reveals: bool = False
    code: str | None = None
    """Of the participant it was sent to, if several share the telephone."""
    medium: Medium = "sms"
    """What it went or came by."""


def count(asking: Session | Connection, reader: Reader, now: datetime) -> int:
    """Return how many texts wait for a person, up to CAP."""
    statement = _count(limited=reader.sites is not None, strangers=reader.strangers)
    return asking.scalar(statement, statements.parameters(reader.study_id, reader.sites) | {"slow": now - SLOW}) or 0


def page(session: Session, vault: Vault, reader: Reader, look: Look, now: datetime) -> tuple[list[Item], bool]:
    """Return one page, unanswered first and oldest first, and whether there is a next page."""
    shown = case((i.handled_at.is_(None), literal_column("0")), else_=literal_column("1"))
    statement = _visible(reader, now).order_by(shown, i.received_at, i.id).limit(PAGE + 1)
    if look.show != "all":
        statement = statement.where(i.handled_at.is_(None) if look.show == "open" else i.handled_at.is_not(None))
    if look.why is not None:
        statement = statement.where(i.handed_at.is_(None) if look.why == "unread" else i.handed_for == look.why)
    if look.after is not None:
        dealt, received, row_id = look.after
        later = or_(i.received_at > received, and_(i.received_at == received, i.id > row_id))
        statement = statement.where(or_(shown > int(dealt), and_(shown == int(dealt), later)))
    rows = session.execute(statement).all()
    return _items(session, vault, reader, rows[:PAGE]), len(rows) > PAGE


def one(session: Session, vault: Vault, reader: Reader, inbound_id: int, now: datetime) -> Item | None:
    """Return one text; None if there is none with this id in the part of the inbox that this reader may see."""
    found = _items(session, vault, reader, session.execute(_visible(reader, now).where(i.id == inbound_id)).all())
    return found[0] if found else None


def thread(session: Session, vault: Vault, reader: Reader, inbound_id: int) -> list[Bubble]:
    """Return the texts around one, received and sent, oldest first.

    Those of its participant; if it belongs to none, those of the telephone it came from.
    """
    row = session.execute(TEXTS.where(i.id == inbound_id)).one()
    if row.participant_id is not None:
        about, owners = i.participant_id == row.participant_id, [row.participant_id]
    else:
        about = and_(i.sender_index == row.sender_index, i.participant_id.is_(None))
        conditions = [p.phone_index == row.sender_index, p.study_id == reader.study_id]
        conditions += [] if reader.sites is None else [p.site_id.in_(reader.sites)]
        owners = list(session.scalars(select(p.id).where(*conditions)))
    bubbles = [*_received(session, vault, reader, about), *_sent(session, vault, owners)]
    if not owners:
        bubbles += _neutral(session, vault, row.sender_index)
    return sorted(bubbles, key=lambda bubble: bubble.at)[-2 * THREAD :]


# Which texts a reader may see ----------------------------------------------------------------------------------------


def _visible(reader: Reader, now: datetime) -> Select[Any]:
    """Return the statement for the texts of the inbox that this reader may see."""
    return TEXTS.where(_is_for_a_person(now - SLOW), _is_readers(reader))


@lru_cache(maxsize=4)
def _count(*, limited: bool, strangers: bool) -> Select[int]:
    """Count what waits. Built once, because every page asks it and building it costs more than the answer."""
    for_a_person = _is_for_a_person(bindparam("slow", type_=i.received_at.type))
    conditions = [
        p.study_id == bindparam("study"),
        *([p.site_id.in_(bindparam("sites", expanding=True))] if limited else []),
    ]
    waiting = (
        select(i.id)
        .where(for_a_person, _is_of_participants(conditions, strangers=strangers), i.handled_at.is_(None))
        .limit(CAP)
    )
    return select(func.count()).select_from(waiting.subquery())


def _is_for_a_person(slow: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Whether a text was handed to a person, or has not been read since before `slow`."""
    return or_(i.handed_at.is_not(None), and_(i.interpreted_at.is_(None), i.received_at < slow))


def _is_readers(reader: Reader) -> ColumnElement[bool]:
    conditions = [p.study_id == reader.study_id]
    if reader.sites is not None:
        conditions.append(p.site_id.in_(reader.sites))
    return _is_of_participants(conditions, strangers=reader.strangers)


def _is_of_participants(conditions: list[ColumnElement[bool]], *, strangers: bool) -> ColumnElement[bool]:
    """Whether a text is of a participant who meets these conditions, or of a telephone of such participants.

    With `strangers` also of a telephone that nobody in any study has.
    """
    whose = exists().where(p.id == i.participant_id, *conditions)
    may_be = and_(i.participant_id.is_(None), exists().where(p.phone_index == i.sender_index, *conditions))
    if not strangers:
        return or_(whose, may_be)
    nobodys = and_(i.participant_id.is_(None), ~exists().where(p.phone_index == i.sender_index))
    return or_(whose, may_be, nobodys)


# One text of the inbox -----------------------------------------------------------------------------------------------


def _items(session: Session, vault: Vault, reader: Reader, rows: Sequence[Text]) -> list[Item]:
    if not rows:
        return []
    owners = _owners(session, reader, rows)
    hidden = _revealing_ids(session, [row.id for row in rows])
    return [_item(vault, reader, row, owners, reveals=row.id in hidden) for row in rows]


def _item(vault: Vault, reader: Reader, row: Text, owners: Mapping[bytes | int, list[Any]], *, reveals: bool) -> Item:
    text, media = _words_of_received(vault, row, hidden=reveals and not reader.revealing)
    mine = owners.get(row.participant_id or 0, [])
    sharing = owners.get(bytes(row.sender_index), [])
    return Item(
        id=row.id,
        received_at=row.received_at,
        why=row.handed_for or "unread",
        handled_at=row.handled_at,
        participant=mine[0].code if mine else None,
        site=next((owner.site for owner in mine or sharing), None),
        owners=() if mine else tuple(owner.code for owner in sharing),
        reveals=reveals,
        text=text,
        media=media,
        way=row.channel,
    )


def _owners(session: Session, reader: Reader, rows: Sequence[Text]) -> dict[bytes | int, list[Any]]:
    """Return the participants whose texts these may be (`code`, `site`), by their id and by their telephone."""
    ids = {row.participant_id for row in rows if row.participant_id is not None}
    telephones = {row.sender_index for row in rows if row.participant_id is None}
    statement = (
        select(p.id, p.code, sites_table.c.code.label("site"), p.phone_index)
        .join(sites_table, sites_table.c.id == p.site_id)
        .where(p.study_id == reader.study_id)
        .order_by(p.code)
    )
    if reader.sites is not None:
        statement = statement.where(p.site_id.in_(reader.sites))
    found: dict[bytes | int, list[Any]] = {}
    for row in session.execute(statement.where(or_(p.id.in_(ids), p.phone_index.in_(telephones)))):
        found.setdefault(row.id, []).append(row)
        if row.phone_index is not None:
            found.setdefault(bytes(row.phone_index), []).append(row)
    return found


def _revealing_ids(session: Session, ids: Iterable[int]) -> frozenset[int]:
    """Return the ids of those texts that reveal the treatment."""
    marked = select(a.inbound_id).where(a.inbound_id.in_(list(ids)), a.action == "reveal")
    return frozenset(session.scalars(marked))


def _words_of_received(vault: Vault, row: Text, *, hidden: bool) -> tuple[str | None, int]:
    """Return the words of a received text, and how many pictures or voice notes came with it.

    (None, 0) if it cannot be decrypted; no words if they are `hidden`.
    """
    try:
        received = said(vault, row)
    except (UnreadableError, ValueError):
        return None, 0
    return None if hidden else received.body, received.media


# The thread around a text --------------------------------------------------------------------------------------------


def _received(session: Session, vault: Vault, reader: Reader, about: ColumnElement[bool]) -> list[Bubble]:
    rows = session.execute(TEXTS.where(about).order_by(i.received_at.desc(), i.id.desc()).limit(THREAD)).all()
    marked = _revealing_ids(session, [row.id for row in rows])
    found = []
    for row in rows:
        text, media = _words_of_received(vault, row, hidden=row.id in marked and not reader.revealing)
        marks = {"inbound_id": row.id, "reveals": row.id in marked, "medium": FACTS[row.channel].medium}
        found.append(Bubble(row.received_at, False, text, media, **marks))
    return found


def _sent(session: Session, vault: Vault, owners: Collection[int]) -> list[Bubble]:
    statement = (
        select(m.id, m.participant_id, m.body, m.kind, m.state, m.channel, m.queued_at, m.accepted_at)
        .add_columns(p.data_key, p.code)
        .join(participants, p.id == m.participant_id)
        .where(m.participant_id.in_(owners), IS_TEXT)
        .order_by(m.queued_at.desc(), m.id.desc())
        .limit(THREAD)
    )
    several = len(owners) > 1
    return [
        Bubble(
            row.accepted_at or row.queued_at,
            True,
            _words_of_sent(vault, row),
            kind=row.kind,
            state=row.state,
            code=row.code if several else None,
            medium=FACTS[row.channel].medium,
        )
        for row in session.execute(statement)
    ]


def _neutral(session: Session, vault: Vault, sender_index: bytes) -> list[Bubble]:
    """Return the neutral answers sent to a telephone that no participant has."""
    statement = (
        select(
            *(m.id, m.body, m.kind, m.state, m.channel, m.queued_at, m.accepted_at),
            *(i.telephone_key_id, telephone_keys.c.key.label("telephone_key")),
        )
        .join(inbound, i.id == m.inbound_id)
        .outerjoin(telephone_keys, telephone_keys.c.id == i.telephone_key_id)
        .where(m.participant_id.is_(None), IS_TEXT, i.sender_index == sender_index)
        .order_by(m.queued_at.desc())
        .limit(THREAD)
    )
    return [
        Bubble(
            row.accepted_at or row.queued_at,
            True,
            _words_of_neutral(vault, row),
            kind=row.kind,
            state=row.state,
            medium=FACTS[row.channel].medium,
        )
        for row in session.execute(statement)
    ]


def _words_of_neutral(vault: Vault, row: Any) -> str | None:
    """Return the words of a neutral answer; None if it cannot be decrypted."""
    try:
        return opened(key_of(vault, row), row.body, f"messages|body|{row.id}").decode()
    except UnreadableError:
        return None


def _words_of_sent(vault: Vault, row: Any) -> str | None:
    """Return the words of a text we sent; None if it cannot be decrypted."""
    try:
        key = vault.data_key(row.data_key, row.participant_id)
        return opened(key, row.body, f"messages|body|{row.id}").decode()
    except (UnreadableError, ValueError, TypeError, AttributeError):
        return None

"""Read participants' facts as they are stored and as the trail holds them, to compare them.

Everything is read as the trail writes it: the database puts instants and days into text, faster than this program.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from json import loads
from typing import Any

from sqlalchemy import BindParameter, Column, ColumnElement, Date, String, and_, bindparam, func, or_, select, union
from sqlalchemy.sql.expression import type_coerce

from pro_service.core.trail.facts import DECLINED, STUDY, Kept, Told, TrailRow
from pro_service.store.audit import fingerprint
from pro_service.store.bulk import AnySelect
from pro_service.store.schema import AnyRow, Instant, audit_trail, participants, responses, sites, studies, windows
from pro_service.store.session import Session

a, p, r, w = audit_trail.c, participants.c, responses.c, windows.c
FACTS = ("participant", "window", "response")
"""Entities whose rows hold facts; the row of a queued text may hold a fact of its participant, too."""
_IDS: BindParameter[Sequence[int]] = bindparam("ids", expanding=True)


def ids_after(session: Session, after: int, limit: int) -> Sequence[int]:
    """Return the row ids of the next participants: those that are stored, and those that the trail names."""
    told = select(a.participant_id.label("id")).where(a.participant_id > after).distinct().order_by(a.participant_id)
    stored = select(p.id).where(p.id > after).order_by(p.id)
    both = union(told.limit(limit).subquery().select(), stored.limit(limit).subquery().select()).subquery()
    return session.scalars(select(both.c.id).order_by(both.c.id).limit(limit)).all()


def told_of(rows: Sequence[AnyRow]) -> Iterator[int]:
    """Yield the participants whose facts these rows of the trail may hold."""
    for row in rows:
        if row.participant_id is not None and (row.entity in FACTS or row.action == "queue"):
            yield row.participant_id


def told(session: Session, ids: Sequence[int]) -> dict[int, Told]:
    """Return participant's row id -> the facts that the trail holds."""
    found = {participant_id: Told() for participant_id in ids}
    for participant_id, row_id, at, action, entity, entity_id, changes, reason in _ask(session, "trail", ids):
        found[participant_id].read(TrailRow(row_id, at, action, entity, entity_id, loads(changes), reason))
    return found


def kept(session: Session, ids: Sequence[int]) -> dict[int, Kept]:
    """Return participant's row id -> the facts that are stored."""
    found = {one: Kept({}, {}) for one in ids}
    for participant_id, row_id, *values in _ask(session, "windows", ids):
        found[participant_id].windows[row_id] = dict(zip(_WINDOW, values, strict=True))
    for participant_id, row_id, declined, *values in _ask(session, "answers", ids):
        answer = found[participant_id].answers[row_id] = dict(zip(_ANSWER, values, strict=True))
        if declined:
            answer["said"] = DECLINED
    for participant_id, *values, phone, phone_index, phone_country, email in _ask(session, "people", ids):
        person: dict[str, object] = dict(zip(_PERSON, values, strict=True))
        person |= {"phone_seal": fingerprint(phone, phone_index, phone_country), "email_seal": fingerprint(email)}
        found[participant_id].person = person
    return found


def studies_told(session: Session) -> dict[int, list[Mapping[str, Any]]]:
    """Return study's row id -> the changes in the rows of the trail about how it stands."""
    found: dict[int, list[Mapping[str, Any]]] = {}
    tells = or_(*(a.changes.contains(f'"{name}"') for name in STUDY))
    for row in session.execute(select(a.study_id, a.changes).where(a.entity == "study", tells)):
        found.setdefault(row.study_id, []).append(loads(row.changes))
    return found


def studies_kept(session: Session) -> dict[int, dict[str, object]]:
    """Return study's row id -> how it stands."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    asked = select(studies.c.id, *(_as_text(studies.c[name], sqlite=sqlite) for name in STUDY))
    return {row_id: dict(zip(STUDY, values, strict=True)) for row_id, *values in session.execute(asked)}


_PERSON: Mapping[str, Column[Any]] = {
    "site": sites.c.code,
    "protocol_version": p.protocol_version_id,
    **{name: p[name] for name in ("code", "language", "zone", "channel", "procedure_date", "procedure_end")},
    **{name: p[name] for name in ("schedule", "enrolled_at", "confirmed_at", "consented_at", "opted_out_at")},
    **{name: p[name] for name in ("paused_at", "paused_until", "withdrawn_at", "died_at", "texts_held_until")},
    **{name: p[name] for name in ("snoozed_until", "unreachable_at", "first_text_at", "card_made_at")},
    **{name: p[name] for name in ("card_handed_at", "erased_at", "channel_2", "channel_3", "email_consented_at")},
    **{name: p[name] for name in ("email_unreachable_at", "whatsapp_consented_at", "whatsapp_unreachable_at")},
}
_WINDOW: Mapping[str, Column[Any]] = {
    "protocol_version": w.protocol_version_id,
    "channel": w.counted_channel,
    **{name: w[name] for name in ("code", "schedule", "target", "target_at", "opens_at", "closes_at", "late_until")},
    **{name: w[name] for name in ("clamped", "cancelled_at", "settled", "missing_reason")},
}
_ANSWER: Mapping[str, Column[Any]] = {
    "said": r.value,
    "window": r.window_id,
    "inbound": r.inbound_id,
    **{name: r[name] for name in ("item", "cleared", "version", "source", "received_at", "recorded_at", "in_window")},
    "entered_by": r.entered_by,
}
"""Name in the trail -> column."""
_TRAIL = (a.action, a.entity, a.entity_id, a.changes, a.reason)
_CONTACT = (p.phone, p.phone_index, p.phone_country, p.email)


def _ask(session: Session, what: str, ids: Sequence[int]) -> Iterator[Sequence[Any]]:
    statement = _statements(sqlite=session.get_bind().dialect.name == "sqlite")[what]
    yield from session.execute(statement, {"ids": ids})


@lru_cache(maxsize=2)
def _statements(*, sqlite: bool) -> Mapping[str, AnySelect]:
    def text(*columns: Column[Any]) -> list[ColumnElement[Any]]:
        return [_as_text(column, sqlite=sqlite) for column in columns]

    tells = or_(
        a.entity.in_(FACTS),
        and_(a.action == "queue", or_(a.changes.contains("first_text_at"), a.changes.contains("snoozed_until"))),
    )
    people = select(p.id, *text(*_PERSON.values()), *_CONTACT).join(sites, sites.c.id == p.site_id)
    return {
        "trail": select(a.participant_id, a.id, *text(a.at), *_TRAIL)
        .where(a.participant_id.in_(_IDS), tells)
        .order_by(a.participant_id, a.id),
        "windows": select(w.participant_id, w.id, *text(*_WINDOW.values())).where(w.participant_id.in_(_IDS)),
        "answers": select(r.participant_id, r.id, r.declined, *text(*_ANSWER.values()))
        .where(r.participant_id.in_(_IDS))
        .order_by(r.id),
        "people": people.where(p.id.in_(_IDS)),
    }


def _as_text(column: Column[Any], *, sqlite: bool) -> ColumnElement[Any]:
    """Return a column as the trail writes its values; SQLite keeps instants and days so."""
    if isinstance(column.type, Instant | Date):
        if sqlite:
            return type_coerce(column, String)
        if isinstance(column.type, Date):
            return func.to_char(column, "YYYY-MM-DD")
        return func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    return column

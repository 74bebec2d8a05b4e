"""Rows -> Case: one participant's facts, whole; who is due; whose telephone; whose link.

Loading takes the participants' rows first (PostgreSQL FOR UPDATE; on SQLite the writing transaction holds the lock) and
then reads facts, so that no decision rests on facts that change meanwhile.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BindParameter,
    Connection,
    Select,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)

from pro_service.core.case import (
    WRONG_CLOCK,
    Answer,
    Call,
    Case,
    EscalationFacts,
    MessageFacts,
    Other,
    Participant,
    WindowFacts,
)
from pro_service.core.protocol import Protocol, Window
from pro_service.core.replies.folding import visible
from pro_service.store.bulk import change_apart
from pro_service.store.participants import shared_phone
from pro_service.store.schema import (
    IN_DOUBT,
    IS_TEXT,
    AnyRow,
    calls,
    escalations,
    messages,
    participants,
    protocol_versions,
    responses,
    sites,
    studies,
    windows,
)
from pro_service.store.session import Session

ProtocolOf = Callable[[Session | Connection, int], Protocol]
"""(through what to ask, protocol version id) -> Protocol; the runtime keeps them parsed."""
HolidaysOf = Callable[[str], frozenset[date]]
"""Country (ISO 3166-1 alpha-2) -> public holidays."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A case with what only the store needs of its row."""

    case: Case
    study_id: int
    site_id: int
    protocol_version_id: int
    data_key: bytes | None
    """Wrapped; None once erased."""
    phone: bytes | None
    phone_country: str | None
    """Of the telephone (ISO 3166-1 alpha-2): who carries texts to it."""
    schedule: int
    next_check_at: datetime | None
    faults: int


def one_of_each_study(session: Session) -> Sequence[int]:
    """The first participant of each study."""
    return session.scalars(select(func.min(participants.c.id)).group_by(participants.c.study_id)).all()


@dataclass(frozen=True, slots=True)
class Loader:
    """What turning rows into cases needs besides the rows."""

    protocol_of: ProtocolOf
    holidays_of: HolidaysOf

    def load(
        self,
        session: Session,
        ids: Sequence[int],
        *,
        lock: bool = True,
        skip_locked: bool = False,
        whole: bool = True,
        alone: bool = False,
    ) -> list[Loaded]:
        """These participants with all their facts, ordered by id; those locked elsewhere are left out if asked.

        Not `whole`: windows and answers alone, all that a window's status needs; nothing may be decided on it. `alone`:
        without those who share the telephone.
        """
        statement = _who(lock=lock, skip_locked=skip_locked)
        rows = session.execute(statement, {"ids": ids}).all()
        facts = _Facts(session, [row.id for row in rows], whole=whole)
        loaded = [self._loaded(session, row, facts) for row in rows]
        ids = [row.id for row in rows] if whole and not alone else []
        shared = shared_phone.others(session, ids, lambda them: self.load(session, them, lock=False, alone=True))
        return [_among(one, shared) for one in loaded] if shared else loaded

    def one(self, session: Session, participant_id: int, *, lock: bool = True) -> Loaded:
        """One participant; KeyError if there is none."""
        loaded = self.load(session, [participant_id], lock=lock)
        if not loaded:
            raise KeyError(participant_id)
        return loaded[0]

    def _loaded(self, session: Session, row: AnyRow, facts: "_Facts") -> Loaded:
        (
            study_id,
            site_id,
            protocol_version_id,
            data_key,
            phone,
            phone_country,
            schedule,
            next_check_at,
            faults,
            closed_at,
            locked_at,
            site_code,
            zone,
            row_id,
            code,
            language,
            channel,
            *happened,
        ) = row
        protocol = self.protocol_of(session, protocol_version_id)
        site, has_phone = protocol.sites[site_code], phone is not None
        case = Case(
            # By position: this is done for five hundred participants at a time.
            Participant(row_id, code, site, language, zone_of(zone), channel, has_phone, *happened),
            protocol,
            self.holidays_of(site.country),
            tuple([facts.window(window, self._version(session, window, protocol)) for window in facts.windows[row_id]]),
            tuple(facts.messages[row_id]),
            tuple(facts.escalations[row_id]),
            tuple(facts.calls[row_id]),
            closed_at=closed_at,
            locked_at=locked_at,
        )
        return Loaded(
            case,
            study_id,
            site_id,
            protocol_version_id,
            data_key,
            phone,
            phone_country,
            schedule,
            next_check_at,
            faults,
        )

    def _version(self, session: Session, window: AnyRow, protocol: Protocol) -> Protocol:
        """The protocol a window was laid out by: the participant's, unless it closed under an earlier version."""
        return protocol if window[1] is None else self.protocol_of(session, window[1])


def _among(one: Loaded, shared: Mapping[int, tuple[Other, ...]]) -> Loaded:
    return replace(one, case=replace(one.case, others=shared.get(one.case.participant.id, ())))


@lru_cache(maxsize=1024)
def zone_of(key: str) -> ZoneInfo:
    """The zone with this key, parsed once."""
    return ZoneInfo(key)


class _Facts:
    """The facts of several participants, one query a table."""

    def __init__(self, session: Session, ids: Sequence[int], *, whole: bool) -> None:
        self.answers: dict[int, dict[str, Answer]] = defaultdict(dict)
        self.windows: dict[int, list[AnyRow]] = defaultdict(list)
        self.messages: dict[int, list[MessageFacts]] = defaultdict(list)
        self.escalations: dict[int, list[EscalationFacts]] = defaultdict(list)
        self.calls: dict[int, list[Call]] = defaultdict(list)
        if ids:
            self._read(session, ids)
        if ids and whole:
            self._read_what_happened(session, ids)

    def _read(self, session: Session, ids: Sequence[int]) -> None:
        given = {"ids": ids}
        for row in session.execute(_WINDOWS, given).all():
            self.windows[row[0]].append(row)
        for row in session.execute(_ANSWERS, given).all():
            self.answers[row[0]][row[1]] = Answer._make(row[1:])

    def _read_what_happened(self, session: Session, ids: Sequence[int]) -> None:
        given = {"ids": ids}
        for text in session.execute(_TEXTS, given).all():
            self.messages[text[0]].append(MessageFacts(*text[1:]))
        for raised in session.execute(_ESCALATIONS, given).all():
            self.escalations[raised[0]].append(EscalationFacts(*raised[1:]))
        for call in session.execute(_CALLS, given).all():
            self.calls[call[0]].append(Call(*call[1:]))

    def window(self, row: AnyRow, protocol: Protocol) -> WindowFacts:
        _, _, row_id, schedule, cancelled_at, settled, *bounds = row
        span = Window._make(bounds)
        return WindowFacts(
            row_id, schedule, span, protocol.time_point(span.code), self.answers[row_id], cancelled_at, settled
        )


def put_off(session: Session, participant_id: int, until: datetime) -> int:
    """Look at a participant whose case could not be carried out again later; return how often that happened."""
    p = participants.c
    later = update(participants).where(p.id == participant_id).values(next_check_at=until, faults=p.faults + 1)
    return int(session.execute(later.returning(p.faults)).scalar_one())


def earliest_check(session: Session) -> datetime | None:
    """The earliest instant at which time may call for something; None = never."""
    moment: datetime | None = session.scalar(select(func.min(participants.c.next_check_at)))
    return moment


MOST_NAMED = 1_000
"""Participants whose codes are looked up at once."""


def find(session: Session, study_id: int, code: str) -> int | None:
    """The id of the participant with this code in this study."""
    p = participants.c
    return session.scalar(select(p.id).where(p.study_id == study_id, p.code == visible(code)))


def codes_of(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Row id -> code, of these participants."""
    p = participants.c
    return {row.id: row.code for row in session.execute(select(p.id, p.code).where(p.id.in_(sorted(ids)[:MOST_NAMED])))}


def ids_by_code(session: Session, study_id: int, after: str, limit: int) -> Sequence[int]:
    """Participants of a study in the order of their codes, those after `after`."""
    p = participants.c
    statement = select(p.id).where(p.study_id == study_id, p.code > after).order_by(p.code).limit(limit)
    return session.scalars(statement).all()


def set_next_check(session: Session, moments: Mapping[int, datetime | None]) -> None:
    """Store when to look again at these participants."""
    if moments:
        rows = [{"p_id": key, "p_next_check": moment} for key, moment in moments.items()]
        change_apart(session.connection(), _NEXT_CHECK, rows)


def version_row(asking: Session | Connection, version_id: int) -> AnyRow:
    """One stored bundle of protocol and wording."""
    statement = select(protocol_versions).where(protocol_versions.c.id == version_id)
    return asking.execute(statement).one()


_NEXT_CHECK = (
    update(participants)
    .where(participants.c.id == bindparam("p_id"))
    .values(next_check_at=bindparam("p_next_check"), faults=0)
)

_IDS: BindParameter[Sequence[int]] = bindparam("ids", expanding=True)
m, e, c, r = messages.c, escalations.c, calls.c, responses.c
HAS_EMAIL = "has_email"
"""The last of a participant's facts: an address is kept, which the rules never see."""
_WHO = (
    select(
        *(participants.c[name] for name in ("study_id", "site_id", "protocol_version_id", "data_key", "phone")),
        participants.c.phone_country,
        *(participants.c[name] for name in ("schedule", "next_check_at", "faults")),
        *(studies.c.closed_at, studies.c.locked_at, sites.c.code.label("site_code")),
        *(participants.c[name] for name in ("zone", "id", "code", "language", "channel")),
        *(participants.c[field.name] for field in fields(Participant)[7:] if field.name != HAS_EMAIL),
        participants.c.email.is_not(None).label(HAS_EMAIL),
    )
    .join(sites, sites.c.id == participants.c.site_id)
    .join(studies, studies.c.id == participants.c.study_id)
    .where(participants.c.id.in_(_IDS))
    .order_by(participants.c.id)
)
_WINDOWS = (
    select(
        *(windows.c[name] for name in ("participant_id", "protocol_version_id")),
        *(windows.c[name] for name in ("id", "schedule", "cancelled_at", "settled")),
        *(windows.c[name] for name in Window._fields),
    )
    .where(windows.c.participant_id.in_(_IDS))
    .order_by(windows.c.opens_at, windows.c.id)
)
# Versions in order, so that the newest is kept last.
_ANSWERS = (
    select(r.window_id, r.item, r.value, r.declined, r.version, r.source, r.received_at, r.in_window)
    .where(r.participant_id.in_(_IDS), r.window_id.is_not(None))
    .order_by(r.version)
)
_TEXTS = (
    select(
        m.participant_id,
        m.id,
        m.window_id,
        m.kind,
        m.frame,
        m.item,
        m.proposed,
        # To the rules a mail that may have left is in doubt, although it only waits to go again.
        case((IN_DOUBT, "uncertain"), else_=m.state).label("state"),
        m.queued_at,
        m.accepted_at,
        m.useful_until,
    )
    .where(m.participant_id.in_(_IDS), IS_TEXT)
    .order_by(m.queued_at, m.id)
)
_ESCALATIONS = (
    select(
        e.participant_id,
        e.id,
        e.window_id,
        e.level,
        e.reason,
        e.dedup_key,
        e.raised_at,
        e.due_at,
        e.acknowledged_at,
        e.resolved_at,
        e.outcome,
        e.asked_at,
        e.part_of_day,
    )
    .where(e.participant_id.in_(_IDS), or_(e.outcome.is_(None), e.outcome != WRONG_CLOCK))
    .order_by(e.id)
)
_CALLS = (
    select(c.participant_id, c.window_id, c.called_at, c.outcome)
    .where(c.participant_id.in_(_IDS))
    .order_by(c.called_at, c.id)
)


@lru_cache(maxsize=4)
def _who(*, lock: bool, skip_locked: bool) -> Select[Any]:
    """Participants (`ids`); SQLite, which has no row locks, reads past the taking of theirs."""
    return _WHO.with_for_update(of=participants, skip_locked=skip_locked) if lock else _WHO


def load_by_code(
    session: Session, loader: Loader, study_id: int, code: str, sites_seen: Collection[int] | None = None
) -> Loaded | None:
    """Return the participant with this code, whole, without taking its row.

    `sites_seen` are ids of sites, None = every site. None if there is no participant with this code at these sites.
    """
    p = participants.c
    found = session.scalar(select(p.id).where(p.study_id == study_id, p.code == code))
    if found is None:
        return None
    loaded = loader.one(session, found, lock=False)
    return loaded if sites_seen is None or loaded.site_id in sites_seen else None

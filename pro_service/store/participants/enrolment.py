"""Enrolments -> rows, in bulk; and what is stored of the participants a file names again.

A study has room for one of the codes that only capital letters or leading zeros tell apart.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, select

from pro_service.core import ladder as ladders
from pro_service.core.case import CONSENTED
from pro_service.core.enrolment.cells import LONGEST_CODE, alike
from pro_service.core.enrolment.file import CONSENTS
from pro_service.core.ladder import Ladder
from pro_service.core.protocol import Medium, Window
from pro_service.core.texts import masked
from pro_service.store.audit import Entry, as_written, audit_row, fingerprint
from pro_service.store.bulk import Bulk
from pro_service.store.participants.writer import Writer
from pro_service.store.schema import audit_trail, former_telephones, participants, responses, sites, windows
from pro_service.store.session import Session
from pro_service.store.vault import Vault, opened, sealed

HIDDEN = "•••"
_RUNS = re.compile(r"\d+|\D+", re.ASCII)

REMEMBERED = 1 << 12

FEW = 1024
"""Up to so many spellings are looked for one by one; for more, all codes of the study are read, once."""

WINDOW_COLUMNS = (
    "id",
    "study_id",
    "participant_id",
    "code",
    "schedule",
    "target",
    "target_at",
    "opens_at",
    "closes_at",
    "late_until",
    "clamped",
)
"""A window's row at its beginning: its id, then what `window_row` gives."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One participant to enrol, checked and complete. Contact data is plain here and never leaves this value so."""

    code: str
    site: str
    site_zone: ZoneInfo
    language: str
    zone: str
    ladder: Ladder
    channel_chosen: bool
    """The file or the form says so; else it is what works in the country, and says nothing about who is enrolled."""
    procedure_date: date
    procedure_end: datetime | None
    consents: Mapping[Medium, datetime | None]
    confirmed: bool
    phone: str | None
    """E.164."""
    phone_country: str | None
    email: str | None
    baseline: Mapping[str, int]
    """Item -> value of the baseline."""
    windows: tuple[Window, ...]
    baseline_window: str | None
    """Code of the window the baseline belongs to."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What an enrolment with the same code says in the database."""

    id: int
    facts: Mapping[str, object]
    """Column of the enrolment file -> value, contact data decrypted."""
    baseline: Mapping[str, frozenset[int]]
    """Item -> every value that was ever imported for it."""
    died: bool


# --- writing ---------------------------------------------------------------------------------------------------------


class Enroller:
    """Writes enrolments inside one transaction, in batches of the caller's size.

    Past the Writer's own lists, which hold rows until the end: a file of any size is written batch by batch.
    """

    def __init__(self, writer: Writer, *, study_id: int, version_id: int, sites: Mapping[str, int]) -> None:
        self.session, self.now, self.actor, self.vault = writer.session, writer.now, writer.actor, writer.vault
        self.study_id, self.version_id, self.sites = study_id, version_id, sites
        self._ids = writer.ids
        self._rows: dict[Table, list[dict[str, Any]]] = {table: [] for table in (participants, responses, audit_trail)}
        self._windows = _Windows(writer.session.connection(), study_id)
        self._bulks: dict[Table, Bulk] = {}

    def write(self, enrolments: Sequence[Enrolment]) -> None:
        """Write one batch: participants, their windows and baseline, one audit row each."""
        for enrolment in enrolments:
            self._collect(enrolment)
        self._write(participants)
        self._windows.write()
        for table in (responses, audit_trail):
            self._write(table)

    def _write(self, table: Table) -> None:
        self._insert(table, self._rows[table])
        self._rows[table].clear()

    def _insert(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            bulk = self._bulks.get(table)
            if bulk is None:
                bulk = self._bulks[table] = Bulk(self.session.connection(), table, tuple(rows[0]))
            bulk.write(rows)

    def _collect(self, enrolment: Enrolment) -> None:
        row_id = next(self._ids)
        key, wrapped = self.vault.new_data_key(row_id)
        laid: list[list[object]] = []
        answers: list[list[object]] = []
        for window_id, window in self._windows.add(row_id, enrolment.windows, self._ids):
            laid.append(told_window(window_id, window))
            if window.code == enrolment.baseline_window:
                given = [self._answer(row_id, window_id, item, value) for item, value in enrolment.baseline.items()]
                self._rows[responses] += given
                answers += [[row["id"], row["item"], window_id] for row in given]
        participant = self._participant(row_id, enrolment, key, wrapped)
        self._rows[participants].append(participant)
        entry = Entry(
            action="enrol",
            entity="participant",
            entity_id=row_id,
            changes=self._changes(enrolment, participant) | {"windows": (None, laid), "answers": (None, answers)},
            study_id=self.study_id,
            participant_id=row_id,
        )
        row = audit_row(next(self._ids), entry, self.actor, self.now, enrolment.site_zone, self.vault)
        self._rows[audit_trail].append(row)

    def _participant(self, row_id: int, enrolment: Enrolment, key: bytes, wrapped: bytes) -> dict[str, Any]:
        phone, email = enrolment.phone, enrolment.email
        return {
            "id": row_id,
            "study_id": self.study_id,
            "site_id": self.sites[enrolment.site],
            "protocol_version_id": self.version_id,
            "code": enrolment.code,
            "language": enrolment.language,
            "zone": enrolment.zone,
            **ladders.facts(enrolment.ladder),
            "procedure_date": enrolment.procedure_date,
            "procedure_end": enrolment.procedure_end,
            "enrolled_at": self.now,
            "confirmed_at": self.now if enrolment.confirmed else None,
            **{CONSENTED[medium]: at for medium, at in enrolment.consents.items()},
            "data_key": wrapped,
            "phone": None if phone is None else sealed(key, phone.encode(), f"participants|phone|{row_id}"),
            "phone_index": None if phone is None else self.vault.index("phone", phone),
            "phone_country": enrolment.phone_country,
            "email": None if email is None else sealed(key, email.encode(), f"participants|email|{row_id}"),
            # The next tick decides what is due; a moment worked out here would be worked out twice.
            "next_check_at": self.now,
        }

    def _answer(self, participant_id: int, window_id: int, item: str, value: int) -> dict[str, Any]:
        return {
            "id": next(self._ids),
            "study_id": self.study_id,
            "participant_id": participant_id,
            "window_id": window_id,
            "item": item,
            "version": 1,
            "value": value,
            "declined": False,
            "source": "import",
            "received_at": self.now,
            "recorded_at": self.now,
            # The file states what was measured at the baseline; when the file arrived says nothing about that.
            "in_window": True,
        }

    def _changes(self, enrolment: Enrolment, row: Mapping[str, Any]) -> dict[str, tuple[object, object]]:
        given = {
            "code": enrolment.code,
            "site": enrolment.site,
            "procedure_date": enrolment.procedure_date,
            "procedure_end": enrolment.procedure_end,
            "confirmed_at": self.now if enrolment.confirmed else None,
            **{CONSENTED[medium]: at for medium, at in enrolment.consents.items()},
            "language": enrolment.language,
            "zone": enrolment.zone,
            **ladders.facts(enrolment.ladder),
            "protocol_version": self.version_id,
            "phone": None if enrolment.phone is None else masked(enrolment.phone),
            "phone_seal": seal_of_telephone(row),
            "email": None if enrolment.email is None else HIDDEN,
            "email_seal": fingerprint(row["email"]),
            "baseline": dict(enrolment.baseline) or None,
        }
        return {name: (None, value) for name, value in given.items() if value is not None}


def told_window(row_id: int, window: Window) -> list[object]:
    """Return how the trail tells of a new window: its id, then its code and bounds (`core.trail.facts`)."""
    return [row_id, *_told(window)]


@lru_cache(maxsize=1 << 12)
def _told(window: Window) -> tuple[object, ...]:
    target_at = as_written(window.target_at)
    bounds = (as_written(at) for at in (window.opens_at, window.closes_at, window.late_until))
    return (window.code, window.target.isoformat(), target_at, *bounds, window.clamped)


def seal_of_telephone(row: Mapping[str, Any]) -> str | None:
    """Return the hash of a telephone as it is stored, which says nothing of the number."""
    return fingerprint(row["phone"], row["phone_index"], row["phone_country"])


def window_row(study_id: int, participant_id: int, schedule: int, window: Window) -> dict[str, Any]:
    """The row of one window, without an id."""
    return {
        "study_id": study_id,
        "participant_id": participant_id,
        "code": window.code,
        "schedule": schedule,
        "target": window.target,
        "target_at": window.target_at,
        "opens_at": window.opens_at,
        "closes_at": window.closes_at,
        "late_until": window.late_until,
        "clamped": window.clamped,
    }


class _Windows:
    """The windows of a batch. All of one day and site are the same, so each is made ready for the driver once."""

    def __init__(self, connection: Connection, study_id: int) -> None:
        self._bulk = Bulk(connection, windows, WINDOW_COLUMNS)
        self._study_id = study_id
        self._ready: dict[int, tuple[tuple[Window, ...], list[tuple[Any, ...]]]] = {}
        """By the identity of what a reader laid out: it is kept beside it, so that nothing else can have it."""
        self._rows: list[tuple[Any, ...]] = []

    def add(self, participant_id: int, laid: tuple[Window, ...], ids: Iterator[int]) -> Iterator[tuple[int, Window]]:
        """Take up one participant's windows; return each with the id of its row."""
        known = self._ready.get(id(laid))
        if known is None:
            if len(self._ready) >= REMEMBERED:
                self._ready.clear()
            known = self._ready[id(laid)] = laid, [self._written(window) for window in laid]
        for window, (_, study_id, _, *rest) in zip(*known, strict=True):
            row_id = next(ids)
            self._rows.append((row_id, study_id, participant_id, *rest))
            yield row_id, window

    def _written(self, window: Window) -> tuple[Any, ...]:
        return self._bulk.written((0, *window_row(self._study_id, 0, 1, window).values()))

    def write(self) -> None:
        if self._rows:
            self._bulk.insert(self._rows)
            self._rows.clear()


# --- what is stored already ------------------------------------------------------------------------------------------


def existing(session: Session, vault: Vault, study_id: int, codes: Sequence[str]) -> dict[str, Stored]:
    """What is stored under these codes."""
    p = participants.c
    rows = session.execute(select(participants).where(p.study_id == study_id, p.code.in_(codes))).all()
    imported: dict[int, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    r = responses.c
    asked = select(r.participant_id, r.item, r.value).where(
        r.participant_id.in_([row.id for row in rows]), r.source == "import", r.value.is_not(None)
    )
    for row in session.execute(asked) if rows else ():
        imported[row.participant_id][row.item].add(row.value)
    return {
        row.code: Stored(
            id=row.id,
            facts={
                "site": row.site_id,
                "procedure_date": row.procedure_date,
                "language": row.language,
                **{column: getattr(row, CONSENTED[medium]) for medium, column in CONSENTS.items()},
                "phone": _opened(vault, row, "phone"),
                "email": _opened(vault, row, "email"),
                "timezone": row.zone,
                "channel": _ladder({name: getattr(row, name) for name in ladders.RUNGS}),
                "procedure_time": row.procedure_end,
            },
            baseline={item: frozenset(values) for item, values in imported[row.id].items()},
            died=row.died_at is not None,
        )
        for row in rows
    }


TRAILED = {
    "site": "site",
    "procedure_date": "procedure_date",
    "procedure_end": "procedure_time",
    "language": "language",
    **{CONSENTED[medium]: column for medium, column in CONSENTS.items()},
    "zone": "timezone",
    "phone": "phone",
}
"""Field of the trail -> column of the enrolment file."""


def earlier_values(session: Session, ids: Sequence[int]) -> dict[int, dict[str, dict[object, datetime]]]:
    """Return participant -> column -> what stood there before a change, `as_written` -> when it was changed.

    A telephone is its blind index: the trail has it masked. Nothing tells what an e-mail address was: it stands there
    as None, with the last change of it.
    """
    found: dict[int, dict[str, dict[object, datetime]]] = defaultdict(lambda: defaultdict(dict))
    a, f = audit_trail.c, former_telephones.c
    trail = (
        select(a.participant_id, a.at, a.changes)
        .where(a.participant_id.in_(ids), a.entity == "participant", a.action.not_in(("enrol", "view_contact")))
        .order_by(a.id)
    )
    changed: list[tuple[int, datetime, dict[str, Any]]] = []
    for row in session.execute(trail):
        changes = json.loads(row.changes)
        changed.append((row.participant_id, row.at, changes))
        for name, (old, _) in changes.items():
            if name in TRAILED:
                found[row.participant_id][TRAILED[name]][old] = row.at
            elif name == "email":
                found[row.participant_id][name][None] = row.at
    for participant_id, before, at in _earlier_ladders(session, ids, changed):
        found[participant_id]["channel"].setdefault(before, at)
    former = select(f.participant_id, f.phone_index, f.replaced_at).where(f.participant_id.in_(ids)).order_by(f.id)
    for row in session.execute(former):
        found[row.participant_id]["phone"][row.phone_index] = row.replaced_at
    return found


def _earlier_ladders(
    session: Session, ids: Sequence[int], changed: Sequence[tuple[int, datetime, dict[str, Any]]]
) -> Iterator[tuple[int, str, datetime]]:
    """Yield (participant, ladder, when it was changed), the last first; a row of the trail names changed rungs only."""
    p = participants.c
    rows = session.execute(select(p.id, *(p[name] for name in ladders.RUNGS)).where(p.id.in_(ids)))
    standing: dict[int, dict[str, Any]] = {row.id: {name: getattr(row, name) for name in ladders.RUNGS} for row in rows}
    for participant_id, at, changes in reversed(changed):
        before = {name: changes[name][0] for name in ladders.RUNGS if name in changes}
        if before:
            standing[participant_id] |= before
            yield participant_id, _ladder(standing[participant_id]), at


def _ladder(rungs: Mapping[str, Any]) -> str:
    return ladders.written([rungs[name] for name in ladders.RUNGS if rungs[name] is not None])


class Spellings:
    """How a study writes the codes it has, asked inside one transaction in which nobody else enrols.

    Compared by `alike`, here and not by the database: `lower('I')` is another letter where its locale is Turkish.
    """

    def __init__(self, session: Session, study_id: int) -> None:
        self._session, self._study_id = session, study_id
        self._every: Mapping[str, str] | None = None

    def other(self, codes: Sequence[str]) -> dict[str, str]:
        """Code -> how it is written there, for those that only capitals or leading zeros tell from an enrolled one."""
        if not codes:
            return {}
        known = self._every
        if known is None and sum(map(_how_many, codes)) <= FEW:
            known = self._written([spelled for code in codes for spelled in _spellings(code)])
        elif known is None:
            known = self._every = self._written()
        found = ((code, known.get(alike(code), code)) for code in codes)
        return {code: there for code, there in found if there != code}

    def _written(self, among: Sequence[str] | None = None) -> dict[str, str]:
        """What is alike -> code, of these or of the whole study; both read the index on study and code alone."""
        p = participants.c
        statement = select(p.code).where(p.study_id == self._study_id)
        found = self._session.scalars(statement if among is None else statement.where(p.code.in_(among)))
        return {alike(code): code for code in found}


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody enrolled who has a telephone that was asked about."""

    code: str
    site: str
    procedure_date: date


def holders(session: Session, vault: Vault, study_id: int, phones: Iterable[str]) -> dict[str, list[Holder]]:
    """Return telephone (E.164) -> who has it in this study, for those that somebody has."""
    index = {vault.index("phone", phone): phone for phone in phones}
    p, found = participants.c, defaultdict[str, list[Holder]](list)
    statement = (
        select(p.phone_index, p.code, sites.c.code, p.procedure_date)
        .join(sites, sites.c.id == p.site_id)
        .where(p.study_id == study_id, p.phone_index.in_(list(index)))
        .order_by(p.id)
    )
    for key, code, site, day in session.execute(statement) if index else ():
        found[index[key]].append(Holder(code, site, day))
    return found


def _opened(vault: Vault, row: Any, column: str) -> str | None:
    cipher: bytes | None = getattr(row, column)
    if cipher is None or row.data_key is None:
        return None
    key = vault.data_key(row.data_key, row.id)
    return opened(key, cipher, f"participants|{column}|{row.id}").decode()


def _how_many(code: str) -> int:
    """Return at least how many codes are like this one."""
    bare = alike(code)
    zeros: int = (LONGEST_CODE - len(bare) + 1) ** sum(part.isdigit() for part in _RUNS.findall(bare))
    return zeros << sum(map(str.isalpha, bare))


def _spellings(code: str) -> Iterator[str]:
    """Yield every code that is like this one: with small letters and capitals, with fewer and more leading zeros."""
    bare = alike(code)
    room = LONGEST_CODE - len(bare)
    parts = [
        tuple("0" * zeros + part for zeros in range(room + 1))
        if part.isdigit()
        else tuple(map("".join, product(*(sorted({sign.lower(), sign.upper()}) for sign in part))))
        for part in _RUNS.findall(bare)
    ]
    return (spelled for spelled in map("".join, product(*parts)) if len(spelled) <= LONGEST_CODE)

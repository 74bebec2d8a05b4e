"""Crowds: participants copied from the stories with ids, keys, codes and tokens of their own; then checked."""

import os
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import Connection, String, Table, cast, func, insert, select, text, update

from pro_service.core.schedule.agenda import next_moment, on_time
from pro_service.runtime import Runtime
from pro_service.store import schema, studies
from pro_service.store.session import Session
from pro_service.store.vault import sealed
from tests.bench import bulk
from tests.bench.places import NOW, STUDY, check
from tests.bench.stories import TABLES, Story

REFERENCES = {"id", "participant_id", "window_id", "message_id", "escalation_id"}
KEY = re.compile(r"(?<=[:wpe])\d+(?=:|$)")
FIRST_ID = 1_000_000
SAMPLE = 50
CHUNK = 2_000
"""Participants whose rows are in memory at once."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """What was made: the ids of participants who wait for their first invitation, and how many others there are."""

    due: tuple[int, ...]
    ahead: int


class _Copier:
    """Copies stories into one database."""

    def __init__(self, rt: Runtime, connection: Connection, stories: Sequence[Story]) -> None:
        self.rt, self.connection = rt, connection
        self._ids = count(self._first_id())
        self._fixed = self._there(stories)
        self._convert = {table.name: bulk.converters(connection, table) for table in TABLES}
        self._plans = {id(story): self._plan(story) for story in stories}
        self.columns = {table.name: [column.name for column in table.columns] for table in TABLES}

    def _first_id(self) -> int:
        highest = self.connection.execute(select(func.max(schema.participants.c.id))).scalar()
        return max(FIRST_ID, (highest or 0) + 1_000)

    def _there(self, stories: Sequence[Story]) -> dict[str, Callable[[Mapping[str, Any]], Any]]:
        """Ids that are the same for everybody here."""
        session = Session(self.connection)
        study = next(found for found in studies.all_studies(session) if found.code == STUDY)
        version = studies.newest(session, study.id)
        sites = sorted(studies.site_ids(session, study.id).values())  # in the order of the protocol
        check(version is not None and sites, "the study is not there")
        theirs = sorted({story.rows["participants"][0]["site_id"] for story in stories})
        site_of = dict(zip(theirs, sites, strict=False))
        return {
            "study_id": lambda _row: study.id,
            "protocol_version_id": lambda _row: None if version is None else version.id,
            "site_id": lambda row: site_of[row["site_id"]],
        }

    def _plan(self, story: Story) -> list[tuple[str, list[Any], list[tuple[int, int]], tuple[int, list[Any]] | None]]:
        """For each row: table, driver values, where which of the new ids go, and the parts of its unique key."""
        order = {row["id"]: number for number, row in enumerate(row for rows in story.rows.values() for row in rows)}
        plan = []
        for table in TABLES:
            names = [column.name for column in table.columns]
            for row in story.rows[table.name]:
                values = {
                    name: self._fixed[name](row) if name in self._fixed and row[name] else row[name] for name in names
                }
                if table is schema.participants:
                    values["look_at"] = story.next_check_at
                driver = [self._convert[table.name][name](values[name]) for name in names]
                places = [
                    (place, order[row[name]]) for place, name in enumerate(names) if name in REFERENCES and row[name]
                ]
                keyed = names.index("dedup_key") if "dedup_key" in names else None
                key = None if keyed is None else (keyed, _parts(row["dedup_key"], order))
                plan.append((table.name, driver, places, key))
        return plan

    def copy(self, story: Story, into: dict[str, list[list[Any]]]) -> int:
        """Queue one copy's rows; gives the new participant's id."""
        plan = self._plans[id(story)]
        ids = [next(self._ids) for _ in plan]
        for table, driver, places, key in plan:
            row = driver.copy()
            for place, number in places:
                row[place] = ids[number]
            if key is not None:
                row[key[0]] = "".join(part if isinstance(part, str) else str(ids[part[0]]) for part in key[1])
            self._make_its_own(table, row, ids[0])
            into[table].append(row)
        return ids[0]

    def _make_its_own(self, table: str, row: list[Any], participant_id: int) -> None:
        """What exists once in a database: codes, keys, tokens, the provider's ids."""
        at = self.columns[table].index
        if table == "participants":
            key, wrapped = self.rt.vault.new_data_key(participant_id)
            phone = f"+49151{participant_id:08}"
            row[at("code")] = f"C-{participant_id}"
            row[at("data_key")] = wrapped
            row[at("phone")] = sealed(key, phone.encode(), f"participants|phone|{participant_id}")
            row[at("phone_index")] = self.rt.vault.index("phone", phone)
        elif table in ("attempts", "links"):
            row[at("token")] = os.urandom(32)
        elif table == "messages" and row[at("provider_id")] is not None:
            row[at("provider_id")] = f"SM{row[0]:032x}"

    def end(self) -> int:
        """The next free id."""
        return next(self._ids)


def _parts(key: str, order: dict[int, int]) -> list[Any]:
    parts: list[Any] = []
    done = 0
    for found in KEY.finditer(key):
        number = order.get(int(found[0]))
        if number is not None:
            parts += [key[done : found.start()], (number,)]
            done = found.end()
    return [*parts, key[done:]]


def gather(rt: Runtime, stories: Sequence[Story], *, due: int, ahead: int) -> Crowd:
    """Add this many participants whose first invitation waits to be woken, and others with a past and a future."""
    dice = random.Random(7)  # noqa: S311 -- the same crowd every time
    waiting = [story for story in stories if story.due]
    others = [story for story in stories if not story.due]
    weights = [0.15 if story.silent else 0.85 for story in others]
    chosen = dice.choices(others, weights, k=ahead) + [waiting[number % len(waiting)] for number in range(due)]
    woken: list[int] = []
    with rt.sessions.engine.begin() as connection:
        copier = _Copier(rt, connection, stories)
        for chunk in _chunks(chosen):
            rows: dict[str, list[list[Any]]] = {table.name: [] for table in TABLES}
            ids = [copier.copy(story, rows) for story in chunk]
            for table in TABLES:
                bulk.insert(connection, table, copier.columns[table.name], rows[table.name])
            woken += [row_id for row_id, story in zip(ids, chunk, strict=True) if story.due]
        _finish(connection, copier.end())
    _check(rt, due + ahead, tuple(woken))
    return Crowd(tuple(woken), ahead)


def _chunks(chosen: Sequence[Story]) -> Iterator[Sequence[Story]]:
    return (chosen[start : start + CHUNK] for start in range(0, len(chosen), CHUNK))


def _finish(connection: Connection, next_id: int) -> None:
    """Ids go on after the crowd, windows are tallied, the planner knows the sizes."""
    if connection.dialect.name == "sqlite":
        key = schema.installation.c.key == "next_id"
        connection.execute(update(schema.installation).where(key).values(value=str(next_id)))
    else:
        connection.execute(text("SELECT setval('row_ids', :n)"), {"n": next_id})
    w, p = schema.windows.c, schema.participants.c
    settled = (
        select(w.study_id, p.site_id, w.code, w.settled, func.count())
        .join(schema.participants, p.id == w.participant_id)
        .where(w.settled.is_not(None))
        .group_by(w.study_id, p.site_id, w.code, w.settled)
    )
    connection.execute(schema.tallies.delete())
    names = ["study_id", "site_id", "code", "status", "count"]
    connection.execute(insert(schema.tallies).from_select(names, settled))
    _count_closings(connection)
    connection.execute(text("ANALYZE"))


def _count_closings(connection: Connection) -> None:
    """What the copied windows count as, by channel and month; complete cases are left out."""
    w, p = schema.windows.c, schema.participants.c
    month = func.substr(cast(w.target, String), 1, 7)
    kind = (w.study_id, p.site_id, w.code, func.coalesce(w.counted_channel, p.channel), month, w.settled)
    counted = (
        select(*kind, func.count())
        .join(schema.participants, p.id == w.participant_id)
        .where(w.settled.is_not(None))
        .group_by(*kind)
    )
    connection.execute(schema.closings.delete())
    connection.execute(insert(schema.closings).from_select(schema.closings.columns.keys(), counted))


def _check(rt: Runtime, size: int, woken: tuple[int, ...]) -> None:
    """Counts, and for a sample: time calls for nothing now, and the stored moment is the rules'."""
    p = schema.participants.c
    with rt.sessions.reading() as session:
        check(count_of(session, schema.participants) >= size, "participants are missing")
        check(count_of(session, schema.windows) >= size * 4, "windows are missing")
        sample = session.scalars(select(p.id).where(p.next_check_at > NOW).order_by(p.phone_index).limit(SAMPLE)).all()
        for loaded in rt.loader.load(session, sample, lock=False):
            check(not on_time(loaded.case, NOW), "somebody is due who should not be")
            check(next_moment(loaded.case, NOW) == loaded.next_check_at, "a stored moment is not the rules' one")
    sleep(rt, woken)


def count_of(session: Session, table: Table) -> int:
    """How many rows a table has."""
    return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def sleep(rt: Runtime, ids: Sequence[int]) -> None:
    """Let nobody look at these until they are woken."""
    _set_next_check(rt, ids, None)


def wake(rt: Runtime, ids: Sequence[int], at: datetime = NOW) -> None:
    """Make these due, now or since an earlier instant."""
    _set_next_check(rt, ids, at)


def _set_next_check(rt: Runtime, ids: Sequence[int], moment: Any) -> None:
    if ids:
        p = schema.participants.c
        with rt.sessions.begin() as session:
            between = p.id.between(min(ids), max(ids))
            session.execute(update(schema.participants).where(between).values(next_check_at=moment))

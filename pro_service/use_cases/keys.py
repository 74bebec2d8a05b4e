"""The keys of the settings: what each wraps, wrapping everything with the newest one, and when an old one may go.

Only the wrapping changes. The keys inside (each participant's, the index key, the system key) stay: see decision 29.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pro_service import logs
from pro_service.core.problems import RejectedError, problem
from pro_service.runtime import Runtime
from pro_service.store import heartbeats, keys
from pro_service.store.audit import Actor, Entry
from pro_service.store.session import Session
from pro_service.use_cases import trusted_time
from pro_service.use_cases.transaction import transaction

BATCH = 500
"""Values wrapped in one transaction: others write in between."""
BEAT = "key "
"""Prefix of a running program's heartbeat; the id of its newest key follows."""
LONGEST_BEAT = 40
ALIVE = timedelta(minutes=2)
"""A running program beats once a minute."""

Progress = Callable[[int, int], None]
"""Called with how many values were wrapped, and how many there are to wrap."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One key: whether the settings hold it, and what it wraps."""

    key: str
    newest: bool
    in_settings: bool
    since: datetime | None
    """When it first wrapped something, as far as can be told; None = nothing yet."""
    uses: dict[str, int]
    """Column -> how many of its values this key wraps."""
    values: int
    may_go: bool


@dataclass(slots=True)
class Rotation:
    """What a rotation did, or with `dry_run` would do."""

    key: str
    values: int = 0
    """How many were wrapped anew."""
    damaged: dict[str, list[int]] = field(default_factory=dict)
    """Column -> the records whose value no key opens: they stay as they were."""


def beat(rt: Runtime) -> None:
    """Record that a running program wraps with this newest key."""
    trusted_time.beat(rt, _beat_of(rt.vault.key_ids[0]))


def all_keys(rt: Runtime) -> tuple[KeyUse, ...]:
    """Return every key of the settings, newest first."""
    now, known = rt.clock(), rt.vault.key_ids
    with rt.sessions.reading() as session:
        running = _running(session, now)
        begun = {key: at for at, key in reversed(keys.rotations(session))}
        found = []
        for key in (*known, *sorted(keys.in_use(session) - set(known))):
            uses = keys.counts(session, key)
            newest = key == known[0]
            found.append(
                KeyUse(
                    key=key,
                    newest=newest,
                    in_settings=key in known,
                    since=begun.get(key) or _first_used(session, key, uses, rotated=bool(begun)),
                    uses=uses,
                    values=sum(uses.values()),
                    may_go=not newest and not uses and _beat_of(key) not in running,
                )
            )
    return tuple(found)


def rotate(
    rt: Runtime, actor: Actor, *, dry_run: bool = False, progress: Progress = lambda _done, _total: None
) -> Rotation:
    """Wrap everything with the newest key, in batches; after an interruption, the next call goes on.

    RejectedError, and nothing is done, while a running program still wraps with an older key: it could not read what
    is wrapped with the newest.
    """
    now, newest = rt.clock(), rt.vault.key_ids[0]
    done = Rotation(newest)
    with rt.sessions.reading() as session:
        outdated = {name: at for name, at in _running(session, now).items() if name != _beat_of(newest)}
        old = sorted(keys.in_use(session) - {newest})
        total = sum(sum(keys.counts(session, key).values()) for key in old)
    if dry_run:
        done.values = total
        return done
    for name, at in outdated.items():
        seconds = round((now - at).total_seconds())
        fault = problem("data_key_outdated", "DATA_KEYS", key=repr(name.removeprefix(BEAT)), seconds=seconds)
        raise RejectedError((fault,))
    if not old:
        return done
    with transaction(rt, actor, now) as tx:
        changes = {"key": (old, newest), "values": (None, total)}
        tx.writer.audit(Entry(keys.ROTATE, keys.ENTITY, None, changes), ZoneInfo("UTC"))
        done.values += keys.rewrap_own(tx.session, rt.vault)
    for table, name in keys.WRAPPED:
        after = b""
        while True:
            with rt.sessions.begin() as session:
                found = keys.old_values(session, table.c[name], newest, after, BATCH)
                wrapped, damaged = keys.rewrap(session, rt.vault, table, name, found)
            if damaged:
                done.damaged.setdefault(f"{table.name}.{name}", []).extend(damaged)
            done.values += wrapped
            progress(done.values, total)
            if len(found) < BATCH:
                break
            after = found[-1][1]
    logs.event("keys.rotated", values=done.values, damaged=sum(map(len, done.damaged.values())))
    return done


def _running(session: Session, now: datetime) -> dict[str, datetime]:
    """Return heartbeat -> when, for the newest key of each running program."""
    beats = heartbeats.all_beats(session)
    return {name: at for name, at in beats.items() if name.startswith(BEAT) and now - at < ALIVE}


def _first_used(session: Session, key: str, uses: dict[str, int], *, rotated: bool) -> datetime | None:
    if not rotated and "installation.value" in uses:
        return keys.first_row_at(session)
    return keys.oldest_user(session, key)


def _beat_of(key: str) -> str:
    return f"{BEAT}{key}"[:LONGEST_BEAT]

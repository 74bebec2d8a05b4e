"""Every decision of time asks here first: by a clock that is not believed nothing is decided, sent or counted.

The rule is `core.trusted_time`; here are the clocks. Why a clock is not believed is noted in the database, for the
pages, `doctor` and every other process; that it was, and that it is believed again, stands in the audit trail. What
writes that is imported where it is used: it takes long, and an idle tick has nothing to write.
"""

import time
from datetime import timedelta
from zoneinfo import ZoneInfo

from pro_service import logs
from pro_service.clock import JUMP, GuardedClock
from pro_service.core import trusted_time
from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.core.trusted_time import Doubt
from pro_service.gateways.outgoing import Dated
from pro_service.runtime import Runtime
from pro_service.store import future, heartbeats, standing
from pro_service.store.audit import Actor, Entry

ACCEPTED = "clock"
"""The beat that stands for a person: they said that the clock was right then."""
BEATS = ("tick", "deliver", ACCEPTED)
"""What is written only by a clock that is believed. The web server beats by any, to see whether it can write."""
REPAIR = "clock_repair"
"""The beat of what undoes a wrong clock's decisions: forgotten, it is due at once."""
REPAIR_EVERY = timedelta(hours=1)
ASK_EVERY = 30.0
"""Seconds for which the answer of a second clock is good."""
UTC = ZoneInfo("UTC")


def is_believed(rt: Runtime) -> bool:
    """Whether the clock can be believed now; what has changed about that is noted and audited."""
    if _has_jumped(rt):
        # Of this process alone, and over in two minutes: no other is to hear of it.
        return False
    now = rt.clock()
    with rt.sessions.glance() as connection:
        last, noted = heartbeats.newest(connection, BEATS), standing.clock_doubt(connection)
    second = now - ahead if trusted_time.is_step(now, last) and (ahead := _ahead(rt)) is not None else None
    why = trusted_time.doubt(now, last, second)
    if noted != why:
        _note(rt, why)
    return why is None


def noted_doubt(rt: Runtime) -> Problem | None:
    """Return why the clock is not believed, as it was last noted; None if it is."""
    with rt.sessions.glance() as connection:
        why = standing.clock_doubt(connection)
    return None if why is None else problem(f"clock_{why}")


def repair_is_due(rt: Runtime) -> bool:
    """Whether it is time to undo what a wrong clock decided: each hour, after a doubt, after a beat from the future."""
    now = rt.clock()
    with rt.sessions.reading() as session:
        last = heartbeats.last(session, REPAIR)
        return last is None or now - last >= REPAIR_EVERY or future.any_beat_ahead(session, now)


def accept(rt: Runtime, actor: Actor, reason: str) -> bool:
    """Believe the clock as it is now, because a person has looked at it; False if it was believed already.

    RejectedError, and nothing is changed, without a reason.
    """
    if not reason.strip():
        raise RejectedError((problem("reason_missing", "--reason"),))
    from pro_service.use_cases.transaction import transaction  # noqa: PLC0415

    now = rt.clock()
    with rt.sessions.glance() as connection:
        last = heartbeats.newest(connection, BEATS)
    with transaction(rt, actor, now) as tx:
        doubted = standing.believe_clock(tx.session)
        if not doubted and trusted_time.doubt(now, last, None) is None:
            return False
        # Beats from the future would raise the doubt again.
        for name, at in heartbeats.all_beats(tx.session).items():
            if name in BEATS and at > now:
                heartbeats.beat(tx.session, name, now)
        heartbeats.beat(tx.session, ACCEPTED, now)
        heartbeats.forget(tx.session, REPAIR)
        tx.writer.audit(Entry("accept", "clock", None, {"last_alive": (last, now)}, reason=reason), UTC)
    logs.event("clock.accepted")
    return True


def beat(rt: Runtime, name: str, took: timedelta | None = None) -> None:
    """Say that this beat is alive, unless the clock is not believed: the beats are what it is held against.

    `took`: how long its work took, where somebody asks for that.
    """
    if is_believed(rt):
        now = rt.clock()
        with rt.sessions.begin() as session:
            heartbeats.beat(session, name, now)
            if took is not None:
                heartbeats.beat(session, heartbeats.began(name), now - took)


def _note(rt: Runtime, why: Doubt | None) -> None:
    from pro_service.use_cases.transaction import SCHEDULER, transaction  # noqa: PLC0415

    with transaction(rt, SCHEDULER, rt.clock()) as tx:
        if why is None:
            if not standing.believe_clock(tx.session):
                return
        elif not standing.doubt_clock(tx.session, why):
            return
        heartbeats.forget(tx.session, REPAIR)
        action = "believe" if why is None else "doubt"
        tx.writer.audit(Entry(action, "clock", None, {} if why is None else {"cause": (None, why)}), UTC)
    logs.event(f"clock.{action}", why=why)


def _has_jumped(rt: Runtime) -> bool:
    """Whether the clock jumped a moment ago, against this machine's own seconds or the database server's clock."""
    if not isinstance(rt.clock, GuardedClock):
        return False
    with rt.sessions.glance() as connection:
        server = standing.server_time(connection)
    if server is not None and abs(rt.clock() - server) > JUMP:
        rt.clock.distrust(rt.clock() - server)
    held, jumped = rt.clock.held, rt.clock.jump()
    if jumped is not None:
        from pro_service.use_cases.transaction import SCHEDULER, transaction  # noqa: PLC0415

        seconds = round(jumped.total_seconds())
        with transaction(rt, SCHEDULER, rt.clock()) as tx:
            heartbeats.forget(tx.session, REPAIR)
            tx.writer.audit(Entry("clock_jump", "clock", None, {"seconds": (0, seconds)}), UTC)
        logs.event("clock.jumped", seconds=seconds)
    return held


def _ahead(rt: Runtime) -> timedelta | None:
    """By how much our clock is ahead of another machine's; None where no other answers, or ours was set."""
    if not isinstance(rt.clock, GuardedClock):
        return None
    known, asked_at = rt.memory.second_clock, time.monotonic()
    if known is not None and asked_at - known[0] < ASK_EVERY:
        return known[1]
    dated = next((way for way in rt.texts.values() if isinstance(way, Dated)), None)
    theirs = None if dated is None else dated.server_time()
    if theirs is None:
        with rt.sessions.glance() as connection:
            theirs = standing.server_time(connection) if standing.is_elsewhere(connection) else None
    ahead = None if theirs is None else rt.clock() - theirs
    rt.memory.second_clock = (asked_at, ahead)
    return ahead

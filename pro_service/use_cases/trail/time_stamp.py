"""Have an authority outside sign, once a day, that it has seen the newest seal.

Sealing never waits for the authority: it is asked in a beat of its own, with no transaction open, and asked again later
if it refuses or does not answer in time.
"""

from datetime import timedelta

from pro_service import logs
from pro_service.core.trail.seals import anchor_of
from pro_service.gateways.outgoing import GatewayError
from pro_service.runtime import Runtime
from pro_service.store import heartbeats, seals, time_stamps
from pro_service.store.time_stamps import Stamped
from pro_service.use_cases import trusted_time

BEAT = "time_stamp"
"""When the authority was last asked."""
EVERY = timedelta(days=1)
AGAIN = timedelta(minutes=10)


def stamp_now_and_then(rt: Runtime) -> bool:
    """Ask for a time stamp of the newest seal if the last one is a day old; return whether there is a new one."""
    if rt.time_stamps is None or rt.time_stamps.url is None or not trusted_time.is_believed(rt):
        return False
    now = rt.clock()
    with rt.sessions.reading() as session:
        newest, last = seals.newest(session), time_stamps.newest(session)
        asked_at = heartbeats.last(session, BEAT)
    if newest is None or (last is not None and (now - last.stored_at < EVERY or last.seal >= newest.number)):
        return False
    if asked_at is not None and now - asked_at < AGAIN:
        return False
    trusted_time.beat(rt, BEAT)
    anchor = anchor_of(newest)
    try:
        response = rt.time_stamps.stamp(str(anchor))
    except GatewayError as error:
        logs.event("audit.not_stamped", anchor=str(anchor), why=str(error))
        return False
    with rt.sessions.begin() as session:
        time_stamps.add(session, Stamped(newest.number, now, response))
    logs.event("audit.stamped", anchor=str(anchor))
    return True

"""What the doctor is told of the outbox: what waits, and since when."""

from datetime import date, datetime, timedelta

from pro_service.gateways.outgoing import Refused
from pro_service.reports import health
from pro_service.runtime import Runtime
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

PROCEDURE = date(2026, 3, 2)
INVITED = support.at("2026-03-09 10:00")


def waits_since(rt: Runtime) -> datetime | None:
    """Return since when the oldest message waits."""
    with rt.sessions.reading() as session:
        return health.condition(session, "tick", rt.clock(), leaves=False).ready_since


def test_a_text_refused_for_our_credentials_waits_since_it_was_queued(
    rt: Runtime, clock: support.SetClock, phones: Telephones, study_id: int
) -> None:
    support.enrolled(rt, study_id, "P-001", PROCEDURE, phone="+12025550123", channel="sms-reply", language="en")
    assert waits_since(rt) is None
    clock.now = INVITED
    tick(rt)
    for _ in range(3):
        phones.faults.append(Refused(20003, "credentials"))
        deliver(rt)
        assert waits_since(rt) == INVITED
        clock.now += timedelta(minutes=6)
    deliver(rt)
    assert phones.sent
    assert waits_since(rt) is None

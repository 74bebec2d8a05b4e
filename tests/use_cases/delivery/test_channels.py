"""What holds a whole way out back: its sender's pace, its day's limit, and a provider that refuses us."""

import itertools
import time
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from pro_service.core.providers import Pace
from pro_service.gateways.outgoing import Accepted, Outgoing, Refused
from pro_service.gateways.twilio.texts import usual_pace
from pro_service.runtime import Runtime
from pro_service.store.messages import channels, outbox
from pro_service.store.messages.channels import AHEAD
from pro_service.store.schema import messages
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.tick import tick
from pro_service.use_cases.watch import alarms
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

PROCEDURE = date(2026, 3, 2)
INVITED = support.at("2026-03-09 10:00")
PEOPLE = 12
BASELINE = {"baseline_nrs_avg": "6", "baseline_nrs_now": "5"}


@pytest.fixture
def crowd(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return how many people are to be invited now, by texts of one segment."""
    for number in range(PEOPLE):
        how = {"phone": f"+120255501{number:02}", "channel": "sms-reply", "language": "en", **BASELINE}
        support.enrolled(rt, study_id, f"P-{number:03}", PROCEDURE, **how)
    clock.now = INVITED
    tick(rt)
    with rt.sessions.begin() as session:
        session.execute(messages.update().values(segments=1))
    return PEOPLE


def with_limits(rt: Runtime, per_second: float | None = None, per_day: int | None = None) -> Runtime:
    delivery = replace(rt.settings.delivery, paces={"sms": Pace(per_second, per_day)})
    return replace(rt, settings=replace(rt.settings, delivery=delivery))


def known(rt: Runtime) -> channels.Channel:
    with rt.sessions.reading() as session:
        return channels.all_channels(session)["sms"]


@databases.ON_BOTH
def test_a_paced_sender_never_sends_faster(rt: Runtime, phones: Telephones, crowd: int) -> None:
    moments: list[float] = []

    class Timed(Telephones):
        def send(self, outgoing: Outgoing) -> Accepted:
            moments.append(time.monotonic())
            return phones.send(outgoing)

    rate = 20.0
    paced = with_limits(replace(rt, texts={"sms": Timed()}), per_second=rate)
    assert deliver(paced).accepted == crowd
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert moments[-1] - moments[0] >= (crowd - 1) / rate * 0.95
    assert sum(gaps) / len(gaps) >= 1 / rate * 0.95


@databases.ON_BOTH
def test_workers_share_one_pace(rt: Runtime, clock: support.SetClock, crowd: int) -> None:
    pace, lease = Pace(per_second=2), timedelta(seconds=60)
    moments = []
    for _ in range(crowd):
        with rt.sessions.begin() as session:
            claimed = outbox.claim(session, clock.now, lease, 3, {"sms": pace}, rt.token, leaves=False)
        moments += [one.leaves_at for one in claimed if one.leaves_at is not None]
    # No further ahead than a claim can be kept, and never two at one moment, whoever claimed them.
    assert len(moments) == AHEAD.total_seconds() * 2
    assert moments == [INVITED + timedelta(seconds=0.5) * place for place in range(len(moments))]
    assert free_at(rt) == INVITED + AHEAD


@pytest.mark.parametrize("patience, sent, remaining", [(0.0, 0, 0), (3.0, 0, PEOPLE), (50.0, PEOPLE, 0)])
@pytest.mark.usefixtures("crowd")
def test_cron_waits_for_a_paced_sender_and_says_how_many_remain(
    rt: Runtime, phones: Telephones, patience: float, sent: int, remaining: int
) -> None:
    began = time.monotonic()
    running = replace(rt, clock=lambda: INVITED + timedelta(seconds=time.monotonic() - began))
    # A long text has just left: the next slot lies beyond what a claim may reserve.
    with rt.sessions.begin() as session:
        channels.reserve(session, known(rt), Pace(per_second=100), [510], INVITED)
    report = deliver(with_limits(running, per_second=100), patience=patience)
    assert (report.accepted, report.remaining) == (sent, remaining)
    assert len(phones.sent) == sent


@pytest.mark.usefixtures("crowd")
@databases.ON_BOTH
def test_what_the_days_limit_holds_back_is_not_waited_for(rt: Runtime) -> None:
    began = time.monotonic()
    report = deliver(with_limits(rt, per_second=1000, per_day=5), patience=50)
    assert (report.accepted, report.remaining) == (5, 0)
    assert time.monotonic() - began < 20


def free_at(rt: Runtime) -> object:
    return known(rt).free_at


@databases.ON_BOTH
def test_a_long_text_takes_as_many_moments_as_it_has_segments(rt: Runtime, clock: support.SetClock, crowd: int) -> None:
    with rt.sessions.begin() as session:
        session.execute(messages.update().values(segments=3))
        claimed = outbox.claim(
            session, clock.now, timedelta(seconds=60), crowd, {"sms": Pace(per_second=1)}, rt.token, leaves=False
        )
    assert [one.leaves_at for one in claimed] == [INVITED]
    assert free_at(rt) == INVITED + timedelta(seconds=3)


@databases.ON_BOTH
def test_a_day_has_its_limit_and_says_so(rt: Runtime, clock: support.SetClock, phones: Telephones, crowd: int) -> None:
    limited = with_limits(rt, per_day=5)
    assert deliver(limited).accepted == 5
    assert deliver(limited).accepted == 0
    assert "daily_limit" in {alarm.code for alarm in alarms(limited)}
    with rt.sessions.begin() as session:
        session.execute(messages.update().values(useful_until=None, today_until=None))
    clock.now += timedelta(days=1)
    assert deliver(limited).accepted == 5
    assert len(phones.sent) == 10 < crowd


@pytest.mark.parametrize("kind, code", [("credentials", 20003), ("configuration", 21606)])
@databases.ON_BOTH
def test_a_provider_that_refuses_us_stops_texts_for_every_worker(
    rt: Runtime, clock: support.SetClock, phones: Telephones, crowd: int, kind: str, code: int
) -> None:
    phones.faults.extend([Refused(code, kind)] * crowd)  # type: ignore[arg-type]
    assert deliver(rt).accepted == 0
    phones.faults.clear()
    assert (known(rt).stopped_by, known(rt).goes(clock.now)) == (str(code), False)
    assert "stopped_sms" in {alarm.code for alarm in alarms(rt)}
    clock.now += timedelta(minutes=4)
    assert deliver(rt).accepted == 0
    clock.now += timedelta(minutes=2)
    assert deliver(rt).accepted == crowd
    assert known(rt).stopped_by is None
    assert alarms(rt) == tuple(one for one in alarms(rt) if one.code == "scheduler")


@databases.ON_BOTH
def test_a_country_our_sender_does_not_reach_stops_nobody_else(rt: Runtime, phones: Telephones, crowd: int) -> None:
    phones.faults.append(Refused(21408, "route"))
    report = deliver(rt)
    assert (report.refused, report.accepted) == (1, crowd - 1)
    with rt.sessions.reading() as session:
        assert session.scalar(select(messages.c.error).where(messages.c.state == "refused")) == "21408"


@pytest.mark.parametrize(
    "sender, pace",
    [("+12025550100", 1), ("+18885550100", 3), ("KLINIK", 10), ("12345", 100), (None, None)],
)
def test_each_kind_of_sender_has_its_pace(sender: str | None, pace: float | None) -> None:
    assert usual_pace(messaging_service_sid=None, sender=sender) == pace
    assert usual_pace(messaging_service_sid="MG" + "0" * 32, sender=sender) is None

"""Texts that wait for a person, who writes them, and who deals with them."""

from collections.abc import Callable
from datetime import date, timedelta
from itertools import count

import pytest
from sqlalchemy import select

from pro_service.gateways.twilio.hooks import text_of
from pro_service.reports import inbox
from pro_service.reports.inbox import Item, Look, Reader
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.schema import audit_trail
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.inbound.inbox import About
from pro_service.use_cases.tick import tick
from tests import support

PHONE, STRANGER = "+12025550123", "+12025550199"
W1 = support.at("2026-03-09 10:00")
Says = Callable[..., None]


@pytest.fixture
def says(rt: Runtime, clock: support.SetClock) -> Says:
    """Return what lets somebody write a text, a minute after the last."""
    numbers = count(1)

    def say(body: str, sender: str = PHONE, **more: str) -> None:
        clock.now += timedelta(minutes=1)
        sid = f"SM{next(numbers):032d}"
        receive.receive(rt, text_of({"MessageSid": sid, "From": sender, "To": "+15005550006", "Body": body} | more))
        deliver(rt)

    return say


@pytest.fixture
def participant(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return somebody who was asked a moment ago and has not answered."""
    found = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=PHONE, channel="sms-reply", language="en")
    clock.now = W1
    tick(rt)
    deliver(rt)
    return found


@pytest.fixture
def actor(rt: Runtime, study_id: int) -> Actor:
    """Return a coordinator at work."""
    del study_id
    user_id = support.coordinator(rt)
    return Actor(kind="staff", id=f"user:{user_id}", source="dashboard", user_id=user_id)


@pytest.fixture
def reader(study_id: int) -> Reader:
    """Return who sees the whole study."""
    return Reader(study_id, None, strangers=True)


def waiting(rt: Runtime, reader: Reader, show: str = "open", why: str | None = None) -> list[Item]:
    with rt.sessions.reading() as session:
        return inbox.page(session, rt.vault, reader, Look(show, why), rt.clock())[0]


def only(rt: Runtime, reader: Reader) -> Item:
    (item,) = waiting(rt, reader)
    return item


def open_tasks(rt: Runtime, participant: int) -> list[str]:
    return [e.reason for e in support.loaded(rt, participant).case.escalations if e.open and e.level == "E0"]


def actions(rt: Runtime) -> list[str]:
    with rt.sessions.reading() as session:
        a = audit_trail.c
        return list(session.scalars(select(a.action).where(a.actor_kind == "staff").order_by(a.id)))


def about(rt: Runtime, reader: Reader, participant: int) -> About:
    revision = support.loaded(rt, participant).case.participant.revision
    return About(only(rt, reader).id, reader, revision)


def unreadable(says: Says) -> None:
    for body in ("7-8", "7 or 8", "seven and a bit"):
        says(body)

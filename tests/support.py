"""Test data: a study from the demonstration protocol, participants with windows, addresses of their forms, staff."""

import re
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from flask.testing import FlaskClient
from sqlalchemy import Dialect, func, insert, select, text, update
from werkzeug.test import TestResponse

from pro_service import paths
from pro_service.core.problems import RejectedError
from pro_service.core.schedule import agenda
from pro_service.runtime import PasswordCost, Runtime
from pro_service.store import studies
from pro_service.store.audit import Actor
from pro_service.store.bulk import row_ids
from pro_service.store.database import Sessions
from pro_service.store.participants import cases, typed_reasons
from pro_service.store.participants.cases import Loaded
from pro_service.store.schema import links, messages, metadata, participants, windows
from pro_service.store.vault import token_hash
from pro_service.use_cases import study, transaction
from pro_service.use_cases.enrolment import enrol
from pro_service.use_cases.participants import card, entry
from pro_service.use_cases.staff import accounts

ISTANBUL = ZoneInfo("Europe/Istanbul")
SETUP = Actor(kind="system", id="tests", source="cli")
PASSWORD = "a quiet morning in April"
EMAIL = "coordinator@example.org"


@dataclass(slots=True)
class SetClock:
    """A clock that shows what it was set to."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


class InTurn(Executor):
    """Does at once what it is given, in the same thread."""

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(work(*given, **named))
        return done


CHEAP = PasswordCost(time_cost=1, memory_cost=8, parallelism=1)
_DIALECTS: dict[str, Dialect] = {}
_COMPILED: dict[Any, Any] = {}
_COUNTED = [table for table in metadata.tables if table != "heartbeats"]
_COUNT = f"SELECT {', '.join(f'(SELECT count(*) FROM {table})' for table in _COUNTED)}"  # noqa: S608 -- our names


def with_clock(rt: Runtime, clock: SetClock) -> Runtime:
    """The runtime with a clock of ours, and passwords that cost next to nothing: a thousand tests sign in.

    Its statements are compiled once a run: each test has an engine of its own, and compiling took longer than asking.
    """
    engine = rt.sessions.engine
    engine.dialect = _DIALECTS.setdefault(engine.dialect.name, engine.dialect)
    engine.update_execution_options(compiled_cache=_COMPILED)
    return replace(rt, clock=clock, password_cost=CHEAP, sessions=Sessions(engine))


def at(text: str, zone: ZoneInfo = ISTANBUL) -> datetime:
    """An instant from local time: `2026-03-09 10:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def load_demo(rt: Runtime, code: str = "DEMO") -> int:
    """Load the demonstration protocol, as the study of this code; gives the study's id."""
    checked = _demo()
    return study.store_version(rt, SETUP, replace(checked, protocol=replace(checked.protocol, study=code))).study.id


@lru_cache(maxsize=1)
def _demo() -> study.Checked:
    """The protocol, looked through once a run: that it is checked at every load has tests of its own."""
    return study.check((paths.protocols() / "demo.toml").read_text(encoding="utf-8"))


def enrolled(rt: Runtime, study_id: int, code: str, procedure_date: date, **cells: str) -> int:
    """Enrol one participant at IST who reads Turkish and gets links, unless told otherwise; gives the id.

    When a procedure that took place ended is known, although no window is counted from it: nobody is asked for it. That
    is written past the trail, which a check finds; `procedure_time=""` leaves it out.
    """
    row = {
        "participant": code,
        "site": "IST",
        "procedure_date": procedure_date.isoformat(),
        "language": "tr",
        "messaging_consent": procedure_date.isoformat(),
        **cells,
    }
    enrol.enrol_one(rt, SETUP, study_id, row)
    with rt.sessions.reading() as session:
        found = cases.find(session, study_id, code)
    assert found is not None
    if "procedure_time" not in cells and procedure_date <= rt.clock().astimezone(ISTANBUL).date():
        p = participants.c
        with rt.sessions.begin() as session:
            session.execute(update(participants).where(p.id == found).values(procedure_end=rt.clock()))
    return found


def loaded(rt: Runtime, participant_id: int) -> Loaded:
    """One participant as the rules see them."""
    with rt.sessions.reading() as session:
        return rt.loader.one(session, participant_id, lock=False)


def typed(rt: Runtime, reason: str | None) -> str | None:
    """A reason as staff typed it, where a row holds a reference to it."""
    with rt.sessions.reading() as session:
        return typed_reasons.known(session, rt.vault, [reason]).get(reason, reason)


def with_card(rt: Runtime, study_id: int, code: str) -> card.Card:
    """Have somebody's card printed; gives it."""
    return card.show(rt, SETUP, study_id, code)


def link_to(rt: Runtime, participant_id: int, code: str, token: str) -> str:
    """Give a window an address: of the newest text about it, or of the card where there is none; gives the token."""
    with rt.sessions.begin() as session:
        w = windows.c
        of_code = (w.participant_id == participant_id) & (w.code == code) & w.cancelled_at.is_(None)
        window_id = session.scalars(select(w.id).where(of_code)).one()
        text_id = session.scalar(select(func.max(messages.c.id)).where(messages.c.window_id == window_id))
        row = {"id": next(row_ids(session)), "participant_id": participant_id, "window_id": window_id}
        row["message_id"] = text_id
        session.execute(insert(links).values(**row, token=token_hash(token), created_at=rt.clock()))
    return token


def coordinator(
    rt: Runtime,
    email: str = EMAIL,
    *,
    role: str = "coordinator",
    study: str | None = None,
    site: str | None = None,
    language: str = "",
) -> int:
    """Give a coordinator an account; gives the user's id."""
    return accounts.add_user(rt, SETUP, email, PASSWORD, role, study, site, language).user_id


def answered(rt: Runtime, code: str, window: str, values: dict[str, str], mode: entry.Mode = "telephone") -> None:
    """Have somebody enter answers of a participant of the first study; in a closed window with a reason."""
    with rt.sessions.reading() as session:
        study_id = studies.all_studies(session)[0].id
    by = Actor("staff", "user:0", "dashboard")
    filled = entry.Filled(values=values, mode=mode, reason="entered by a test")
    entry.enter(rt, by, study_id, code, window, filled)


@contextmanager
def rejected_for(*codes: str) -> Iterator[None]:
    """Let a form be rejected, for these reasons alone: any other is the test's own fault."""
    try:
        yield
    except RejectedError as rejected:
        if not {fault.code for fault in rejected.faults} <= set(codes):
            raise


def to_decide(rt: Runtime, participant_id: int, code: str | None = None) -> int:
    """Raise a task of the investigator's rung about somebody, or about one of their windows; gives its id."""
    with transaction.transaction(rt, SETUP, rt.clock()) as tx:
        case = (who := rt.loader.one(tx.session, participant_id)).case
        window = next((one for one in case.windows if one.code == code), None)
        raised = agenda.escalate(case, "E4", "missed_in_a_row", tx.now, window)
        tx.carry_out(who, [raised])
    return next(one.id for one in loaded(rt, participant_id).case.escalations if one.key.endswith(raised.key))


def sign_in(client: FlaskClient, email: str = EMAIL, password: str = PASSWORD, path: str = "/login") -> TestResponse:
    """Fill the sign-in form in and send it; gives the answer to that."""
    return client.post(path, data={"email": email, "password": password, "csrf": csrf_of(client.get(path).text)})


def csrf_of(page: str) -> str:
    """The token of the first form of a page; empty if it has none."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    return found[1] if found else ""


def rows_of(rt: Runtime) -> dict[str, int]:
    """How many rows each table holds, but for heartbeats: a look at a page tries whether anything can be saved."""
    with rt.sessions.reading() as session:
        return dict(zip(_COUNTED, session.execute(text(_COUNT)).one(), strict=True))


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Let the disk be full: no file of this process may grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

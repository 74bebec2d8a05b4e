"""The door behind the card: a code that was typed or scanned opens whichever window is open.

A code that comes with its mark is no guess and is never counted: the mark is in the card's picture, and in a browser
that was let in before. Typed codes are so many that wrong ones keep nobody out (`core/throttle`); only those of cards
of earlier releases, which are short, wait while somebody guesses.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from pro_service.core import card_code
from pro_service.core.card_code import CodeError
from pro_service.core.case import Case, WindowFacts
from pro_service.core.protocol import Language, Site, Texts
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.audit import Actor
from pro_service.store.participants import card_codes
from pro_service.use_cases import throttle
from pro_service.use_cases.throttle import Attempt
from pro_service.use_cases.transaction import Transaction, transaction

State: TypeAlias = Literal["form", "later", "finished"]
UNKNOWN = Actor(kind="participant", id="card", source="web")
"""Who types a code, before it is known whose code it is."""
MOST_CLINICS = 6
"""Telephones on one page: whose code is not known is at none of the sites in particular."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a right code leads."""

    state: State
    language: Language
    zone: ZoneInfo
    clinic: Texts
    """The name of the clinic that asks, as in texts."""
    mark: str
    """Shown again by the same browser, it says that it had the code before."""
    token: str = ""
    """Of the form, where there is one to be filled in."""
    opens_at: datetime | None = None
    """When the next window opens; None if that is not certain yet."""
    asked: bool = True
    """A message will say so; else people call."""


def enter(rt: Runtime, typed: str, marks: Collection[str], address: str) -> Entry | None:
    """Open the form that a code leads to; None for a code nobody has.

    `marks` came with the code, `address` is the network address it came from. CodeError for what cannot be a code:
    nothing was looked up, nothing is counted. ThrottledError if no more may be looked up for now.
    """
    now, code = rt.clock(), card_code.read_code(typed)
    marked = any(card_codes.is_marked(rt.vault, code, mark) for mark in marks)
    attempt = None
    if card_code.is_short(code):
        _refuse_where_none_is_short(rt, code)
        attempt = None if marked else throttle.at_short_codes(rt, address)
    elif not marked and not _is_known(rt, code, now):
        return None
    with transaction(rt, UNKNOWN, now) as tx:
        if attempt is not None:
            attempt.admit_again(tx)
        return _entered(tx, code, attempt)


def _refuse_where_none_is_short(rt: Runtime, code: str) -> None:
    with rt.sessions.glance() as connection:
        if not card_codes.has_short_codes(connection):
            raise CodeError("length", len(code))


def _is_known(rt: Runtime, code: str, now: datetime) -> bool:
    """Whether somebody has this long code; a wrong one is counted in memory, and writes nothing."""
    flood = rt.memory.flood
    flood.admit(now)
    with rt.sessions.glance() as connection:
        known = card_codes.participant_with_code(connection, rt.vault, code) is not None
    if not known:
        flood.count_failure(now)
    return known


def clinics(rt: Runtime) -> tuple[Site, ...]:
    """Return the sites to call when a code opens nothing: one for each telephone; none if they are too many to read."""
    with rt.sessions.reading() as session:
        loaded = [studies.newest_protocol(session, rt.loader, study.id) for study in studies.all_studies(session)]
    found = {site.telephone: site for protocol in loaded if protocol for site in protocol.sites.values()}
    return tuple(found.values()) if len(found) <= MOST_CLINICS else ()


def scan(rt: Runtime, scanned: str, address: str) -> Entry | None:
    """Do the same by the address in a card's picture, as a participant of a rehearsal scans it."""
    code, _, mark = scanned.partition("#")[2].partition(".")
    return enter(rt, code, (mark,), address)


def _entered(tx: Transaction, code: str, attempt: Attempt | None) -> Entry | None:
    rt, session, now = tx.rt, tx.session, tx.now
    participant_id = card_codes.participant_with_code(session, rt.vault, code)
    if participant_id is None:
        if attempt is not None:
            attempt.count_failure(tx)
        return None
    if attempt is not None:
        attempt.note_success(tx)
    loaded = rt.loader.one(session, participant_id)
    person = loaded.case.participant
    known = (person.language, person.zone, person.site.short_name, card_codes.mark_of(rt.vault, code))
    window = window_to_open(loaded.case, now)
    if window is not None:
        tx.identify(Actor(kind="participant", id=f"participant:{person.id}", source="web"))
        token = card_codes.open_window(tx.writer, loaded, code, window)
        return Entry("form", *known, token=token)
    if person.left_at is not None or loaded.case.closed_at is not None:
        return Entry("finished", *known)
    coming = [window.span.opens_at for window in _asked(loaded.case) if window.span.opens_at > now]
    if not coming:
        return Entry("finished", *known)
    certain = None if person.confirmed_at is None else min(coming)
    return Entry("later", *known, opens_at=certain, asked=person.asked_by is not None)


def window_to_open(case: Case, now: datetime) -> WindowFacts | None:
    """The window a card opens: the one that is open, else the latest that still takes late answers and lacks some."""
    if case.participant.left_at is not None or case.locked_at is not None:
        return None
    begun = [window for window in _asked(case) if window.span.opens_at <= now < window.span.late_until]
    still_open = [window for window in begun if now < window.span.closes_at]
    late = [window for window in begun if window.missing()]
    return next(iter(still_open), late[-1] if late else None)


def _asked(case: Case) -> list[WindowFacts]:
    return [window for window in case.current if window.point.prompted]

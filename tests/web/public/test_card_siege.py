"""Three hours of wrong codes, one a second, long and short in turn: whoever types the code of their card gets in.

The wrong codes go to the use case behind the page, the holders through the page: the page draws 10,000 answers slowly.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient

from pro_service.core import card_code
from pro_service.core.throttle import EVERYBODY, ThrottledError
from pro_service.runtime import Runtime
from pro_service.store.participants import card_codes
from pro_service.store.schema import entry_tries
from pro_service.use_cases.participants import card, card_entry
from tests import support
from tests.old_cards import old_card, short_code
from tests.web.conftest import OPEN

SIEGE = timedelta(hours=3)
HOLDERS = 20
EVERY = SIEGE // HOLDERS
"""A holder comes, slips once, and types again half a minute later."""
BEFORE = support.at("2026-03-02 15:00")

TRIES = entry_tries.name
MOST_ROWS = EVERYBODY.burst + SIEGE // EVERYBODY.every + 2 * HOLDERS
"""Addresses that are kept: those that owe for a short code, and those from which one was right."""

# That a /64 counts as one address, as one of IPv4 does, is shown where addresses are read.
PLACES = {
    "1 IPv4": ["203.0.113.7"],
    "200 IPv6 /64 of one /32": [f"2001:db8:{n:x}:1::1" for n in range(200)],
}


@dataclass(frozen=True)
class Holder:
    """Somebody at an address of their own who types the code on their card."""

    participant: str
    address: str
    code: str


@pytest.fixture
def holders(rt: Runtime, study_id: int, clock: support.SetClock) -> list[Holder]:
    """Return people with a long code, whose window is open."""
    clock.now = BEFORE
    found = [enrolled(rt, study_id, number) for number in range(1, HOLDERS + 1)]
    codes = [card_code.read_code(card.show(rt, support.SETUP, study_id, code).code) for code in found]
    clock.now = OPEN
    return [Holder(who, f"198.51.100.{n}", code) for n, (who, code) in enumerate(zip(found, codes, strict=True))]


@pytest.fixture
def of_old(rt: Runtime, study_id: int, clock: support.SetClock) -> list[Holder]:
    """Return people whose cards are of an earlier release."""
    clock.now = BEFORE
    found = [enrolled(rt, study_id, number) for number in range(101, HOLDERS + 101)]
    codes = [old_card(rt, study_id, code) for code in found]
    clock.now = OPEN
    return [Holder(who, f"192.0.2.{n}", code) for n, (who, code) in enumerate(zip(found, codes, strict=True))]


def enrolled(rt: Runtime, study_id: int, number: int) -> str:
    code = f"P-{number:03}"
    support.enrolled(rt, study_id, code, date(2026, 3, 2), channel="sms-card", phone=f"+90532123{number:04}")
    return code


def typed(client: FlaskClient, code: str, address: str, mark: str = "") -> int:
    """Type a code in a browser without a past; gives the status of the answer."""
    fresh = client.application.test_client(use_cookies=False)
    answer = fresh.post("/k", data={"code": code, "mark": mark}, environ_base={"REMOTE_ADDR": address})
    return answer.status_code


def slipped(code: str) -> str:
    """The code with its last sign mistyped."""
    return code[:-1] + ("3" if code.endswith("2") else "2")


class Siege:
    """Somebody who types a wrong code a second, from these addresses in turn."""

    def __init__(self, rt: Runtime, clock: support.SetClock, places: list[str]) -> None:
        self.rt, self.clock, self.places = rt, clock, places
        self.seconds = 0

    def goes_on(self, span: timedelta) -> None:
        """Let time pass, second by second."""
        for _ in range(int(span.total_seconds())):
            self.clock.now += timedelta(seconds=1)
            self.seconds += 1
            long, short = card_code.code_of(self.seconds * 7_000_003), short_code(self.seconds)
            place = self.places[self.seconds // 2 % len(self.places)]
            with suppress(ThrottledError):
                assert card_entry.enter(self.rt, short if self.seconds % 2 else long, (), place) is None


@pytest.mark.shows("card: attempts")
@pytest.mark.parametrize("places", PLACES)
def test_every_holder_types_the_way_in_within_a_minute(
    rt: Runtime,
    client: FlaskClient,
    clock: support.SetClock,
    holders: list[Holder],
    of_old: list[Holder],
    places: str,
) -> None:
    siege = Siege(rt, clock, PLACES[places])
    before = support.rows_of(rt)
    in_within_a_minute, old_in = 0, 0
    for holder, old in zip(holders, of_old, strict=True):
        siege.goes_on(EVERY - timedelta(seconds=30))
        assert typed(client, slipped(holder.code), holder.address) == 422
        siege.goes_on(timedelta(seconds=30))
        in_within_a_minute += typed(client, holder.code, holder.address) == 303
        old_in += typed(client, old.code, old.address) == 303
    assert timedelta(seconds=siege.seconds) == SIEGE
    assert support.rows_of(rt)[TRIES] - before[TRIES] <= MOST_ROWS
    assert in_within_a_minute == HOLDERS
    # Whoever guesses from many networks uses up what all short codes have together; from one, only their own share.
    assert old_in == (HOLDERS if places.startswith("1 ") else 0)
    for old in of_old:
        assert typed(client, old.code, old.address, card_codes.mark_of(rt.vault, old.code)) == 303, "scanned"


def test_who_types_at_the_address_of_whoever_guesses_gets_in_too(
    rt: Runtime, client: FlaskClient, clock: support.SetClock, holders: list[Holder], of_old: list[Holder]
) -> None:
    siege = Siege(rt, clock, PLACES["1 IPv4"])
    siege.goes_on(timedelta(minutes=10))
    assert [typed(client, holder.code, *PLACES["1 IPv4"]) for holder in holders] == [303] * HOLDERS
    assert typed(client, of_old[0].code, *PLACES["1 IPv4"]) == 429


def test_who_calls_is_told_a_code_that_can_be_typed(
    rt: Runtime, study_id: int, client: FlaskClient, clock: support.SetClock, of_old: list[Holder]
) -> None:
    siege, old = Siege(rt, clock, PLACES["200 IPv6 /64 of one /32"]), of_old[0]
    siege.goes_on(timedelta(minutes=10))
    assert typed(client, old.code, old.address) == 429
    told = card.show(rt, support.SETUP, study_id, old.participant).code
    assert typed(client, told, old.address) == 303

"""Guessing codes is hopeless whatever somebody does, and nobody is shut out for good."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pro_service.core.throttle import (
    ACQUAINTED,
    ADDRESS,
    EVERYBODY,
    FLOOD,
    SERVERS,
    Allowance,
    chance_of_a_hit,
    network_of,
)

START = datetime(2026, 3, 9, 10, tzinfo=UTC)
YEAR = timedelta(days=366)
WAITS = st.lists(st.integers(min_value=0, max_value=7200), max_size=120)
EACH = pytest.mark.parametrize("allowance", [ADDRESS, EVERYBODY, ACQUAINTED])
ANY = pytest.mark.parametrize("allowance", [ADDRESS, EVERYBODY, ACQUAINTED, FLOOD])


BOUND = 3.3e-5


@pytest.mark.shows("card: attempts")
@pytest.mark.parametrize("old_cards", range(0, 43, 7))
def test_in_a_year_hardly_anybody_hits_one_of_the_studys_42_codes(old_cards: int) -> None:
    assert chance_of_a_hit(42 - old_cards, old_cards, YEAR) <= BOUND


def test_nor_while_every_old_card_works_beside_the_one_that_was_printed_for_it() -> None:
    assert chance_of_a_hit(42, 42, YEAR) <= BOUND


def test_the_chance_counts_every_try_of_every_allowance() -> None:
    long, short = chance_of_a_hit(1, 0, timedelta()), chance_of_a_hit(0, 1, timedelta())
    assert chance_of_a_hit(40, 2, timedelta()) == pytest.approx(40 * long + 2 * short)
    assert short * 25**8 == pytest.approx(60 + 24)
    assert chance_of_a_hit(0, 1, timedelta(hours=1)) * 25**8 == pytest.approx(60 + 6 + 24 + 1)
    assert long * 25**12 == pytest.approx(3 * 50_000)
    assert chance_of_a_hit(1, 0, timedelta(hours=1)) * 25**12 == pytest.approx(3 * (50_000 + 200 * 3600))


def test_no_allowance_could_be_twice_as_wide() -> None:
    """Whoever loosens one of them breaks the bound."""
    flood = 42 * SERVERS * FLOOD.most_in(YEAR) / 25**12
    short = 42 * (EVERYBODY.most_in(YEAR) + ACQUAINTED.most_in(YEAR)) / 25**8
    assert flood + short <= BOUND
    assert 2 * flood + short > BOUND
    assert flood + 2 * short > BOUND


def test_long_codes_are_needed_for_that_and_a_check_sign_would_cost_it() -> None:
    """What one of twelve signs would be worth if it only said that another was mistyped, at the same allowance."""
    tried = SERVERS * FLOOD.most_in(YEAR)
    assert 42 * tried / 25**12 <= BOUND
    assert 42 * tried / 25**11 > 10 * BOUND
    assert 42 * tried / 25**8 > 1


def admitted(allowance: Allowance, waits: list[int]) -> list[datetime]:
    """The instants at which somebody who tries after each wait is let through."""
    now, owed, through = START, None, []
    for seconds in waits:
        now += timedelta(seconds=seconds)
        if allowance.admits(owed, now):
            owed = allowance.owed_after(owed, now)
            through.append(now)
    return through


@ANY
@given(waits=WAITS)
def test_no_span_holds_more_tries_than_it_says(allowance: Allowance, waits: list[int]) -> None:
    through = admitted(allowance, waits)
    for first, began in enumerate(through):
        for last in range(first, len(through)):
            assert last - first + 1 <= allowance.most_in(through[last] - began) + 1e-6


@EACH
def test_a_burst_is_let_through_and_then_one_at_a_time(allowance: Allowance) -> None:
    assert len(admitted(allowance, [0] * (allowance.burst + 5))) == allowance.burst
    owed: datetime | None = None
    for _ in range(allowance.burst):
        owed = allowance.owed_after(owed, START)
    assert owed is not None
    again = allowance.again_at(owed)
    assert again == START + allowance.every
    assert allowance.admits(owed, again)
    assert not allowance.admits(owed, again - timedelta(microseconds=1))


@EACH
def test_honest_mistakes_alone_raise_no_alarm(allowance: Allowance) -> None:
    owed: datetime | None = None
    assert not allowance.nearly_spent(owed, START)
    for number in range(allowance.burst):
        owed = allowance.owed_after(owed, START)
        assert allowance.nearly_spent(owed, START) == (number + 1 >= allowance.burst * 0.8)
    assert not allowance.nearly_spent(owed, START + allowance.every * allowance.burst)


@EACH
def test_a_clock_that_was_set_back_shuts_nobody_out(allowance: Allowance) -> None:
    owed: datetime | None = None
    for _ in range(allowance.burst):
        owed = allowance.owed_after(owed, START)
    back = START - timedelta(days=30)
    assert allowance.admits(owed, back)
    assert allowance.owed_after(owed, back) == back + allowance.every
    assert not allowance.nearly_spent(owed, back)
    assert not allowance.admits(owed, START - timedelta(seconds=30))


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("::ffff:203.0.113.7", "::ffff:203.0.113.8", False),
        ("203.0.113.7", "203.0.113.8", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("a proxy", "a proxy", True),
        ("", "203.0.113.7", False),
    ],
)
def test_an_ipv6_network_counts_as_one_address(one: str, other: str, same: bool) -> None:  # noqa: FBT001 -- a parameter
    assert (network_of(one) == network_of(other)) == same

"""The demonstration: who can sign in to it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pro_service.rehearsal import demo
from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.store.staff import accounts as rows
from pro_service.use_cases.staff import accounts
from pro_service.use_cases.throttle import Place
from tests import support


@pytest.fixture
def rt(settings: Settings) -> Iterator[Runtime]:
    """Return a runtime with the demonstration study."""
    runtime = replace(open_runtime(settings), password_cost=support.CHEAP)
    support.load_demo(runtime)
    yield runtime
    runtime.close()


def test_everybody_can_sign_in_to_the_demonstration_in_every_role(rt: Runtime) -> None:
    support.load_demo(rt)
    made = demo.add_accounts(rt)
    assert tuple(made) == demo.ROLES
    for account in demo.ACCOUNTS:
        assert accounts.log_in(rt, account.email, account.password, Place("127.0.0.1")) is not None
        with rt.sessions.reading() as session:
            assert [grant.role for grant in rows.grants(session, made[account.role])] == [account.role]


def test_accounts_that_are_there_stay_as_they_are(rt: Runtime) -> None:
    support.load_demo(rt)
    made = demo.add_accounts(rt)
    before = support.rows_of(rt)
    assert demo.add_accounts(rt) == made
    assert support.rows_of(rt) == before

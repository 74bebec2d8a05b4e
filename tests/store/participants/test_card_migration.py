"""The migration to long codes: old cards work on, and taking it back leaves the code that the release before reads."""

from collections.abc import Iterator
from datetime import date

import pytest
from alembic import command
from sqlalchemy import text

from pro_service.runtime import Runtime, open_runtime
from pro_service.settings import Settings
from pro_service.store import migrate
from pro_service.use_cases.participants import card, card_entry
from tests import support
from tests.old_cards import old_card
from tests.peers import databases

pytestmark = databases.ON_BOTH

ADDRESS = "203.0.113.7"


@pytest.fixture
def rt(settings: Settings) -> Iterator[Runtime]:
    """Return a runtime whose clock stands at an open window."""
    runtime = support.with_clock(open_runtime(settings), support.SetClock(support.at("2026-03-02 15:00")))
    yield runtime
    runtime.close()


def move(rt: Runtime, revision: str) -> None:
    with rt.sessions.engine.connect() as connection:
        alembic = migrate.config()
        alembic.attributes["connection"] = connection
        go = command.upgrade if revision == "head" else command.downgrade
        go(alembic, revision)
        connection.commit()


def test_cards_of_the_release_before_go_on_working_there_and_back(rt: Runtime) -> None:
    study_id = support.load_demo(rt)
    for number in range(1, 4):
        support.enrolled(
            rt, study_id, f"P-00{number}", date(2026, 3, 2), channel="sms-card", phone=f"+90532123000{number}"
        )
    codes = [old_card(rt, study_id, "P-001"), old_card(rt, study_id, "P-002")]
    beside = card.show(rt, support.SETUP, study_id, "P-002").code
    alone = card.show(rt, support.SETUP, study_id, "P-003").code
    move(rt, "0013")
    with rt.sessions.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*), count(DISTINCT participant_id) FROM entry_codes")).one() == (
            3,
            3,
        )
    move(rt, "head")
    for code in (*codes, alone):
        assert card_entry.enter(rt, code, (), ADDRESS) is not None
    assert card_entry.enter(rt, beside, (), ADDRESS) is None

"""The migration of the inbox: texts that were given to a person before it wait there, and it can be taken back."""

from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import select, text

from pro_service.settings import Settings
from pro_service.store import migrate
from pro_service.store.database import make_engine
from pro_service.store.schema import inbound
from tests.peers import databases

pytestmark = databases.ON_BOTH

MOMENT = datetime(2026, 3, 9, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "reading, why",
    [("Proxy", "proxy_answer"), ("Media", "picture"), ("unattributed", "shared_telephone"), ("Score", None)],
)
def test_texts_given_to_a_person_before_wait_in_the_inbox(settings: Settings, reading: str, why: str | None) -> None:
    engine = make_engine(settings.database_url)
    with engine.connect() as connection:
        alembic = migrate.config()
        alembic.attributes["connection"] = connection
        command.downgrade(alembic, "0005-1")
        old = text(
            "INSERT INTO inbound (id, provider_id, sender_index, raw, received_at, interpreted_at, reading, faults) "
            "VALUES (1, 'SM1', :bytes, :bytes, :at, :at, :reading, 0)"
        ).bindparams(bytes=b"x", at=MOMENT if engine.dialect.name == "postgresql" else _text(MOMENT), reading=reading)
        connection.execute(old)
        connection.commit()
        command.upgrade(alembic, "head")
        connection.commit()
        row = connection.execute(select(inbound.c.handed_at, inbound.c.handed_for, inbound.c.handled_at)).one()
    engine.dispose()
    assert tuple(row) == (None if why is None else MOMENT, why, None)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

"""A fresh database has today's schema, and every test has one of its own."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select

from pro_service import runtime
from pro_service.settings import Settings
from pro_service.store import readiness
from pro_service.store.database import make_engine
from pro_service.store.schema import installation, metadata
from tests.peers import databases

pytestmark = databases.ON_BOTH


def test_the_migrations_make_the_schema_that_the_code_speaks(settings: Settings) -> None:
    engine = make_engine(settings.database_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_second_upgrade_changes_nothing(settings: Settings) -> None:
    assert runtime.upgrade(settings) == (readiness.head(), readiness.head())


def test_a_migrated_database_opens(settings: Settings) -> None:
    opened = runtime.open_runtime(settings)
    opened.close()
    assert readiness.revision(opened.sessions.engine) == readiness.head()
    opened.close()


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_has_a_database_of_its_own(settings: Settings, turn: str) -> None:
    # The key is unique: in a shared database the second turn would fail.
    engine = make_engine(settings.database_url)
    with engine.begin() as connection:
        connection.execute(insert(installation).values(key="turn", value=turn))
        assert connection.scalar(select(installation.c.value).where(installation.c.key == "turn")) == turn
    engine.dispose()

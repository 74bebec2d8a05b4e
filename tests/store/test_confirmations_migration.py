"""The migration that introduced confirmations: what ran goes on, with no signature made up, and can be taken back."""

from datetime import UTC, date, datetime, timedelta

from alembic import command
from sqlalchemy import func, select

from pro_service.runtime import open_runtime
from pro_service.settings import Settings
from pro_service.store import confirmations as store
from pro_service.store import migrate, studies
from pro_service.store.database import make_engine
from pro_service.store.schema import confirmations
from tests import support
from tests.peers import databases


@databases.ON_BOTH
def test_a_study_that_is_running_goes_on_and_one_without_participants_waits(settings: Settings) -> None:
    rt = support.with_clock(open_runtime(settings), support.SetClock(support.at("2026-03-02 15:00")))
    study_id = support.load_demo(rt)
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2))
    other = support.load_demo(rt, "EMPTY")
    rt.close()
    engine = make_engine(settings.database_url)
    with engine.connect() as connection:
        alembic = migrate.config()
        alembic.attributes["connection"] = connection
        command.downgrade(alembic, "0017-1")
        command.upgrade(alembic, "head")
        connection.commit()
    engine.dispose()
    rt = open_runtime(settings)
    with rt.sessions.reading() as session:
        (running,), (empty,) = (store.standings(session, key) for key in (study_id, other))
        assert session.scalar(select(func.count()).select_from(confirmations)) == 0
        version = studies.newest(session, study_id)
    rt.close()
    assert running.ran_unconfirmed_at is not None
    assert abs(datetime.now(UTC) - running.ran_unconfirmed_at) < timedelta(minutes=5)
    assert (running.may_send, empty.may_send) == (True, False)
    assert version is not None
    assert version.confirmed_by is None

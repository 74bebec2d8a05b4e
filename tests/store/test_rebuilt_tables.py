"""A migration that makes tables anew on SQLite leaves their rows, indexes and guards as they were."""

from datetime import date

from alembic import command
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.inspection import inspect

from pro_service.runtime import open_runtime
from pro_service.settings import Settings
from pro_service.store import guards, migrate
from pro_service.store.database import make_engine
from pro_service.store.schema import responses, roles
from pro_service.use_cases.participants import survey
from tests import support
from tests.peers import databases


@databases.ON_BOTH
def test_tables_made_anew_keep_rows_indexes_and_guards(settings: Settings) -> None:
    clock = support.SetClock(support.at("2026-03-02 15:00"))
    rt = support.with_clock(open_runtime(settings), clock)
    participant = support.enrolled(rt, support.load_demo(rt), "P-001", date(2026, 3, 2), baseline_nrs_avg="6")
    support.coordinator(rt, role="statistician")
    support.coordinator(rt)
    token = support.link_to(rt, participant, "W1", "behind-the-card")
    clock.now = support.at("2026-03-09 12:00")
    survey.submit(rt, token, {"NRS-AVG": "4", "PGIC": "2"})
    rt.close()
    engine = make_engine(settings.database_url)
    before, made = stored(engine), indexes(engine)
    assert (before[0][-1]["source"], before[1][0]["role"]) == ("card", "statistician")
    moved(engine, "0023")
    earlier = [row | {"source": "web" if row["source"] == "card" else row["source"]} for row in before[0]]
    assert stored(engine) == (earlier, before[1][1:])
    moved(engine, "head")
    assert (stored(engine), indexes(engine)) == ((earlier, before[1][1:]), made)
    with engine.begin() as connection:
        connection.execute(insert(responses), [row | more for row, more in zip(earlier[-2:], NEW, strict=True)])
    moved(engine, "0029")
    assert [row["source"] for row in stored(engine)[0][-2:]] == ["sms", "web"]
    moved(engine, "head")
    assert indexes(engine) == made
    with engine.begin() as connection:
        assert guards.faults(connection) == {}
        connection.execute(text("UPDATE roles SET role = 'statistician'"))
    engine.dispose()


NEW = ({"id": 9001, "version": 8, "source": "whatsapp"}, {"id": 9002, "version": 8, "source": "email"})
"""Answers from where the release before knew none."""


def moved(engine: Engine, revision: str) -> None:
    with engine.connect() as connection:
        alembic = migrate.config()
        alembic.attributes["connection"] = connection
        (command.upgrade if revision == "head" else command.downgrade)(alembic, revision)
        connection.commit()


def stored(engine: Engine) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    with engine.connect() as connection:
        answers, given = (
            [dict(row) for row in connection.execute(select(table).order_by(table.c.id)).mappings()]
            for table in (responses, roles)
        )
    return answers, given


def indexes(engine: Engine) -> list[tuple[str | None, object]]:
    found = inspect(engine)
    names = [(one["name"], one["column_names"]) for name in ("responses", "roles") for one in found.get_indexes(name)]
    return sorted(names + [(one["name"], None) for one in found.get_unique_constraints("responses")], key=str)

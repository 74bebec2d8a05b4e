"""What somebody may do to the database behind the product's back, and what shows it.

`python -m tests.use_cases.trail.tamperings > docs/trial-file/tamperings.md` writes the page; a test compares.
"""

# ruff: noqa: S608 -- statements that somebody types by hand

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Literal, TypeAlias

import psycopg
from sqlalchemy import insert, make_url, select

from pro_service.core.changes.model import Reschedule
from pro_service.core.changes.plan import plan_change
from pro_service.core.trail.seals import Anchor
from pro_service.runtime import Runtime
from pro_service.store import audit, seals, studies
from pro_service.store.audit import Entry, audit_row
from pro_service.store.participants import cases
from pro_service.store.schema import audit_seals, audit_trail
from pro_service.use_cases.closing import close
from pro_service.use_cases.participants.change import PreparedChange, carry_out
from pro_service.use_cases.trail.seal import seal
from pro_service.use_cases.trail.verify import verify
from pro_service.use_cases.transaction import transaction
from tests import support

Database: TypeAlias = Literal["sqlite", "postgresql"]
LITE: tuple[Database, ...] = ("sqlite",)
SERVER: tuple[Database, ...] = ("postgresql",)
BOTH = LITE + SERVER
REFUSED, ANCHOR = "refused", "anchor"
ONE = "(SELECT min(id) FROM audit_trail WHERE action = 'answer')"
"""An answer's row in the trail, sealed hours ago."""
NEWEST = "(SELECT max(number) FROM audit_seals)"
SCORE = "item = 'NRS-AVG' AND source = 'telephone'"


@dataclass(slots=True)
class Hand:
    """Somebody who changes the database by hand: with another driver, behind the product's back."""

    rt: Runtime
    clock: support.SetClock = field(default_factory=lambda: support.SetClock(support.at("2026-03-09 12:05")))
    role: str = ""
    """On PostgreSQL: a role that owns nothing, as the service may have it."""
    older: Callable[[], Runtime] | None = None
    """Opens another copy of the database as it was at first."""
    anchor: Anchor | None = None
    """The newest seal's, kept by somebody outside before anything was done."""

    def __call__(self, *statements: str, role: str = "postgres") -> None:
        """Carry these statements out, with the triggers of the trail and the answers as they are."""
        url = self.rt.settings.database_url
        if self.rt.sessions.sqlite:
            with closing(sqlite3.connect(str(make_url(url).database))) as connection, connection:
                for statement in statements:
                    connection.execute(statement)
        else:
            with psycopg.connect(url.replace("+psycopg", "").replace("postgres@", f"{role}@")) as server:
                for statement in statements:
                    server.execute(statement)

    def past_guards(self, *statements: str) -> None:
        """Carry these out with the triggers off, and on again afterwards: nothing shows in the schema."""
        if not self.rt.sessions.sqlite:
            self("SET session_replication_role = replica", *statements)
            return
        with self.rt.sessions.glance() as connection:
            found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
        self(*(f"DROP TRIGGER {name}" for name, _ in found), *statements, *(definition for _, definition in found))

    def one(self, question: str) -> int:
        """Return the one number that answers a question."""
        with self.rt.sessions.glance() as connection:
            return int(connection.exec_driver_sql(question).scalar_one())

    def row(self, row_id: int, *, ago: timedelta = timedelta(hours=3)) -> dict[str, Any]:
        """Return a row as somebody with the database and its keys would write it."""
        entry = Entry("answer", "note", None, {}, reason="as agreed")
        return audit_row(row_id, entry, support.SETUP, self.clock.now - ago, support.ISTANBUL, self.rt.vault)

    def put_in(self, row: dict[str, Any]) -> None:
        """Put a row into the trail, which the database allows."""
        with self.rt.sessions.begin() as session:
            session.execute(insert(audit_trail).values(row))

    def keep_anchor(self) -> None:
        """Keep the anchor of the newest seal outside."""
        self.anchor = verify(self.rt).newest_seal

    def go_on(self, score: str = "6") -> None:
        """Let the service itself do something, and seal it."""
        self.clock.now += timedelta(minutes=1)
        support.answered(self.rt, "P-002", "W1", {"NRS-AVG": score})
        seal(self.rt)

    def put_older_back(self) -> None:
        """Put the database back as it was at first."""
        assert self.older is not None
        self.rt = self.older()


def lived(rt: Runtime, clock: support.SetClock) -> None:
    """Live through what is tampered with: two participants, their answers, a new date, seals of hours."""
    study_id = support.load_demo(rt)
    clock.now = support.at("2026-03-02 15:00")
    support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone="+905321234567", procedure_time="")
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), baseline_nrs_avg="8", procedure_time="")
    seal(rt)
    clock.now = support.at("2026-03-09 10:00")
    support.answered(rt, "P-001", "W1", {"NRS-AVG": "4", "PGIC": "2"})
    seal(rt)
    clock.now = support.at("2026-03-09 12:00")
    reschedule(rt, "P-002", 3)
    seal(rt)
    clock.now = support.at("2026-03-09 12:05")


def reschedule(rt: Runtime, code: str, day: int) -> None:
    """Give somebody another procedure date in March, as staff do."""
    with transaction(rt, support.SETUP, rt.clock()) as tx:
        found = cases.find(tx.session, studies.all_studies(tx.session)[0].id, code)
        assert found is not None
        loaded = rt.loader.one(tx.session, found)
        planned = plan_change(loaded.case, Reschedule(date(2026, 3, day), None), tx.now)
        carry_out(tx, loaded, PreparedChange(planned), "moved")


def locked(hand: Hand) -> None:
    """Close the study and lock its data, as an investigator does."""
    close(hand.rt, support.SETUP, hand.one("SELECT id FROM studies"), "all visits are over", lock_data=True)
    seal(hand.rt)


Act: TypeAlias = Callable[[Hand], None]


@dataclass(frozen=True, slots=True)
class Tampering:
    """One thing that somebody does."""

    what: str
    act: Act
    shown: str
    """`refused` by the database, found only with an `anchor` from outside, or the kinds of what is found."""
    on: tuple[Database, ...] = BOTH


def does(*statements: str) -> Act:
    """By SQL, with all guards in their place; on PostgreSQL as the owner."""
    return lambda hand: hand(*statements)


def serves(*statements: str) -> Act:
    """By SQL as the role that the service has on PostgreSQL."""
    return lambda hand: hand(*statements, role=hand.role)


def past(*statements: str) -> Act:
    """By SQL, with the guards switched off and on again."""
    return lambda hand: hand.past_guards(*statements)


def after_lock(*statements: str) -> Act:
    """By SQL, once the data of the study are locked."""

    def act(hand: Hand) -> None:
        locked(hand)
        hand(*statements)

    return act


def _swap(hand: Hand, two: str) -> None:
    one, other = hand.one(f"SELECT {ONE}"), hand.one(f"SELECT {two}")
    places = ((one, -1), (other, one), (-1, other))
    hand.past_guards(*(f"UPDATE audit_trail SET id = {to} WHERE id = {of}" for of, to in places))


def _swap_in_one_seal(hand: Hand) -> None:
    _swap(hand, f"(SELECT min(id) FROM audit_trail WHERE action = 'answer' AND id > {ONE})")


def _swap_across_seals(hand: Hand) -> None:
    _swap(hand, "(SELECT max(id) FROM audit_trail)")


def _replace_row(hand: Hand) -> None:
    names = ", ".join(audit_trail.c.keys())
    hand(f"INSERT OR REPLACE INTO audit_trail ({names}) SELECT {names} FROM audit_trail WHERE id = {ONE}")


ANSWER = "study_id, participant_id, window_id, item, declined, source, received_at, recorded_at, in_window"


def _forge(hand: Hand) -> None:
    row_id = hand.one(f"SELECT {ONE}")
    hand.past_guards(f"DELETE FROM audit_trail WHERE id = {row_id}")
    hand.put_in(hand.row(row_id))


def _put_in_between(hand: Hand) -> None:
    hand.put_in(hand.row(hand.one("SELECT min(id) + 1 FROM audit_trail")))


def _append_without_key(hand: Hand) -> None:
    row_id = hand.one("SELECT max(id) + 1000 FROM audit_trail")
    hand.put_in(hand.row(row_id, ago=timedelta()) | {"hmac": bytes(32)})


def _append_backdated(hand: Hand) -> None:
    hand.put_in(hand.row(hand.one("SELECT max(id) + 1000 FROM audit_trail")) | {"hmac": bytes(32)})


def _set_sequence_back(hand: Hand) -> None:
    free = hand.one("SELECT min(id) + 1 FROM audit_trail")
    if hand.rt.sessions.sqlite:
        hand(f"UPDATE installation SET value = '{free}' WHERE key = 'next_id'")
    else:
        hand(f"ALTER SEQUENCE row_ids RESTART WITH {free}")
    hand.go_on()


def _rewrite_seal_with_key(hand: Hand) -> None:
    with hand.rt.sessions.reading() as session:
        newest = seals.newest(session)
        assert newest is not None
        row = dict(session.execute(select(audit_seals).where(audit_seals.c.number == newest.number)).mappings().one())
    own = replace(newest, version="9").hash
    hand.past_guards(f"DELETE FROM audit_seals WHERE number = {newest.number}")
    with hand.rt.sessions.begin() as session:
        hmac = hand.rt.vault.mac(b"seal|" + own)
        session.execute(insert(audit_seals).values(row | {"version": "9", "hash": own, "hmac": hmac}))


def _write_history_anew(hand: Hand) -> None:
    row_id = hand.one(f"SELECT {ONE}")
    with hand.rt.sessions.reading() as session:
        row = seals.said_by(next(seals.rows_of(session, [row_id]))) | {"actor": "cli:nobody"}
    hand.past_guards(f"DELETE FROM audit_trail WHERE id = {row_id}", "DELETE FROM audit_seals")
    hand.put_in(row | {"hmac": hand.rt.vault.mac(audit.payload(row))})
    seal(hand.rt)


def _launder(hand: Hand) -> None:
    hand.past_guards(f"UPDATE responses SET value = 1 WHERE {SCORE}")
    reschedule(hand.rt, "P-001", 3)
    seal(hand.rt)


def _launder_and_set_back(hand: Hand) -> None:
    first = hand.one(f"SELECT id FROM responses WHERE {SCORE}")
    _launder(hand)
    hand.past_guards(f"UPDATE responses SET value = 4 WHERE id = {first}")


def _older_file(hand: Hand) -> None:
    hand.go_on()
    hand.keep_anchor()
    hand.put_older_back()


def _fork(hand: Hand) -> None:
    _older_file(hand)
    hand.go_on("2")


TAMPERINGS = (
    # Refused
    Tampering("A row of the trail is changed", does(f"UPDATE audit_trail SET actor = 'x' WHERE id = {ONE}"), REFUSED),
    Tampering("A row of the trail is deleted", does(f"DELETE FROM audit_trail WHERE id = {ONE}"), REFUSED),
    Tampering("A seal is changed", does("UPDATE audit_seals SET rows = 1 WHERE number = 1"), REFUSED),
    Tampering("A seal is deleted", does("DELETE FROM audit_seals WHERE number = 1"), REFUSED),
    Tampering("An answer is changed", does(f"UPDATE responses SET value = 1 WHERE {SCORE}"), REFUSED),
    Tampering("An answer is deleted", does(f"DELETE FROM responses WHERE {SCORE}"), REFUSED),
    Tampering("A row of the trail is replaced (`INSERT OR REPLACE`)", _replace_row, REFUSED, LITE),
    Tampering(
        "A row of the trail takes the place of another (`UPDATE OR REPLACE`)",
        does(f"UPDATE OR REPLACE audit_trail SET id = {ONE} WHERE id = (SELECT max(id) FROM audit_trail)"),
        REFUSED,
        LITE,
    ),
    Tampering(
        "An answer is replaced by one with another id (`INSERT OR REPLACE`)",
        does(
            f"INSERT OR REPLACE INTO responses (id, version, value, {ANSWER}) "
            f"SELECT id + 100000, version, 1, {ANSWER} FROM responses WHERE {SCORE}"
        ),
        REFUSED,
        LITE,
    ),
    Tampering(
        "A seal is replaced (`INSERT OR REPLACE`)",
        does("INSERT OR REPLACE INTO audit_seals SELECT * FROM audit_seals WHERE number = 1"),
        REFUSED,
        LITE,
    ),
    Tampering(
        "A row of the trail is replaced (`ON CONFLICT DO UPDATE`)",
        does(
            f"INSERT INTO audit_trail SELECT * FROM audit_trail WHERE id = {ONE} "
            "ON CONFLICT (id) DO UPDATE SET actor = 'x'"
        ),
        REFUSED,
    ),
    Tampering("The trail is emptied (`TRUNCATE`), by the owner", does("TRUNCATE audit_trail"), REFUSED, SERVER),
    Tampering("The answers are emptied, by the owner", does("TRUNCATE responses CASCADE"), REFUSED, SERVER),
    Tampering(
        "An answer is changed, by the service's role",
        serves(f"UPDATE responses SET value = 1 WHERE {SCORE}"),
        REFUSED,
        SERVER,
    ),
    Tampering("A seal is deleted, by the service's role", serves("DELETE FROM audit_seals"), REFUSED, SERVER),
    Tampering("The trail is emptied, by the service's role", serves("TRUNCATE audit_trail"), REFUSED, SERVER),
    Tampering(
        "A trigger is switched off, by the service's role",
        serves("ALTER TABLE audit_trail DISABLE TRIGGER ALL"),
        REFUSED,
        SERVER,
    ),
    Tampering(
        "All triggers are switched off (`session_replication_role`), by the service's role",
        serves("SET session_replication_role = replica"),
        REFUSED,
        SERVER,
    ),
    Tampering(
        "A trigger is dropped, by the service's role",
        serves("DROP TRIGGER audit_trail_no_change ON audit_trail"),
        REFUSED,
        SERVER,
    ),
    Tampering(
        "A trigger's function is replaced, by the service's role",
        serves(
            "CREATE OR REPLACE FUNCTION audit_trail_is_append_only() RETURNS trigger LANGUAGE plpgsql "
            "AS $$ BEGIN RETURN NEW; END $$"
        ),
        REFUSED,
        SERVER,
    ),
    Tampering(
        "The sequence of ids is set back, by the service's role",
        serves("SELECT setval('row_ids', 2)"),
        REFUSED,
        SERVER,
    ),
    # Found in the trail
    Tampering(
        "The actor of a row is changed",
        past("UPDATE audit_trail SET actor = 'cli:nobody' WHERE action = 'answer'"),
        "edited",
    ),
    Tampering(
        "A reason is put into a row",
        past(f"UPDATE audit_trail SET reason = 'agreed' WHERE id = {ONE}"),
        "edited",
    ),
    Tampering(
        "A row is backdated",
        past(f"UPDATE audit_trail SET at = (SELECT min(at) FROM audit_trail) WHERE id = {ONE}"),
        "edited facts_differ",
    ),
    Tampering(
        "A score is changed in the trail and in the answers alike",
        past(
            f"UPDATE audit_trail SET changes = replace(changes, '4]', '1]') WHERE id = {ONE}",
            f"UPDATE responses SET value = 1 WHERE {SCORE}",
        ),
        "edited",
    ),
    Tampering(
        "A row and its checksum are made anew with the key",
        _forge,
        "edited facts_differ",
    ),
    Tampering(
        "The row of an answer is deleted",
        past(f"DELETE FROM audit_trail WHERE id = {ONE}"),
        "facts_differ missing",
    ),
    Tampering(
        "A row about no answer, window or participant is deleted",
        past("DELETE FROM audit_trail WHERE id = (SELECT min(id) FROM audit_trail WHERE action = 'load_protocol')"),
        "missing",
    ),
    Tampering(
        "The end of the trail is cut off",
        past("DELETE FROM audit_trail WHERE id = (SELECT max(id) FROM audit_trail)"),
        "facts_differ tail_cut",
    ),
    Tampering("Two rows of one seal change places", _swap_in_one_seal, "reordered"),
    Tampering("Two rows of different seals change places", _swap_across_seals, "edited"),
    Tampering("A row with an old id is put in, made with the key", _put_in_between, "inserted"),
    Tampering("A row is added at the end without the key", _append_without_key, "edited"),
    Tampering("A backdated row is added at the end without the key", _append_backdated, "edited unsealed"),
    Tampering("The sequence of ids is set back, and the next change takes old ids", _set_sequence_back, "inserted"),
    # Found in the seals
    Tampering("A seal is changed", past("UPDATE audit_seals SET version = '9' WHERE number = 2"), "seal"),
    Tampering(
        "The list of rows in a seal is changed",
        past("UPDATE audit_seals SET row_ids = (SELECT row_ids FROM audit_seals WHERE number = 1) WHERE number = 2"),
        "seal",
    ),
    Tampering("A seal is deleted", past("DELETE FROM audit_seals WHERE number = 2"), "seal"),
    Tampering(
        "Two seals change places",
        past(
            "UPDATE audit_seals SET number = 0 WHERE number = 1",
            "UPDATE audit_seals SET number = 1 WHERE number = 2",
            "UPDATE audit_seals SET number = 2 WHERE number = 0",
        ),
        "seal",
    ),
    # Found in the facts
    Tampering("A score is changed", past(f"UPDATE responses SET value = 1 WHERE {SCORE}"), "facts_differ"),
    Tampering("A score is changed, and an ordinary new date copies it", _launder, "facts_differ"),
    Tampering(
        "A score is changed, copied by an ordinary new date, and set back", _launder_and_set_back, "facts_differ"
    ),
    Tampering(
        "A baseline that was imported is changed",
        past("UPDATE responses SET value = 3 WHERE source = 'import'"),
        "facts_differ",
    ),
    Tampering(
        "A late answer is marked as in time",
        past("UPDATE responses SET received_at = recorded_at, in_window = false WHERE item = 'PGIC'"),
        "facts_differ",
    ),
    Tampering("An answer is deleted", past("DELETE FROM responses WHERE item = 'PGIC'"), "facts_differ"),
    Tampering(
        "An answer is put in",
        does(
            f"INSERT INTO responses (id, version, value, {ANSWER}) "
            f"SELECT id + 100000, version + 1, 1, {ANSWER} FROM responses WHERE {SCORE}"
        ),
        "facts_differ",
    ),
    Tampering("A window is moved", does("UPDATE windows SET closes_at = late_until WHERE code = 'W1'"), "facts_differ"),
    Tampering(
        "A window is moved, by the service's role",
        serves("UPDATE windows SET closes_at = late_until WHERE code = 'W1'"),
        "facts_differ",
        SERVER,
    ),
    Tampering(
        "A window is counted as completed",
        does("UPDATE windows SET settled = 'completed_in_window' WHERE code = 'W1'"),
        "facts_differ",
    ),
    Tampering(
        "A window of a locked study is counted as completed",
        after_lock("UPDATE windows SET settled = 'completed_in_window' WHERE code = 'M3'"),
        "facts_differ",
    ),
    Tampering(
        "The data of a locked study are unlocked", after_lock("UPDATE studies SET locked_at = NULL"), "facts_differ"
    ),
    Tampering(
        "A window that was replaced counts again",
        does("UPDATE windows SET cancelled_at = NULL WHERE cancelled_at IS NOT NULL"),
        "facts_differ",
    ),
    Tampering(
        "A window is deleted",
        past("DELETE FROM windows WHERE id = (SELECT max(id) FROM windows)"),
        "facts_differ",
    ),
    Tampering(
        "A procedure date is changed",
        does("UPDATE participants SET procedure_date = '2026-03-04' WHERE code = 'P-001'"),
        "facts_differ",
    ),
    Tampering(
        "A consent is taken away",
        does("UPDATE participants SET consented_at = NULL WHERE code = 'P-001'"),
        "facts_differ",
    ),
    Tampering(
        "A withdrawal is put in",
        does("UPDATE participants SET withdrawn_at = enrolled_at WHERE code = 'P-002'"),
        "facts_differ",
    ),
    Tampering(
        "A telephone is taken away",
        does("UPDATE participants SET phone = NULL, phone_index = NULL WHERE code = 'P-001'"),
        "facts_differ",
    ),
    Tampering(
        "A participant is deleted with all facts",
        past(
            *(
                f"DELETE FROM {table} WHERE participant_id = (SELECT id FROM participants WHERE code = 'P-002')"
                for table in ("responses", "windows")
            ),
            "DELETE FROM participants WHERE code = 'P-002'",
        ),
        "facts_differ",
    ),
    # Found in the schema
    Tampering("A trigger is dropped", does("DROP TRIGGER audit_trail_no_delete"), "trigger", LITE),
    Tampering(
        "A trigger is replaced by one that does nothing",
        does(
            "DROP TRIGGER responses_no_update",
            "CREATE TRIGGER responses_no_update BEFORE UPDATE ON responses BEGIN SELECT 1; END",
        ),
        "trigger",
        LITE,
    ),
    Tampering(
        "A trigger is dropped, by the owner", does("DROP TRIGGER responses_no_delete ON responses"), "trigger", SERVER
    ),
    Tampering(
        "A trigger is switched off, by the owner",
        does("ALTER TABLE audit_trail DISABLE TRIGGER audit_trail_no_change"),
        "trigger",
        SERVER,
    ),
    Tampering(
        "A trigger is set to fire on replicas only (`ENABLE REPLICA`), by the owner",
        does("ALTER TABLE audit_seals ENABLE REPLICA TRIGGER audit_seals_no_change"),
        "trigger",
        SERVER,
    ),
    Tampering(
        "A trigger's function is replaced by one that does nothing, by the owner",
        does(
            "CREATE OR REPLACE FUNCTION responses_is_append_only() RETURNS trigger LANGUAGE plpgsql "
            "AS $$ BEGIN RETURN NEW; END $$"
        ),
        "trigger",
        SERVER,
    ),
    # Found only from outside
    Tampering("The newest seal is cut off", past(f"DELETE FROM audit_seals WHERE number = {NEWEST}"), ANCHOR),
    Tampering("The newest seal is made anew with the key", _rewrite_seal_with_key, ANCHOR),
    Tampering("The whole history is written anew with the key", _write_history_anew, ANCHOR),
    Tampering("An older copy of the database is put back", _older_file, ANCHOR),
    Tampering("A copy of the database that went on differently is put in its place", _fork, ANCHOR),
)

INTRODUCTION = """\
# What shows tampering

Each of these changes was made to a database with data: on SQLite with another driver, on PostgreSQL as the owner of
the tables or as the service's role (`pro-service db grants`). The tests repeat them for every release, and this page is
made from their list. The first table holds what the triggers of the database refuse. The owner of the database can
switch these off: for the other tables they were switched off, and switched on again afterwards. The last column holds
the names that `pro-service audit verify` uses.

Somebody who holds the database *and* its keys can add a row at the end, with the current time. Nothing tells it from a
row of the service.
"""
PARTS = {
    "refused": "Refused by the database",
    "found": "Found by a check",
    "anchor": "Found only with an anchor from outside",
}
NAMES: dict[tuple[Database, ...], str] = {BOTH: "both", LITE: "SQLite", SERVER: "PostgreSQL"}


def page() -> str:
    """Return the whole page, in Markdown."""
    lines = [INTRODUCTION.rstrip()]
    for part, title in PARTS.items():
        lines += ["", f"## {title}", ""]
        mine = [one for one in TAMPERINGS if (one.shown if one.shown in PARTS else "found") == part]
        if part == "refused":
            lines += ["| What is done | Database |", "|---|---|"]
            lines += [f"| {one.what} | {NAMES[one.on]} |" for one in mine]
        else:
            lines += ["| What is done | Database | Found as |", "|---|---|---|"]
            lines += [f"| {one.what} | {NAMES[one.on]} | {_found(one)} |" for one in mine]
    return "\n".join(lines) + "\n"


def _found(one: Tampering) -> str:
    return "`rolled_back`" if one.shown == ANCHOR else ", ".join(f"`{kind}`" for kind in one.shown.split())


if __name__ == "__main__":
    sys.stdout.write(page())

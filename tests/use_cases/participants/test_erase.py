"""Erasing a participant: with all keys, nobody reads anything of them; answers and the trail stay as they were."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest
from sqlalchemy import select, update

from pro_service.core.problems import ChangeRefusedError, RejectedError
from pro_service.gateways.outgoing import Refused, Unavailable
from pro_service.gateways.twilio.hooks import text_of
from pro_service.runtime import Runtime, open_runtime
from pro_service.store import erasures
from pro_service.store.audit import Actor
from pro_service.store.schema import audit_trail, calls, messages, participants, responses
from pro_service.store.session import Session
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.participants import change, contact_test, entry, erase
from pro_service.use_cases.participants.change_form import ChangeForm
from pro_service.use_cases.tasks import calls as calling
from pro_service.use_cases.tick import tick
from pro_service.use_cases.trail.seal import seal
from pro_service.use_cases.trail.verify import verify
from tests import keyholder, support
from tests.peers import databases
from tests.telephones import Telephones

FORMER, PHONE, SHARED, OTHERS = "+12025550101", "+12025550102", "+12025550103", "+12025550109"
STAFF = Actor("staff", "cli:tests", "cli")
WHY = "A letter of 2 March asks for it"


@dataclass
class Stage:
    """A study with P-001, of whom there is everything that can be, and P-002, who had a telephone with them."""

    rt: Runtime
    study_id: int
    clock: support.SetClock
    phones: Telephones
    person: int

    def erase(self, code: str = "P-001", reason: str = WHY) -> erase.Erasure:
        """Erase somebody, to the end."""
        return erase.finish(self.rt, erase.erase(self.rt, support.SETUP, self.study_id, code, reason), self.study_id)


@pytest.fixture
def stage(rt: Runtime, study_id: int, clock: support.SetClock, phones: Telephones) -> Stage:
    """Return a study in which everything that is kept of a person is kept of P-001."""

    def says(number: str, body: str) -> None:
        clock.now += timedelta(minutes=2)
        sid = phones.write(number, body)
        receive.receive(rt, text_of({"MessageSid": sid, "From": number, "To": "+15005550006", "Body": body}))
        deliver(rt)

    says(FORMER, "merhaba, ben bir hastayım")
    how = {"channel": "sms-reply", "procedure_time": "10:00", "baseline_nrs_avg": "6", "baseline_nrs_now": "5"}
    person = support.enrolled(rt, study_id, "P-001", date(2026, 3, 2), phone=FORMER, email="p@example.org", **how)
    support.enrolled(rt, study_id, "P-002", date(2026, 3, 2), phone=OTHERS, **how)
    support.with_card(rt, study_id, "P-001")
    _change(rt, study_id, "P-001", "phone", number=SHARED, consent="2026-03-02")
    _change(rt, study_id, "P-002", "phone", number=SHARED, consent="2026-03-02")
    says(SHARED, "bu ikimizin telefonu")
    _change(rt, study_id, "P-001", "phone", number=PHONE, consent="2026-03-02")
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    deliver(rt)
    says(PHONE, "7")
    says(PHONE, "lütfen beni arayın")
    says(SHARED, "4")
    task = next(one for one in support.loaded(rt, person).case.escalations if one.open)
    user = support.coordinator(rt)
    by = Actor("staff", f"user:{user}", "dashboard", user)
    calling.record(rt, by, task.id, calling.CallResult("no_answer", note="eşi açtı"))
    filled = entry.Filled(values={"NRS-AVG": "6"}, mode="telephone", reason="kızı söyledi")
    entry.enter(rt, by, study_id, "P-001", "W1", filled)
    seal(rt)
    return Stage(rt, study_id, clock, phones, person)


def _change(rt: Runtime, study_id: int, code: str, action: str, **fields: str) -> None:
    change.change(rt, STAFF, study_id, code, ChangeForm(action, fields, "a reason"))  # type: ignore[arg-type]


def of_person(rt: Runtime, person: int, found: erasures.Found) -> list[keyholder.Value]:
    """Return the sealed values of one person."""
    ids = {f"{table}|{row_id}" for table, rows in found.rows.items() for row_id in rows} | {f"participants|{person}"}
    return [one for one in keyholder.values(rt) if f"{one.place.split('|')[0]}|{one.place.split('|')[2]}" in ids]


@databases.ON_BOTH
def test_with_all_keys_nobody_reads_anything_of_who_was_erased(stage: Stage) -> None:
    rt = stage.rt
    with rt.sessions.reading() as session:
        found = erasures.find(session, stage.person)
        index = {number: rt.vault.index("phone", number) for number in (FORMER, PHONE, SHARED)}
        answers = session.execute(select(responses.c.item, responses.c.value).order_by(responses.c.id)).all()
    sealed = of_person(rt, stage.person, found)
    others = [one for one in keyholder.values(rt) if one not in sealed]
    before = keyholder.opens(rt, sealed)
    assert len(before) == len(sealed) >= 12
    assert "eşi açtı".encode() in before.values()
    assert any(plain.endswith("kızı söyledi".encode()) for plain in before.values())
    assert not keyholder.holds(rt, "kızı söyledi")
    assert all(keyholder.traces(rt, one) for one in index.values())

    done = stage.erase()

    assert done.scrubbed
    assert keyholder.opens(rt, sealed) == {}
    assert not keyholder.traces(rt, index[FORMER])
    assert not keyholder.traces(rt, index[PHONE])
    assert keyholder.opens(rt, others).keys() == {one.place for one in others}
    with rt.sessions.reading() as session:
        assert session.execute(select(responses.c.item, responses.c.value).order_by(responses.c.id)).all() == answers
        assert set(session.scalars(select(calls.c.note))) == {None}
    # What a couple's telephone sent, and nobody is known to have written, goes with the second of them.
    assert done.shared_telephones == 1
    stage.erase("P-002")
    assert keyholder.opens(rt, others) == {}
    assert not keyholder.traces(rt, index[SHARED])


@databases.ON_BOTH
def test_a_telephone_goes_with_its_two_owners_who_are_erased_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, find = Barrier(2), erasures.find

    def at_once(session: Session, participant_id: int) -> erasures.Found:
        found = find(session, participant_id)
        with suppress(BrokenBarrierError):
            both.wait(0.3)
        return found

    monkeypatch.setattr(erasures, "find", at_once)
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda code: erase.erase(stage.rt, STAFF, stage.study_id, code, WHY), ("P-001", "P-002"))
        assert sorted(one.shared_telephones for one in done) == [0, 1]
    assert not keyholder.traces(stage.rt, stage.rt.vault.index("phone", SHARED))


@databases.ON_BOTH
def test_the_trail_still_verifies_and_nothing_is_asked_again(stage: Stage) -> None:
    rt = stage.rt
    contact_test.begin(rt, STAFF, contact_test.Subject(stage.study_id, "P-001"))
    done = stage.erase()
    assert done.open_tasks
    seal(rt)
    assert verify(rt, full=True).findings == ()
    case = support.loaded(rt, stage.person).case
    assert (case.participant.erased_at, case.participant.has_phone) == (rt.clock(), False)
    # So high a score calls for a clinical review of anybody else: here nobody can be called.
    filled = entry.Filled(values={"NRS-AVG": "9"}, mode="telephone", reason="a slip of the pen")
    entry.enter(rt, STAFF, stage.study_id, "P-001", "W1", filled)
    with rt.sessions.reading() as session:
        newest = select(audit_trail.c.action, audit_trail.c.reason).order_by(audit_trail.c.id.desc()).limit(1)
        assert session.execute(newest).one() == ("answer", "a slip of the pen"), "no key is left to seal it with"
    assert not [task for task in case.escalations if task.open]
    sent = len(stage.phones.sent)
    for _ in range(30):
        stage.clock.now += timedelta(days=3)
        tick(rt)
        deliver(rt)
    case = support.loaded(rt, stage.person).case
    assert not [task for task in case.escalations if task.open]
    assert not [text for text in stage.phones.sent[sent:] if text.to in (FORMER, PHONE)]
    with rt.sessions.reading() as session:
        assert not session.scalars(
            select(messages.c.id).where(messages.c.body == b"", messages.c.state == "ready")
        ).all()
    seal(rt)
    assert verify(rt, full=True).findings == ()


def test_a_dry_run_changes_nothing_and_says_what_would_go(stage: Stage) -> None:
    before = support.rows_of(stage.rt)
    shown = erase.preview(stage.rt, stage.study_id, "P-001")
    with stage.rt.sessions.reading() as session:
        changed = {"participants", *erasures.find(session, stage.person).rows}
    assert changed == {table.name for table in erasures.CHANGED}, "these are written anew on PostgreSQL"
    assert support.rows_of(stage.rt) == before
    done = stage.erase()
    assert (shown.emptied, shown.open_tasks, shown.left) == (done.emptied, done.open_tasks, done.left)
    assert shown.left.keys() == {"masked_contact_in_trail"}
    assert shown.copies.waiting == done.copies.deleted > 4


@pytest.mark.parametrize(
    "code, reason, fault",
    [("P-001", " ", "reason_missing"), ("P-001", "x" * 2000, "reason_too_long"), ("P-009", WHY, "no_participant")],
)
def test_what_cannot_be_erased_is_refused_and_nothing_is_done(stage: Stage, code: str, reason: str, fault: str) -> None:
    before = support.rows_of(stage.rt)
    with pytest.raises(RejectedError, match=fault):
        stage.erase(code, reason)
    assert support.rows_of(stage.rt) == before
    if fault == "no_participant":
        stage.erase()
        with pytest.raises(RejectedError, match="erased_already"):
            stage.erase()
        with pytest.raises(ChangeRefusedError, match="erased"):
            _change(stage.rt, stage.study_id, "P-001", "phone", number=PHONE, consent="2026-03-02")


def _with(phones: Telephones, *numbers: str) -> list[str]:
    """The ids of what the provider has of these telephones: what went to them, then what came from them."""
    sent = [one.sid for one in phones.records if one.to in numbers]
    return sent + [one.provider_id for one in phones.written if one.sender in numbers]


def test_the_providers_copies_go_and_those_that_cannot_are_named(stage: Stage) -> None:
    rt, phones = stage.rt, stage.phones
    mine = _with(phones, FORMER, PHONE)
    refused, late = mine[0], mine[1]
    phones.keeps = {refused: Refused(20003, "credentials"), late: Unavailable(20009)}
    done = stage.erase()
    assert done.copies.kept == [{"provider_id": refused, "error": "20003"}]
    # What went to the telephone that is somebody else's too is of this person all the same.
    assert (done.copies.waiting, done.copies.deleted) == (1, len(mine) - 2 + 1)
    del phones.keeps[late]
    stage.clock.now += timedelta(minutes=5)
    assert erase.follow_up(rt) == erase.FollowUp(copies=1)
    assert _with(phones, FORMER, PHONE) == [refused]
    assert _with(phones, OTHERS, SHARED)


def test_a_copy_that_becomes_known_late_goes_too(stage: Stage) -> None:
    with stage.rt.sessions.begin() as session:
        mine = (messages.c.participant_id == stage.person) & messages.c.provider_id.is_not(None)
        row = session.execute(select(messages.c.id, messages.c.provider_id).where(mine)).first()
        assert row is not None
        session.execute(update(messages).where(messages.c.id == row.id).values(provider_id=None, state="sending"))
    assert stage.erase().in_doubt == 1
    with stage.rt.sessions.begin() as session:
        session.execute(update(messages).where(messages.c.id == row.id).values(provider_id=row.provider_id))
    assert erase.follow_up(stage.rt).copies == 1
    assert stage.phones.fetch(row.provider_id) is None


def test_an_older_copy_that_is_put_back_is_erased_again(stage: Stage, tmp_path: Path) -> None:
    rt = stage.rt
    database = Path(rt.sessions.engine.url.database or "")
    backup = tmp_path / "older.db"
    with rt.sessions.apart() as connection:
        connection.exec_driver_sql(f"VACUUM INTO '{backup}'")
        found = erasures.find(connection, stage.person)  # type: ignore[arg-type]
    sealed = of_person(rt, stage.person, found)
    stage.erase()
    listed = erase.listed(rt)
    kept = erase.as_text(listed)
    assert not any(word in kept for word in (FORMER, PHONE, "eşi"))
    rt.close()
    database.write_bytes(backup.read_bytes())
    older = support.with_clock(open_runtime(rt.settings), stage.clock)
    try:
        assert len(keyholder.opens(older, sealed)) == len(sealed)
        assert erase.erase_again(older, support.SETUP, kept) == erase.Again(("P-001",), (), (), ())
        assert keyholder.opens(older, sealed) == {}
        assert erase.erase_again(older, support.SETUP, kept) == erase.Again((), ("P-001",), (), ())
        seal(older)
        assert verify(older, full=True).findings == ()
        assert [one["erased_at"] for one in erase.listed(older)] == [one["erased_at"] for one in listed]
    finally:
        older.close()


def test_a_list_of_another_database_erases_nobody(stage: Stage) -> None:
    kept = {"study": "DEMO", "participant": "P-001", "participant_id": stage.person, "by": "user:1"}
    kept |= {"erased_at": "2026-03-09T10:00:00+00:00", "rows": {}}
    kept |= {"keys": {f"participants|data_key|{stage.person}": "00" * 32}}
    for text, fault in ((json.dumps({"erasures": [kept]}), "erasures_of_another"), ("{}", "erasures_unreadable")):
        with pytest.raises(RejectedError, match=fault):
            erase.erase_again(stage.rt, support.SETUP, text)
    # Nor does one that does not show that it means this person, because the key was damaged when they were erased.
    for keys in ({}, {f"participants|data_key|{stage.person}": ""}):
        text = json.dumps({"erasures": [kept | {"keys": keys}]})
        assert erase.erase_again(stage.rt, support.SETUP, text) == erase.Again((), (), (), ("P-001",))
    with stage.rt.sessions.begin() as session:
        session.execute(update(participants).where(participants.c.id == stage.person).values(data_key=b"damaged"))
    text = json.dumps({"erasures": [kept]})
    assert erase.erase_again(stage.rt, support.SETUP, text).unproven == ("P-001",)
    assert support.loaded(stage.rt, stage.person).case.participant.erased_at is None

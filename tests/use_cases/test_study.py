"""Loading a study: checked with its texts, one immutable version, participants keep theirs."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from pro_service import paths
from pro_service.core.problems import RejectedError, problem, words
from pro_service.core.routes import Carriers
from pro_service.runtime import Runtime
from pro_service.store.schema import participants, protocol_versions, sites
from pro_service.use_cases import study
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases
from tests.telephones import Telephones

pytestmark = databases.ON_BOTH

DEMO = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")
PHONE = "+12025550123"
REAL = (paths.protocols() / "nct07326982.toml").read_text(encoding="utf-8")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Return a copy of the shipped texts, to be changed."""
    return shutil.copytree(paths.templates() / "sms", tmp_path / "sms")


def refused(rt: Runtime, text: str, folder: Path | None = None) -> str:
    before = support.rows_of(rt)
    with pytest.raises(RejectedError) as error:
        study.load(rt, support.SETUP, text, folder)
    assert support.rows_of(rt) == before
    return "\n".join(f"{fault.line} {fault.path}: {' → '.join(words(fault))}" for fault in error.value.faults)


def test_a_study_is_loaded_as_one_version_with_its_sites(rt: Runtime) -> None:
    done = study.load(rt, support.SETUP, DEMO)
    assert (done.version.number, done.unchanged, done.new_sites) == (1, False, ("IST", "BER"))
    with rt.sessions.reading() as session:
        row = session.execute(select(protocol_versions)).one()
        assert set(session.scalars(select(sites.c.code))) == {"IST", "BER"}
        bundle = rt.bundles.get(session, row.id)
    assert bundle.protocol.study == "DEMO"
    assert "{telephone}" in bundle.wording.frames["tr"]["first"]


def test_the_same_again_changes_nothing(rt: Runtime) -> None:
    study.load(rt, support.SETUP, DEMO)
    before = support.rows_of(rt)
    assert study.load(rt, support.SETUP, f"# a remark\n{DEMO}").unchanged
    assert support.rows_of(rt) == before


def test_a_study_that_an_earlier_release_stored_is_unchanged_when_it_is_loaded_again(rt: Runtime) -> None:
    # Names were one text then, and the stored protocol knew no short name.
    kept = [line for line in DEMO.splitlines() if not line.startswith("short_name")]
    plain = "\n".join('name = "Clinic"' if line.startswith("name = {") else line for line in kept)
    study.load(rt, support.SETUP, plain)
    with rt.sessions.reading() as session:
        (stored,) = session.scalars(select(protocol_versions.c.protocol))
    assert ('"name":"Clinic"' in stored, "short_name" in stored) == (True, False)
    before = support.rows_of(rt)
    assert study.load(rt, support.SETUP, plain).unchanged
    assert support.rows_of(rt) == before


def test_a_version_of_an_earlier_release_keeps_its_own_words(
    rt: Runtime, clock: support.SetClock, phones: Telephones
) -> None:
    checked = study.check(DEMO)
    words = {
        tongue: {**frames, "invitation.sms-reply": "{label}: {question}", "first": "{contact}, {telephone}. STOP."}
        for tongue, frames in checked.frames.items()
    }
    old = study.store_version(rt, support.SETUP, replace(checked, frames=words))
    support.enrolled(rt, old.study.id, "P-001", date(2026, 3, 2), phone=PHONE, language="en", channel="sms-reply")
    clock.now = support.at("2026-03-09 10:00")
    tick(rt)
    deliver(rt)
    (body,) = phones.to(PHONE)
    assert body.startswith("1 week: On average")
    assert body.endswith("Istanbul Demo Clinic, +1 202 555 0199. STOP.")


def test_a_changed_text_is_a_new_version_and_the_enrolled_keep_theirs(rt: Runtime, texts: Path) -> None:
    first = study.load(rt, support.SETUP, DEMO, texts)
    old = support.enrolled(rt, first.study.id, "P-001", rt.clock().date())
    (texts / "en" / "thanks.txt").write_text("Thanks a lot.\n", encoding="utf-8")
    second = study.load(rt, support.SETUP, DEMO, texts)
    new = support.enrolled(rt, first.study.id, "P-002", rt.clock().date())
    assert (second.version.number, second.new_sites) == (2, ())
    with rt.sessions.reading() as session:
        rows = session.execute(select(participants.c.id, participants.c.protocol_version_id))
        kept = {row.id: row.protocol_version_id for row in rows}
    assert kept == {old: first.version.id, new: second.version.id}


def test_an_older_version_is_not_made_current_again(rt: Runtime) -> None:
    study.load(rt, support.SETUP, DEMO)
    study.load(rt, support.SETUP, DEMO.replace('title = "Demonstration"', 'title = "Another"'))
    assert "this is version 1 again" in refused(rt, DEMO)


def test_a_prompt_of_its_own_that_does_not_say_who_writes_is_refused(rt: Runtime, texts: Path) -> None:
    own = texts / "DEMO" / "tr"
    own.mkdir(parents=True)
    (own / "reminder-1.sms-link.txt").write_text("{label} için: {link}", encoding="utf-8")
    said = refused(rt, DEMO, texts)
    assert said.count("→") == 1
    assert "reminder-1.sms-link.txt: this text, which nobody has just asked for, does not say who writes" in said


def test_a_study_may_have_texts_of_its_own(rt: Runtime, texts: Path) -> None:
    own = texts / "DEMO" / "tr"
    own.mkdir(parents=True)
    (own / "thanks.txt").write_text("Sağ olun.", encoding="utf-8")
    done = study.load(rt, support.SETUP, DEMO, texts)
    with rt.sessions.reading() as session:
        frames = rt.wording(session, done.version.id).frames
    assert frames["tr"]["thanks"] == "Sağ olun."
    assert frames["en"]["thanks"] != frames["tr"]["thanks"]


def test_a_site_without_a_contact_is_refused_outside_the_demonstration(rt: Runtime) -> None:
    said = refused(rt, REAL)
    assert "telephone; every participant is told it" in said
    assert study.check(REAL).contacts
    assert not study.check(DEMO).contacts


@pytest.mark.usefixtures("database_url")
def test_a_sender_that_is_a_name_is_minded_where_people_usually_answer_by_reply() -> None:
    protocol = study.check(DEMO).protocol
    assert study.check_sender(protocol, Carriers()) == ()
    assert study.check_sender(protocol, Carriers(named=frozenset({"twilio"}))) == (
        problem("reply_to_name", sites=("BER",)),
    )


@pytest.mark.usefixtures("database_url")
def test_what_each_channel_lacks_is_said_before_the_start() -> None:
    checked = study.check(DEMO)
    (found,) = study.check_channels(checked.protocol, checked.frames, Carriers(media=frozenset({"sms", "email"})))
    assert (found.code, found.path) == ("way_not_configured", "whatsapp")
    old = {language: {"thanks": "Thank you."} for language in checked.frames}
    every = Carriers(media=frozenset({"sms", "email", "whatsapp"}))
    assert list(study.check_channels(checked.protocol, old, every)) == [
        problem("way_without_texts", channel) for channel in ("email-link", "whatsapp")
    ]


def test_faults_of_protocol_or_texts_write_nothing(rt: Runtime, texts: Path) -> None:
    assert "unknown key" in refused(rt, DEMO.replace("title =", "titel ="))
    (texts / "tr" / "first.txt").unlink()
    (texts / "en" / "thanks.txt").write_bytes(b"\xfe")
    assert "not UTF-8" in refused(rt, DEMO, texts)
    (texts / "en" / "thanks.txt").write_text("{x}", encoding="utf-8")
    said = refused(rt, DEMO, texts)
    assert "first.txt" in said
    assert "thanks.txt" in said


def test_the_study_may_be_left_out_while_there_is_one(rt: Runtime) -> None:
    with pytest.raises(RejectedError) as none:
        study.chosen(rt, None)
    assert "study load" in words(none.value.faults[0])[1]
    study.load(rt, support.SETUP, DEMO)
    assert study.chosen(rt, None).code == study.chosen(rt, "demo").code == "DEMO"
    study.load(rt, support.SETUP, DEMO.replace('study = "DEMO"', 'study = "OTHER"'))
    with pytest.raises(RejectedError) as several:
        study.chosen(rt, None)
    assert "DEMO, OTHER" in words(several.value.faults[0])[1]
    with pytest.raises(RejectedError) as wrong:
        study.chosen(rt, "OTTER")
    assert "OTHER" in words(wrong.value.faults[0])[1]

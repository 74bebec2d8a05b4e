"""An authority outside signs that it has seen a seal: a history written anew with the key is found by that alone."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from pro_service.core.problems import words
from pro_service.gateways.time_stamps import TimeStamps
from pro_service.runtime import Runtime
from pro_service.settings import SettingsError
from pro_service.store import guards, seals, time_stamps
from pro_service.store.schema import audit_seals
from pro_service.use_cases import doctor
from pro_service.use_cases.trail.seal import seal
from pro_service.use_cases.trail.time_stamp import stamp_now_and_then
from pro_service.use_cases.trail.verify import verify
from tests import support
from tests.peers import configuration, databases, timestamps


@pytest.fixture(scope="module")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[timestamps.Authority]:
    with timestamps.running(tmp_path_factory.mktemp("authority")) as authority:
        yield authority


@pytest.fixture
def authority(_authority: timestamps.Authority) -> timestamps.Authority:
    """Return an authority that signs."""
    _authority.mood = "signs"
    return _authority


@pytest.fixture
def stamping(rt: Runtime, study_id: int, authority: timestamps.Authority) -> Runtime:
    """Return a runtime that has its seals time-stamped, with one seal."""
    assert study_id
    seal(rt)
    known = authority.certificate.read_bytes()
    return replace(rt, time_stamps=TimeStamps(authority.url, known, timeouts=(1.0, 0.5)))


@databases.ON_BOTH
def test_the_newest_seal_is_stamped_once_a_day_and_checked(
    stamping: Runtime, clock: support.SetClock, authority: timestamps.Authority
) -> None:
    assert verify(stamping).stamps == 0
    assert stamp_now_and_then(stamping)
    clock.now += timedelta(hours=23)
    support.load_demo(stamping, "OTHER")
    seal(stamping)
    assert not stamp_now_and_then(stamping), "a day is not over"
    clock.now += timedelta(hours=1)
    assert stamp_now_and_then(stamping)
    clock.now += timedelta(days=1)
    assert not stamp_now_and_then(stamping), "there is no newer seal"
    found = verify(stamping)
    assert (found.stamps, found.unchecked_stamps, found.stamped, found.findings) == (2, 0, found.newest_seal, ())
    assert found.stamped_at is not None
    assert abs(datetime.now(UTC) - found.stamped_at) < timedelta(minutes=1), "it is the authority's instant"
    assert verify(stamping, full=False).stamps == 0, "those before were checked already"
    assert verify(replace(stamping, time_stamps=None)).unchecked_stamps == 2
    # Somebody else's program agrees.
    with stamping.sessions.reading() as session:
        stamped = time_stamps.newest(session)
    assert stamped is not None
    (authority.folder / "anchor").write_text(str(found.stamped), encoding="ascii")
    (authority.folder / "response").write_bytes(stamped.response)
    asked = ("-data", "anchor", "-in", "response", "-CAfile", "ca.pem")
    timestamps.openssl(authority.folder, "ts", "-verify", *asked)


@databases.ON_BOTH
def test_a_seal_that_was_written_anew_with_the_key_is_found(stamping: Runtime) -> None:
    stamp_now_and_then(stamping)
    _past_the_guards(stamping, "UPDATE audit_seals SET version = 'another'")
    with stamping.sessions.reading() as session:
        header = seals.newest(session)
    assert header is not None
    forged = update(audit_seals).values(hash=header.hash, hmac=stamping.vault.mac(b"seal|" + header.hash))
    _past_the_guards(stamping, forged)
    assert verify(replace(stamping, time_stamps=None)).findings == ()
    [finding] = verify(stamping).findings
    assert (finding.kind, finding.id, finding.problem.code) == ("seal", 1, "trail_stamp_differs")
    _past_the_guards(stamping, "DELETE FROM audit_seals")
    assert [(one.kind, one.problem.code) for one in verify(stamping).findings] == [("tail_cut", "trail_stamp_alone")]


def _past_the_guards(rt: Runtime, statement: object) -> None:
    made = text(statement) if isinstance(statement, str) else statement
    dialect = "sqlite" if rt.sessions.sqlite else "postgresql"
    mine = {name: how for name, how in guards.EXPECTED[dialect].items() if name.startswith("audit_seals_")}
    with rt.sessions.begin() as session:
        for name in mine:
            session.execute(text(f"DROP TRIGGER {name}" + ("" if rt.sessions.sqlite else " ON audit_seals")))
        session.execute(made)  # type: ignore[call-overload]
        for definition in mine.values():
            session.execute(text(definition))


@pytest.mark.parametrize(
    "mood", ["refuses", "fails", "nonsense", "slow", "elsewhere", "breaks off", "drips", "another's"]
)
def test_an_authority_that_does_not_answer_rightly_holds_nothing_up(
    stamping: Runtime, clock: support.SetClock, authority: timestamps.Authority, tmp_path: Path, mood: str
) -> None:
    asked, authority.mood, authority.slow_for = authority.asked, mood, 0.7
    other = stamping
    if mood == "another's":
        with timestamps.running(tmp_path / "other") as somebody:
            foreign = somebody.certificate.read_bytes()
        authority.mood, other = "signs", replace(stamping, time_stamps=TimeStamps(authority.url, foreign))
    began = time.monotonic()
    assert not stamp_now_and_then(other)
    assert time.monotonic() - began < 5, "all of it has an end, not only each packet"
    assert not stamp_now_and_then(other), "it is not asked again at once"
    assert authority.asked - asked <= 1
    support.load_demo(stamping, "OTHER")
    assert seal(stamping).seals == 1
    clock.now += timedelta(minutes=10)
    authority.mood = "signs"
    assert stamp_now_and_then(stamping)
    assert verify(stamping).stamps == 1
    [finding] = {one.problem.code for one in verify(replace(other, clock=clock)).findings} or {""}
    assert finding == ("trail_stamp_differs" if mood == "another's" else "")


def test_the_settings_want_the_authoritys_certificate_and_the_doctor_minds_a_missing_time_stamp(
    stamping: Runtime, authority: timestamps.Authority, tmp_path: Path
) -> None:
    url = stamping.settings.database_url
    (tmp_path / "nothing.pem").write_text("nothing", encoding="ascii")
    for more, code in (
        ({}, "certificate_missing"),
        ({"TIMESTAMP_CERTIFICATE": "nothing.pem"}, "certificate_unreadable"),
    ):
        with pytest.raises(SettingsError) as refused:
            configuration.settings_for(url, tmp_path, TIMESTAMP_URL=authority.url, **more)
        [fault] = refused.value.faults
        assert (fault.path, fault.code) == ("TIMESTAMP_CERTIFICATE", code)
        assert words(fault)[1]
    more = {"TIMESTAMP_URL": authority.url, "TIMESTAMP_CERTIFICATE": str(authority.certificate)}
    settings = configuration.settings_for(url, tmp_path, **more)
    said = [one.finding for one in doctor.examine(settings) if one.part == "audit trail"]
    assert "no seal has been time-stamped" in said
    assert stamp_now_and_then(stamping)

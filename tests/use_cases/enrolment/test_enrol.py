"""Enrolment: everyone in the file or nobody, every fault at once, contact data sealed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from pro_service.core.problems import ChangeRefusedError, RejectedError, words
from pro_service.core.protocol import RouteOverride
from pro_service.core.schedule.status import status
from pro_service.runtime import Bundle, Bundles, Runtime
from pro_service.store.schema import audit_trail, escalations, participants, responses, windows
from pro_service.store.vault import opened
from pro_service.use_cases.enrolment import enrol, preview
from pro_service.use_cases.enrolment.enrol import Enrolled
from pro_service.use_cases.participants import change
from pro_service.use_cases.participants.change_form import ChangeForm
from pro_service.use_cases.tick import tick
from tests import support
from tests.peers import databases

HEADER = "participant,site,procedure_date,language,messaging_consent,phone,email,timezone,channel,procedure_time"
BASELINE = ",baseline_nrs_avg,baseline_nrs_now"
ROW = "P-001,IST,2026-03-02,tr,2026-03-01,+1 202 555 0123,,,,"

File = Callable[..., Enrolled]


@pytest.fixture
def file(rt: Runtime, study_id: int) -> File:
    """Return what imports rows below the header."""

    def enrolled(*rows: str, dry_run: bool = False, header: str = HEADER) -> Enrolled:
        data = "\n".join((header, *rows)).encode()
        return enrol.enrol_file(rt, support.SETUP, study_id, data, dry_run=dry_run)

    return enrolled


def refused(file: File, *rows: str, header: str = HEADER) -> str:
    with pytest.raises(RejectedError) as error:
        file(*rows, header=header)
    return "\n".join(f"{fault.line} {fault.path}: {' → '.join(words(fault))}" for fault in error.value.faults)


def with_cell(column: str, value: str) -> str:
    """ROW with one cell changed."""
    cells = dict(zip(HEADER.split(","), ROW.split(","), strict=True))
    return ",".join((cells | {column: value}).values())


@pytest.mark.parametrize("phone", ["+1 202 555 0199", "+1 (202) 555-0198", "+1 500 555 0006"])
def test_the_study_s_own_telephones_are_no_participant_s_at_any_door(rt: Runtime, study_id: int, phone: str) -> None:
    """Two sites are called on the first two; texts come from the third."""
    ours = replace(rt, settings=replace(rt.settings, twilio_from="+15005550006"))
    support.enrolled(ours, study_id, "P-001", date(2026, 3, 2))
    cells = dict(zip(HEADER.split(","), with_cell("phone", phone).replace("P-001", "P-002").split(","), strict=True))
    with pytest.raises(RejectedError) as one:
        preview.preview(ours, support.SETUP, study_id, cells)
    with pytest.raises(ChangeRefusedError) as other:
        change.preview(ours, study_id, "P-001", ChangeForm("phone", {"number": phone}, "typed from a card"))
    assert [fault.code for fault in one.value.faults] == [note.code for note in other.value.notes] == ["phone_of_study"]


@databases.ON_BOTH
def test_a_row_becomes_a_participant_with_windows_baseline_and_one_audit_row(rt: Runtime, file: File) -> None:
    before = support.rows_of(rt)
    done = file(f"{ROW},7,5", header=HEADER + BASELINE)
    after = support.rows_of(rt)
    assert (done.enrolled, done.unchanged) == (1, 0)
    added = {name: after[name] - count for name, count in before.items() if after[name] != count}
    assert added == {"participants": 1, "windows": 4, "responses": 2, "audit_trail": 1}
    with rt.sessions.reading() as session:
        row = session.execute(select(participants)).one()
        values = session.execute(select(responses.c.item, responses.c.value, responses.c.source)).all()
    assert (row.confirmed_at, row.next_check_at) == (rt.clock(), rt.clock())
    assert sorted(map(tuple, values)) == [("NRS-AVG", 7, "import"), ("NRS-NOW", 5, "import")]


def test_an_imported_baseline_completes_the_baseline_window(rt: Runtime, file: File) -> None:
    file(f"{ROW},7,5", header=HEADER + BASELINE)
    with rt.sessions.reading() as session:
        case = rt.loader.one(session, session.scalars(select(participants.c.id)).one(), lock=False).case
    assert status(case.windows[0], case.participant, "NRS-AVG", rt.clock()) == "completed_in_window"


@databases.ON_BOTH
def test_contact_data_is_sealed_found_by_index_and_masked_in_the_trail(rt: Runtime, file: File) -> None:
    file(with_cell("email", "someone@example.org"))
    with rt.sessions.reading() as session:
        row = session.execute(select(participants)).one()
        trail = session.scalars(select(audit_trail.c.changes).where(audit_trail.c.action == "enrol")).one()
    key = rt.vault.data_key(row.data_key, row.id)
    assert opened(key, row.phone, f"participants|phone|{row.id}") == b"+12025550123"
    assert row.phone_index == rt.vault.index("phone", "+12025550123")
    assert b"2025550123" not in row.phone
    assert "5550123" not in trail
    assert "someone" not in trail
    assert "+1 2•• ••• 01 23" in trail


@databases.ON_BOTH
def test_a_dry_run_says_the_same_and_writes_nothing(rt: Runtime, file: File) -> None:
    before = support.rows_of(rt)
    assert file(ROW, dry_run=True).enrolled == 1
    assert support.rows_of(rt) == before


def test_one_faulty_row_among_many_enrols_nobody(rt: Runtime, file: File) -> None:
    before = support.rows_of(rt)
    rows = [ROW.replace("P-001", f"P-{number:03}") for number in range(700)]
    assert refused(file, *rows, "bad code!,IST,2026-03-02,tr,,,,,,").startswith("702 participant")
    assert support.rows_of(rt) == before


@databases.ON_BOTH
def test_the_same_file_again_changes_nothing(rt: Runtime, file: File) -> None:
    rows = (ROW, "P-002,BER,2026-03-09,en,,0151 23456789,a@example.org,Europe/London,,")
    file(*rows)
    before = support.rows_of(rt)
    assert (again := file(*rows)).unchanged == 2
    assert again.enrolled == 0
    assert support.rows_of(rt) == before


@pytest.mark.parametrize(
    "column, value, command",
    [
        ("site", "BER", "participant move P-001 --site BER"),
        ("procedure_date", "2026-03-01", "participant reschedule P-001 --procedure-date 2026-03-01"),
        ("procedure_time", "14:00", "participant reschedule P-001 --procedure-date"),
        ("language", "en", "participant language P-001 --language en"),
        ("messaging_consent", "", "participant consent P-001"),
        ("phone", "+12025550124", "participant phone P-001"),
        ("phone", "", "participant phone P-001"),
        ("email", "a@example.org", "participant email P-001"),
        ("timezone", "Europe/London", "participant zone P-001 --zone Europe/London"),
        ("channel", "sms-link", "participant channel P-001 --channel sms-link"),
    ],
)
def test_a_row_that_differs_from_what_is_stored_names_what_to_do(
    file: File, column: str, value: str, command: str
) -> None:
    file(ROW)
    said = refused(file, with_cell(column, value))
    assert f"2 {column}: P-001 is enrolled already, with another {column}" in said
    assert command in said
    assert "0123" not in said.replace("P-001", "")


def test_an_imported_baseline_that_differs_is_a_fault(file: File) -> None:
    file(f"{ROW},7,5", header=HEADER + BASELINE)
    assert "another baseline_nrs_avg" in refused(file, f"{ROW},6,5", header=HEADER + BASELINE)
    assert file(f"{ROW},,", header=HEADER + BASELINE).unchanged == 1


@pytest.mark.parametrize(
    "column, value, fault, remedy",
    [
        ("participant", "", "is empty", "P-001"),
        ("participant", "Ayşe Y", "not a participant code", "no names"),
        ("participant", "x" * 41, "not a participant code", "40"),
        ("participant", "..", "not a participant code", "begin with"),
        ("site", "ist", "not a site", '"IST"'),
        ("procedure_date", "02.03.2026", "more than one way", "2026-05-11"),
        ("procedure_date", "3/2/26", "more than one way", "2026-05-11"),
        ("procedure_date", "24.02.2026", "not written as year-month-day", "write 2026-02-24"),
        ("procedure_date", "2/24/26", "not written as year-month-day", "write 2026-02-24"),
        ("procedure_date", "46077", "number for a day, 2026-02-24", "as a date"),
        ("procedure_date", "31.02.2026", "not in the calendar", "year-month-day"),
        ("procedure_date", "2026-02-30", "not in the calendar", "year-month-day"),
        ("procedure_date", "0026-02-03", "not a date of a study", "year-month-day"),
        ("procedure_date", "9999-12-31", "not a date of a study", "year-month-day"),
        ("language", "turkish", "not a language", "tr, en"),
        ("messaging_consent", "evet", "needs its date", "2026-05-11"),
        ("messaging_consent", "Hayır", "empty cell", "only called"),
        ("messaging_consent", "2026-03-03", "lies in the future", "empty"),
        ("messaging_consent", "2026-03-01T10:00", "no time zone", "+03:00"),
        ("phone", "9.05E+11", "cut this number short", "as text"),
        ("phone", "9,05321E+11", "cut this number short", "as text"),
        ("phone", "905321234567.0", "decimal number", "as text"),
        ("phone", "O532 123 45 67", "letter O", "zero"),
        ("phone", "0532 123 4S 67", "characters that no telephone", "digits"),
        ("phone", "0850 123 45 67", "0850", "mobile"),
        ("phone", "444 1 444", "444", "mobile"),
        ("phone", "0532 123", "not a number that exists", "+90 532"),
        ("phone", "0212 123 45 67", "landlines", "mobile"),
        ("phone", "+90 533 812 34 56", "Northern Cyprus", "the consent to messages and the channel empty"),
        ("phone", "+44 20 7946 0018", "landline", "mobile"),
        ("email", "nobody", "not an e-mail address", "name@host"),
        ("timezone", "Europe/Istambul", "not a time zone", "Europe/Istanbul"),
        ("timezone", "localtime", "not the time zone of a place", "Europe/Istanbul"),
        ("timezone", "Factory", "not the time zone of a place", "Europe/Istanbul"),
        ("channel", "pigeon", "not a channel", "sms-reply, sms-link"),
        ("procedure_time", "25:00", "not a time of day", "14:30"),
    ],
)
def test_each_faulty_cell_is_refused_with_the_remedy(
    file: File, column: str, value: str, fault: str, remedy: str
) -> None:
    said = refused(file, with_cell(column, f'"{value}"'))
    assert any(line.startswith(f"2 {column}: ") and fault in line and remedy in line for line in said.splitlines()), (
        said
    )


def test_every_fault_of_every_row_is_said_at_once(file: File) -> None:
    said = refused(file, ROW, "?,XXX,1.1.2026,xx,ja,12,x,x,x,x", with_cell("participant", "p-001"), "P-3,IST")
    lines = said.splitlines()
    assert [line.split()[0] for line in lines] == ["3"] * 10 + ["4", "5"]
    assert "the code of line 2 again" in lines[10]


@pytest.mark.parametrize("channel", ["sms-reply", "sms-link"])
def test_a_turkish_number_is_refused_with_the_reason_and_what_works_instead(file: File, channel: str) -> None:
    row = with_cell("phone", "0532 123 45 67").replace(",,,,", f",,,{channel},")
    said = refused(file, row)
    assert "in Turkey" in said
    assert "leave the consent to messages and the channel empty" in said


@pytest.mark.parametrize(
    "phone, channel, cards",
    [("0532 123 45 67", "sms-card", 1), ("+1 202 555 0123", "sms-reply", 0), ("", "sms-card", 0)],
)
def test_a_channel_that_is_not_named_is_one_that_works_there(
    rt: Runtime, file: File, phone: str, channel: str, cards: int
) -> None:
    """By the country of the telephone; without one by that of the site, which is Turkey."""
    assert file(with_cell("phone", phone)).cards == cards
    with rt.sessions.reading() as session:
        assert session.execute(select(participants.c.channel)).scalar_one() == channel


def test_a_channel_that_is_not_named_says_nothing_about_who_is_enrolled(rt: Runtime, file: File) -> None:
    """What works in a country may be another channel in the next release: the same file stays the same."""
    file(ROW)
    with rt.sessions.begin() as session:
        session.execute(update(participants).values(channel="sms-link"))
    assert (file(ROW).enrolled, file(ROW).unchanged) == (0, 1)
    assert "another channel" in refused(file, with_cell("channel", "sms-reply"))


@pytest.mark.shows("case: no number")
@pytest.mark.parametrize("consent, said", [("2026-03-01", "although texts are agreed to"), ("", "has no telephone")])
def test_without_a_number_each_row_says_that_nobody_can_be_asked(
    rt: Runtime, file: File, consent: str, said: str
) -> None:
    row = f"P-00{{}},IST,2026-03-02,tr,{consent},,,,,"
    for dry_run in (True, False):
        warnings = file(row.format(1), row.format(2), ROW.replace("P-001", "P-003"), dry_run=dry_run).warnings
        assert [(one.line, one.path) for one in warnings] == [(2, "phone"), (3, "phone")]
        assert all(said in words(one)[0] and "neither a text nor a call" in words(one)[0] for one in warnings)
    tick(rt)
    with rt.sessions.reading() as session:
        e = escalations.c
        asked = select(e.level, e.reason, e.raised_at).where(e.reason == "no_way_to_ask")
        told = session.execute(asked).all()
    assert [tuple(one) for one in told] == [("E0", "no_way_to_ask", rt.clock())] * 2, (
        "at the next beat, not at a window"
    )


def test_a_turkish_number_without_consent_is_kept_for_calls(rt: Runtime, file: File) -> None:
    file("P-001,IST,2026-03-02,tr,,0532 123 45 67,,,,")
    with rt.sessions.reading() as session:
        row = session.execute(select(participants)).one()
    assert (row.consented_at, row.phone_country) == (None, "TR")


def test_a_study_may_state_why_a_refused_route_works(rt: Runtime, study_id: int) -> None:
    with rt.sessions.reading() as session:
        version_id = session.scalars(select(participants.metadata.tables["protocol_versions"].c.id)).one()
        bundle = rt.bundles.get(session, version_id)
    stated = replace(bundle.protocol, routes=(RouteOverride("TR", "sms-reply", "own short code"),))
    bundles = Bundles()
    bundles._bundles[version_id] = Bundle(stated, bundle.wording)  # noqa: SLF001 -- a version is immutable otherwise
    data = f"{HEADER}\n{with_cell('phone', '0532 123 45 67')}".encode()
    done = enrol.enrol_file(replace(rt, bundles=bundles), support.SETUP, study_id, data)
    assert ["own short code" in words(warning)[0] for warning in done.warnings] == [True]


def test_a_blank_telephone_is_telephone_first(rt: Runtime, file: File) -> None:
    file(with_cell("phone", ""))
    with rt.sessions.reading() as session:
        assert session.execute(select(participants.c.phone)).scalar_one() is None


@pytest.mark.shows("case: future")
def test_a_procedure_in_the_future_is_planned_and_one_of_today_is_confirmed(rt: Runtime, file: File) -> None:
    file(ROW, "P-002,IST,2026-03-03,tr,,,,,,")
    with rt.sessions.reading() as session:
        confirmed = session.execute(select(participants.c.code, participants.c.confirmed_at)).all()
    assert {row.code: row.confirmed_at is not None for row in confirmed} == {"P-001": True, "P-002": False}


def test_the_procedures_end_lays_out_the_window_of_the_first_hour(rt: Runtime, file: File) -> None:
    file(with_cell("procedure_time", "13:30"))
    with rt.sessions.reading() as session:
        row = session.execute(select(windows).where(windows.c.code == "V1H")).one()
    assert row.opens_at == support.at("2026-03-02 14:15")
    assert row.closes_at - row.opens_at == timedelta(minutes=45)


@pytest.mark.shows("case: after the end")
def test_what_to_mind_is_said_and_not_refused(rt: Runtime, study_id: int) -> None:
    with rt.sessions.reading() as session:
        version_id = session.scalars(select(participants.metadata.tables["protocol_versions"].c.id)).one()
        bundle = rt.bundles.get(session, version_id)
    bundles = Bundles()
    ended = replace(bundle.protocol, ends=date(2026, 6, 1))
    bundles._bundles[version_id] = Bundle(ended, bundle.wording)  # noqa: SLF001 -- a version is immutable otherwise
    rows = ("P-001,IST,2026-06-02,tr,,,,,,", "P-002,IST,2026-03-20,tr,,,,,,", "P-003,IST,2026-03-01,tr,,,,,,")
    done = enrol.enrol_file(replace(rt, bundles=bundles), support.SETUP, study_id, "\n".join((HEADER, *rows)).encode())
    assert done.enrolled == 3
    said = [(warning.line, warning.code) for warning in done.warnings if warning.path == "procedure_date"]
    assert said == [(2, "after_end"), (3, "last_after_end"), (4, "last_after_end")]


@pytest.mark.shows("case: holidays")
def test_a_window_without_a_working_day_is_said(file: File) -> None:
    # W1 of this procedure is 27 to 31 May 2026: Kurban Bayramı and a weekend.
    said = [words(warning)[0] for warning in file("P-001,IST,2026-05-21,tr,,,,,,").warnings]
    assert [text for text in said if "W1 (2026-05-27 to 2026-05-31) holds no working day" in text]


def test_the_rows_of_one_participant_follow_the_same_rules(rt: Runtime, study_id: int) -> None:
    cells = dict(zip(HEADER.split(","), ROW.split(","), strict=True))
    assert enrol.enrol_one(rt, support.SETUP, study_id, cells).enrolled == 1
    with pytest.raises(RejectedError):
        enrol.enrol_one(rt, support.SETUP, study_id, cells | {"participant": "P-002", "phone": "444 1 444"})


def test_progress_names_the_line_reached(rt: Runtime, study_id: int) -> None:
    lines: list[int] = []
    rows = [ROW.replace("P-001", f"P-{number:04}") for number in range(1200)]
    data = "\n".join((HEADER, *rows)).encode()
    enrol.enrol_file(rt, support.SETUP, study_id, data, dry_run=True, progress=lines.append)
    assert lines == [501, 1001, 1201]


CELL = st.sampled_from(
    ["P-1", "P-2", "IST", "2026-03-02", "tr", "+12025550123", "9.05E+11", "sms-reply", "", '"', "\0"]
)
LINE = st.lists(CELL | st.text(max_size=12), max_size=12).map(",".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.lists(LINE, max_size=5).map(lambda lines: "\n".join((HEADER, *lines)).encode()))
def test_arbitrary_files_never_crash_and_what_is_refused_writes_nothing(
    rt: Runtime, study_id: int, data: bytes
) -> None:
    before = support.rows_of(rt)
    try:
        written = enrol.enrol_file(rt, support.SETUP, study_id, data).enrolled
    except RejectedError:
        written = 0
    assert support.rows_of(rt)["participants"] == before["participants"] + written
    assert written or support.rows_of(rt) == before

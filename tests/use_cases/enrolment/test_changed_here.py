"""The trail is newer than the file: what was changed here since stays, and does not hold up who is new."""

from datetime import timedelta
from typing import cast

import pytest

from pro_service.core.problems import RejectedError, words
from pro_service.runtime import Runtime
from pro_service.use_cases.enrolment import enrol
from pro_service.use_cases.participants import change
from pro_service.use_cases.participants.change_form import Action, ChangeForm
from tests import support
from tests.peers import databases
from tests.support import SetClock

HEADER = "participant,site,procedure_date,language,messaging_consent,phone,channel,procedure_time"
ROW = "P-001,IST,2026-03-02,tr,2026-03-01,+12025550123,sms-reply,"
NEW = "P-002,IST,2026-03-02,tr,2026-03-01,+12025550177,sms-reply,"
CHANGES: dict[str, tuple[str, dict[str, str]]] = {
    "phone": ("phone", {"number": "+12025550124", "consent": "2026-03-02"}),
    "no phone": ("phone", {"remove": "yes"}),
    "consent": ("consent", {"consent": "2026-03-02"}),
    "consent taken back": ("consent", {"withdrawn": "yes"}),
    "language": ("language", {"language": "en"}),
    "channel": ("channel", {"channel": "sms-link"}),
    "zone": ("zone", {"timezone": "Europe/London"}),
    "day": ("reschedule", {"procedure_date": "2026-03-01"}),
    "time": ("reschedule", {"procedure_date": "2026-03-02", "procedure_time": "13:00"}),
    "site": ("move", {"site": "BER"}),
}


@pytest.fixture
def enrolled(rt: Runtime, study_id: int, clock: SetClock) -> int:
    """Return the study, in which the participant of the row was enrolled yesterday."""
    imported(rt, study_id, ROW)
    clock.now += timedelta(days=1)
    return study_id


def imported(rt: Runtime, study_id: int, *rows: str, sites: tuple[str, ...] | None = None) -> enrol.Enrolled:
    return enrol.enrol_file(rt, support.SETUP, study_id, "\n".join((HEADER, *rows)).encode(), sites=sites)


def changed(rt: Runtime, study_id: int, name: str) -> None:
    action, fields = CHANGES[name]
    wanted = ChangeForm(cast("Action", action), fields, "as the site's file says")
    change.change(rt, support.SETUP, study_id, "P-001", wanted)


@pytest.mark.parametrize("name", CHANGES)
@databases.ON_BOTH
def test_a_row_that_is_only_older_is_left_and_who_is_new_is_enrolled(rt: Runtime, enrolled: int, name: str) -> None:
    changed(rt, enrolled, name)
    done = imported(rt, enrolled, ROW, NEW)
    assert (done.enrolled, done.unchanged) == (1, 1)
    assert {(one.line, one.code) for one in done.warnings if one.line == 2} == {(2, "changed_here")}
    said = "".join("".join(words(one)) for one in done.warnings)
    assert "changed here on 2026-03-03" in said
    assert "0123" not in said
    assert imported(rt, enrolled, ROW, NEW).unchanged == 2


@pytest.mark.parametrize("change_first", [True, False])
def test_a_value_that_was_never_here_refuses_the_whole_file(rt: Runtime, enrolled: int, change_first: bool) -> None:  # noqa: FBT001 -- a parameter
    if change_first:
        changed(rt, enrolled, "phone")
    before = support.rows_of(rt)
    with pytest.raises(RejectedError) as error:
        imported(rt, enrolled, ROW.replace("0123", "0125"), NEW)
    assert [(one.code, one.path) for one in error.value.faults] == [("enrolled_otherwise", "phone")]
    assert support.rows_of(rt) == before


@databases.ON_BOTH
def test_somebody_who_was_moved_away_holds_up_no_file_of_their_old_site(rt: Runtime, enrolled: int) -> None:
    changed(rt, enrolled, "site")
    done = imported(rt, enrolled, ROW.replace("0123", "0177"), NEW, sites=("IST",))
    assert (done.enrolled, [(one.line, one.path) for one in done.warnings]) == (1, [(2, "site")])


def test_what_was_never_of_this_site_is_said_to_be_elsewhere(rt: Runtime, enrolled: int) -> None:
    with pytest.raises(RejectedError) as error:
        imported(rt, enrolled, ROW.replace("IST", "BER"), sites=("BER",))
    assert [one.code for one in error.value.faults] == ["enrolled_elsewhere"]

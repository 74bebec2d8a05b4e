"""The invented participants do what their temperament says, and nothing the file does not allow."""

import pytest

from pro_service import paths
from pro_service.core.problems import RejectedError, words
from pro_service.rehearsal import temperaments
from pro_service.rehearsal.people import days_of_procedures, temperaments_by_share
from pro_service.rehearsal.report import Thread
from tests.rehearsal.conftest import Rehearsed, plan

SHIPPED = (paths.templates() / "rehearsal" / "temperaments.toml").read_text(encoding="utf-8")


def wrote(thread: Thread) -> list[str]:
    return [bubble.words for bubble in thread.bubbles if bubble.side == "theirs"]


def happened(thread: Thread, code: str) -> list[str]:
    return [bubble.detail for bubble in thread.bubbles if bubble.side == "event" and bubble.code == code]


def test_there_are_many_temperaments_and_one_of_each_at_least(rehearsed: Rehearsed) -> None:
    kinds = temperaments.shipped_temperaments().temperaments
    assert len(kinds) >= 16
    assert {kind.code for kind in rehearsed.report.temperaments} == {kind.code for kind in kinds}
    assert sum(kind.people for kind in rehearsed.report.temperaments) == 24
    assert len(rehearsed.report.threads) == len(kinds)


def test_participants_are_shared_out_in_proportion() -> None:
    kinds = temperaments.shipped_temperaments().temperaments
    for wanted in (1, 5, 18, 42, 300):
        assert len(temperaments_by_share(kinds, wanted)) == wanted
    many = [kind.code for kind in temperaments_by_share(kinds, 1000)]
    assert many.count("punctual") > many.count("evening") > many.count("alarming") >= 1


def test_procedures_take_place_on_working_days() -> None:
    planned = plan()
    days = days_of_procedures(planned.protocol, planned.first, 14)["IUC"]
    # The first of January is a public holiday.
    assert len(days) == 9
    assert all(day.weekday() < 5 for day in days)


def test_who_writes_words_is_understood(certain: Rehearsed) -> None:
    thread = certain.thread("words")
    assert wrote(thread)
    assert not [words for words in wrote(thread) if words.isdigit()]
    assert happened(thread, "closed") == ["completed_in_window"]


def test_a_range_is_asked_about_twice_and_then_somebody_telephones(certain: Rehearsed) -> None:
    thread = certain.thread("ranges")
    assert all("-" in words for words in wrote(thread))
    assert {"reask", "reask-2"} <= {bubble.code for bubble in thread.bubbles}


def test_what_is_sent_twice_is_counted_once(certain: Rehearsed) -> None:
    thread = certain.thread("twice")
    assert len(wrote(thread)) > len(set(wrote(thread)))
    assert "completed_in_window" in happened(thread, "closed")


def test_a_changed_mind_is_asked_about(certain: Rehearsed) -> None:
    said = wrote(certain.thread("changing"))
    assert said[-1] in ("YES", "EVET")


def test_who_stops_is_not_prompted_any_more(certain: Rehearsed) -> None:
    thread = certain.thread("stopping")
    assert wrote(thread) in (["STOP"], ["DUR"])
    assert [bubble.code for bubble in thread.bubbles if bubble.side == "ours"][-1] == "stopped"


def test_who_declines_is_noted_so(certain: Rehearsed) -> None:
    assert happened(certain.thread("declining"), "closed") == ["declined"]


def test_an_emergency_is_answered_and_becomes_a_task(certain: Rehearsed) -> None:
    assert "safety" in {bubble.code for bubble in certain.thread("alarming").bubbles}
    raised = next(level for level in certain.report.levels if level.code == "ES")
    assert raised.reasons["safety_word"] >= 1


def test_who_answers_late_is_late(certain: Rehearsed) -> None:
    thread = certain.thread("late")
    closes = next(at for at, bubble in enumerate(thread.bubbles) if bubble.code == "closed")
    assert [bubble for bubble in thread.bubbles[closes:] if bubble.side == "theirs" or bubble.code == "form"]
    assert happened(thread, "closed") == ["completed_late"]


def test_who_rings_back_is_listened_to(certain: Rehearsed) -> None:
    outcomes = happened(certain.thread("returning"), "call")
    assert outcomes[0] in ("no_answer", "busy")
    assert outcomes[-1] == "completed_now"


def test_links_are_used_and_left_out_of_the_report(certain: Rehearsed) -> None:
    thread = certain.thread("link")
    assert [bubble for bubble in thread.bubbles if bubble.code == "form"]
    links = [bubble.words for bubble in thread.bubbles if "/q/" in bubble.words]
    assert links
    assert all("/q/…" in words for words in links)


def test_a_number_that_is_lost_takes_no_more_texts(certain: Rehearsed) -> None:
    thread = certain.thread("lost")
    ours = [bubble for bubble in thread.bubbles if bubble.side == "ours"]
    assert ours
    assert not any(bubble.arrived for bubble in ours)
    assert "not_in_service" in happened(thread, "call")


def test_a_stranger_says_so_and_is_left_alone(certain: Rehearsed) -> None:
    thread = certain.thread("wrong")
    assert wrote(thread) in (["wrong number"], ["yanlış numara"])
    assert len([bubble for bubble in thread.bubbles if bubble.side == "ours"]) == 1


def test_who_never_answers_is_called_and_missed(certain: Rehearsed) -> None:
    thread = certain.thread("silent")
    assert wrote(thread) == []
    assert happened(thread, "call")
    assert happened(thread, "closed") == ["missed"]


def test_who_needs_a_call_is_reached_by_one(certain: Rehearsed) -> None:
    assert happened(certain.thread("called"), "call") == ["completed_now"]


def test_every_fault_of_a_file_is_named_with_its_line() -> None:
    damaged = SHIPPED.replace("invited = 97", "invited = 970").replace('within = "PT50M"', 'within = "PT1M"')
    damaged = damaged.replace('code = "reminded"', 'code = "punctual"').replace("picks_up = 40", "pick_up = 40")
    with pytest.raises(RejectedError) as caught:
        temperaments.read_temperaments(damaged)
    assert {fault.path for fault in caught.value.faults} == {
        "temperament[0].invited", "temperament[0].within", "temperament[2].code", "temperament[4].pick_up",
    }  # fmt: skip
    assert all(fault.line and words(fault)[1] for fault in caught.value.faults)


@pytest.mark.parametrize("text", ["", "x = 1", "[[temperament", "\ufeff[office]"])
def test_what_is_no_crowd_is_refused(text: str) -> None:
    with pytest.raises(RejectedError):
        temperaments.read_temperaments(text)

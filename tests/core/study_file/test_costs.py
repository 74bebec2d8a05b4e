"""What texts cost: both studies of ours within three segments but for what is named here, and every character found."""

from dataclasses import replace

import pytest

from pro_service import paths
from pro_service.core.case import PROMPTS
from pro_service.core.commands import Send
from pro_service.core.conversation import contact_test
from pro_service.core.protocol import Protocol
from pro_service.core.routes import CHANNELS, route
from pro_service.core.study_file.costs import LIMIT, Cost, forms, worth_a_look
from pro_service.core.study_file.frames import ALWAYS, required_frames, unasked_frames
from pro_service.core.texts import segments
from pro_service.use_cases.study import read_frames
from pro_service.wording import Wording, costs_of, longest_moment
from tests.core.world import DEMO, STUDY, case_of, person

STUDIES = pytest.mark.parametrize("protocol", [STUDY, DEMO], ids=lambda protocol: protocol.study)
LANGUAGES = pytest.mark.parametrize("language", ["tr", "en"])

LONGER = {
    # The question about the overall condition has 158 characters of the 201 that three segments hold in Turkish: its
    # seven values are the instrument's own words. A prompt asks it first only where the pain score is known already,
    # so nearly always the next text asks it ("question (PGIC)"), which has three segments.
    **dict.fromkeys((f"tr {step}.sms-reply (PGIC)" for step in sorted(PROMPTS)), 4),
    "tr not-counted (PGIC)": 4,
    # Who answers and asks to be called in one text, which is seldom, is told of the call above the next question.
    **dict.fromkeys(
        ("tr will-call + question (PGIC)", *(f"tr will-call-at + question ({item})" for item in ("NRS-AVG", "PGIC"))), 4
    ),
    # The first text of all says, once in a study, whom to call, how to stop, that nobody watches the line, and 112.
    "tr invitation.sms-reply + first (NRS-AVG)": 4,
    "tr invitation.sms-link + first": 4,
    "tr invitation.sms-card + first.sms-card": 4,
    "tr invitation.sms-reply + first (PGIC)": 5,
    # On a telephone that several participants use the text says for whom it is, and why.
    "tr turn + invitation.sms-reply (NRS-AVG)": 4,
    "tr turn-link + invitation.sms-link": 4,
    "tr turn-link + invitation.sms-card": 4,
    "tr turn + invitation.sms-reply (PGIC)": 5,
    "tr turn + invitation.sms-reply + first (NRS-AVG)": 6,
    "tr turn-link + invitation.sms-link + first": 6,
    "tr turn-link + invitation.sms-card + first.sms-card": 5,
    "tr turn + invitation.sms-reply + first (PGIC)": 7,
    "en turn + invitation.sms-reply + first (PGIC)": 4,
}
"""Language and text -> segments, where three do not suffice, and why."""


def costs(protocol: Protocol) -> tuple[Cost, ...]:
    return costs_of(protocol, read_frames(paths.templates() / "sms", protocol))


def named(protocol: Protocol) -> dict[str, Cost]:
    return {f"{one.language} {one.name}": one for one in costs(protocol)}


def renamed(protocol: Protocol, **names: str) -> Protocol:
    """Return a protocol whose sites have another short name in some languages."""
    sites = {
        code: replace(site, short_name={**site.short_name, **names}, name={**site.name, **names})
        for code, site in protocol.sites.items()
    }
    return replace(protocol, sites=sites)


@STUDIES
def test_three_segments_carry_every_text_but_those_that_are_named(protocol: Protocol) -> None:
    found = named(protocol)
    assert {name: cost.segments for name, cost in found.items() if cost.segments > LONGER.get(name, LIMIT)} == {}
    assert {name for name, cost in found.items() if cost.too_long} == LONGER.keys()


@STUDIES
def test_english_needs_no_letters_beyond_gsm(protocol: Protocol) -> None:
    assert {name: cost.beyond_gsm for name, cost in named(protocol).items() if name < "f" and cost.beyond_gsm} == {}


@STUDIES
def test_what_operators_in_turkey_append_takes_no_other_segment(protocol: Protocol) -> None:
    cards = {name: cost for name, cost in named(protocol).items() if name.startswith("tr") and ".sms-card" in name}
    appended = "x" * route("twilio", "TR").suffix
    longer = [name for name, cost in cards.items() if segments(cost.body + appended) > cost.segments]
    assert len(cards) == 7
    assert [name for name in longer if not name.startswith("tr turn-link")] == []


@STUDIES
def test_every_text_is_measured_in_every_form_in_which_it_may_be_sent(protocol: Protocol) -> None:
    measured = {name for names in forms(protocol) for name in names}
    # How long the lines are that say where to write hangs on an installation, not on the study.
    by_length = {name for name in required_frames(protocol) if not name.endswith((".email-link", ".whatsapp"))}
    assert measured == by_length - {"reply-to", "reply-to-word"}
    assert {"first", "first.sms-card", "turn", "turn-link"} <= measured
    assert {(cost.language, *cost.frames) for cost in costs(protocol)} == {
        (language, *names) for language in protocol.languages for names in forms(protocol)
    }


def test_a_letter_of_the_sites_name_is_found_with_its_place_and_its_price() -> None:
    found = named(renamed(STUDY, en="Cerrahpaşa Faculty of Medicine"))
    cost = found["en reach-test.sms-reply"]
    assert cost.beyond_gsm == (("ş", "site.IUC.short_name.en"),)
    assert (cost.segments, cost.segments_in_gsm) == (3, 2)
    assert cost in worth_a_look([one for one in found.values() if one.language == "en"])
    dear = {name for name, one in found.items() if name.startswith("en") and one.beyond_gsm}
    assert dear == {f"en {one.name}" for one in costs(STUDY) if one.language == "en" and "Cerrahpasa" in one.body}


def test_each_place_of_a_letter_is_named() -> None:
    cost = named(STUDY)["tr reminder-3.sms-reply (PGIC)"]
    assert {place: letters for letters, place in cost.beyond_gsm} == {
        "": "çı",
        "{closes}": "ğ",
        "site.IUC.short_name.tr": "şı",
        "item.PGIC.question.tr": "İşçğ",
    }


def test_a_name_that_is_the_same_in_every_language_has_no_language_in_its_place() -> None:
    found = named(renamed(STUDY, tr="Çınar", en="Çınar"))
    assert found["en help"].beyond_gsm == (("ı", "site.IUC.name"),)


def test_the_longest_moment_is_in_the_month_and_on_the_weekday_with_most_letters() -> None:
    assert longest_moment("en").split()[::2] == ["Wednesday", "September"]
    assert "ğ" in longest_moment("tr")


# --- who writes ------------------------------------------------------------------------------------------------------


@STUDIES
@LANGUAGES
@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("kind", [*sorted(PROMPTS), contact_test.KIND])
def test_every_text_that_nobody_asked_for_says_who_writes(
    protocol: Protocol, language: str, channel: str, kind: str
) -> None:
    wording = Wording(1, read_frames(paths.templates() / "sms", protocol))
    for site in protocol.sites.values():
        case = case_of(person(site=site, language=language, channel=channel), protocol)
        window = next(window for window in case.current if window.point.prompted)
        frame = contact_test.frame(case) if kind == contact_test.KIND else f"{kind}.{channel}"
        send = Send("k", kind, frame, window_id=window.id, item="NRS-AVG")
        for first in (False, True):
            body = wording.text(case, send, link="https://hospital.example/q/x", first=first)
            # A mail's first line is its subject, which others may see.
            first_words = body.partition("\n\n")[2] if frame.endswith(".email-link") else body
            assert site.short_name[language] in first_words.partition("\n")[0]
        assert frame in unasked_frames(protocol)


def test_replies_do_not_repeat_it() -> None:
    replies = set(required_frames(DEMO)) - set(unasked_frames(DEMO))
    assert replies == {name for name in ALWAYS if not name.startswith("reach-test")}

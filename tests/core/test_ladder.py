"""A ladder of channels as people write it: what it means, and every fault in it."""

import pytest

from pro_service.core import ladder


@pytest.mark.parametrize(
    "text, channels",
    [
        ("sms-reply", ("sms-reply",)),
        ("whatsapp>sms-reply>email-link", ("whatsapp", "sms-reply", "email-link")),
        (" whatsapp > email-link > calls ", ("whatsapp", "email-link")),
    ],
)
def test_a_ladder_is_read_as_it_is_written(text: str, channels: tuple[str, ...]) -> None:
    assert ladder.read(text) == (channels, ())
    assert ladder.read(ladder.written(channels)) == (channels, ())


@pytest.mark.parametrize(
    "text, faults",
    [
        ("calls", ["ladder_only_calls"]),
        ("sms-reply>>email-link", ["ladder_gap"]),
        ("calls>sms-reply", ["ladder_calls_not_last"]),
        ("sms-reply>sms-card", ["ladder_medium_twice"]),
        (
            "watsapp>calls>sms-link>sms-card>",
            ["not_a_channel", "ladder_calls_not_last", "ladder_gap", "ladder_medium_twice"],
        ),
    ],
)
def test_every_fault_of_a_ladder_is_said_at_once(text: str, faults: list[str]) -> None:
    channels, found = ladder.read(text)
    assert (channels, [fault.code for fault in found]) == ((), faults)

"""What a provider's error code means for us: pure data, with a class for unknown codes.

One code has one class and one class one remedy, on both roads: as the answer to a call, and in a delivery report.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "credentials",  # the provider does not know us
    "configuration",  # our account, sender or registration is at fault: no other text would fare better
    "route",  # our sender does not reach this country or operator
    "bad_number",  # the number or address cannot be reached this way
    "opted_out",  # the person said no at the provider
    "template",  # our text is at fault
    "busy",  # the provider or the operator takes no more texts just now
    "daily_limit",  # nor any more today
    "later",  # the telephone was not reached
    "other_channel",  # the telephone takes no texts
    "blocked",  # filtered on the way (in Turkey: an internet address, or the sender)
    "expired",  # too old when its turn came
    "session",  # WhatsApp: needs a template or another channel
    "other",
]

Remedy: TypeAlias = Literal[
    "wait",  # the same text goes again, each time after a longer wait
    "tomorrow",  # the same text goes again a day later
    "stop",  # the channel stops and raises one alarm; the text waits, and no participant gets a task
    "opt_out",  # an opt-out and a task
    "unreachable",  # no more texts to this number, and a task
    "person",  # a task, once for each window
]

_CODES: Mapping[Kind, tuple[int, ...]] = MappingProxyType(
    {
        "credentials": (20003, 20005, 20006),
        "configuration": (
            *(20404, 21212, 21603, 21606, 21608, 21659, 21660, 21701, 21703, 21704),
            *(30002, 30032, 30034),
        ),
        "route": (21408, 21612),
        "bad_number": (21201, 21211, 21214, 21217, 21604, 21614, 21635),
        "opted_out": (21610,),
        "template": (21602, 21605, 21617, 21619, 21656),
        "busy": (429, 20429, 21611, 30001, 30022, 63017, 63018),
        "daily_limit": (30023, 63038),
        "later": (30003, 30008),
        "other_channel": (30005, 30006),
        "blocked": (30004, 30007),
        "expired": (30036,),
        "session": (63003, 63016, 63024, 63049),
    }
)

KIND_BY_CODE: Mapping[int, Kind] = MappingProxyType({code: kind for kind, codes in _CODES.items() for code in codes})

REMEDIES: Mapping[Kind, Remedy] = MappingProxyType(
    {
        "credentials": "stop",
        "configuration": "stop",
        "route": "person",
        "bad_number": "unreachable",
        "opted_out": "opt_out",
        "template": "person",
        "busy": "wait",
        "daily_limit": "tomorrow",
        "later": "person",
        "other_channel": "person",
        "blocked": "person",
        "expired": "person",
        "session": "person",
        "other": "person",
    }
)

_DELIVERY = range(30_000, 31_000)
"""Codes of delivery: the provider takes such a text first, and reports its failure afterwards."""


def kind_of(code: int | None) -> Kind:
    """Return the class of a provider's code, also of a code in a delivery report; `other` for an unknown one."""
    return "other" if code is None else KIND_BY_CODE.get(code, "other")


def number_of(code: str) -> int | None:
    """Return a code as it is stored or reported as a number; None if it is none."""
    return int(code) if code.isascii() and code.isdecimal() else None


def is_of_delivery(code: str) -> bool:
    """Whether a fault with this code shows only after the provider took the text."""
    return number_of(code) in _DELIVERY

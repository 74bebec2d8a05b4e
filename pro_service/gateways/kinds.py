"""Classes of failure and what each calls for: pure data. Which code is of which class stands with its provider."""

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
    "marketing",  # WhatsApp: our template counts as advertising, which is held back from those who get much of it
    "taken",  # the same words were taken before: nothing more goes, for the first ones did
    "other",
]

MARKETING: Kind = "marketing"

Remedy: TypeAlias = Literal[
    "wait",  # the same text goes again, each time after a longer wait
    "tomorrow",  # the same text goes again a day later
    "stop",  # the channel stops and raises one alarm; the text waits, and no participant gets a task
    "opt_out",  # an opt-out and a task
    "unreachable",  # no more texts to this number, and a task
    "person",  # a task, once for each window
    "accepted",  # nothing, if an attempt of ours went before: it was taken; else a task
]

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
        "marketing": "tomorrow",
        "taken": "accepted",
        "other": "person",
    }
)

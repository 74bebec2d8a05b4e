"""What a provider's error code means for us: pure data, with a class for unknown codes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "credentials",  # everything stops, alert
    "configuration",  # this channel stops, alert: no other text would fare better
    "route",  # our sender does not reach this country or operator: a task, and the others go on
    "bad_number",  # the number or address cannot be reached this way: a task
    "opted_out",  # the person said no at the provider: opt-out, a task
    "template",  # our text is at fault: alert
    "busy",  # back off and try again
    "later",  # not reached now: again later in the window
    "other_channel",  # not reachable by this channel
    "blocked",  # filtered on the way: other channel and alert (in Turkey: an internet address, or the sender)
    "expired",  # too old when its turn came: look at the window again
    "session",  # WhatsApp: needs a template or another channel
    "other",
]

_CODES: Mapping[Kind, tuple[int, ...]] = MappingProxyType(
    {
        "credentials": (20003, 20005, 20006),
        "configuration": (20404, 21212, 21603, 21606, 21659, 21660, 21701, 21703, 21704, 30034),
        "route": (21408, 21612),
        "bad_number": (21201, 21211, 21214, 21217, 21604, 21614, 21635),
        "opted_out": (21610,),
        "template": (21602, 21605, 21617, 21619, 21656),
        "busy": (429, 20429, 30001, 63018),
        "later": (30003, 30008),
        "other_channel": (30005, 30006),
        "blocked": (30004, 30007),
        "expired": (30036,),
        "session": (63003, 63016, 63024, 63049),
    }
)

KIND_BY_CODE: Mapping[int, Kind] = MappingProxyType({code: kind for kind, codes in _CODES.items() for code in codes})


def kind_of(code: int | None) -> Kind:
    """Return the class of a provider's code, also of a code in a delivery report; `other` for an unknown one."""
    return "other" if code is None else KIND_BY_CODE.get(code, "other")

"""What Twilio's codes mean, on both roads: as the answer to a call, and in a delivery report.

Source: Twilio, "Error and Warning Dictionary", and its table of WhatsApp's codes. Those from 63000 on are WhatsApp's.
"""

from collections.abc import Mapping
from types import MappingProxyType

from pro_service.gateways.kinds import Kind

_CODES: Mapping[Kind, tuple[int, ...]] = MappingProxyType(
    {
        "credentials": (20003, 20005, 20006),
        "configuration": (
            *(20404, 21212, 21603, 21606, 21608, 21659, 21660, 21701, 21703, 21704),
            *(30002, 30032, 30034, 63001, 63007, 63020, 63022),
        ),
        "route": (21408, 21612),
        "bad_number": (21201, 21211, 21214, 21217, 21604, 21614, 21635),
        "opted_out": (21610, 63014),
        # 63016: free text to somebody who has not written for a day. The others: the template is not as we fill it.
        "template": (
            *(21602, 21605, 21617, 21619, 21654, 21655, 21656),
            *(63005, 63013, 63016, 63021, 63027, 63028, 63029, 63030),
        ),
        "busy": (429, 20429, 21611, 30001, 30022, 63017, 63018),
        "daily_limit": (30023, 63038),
        "later": (30003, 30008),
        "other_channel": (30005, 30006, 63003, 63024, 63032),
        "blocked": (30004, 30007),
        "expired": (30036,),
        "marketing": (63049,),
    }
)

KINDS: Mapping[str, Kind] = MappingProxyType({str(code): kind for kind, codes in _CODES.items() for code in codes})

OF_DELIVERY = frozenset(str(code) for codes in (range(30_000, 31_000), range(63_000, 64_000)) for code in codes)
"""Codes of delivery: the provider takes such a text first, and reports its failure afterwards."""

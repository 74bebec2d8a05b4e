"""What Verimor's words mean: how far a text got, and why one was refused or did not arrive.

Source: Verimor, "SMS API dökümanı", table of codes.
"""

from collections.abc import Mapping
from types import MappingProxyType

from pro_service.gateways.kinds import Kind

STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "SENDING": "sending",
        "WAITING": "sent",  # the operator has it
        "SENT": "sent",  # the operator says nothing more
        "DELIVERED": "delivered",
        "NOT_DELIVERED": "undelivered",
        "EXPIRED": "undelivered",
        "INVALID_DESTINATION_ADDRESS": "undelivered",
        "REJECTED": "undelivered",
        "DOUBLE_SEND_ERROR": "failed",
        "BLACKLISTED_DESTINATION_ADDRESS": "failed",
        "NOT_ALLOWED_BY_IYS": "failed",
        "MISSING_TARIFF": "failed",
        "ROUTE_NOT_AVAILABLE": "failed",
        "NETWORK_NOTCOVERED": "failed",
        "SEND_ERROR": "failed",
        "INTERNATIONAL_DENIED": "failed",
    }
)
"""Its statuses -> ours."""

_WORDS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        "credentials": ("401",),
        "configuration": (
            *("INVALID_SOURCE_ADDRESS", "INSUFFICIENT_CREDITS"),
            # Of commercial texts, which ours never are: the account is set up wrongly.
            *("MISSING_IYS_BRAND_CODE", "AHS_AUTHORIZATION_ERROR", "NO_AHS_BRAND_ERROR"),
        ),
        "route": ("MISSING_TARIFF", "ROUTE_NOT_AVAILABLE", "NETWORK_NOTCOVERED", "INTERNATIONAL_DENIED"),
        "bad_number": ("INVALID_DESTINATION_ADDRESS", "MISSING_DESTINATION_ADDRESS"),
        "opted_out": ("BLACKLISTED_DESTINATION_ADDRESS", "NOT_ALLOWED_BY_IYS"),
        "template": ("413", "MISSING_MESSAGE", "MESSAGE_TOO_LONG", "INVALID_DATACODING", "INVALID_UTF8"),
        "later": ("NOT_DELIVERED", "EXPIRED", "SEND_ERROR"),
        "blocked": ("REJECTED", "FORBIDDEN_MESSAGE"),
        "taken": ("MUKERRER_RAPORLAMA", "DOUBLE_SEND_ERROR"),
    }
)

KINDS: Mapping[str, Kind] = MappingProxyType({word: kind for kind, words in _WORDS.items() for word in words})

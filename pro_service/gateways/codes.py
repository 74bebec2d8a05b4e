"""What a code means for us, whichever provider it is of: one code has one class, and an unknown one has a class too."""

from collections.abc import Mapping
from types import MappingProxyType

from pro_service.gateways import email_codes
from pro_service.gateways.kinds import Kind
from pro_service.gateways.twilio import codes as twilio
from pro_service.gateways.verimor import codes as verimor

KIND_BY_CODE: Mapping[str, Kind] = MappingProxyType({**twilio.KINDS, **verimor.KINDS, **email_codes.KINDS})
"""Codes as they are stored: numbers of one provider, words of another, and HTTP's own. None means two things."""


def kind_of(code: str | int | None) -> Kind:
    """Return the class of a provider's code, as the answer to a call or in a delivery report; `other` if unknown."""
    return KIND_BY_CODE.get(str(code), "other")


def is_of_delivery(code: str) -> bool:
    """Whether a fault with this code shows only after the provider took the text."""
    return code in twilio.OF_DELIVERY

"""What the simulated network refuses and drops: Twilio's checks, its magic numbers, and Turkey."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import phonenumbers

from pro_service.core.texts import contains_address

LONGEST_BODY = 1600
WHATSAPP = "whatsapp:"
"""Before the numbers of messages that are no SMS."""

# Twilio's test credentials: https://www.twilio.com/docs/iam/test-credentials
_MAGIC: Mapping[str, int] = MappingProxyType(
    {
        "+15005550001": 21211,
        "+15005550002": 21612,
        "+15005550003": 21408,
        "+15005550004": 21610,
        "+15005550009": 21614,
    }
)
_MESSAGES: Mapping[int, str] = MappingProxyType(
    {
        20001: "Invalid parameter",
        20003: "Authenticate",
        20009: "Cannot change this resource before delivery is complete",
        20404: "The requested resource was not found",
        20429: "Too Many Requests",
        21211: "Invalid 'To' Phone Number",
        21212: "Invalid 'From' Number",
        21266: "'To' and 'From' number cannot be the same",
        21408: "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
        21602: "Message body is required.",
        21603: "A 'From' phone number is required.",
        21604: "A 'To' phone number is required.",
        21610: "Attempt to send to unsubscribed recipient",
        21612: "The 'To' phone number is not currently reachable via SMS",
        21614: "'To' number is not a valid mobile number",
        21617: "The concatenated message body exceeds the 1600 character limit",
        21655: "The ContentSid is Invalid",
        21656: "The ContentVariables Parameter is invalid",
        21701: "The Messaging Service does not exist",
        30007: "Message filtered",
        63003: "Channel could not find To address",
        63007: "Could not find a Channel with the specified From address",
        63013: "Channel policy violation",
        63014: "Channel message blocked by user action",
        63016: "Failed to send freeform message because you are outside the allowed window",
        63021: "Channel invalid content error",
        63024: "Invalid message recipient",
        63028: "Number of parameters provided does not match the expected number of parameters",
        63049: "Meta chose not to deliver this marketing message",
    }
)
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_SENDER_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_SERVICE = re.compile(r"MG[0-9a-f]{32}")
_NORTHERN_CYPRUS = ("+905338", "+905488")
_FILTERED = 30007


class Refusal(Exception):  # noqa: N818 (an answer, not a fault)
    """Twilio's error answer: its code and the HTTP status it comes with."""

    def __init__(self, code: int, status: int = 400) -> None:
        """Look the words up by the code."""
        super().__init__(code)
        self.code, self.status, self.message = code, status, message_of(code)


def message_of(code: int) -> str:
    """Return an error code in Twilio's words."""
    return _MESSAGES.get(code, "Unknown error")


def check(*, to: str, sender: str, service: str, body: str) -> None:
    """Refuse what Twilio refuses when a message is created; raise Refusal."""
    if not to:
        raise Refusal(21604)
    if not sender and not service:
        raise Refusal(21603)
    if service and not _SERVICE.fullmatch(service):
        raise Refusal(21701)
    if not body:
        raise Refusal(21602)
    if len(body) > LONGEST_BODY:
        raise Refusal(21617)
    if sender and not (is_telephone(sender) or _SENDER_NAME.fullmatch(sender)):
        raise Refusal(21212)
    if not is_telephone(to):
        raise Refusal(21211)
    if to == sender:
        raise Refusal(21266)
    if code := _MAGIC.get(to) or _turkish_refusal(to):
        raise Refusal(code)


def lost_on_the_way(to: str, body: str) -> int | None:
    """Return the error with which an accepted message will not be delivered; None if it will be.

    Turkey drops internet addresses from abroad.
    """
    return _FILTERED if is_turkish(to) and contains_address(body) else None


def is_telephone(number: str) -> bool:
    """Whether this is a possible number in E.164."""
    if not _E164.fullmatch(number):
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:  # no country has this code
        return False


def is_turkish(number: str) -> bool:
    """Whether a number is in Turkey, where people cannot answer a text through Twilio."""
    return number.startswith("+90")


def _turkish_refusal(to: str) -> int | None:
    if not is_turkish(to):
        return None
    if to.startswith(_NORTHERN_CYPRUS):  # parses as Turkish; another network, which is not served
        return 21408
    fixed = phonenumbers.number_type(phonenumbers.parse(to)) == phonenumbers.PhoneNumberType.FIXED_LINE
    return 21614 if fixed else None

"""Telephones as people write them -> E.164, or why this number cannot be written to and what to do."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberType

from pro_service.core.enrolment.cells import CellError
from pro_service.core.replies.folding import plain

Kind = Literal["mobile", "landline"]

_DAMAGED = re.compile(r"[+-]?\d+[.,]?\d*e\+?\d+", re.IGNORECASE | re.ASCII)
_DECIMAL = re.compile(r"\d{9,}[.,]0+", re.ASCII)
_LETTER_O = re.compile(r"(?:(?<=[\d+\s(.-])|^)[oO](?=[\d\s().-]|$)")
_ALLOWED = re.compile(r"\+?[\d\s().\-/\u00a0\u2010-\u2015]+")
_WHOLE = re.compile(r"\+([1-9]\d{6,14})", re.ASCII)
_LONGEST_COUNTRY_CODE = 3
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_LANDLINE = (PhoneNumberType.FIXED_LINE, PhoneNumberType.VOIP, PhoneNumberType.PERSONAL_NUMBER)
_LONGEST = 40
AS_TEXT = "format the column as text in the spreadsheet, then type the number again"
WRITE = "write it with + and the country's code, e.g. +90 532 123 45 67"


@dataclass(frozen=True, slots=True)
class Telephone:
    """A valid number. `country` is the number's own (ISO 3166-1 alpha-2), not the site's."""

    e164: str
    country: str
    kind: Kind


def read(text: str, country: str) -> Telephone:
    """The telephone in a cell; numbers without a country's code are of `country`.

    Raises CellError, which never repeats the number.
    """
    number = _whole(text) or _parsed(text, country)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    kind = phonenumbers.number_type(number)
    _refuse_turkish_services(e164, country)
    # Of unknown type is exactly what `is_valid_number` calls invalid; asking both costs twice.
    if kind == PhoneNumberType.UNKNOWN:
        remedy = f"count its digits and check the country's code; {WRITE}"
        raise CellError("is not a number that exists", remedy)
    if kind not in _MOBILE + _LANDLINE:
        raise CellError("is a service number, nobody's telephone", "give the participant's own mobile number")
    region = phonenumbers.region_code_for_number(number) or country
    return Telephone(e164, region, "mobile" if kind in _MOBILE else "landline")


def _parsed(text: str, country: str) -> PhoneNumber:
    _refuse_damage(text)
    try:
        return phonenumbers.parse(text, country)
    except NumberParseException:
        raise CellError("is not a telephone number", WRITE) from None


def _whole(text: str) -> PhoneNumber | None:
    """What the parser makes of a number in E.164, which a file is full of, in a fifth of its time.

    None for every other text, and for one of whose national part the parser would look for a prefix to take off.
    """
    found = _WHOLE.fullmatch(text)
    if found is None:
        return None
    digits = found[1]
    for length in range(1, _LONGEST_COUNTRY_CODE + 1):
        code, national = int(digits[:length]), digits[length:]
        if code in COUNTRY_CODE_TO_REGION_CODE:
            prefix = _prefix(code)
            as_it_is = national[0] != "0" and (prefix is None or prefix.match(national) is None)
            return PhoneNumber(country_code=code, national_number=int(national)) if as_it_is else None
    return None


@lru_cache(maxsize=256)
def _prefix(country_code: int) -> re.Pattern[str] | None:
    """What is dialled before a national number inside this country."""
    region = COUNTRY_CODE_TO_REGION_CODE[country_code][0]
    known = PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    prefix = None if known is None else known.national_prefix_for_parsing
    return re.compile(prefix) if prefix else None


def _refuse_damage(text: str) -> None:
    """What spreadsheets and typing make of a number, before a lenient reader makes another number of it."""
    if _DAMAGED.fullmatch(text.replace(" ", "")):
        raise CellError("a spreadsheet has cut this number short (as in 9.05E+11): digits are lost", AS_TEXT)
    if _DECIMAL.fullmatch(text):
        raise CellError("a spreadsheet has made a decimal number of it", AS_TEXT)
    if _LETTER_O.search(text):
        raise CellError("holds the letter O where a digit should be", "write the digit 0 (zero)")
    if len(text) > _LONGEST or not _ALLOWED.fullmatch(text):
        several = any(mark in text for mark in ",;") or " veya " in f" {plain(text)} " or " or " in f" {plain(text)} "
        fault = "holds more than one number" if several else "holds characters that no telephone number has"
        raise CellError(fault, f"give one number of digits; {WRITE}")


def _refuse_turkish_services(e164: str, country: str) -> None:
    if e164.startswith("+90850"):
        raise CellError("0850 is a company's number: it takes no texts", "give the participant's own mobile number")
    if e164.startswith("+90444") or (country == "TR" and e164.startswith("+444")):
        raise CellError("444 is a company's number: it takes no texts", "give the participant's own mobile number")

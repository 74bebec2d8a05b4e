"""Telephones as people write them -> E.164, or why this number cannot be written to and what to do."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import phonenumbers
from babel import Locale
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberType

from pro_service.core.enrolment.cells import CellError, says_none
from pro_service.core.problems import Country
from pro_service.core.protocol import Protocol
from pro_service.core.replies.folding import plain, visible

Kind = Literal["mobile", "landline"]

_DAMAGED = re.compile(r"[+-]?\d+[.,]?\d*e\+?\d+", re.IGNORECASE | re.ASCII)
_DECIMAL = re.compile(r"\d{9,}[.,]0+", re.ASCII)
_SEVERAL = re.compile(r"[+(]?(?:\d[ ().-]*){7,}/[ ]*[+(]?(?:\d[ ().-]*){7,}", re.ASCII)
_LETTER_O = re.compile(r"(?:(?<=[\d+\s(.-])|^)[oO](?=[\d\s().-]|$)")
_ALLOWED = re.compile(r"\+?[\d\s().\-/\u00a0\u2010-\u2015]+")
_WHOLE = re.compile(r"\+([1-9]\d{6,14})", re.ASCII)
_NO_DIGIT = re.compile(r"\D+", re.ASCII)
_LONGEST_COUNTRY_CODE = 3
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_LANDLINE = (PhoneNumberType.FIXED_LINE, PhoneNumberType.VOIP, PhoneNumberType.PERSONAL_NUMBER)
_LONGEST = 40
_NEIGHBOURS = (
    (33, 262, 590, 594, 596, 508, 687, 689, 681),
    (39, 378),
    (41, 423),
    (45, 298, 299),
    (381, 383),
)
"""Codes of countries that write their numbers alike, and whose codes are easily mistaken for one another.

Those that share one code (44, 1, 7, 47, 358) are told apart by their digits, and so is their country.
"""


@dataclass(frozen=True, slots=True)
class Telephone:
    """A valid number. `country` is the number's own (ISO 3166-1 alpha-2), not the site's."""

    e164: str
    country: str
    kind: Kind


def of_the_study(senders: Collection[str], protocol: Protocol) -> frozenset[str]:
    """Return the study's own numbers: the senders of texts, and the telephones of its sites."""
    given = [*senders, *(site.telephone for site in protocol.sites.values())]
    return frozenset("+" + _NO_DIGIT.sub("", one) for one in given if one and one.startswith("+"))


def read(text: str, country: str, own: Collection[str] = ()) -> Telephone:
    """The telephone in a cell; numbers without a country's code are of `country`. `own`: those `of_the_study`.

    Raises CellError, which never repeats the number.
    """
    # The library knows the blanks of a typewriter; French ones are narrow.
    text = " ".join(visible(text).split())
    number = _whole(text) or _parsed(text, country)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if e164 in own:
        raise CellError("phone_of_study")
    kind = phonenumbers.number_type(number)
    _refuse_turkish_services(e164, country)
    if kind not in _MOBILE:
        _refuse_neighbours(number, kind)
    # Of unknown type is exactly what `is_valid_number` calls invalid; asking both costs twice.
    if kind == PhoneNumberType.UNKNOWN:
        raise CellError("phone_does_not_exist")
    if kind not in _MOBILE + _LANDLINE:
        raise CellError("phone_service")
    region = phonenumbers.region_code_for_number(number) or country
    return Telephone(e164, region, "mobile" if kind in _MOBILE else "landline")


def grouped(e164: str) -> str:
    """Return a number in groups, as people read it out: `+90 532 123 45 67`."""
    return phonenumbers.format_number(phonenumbers.parse(e164), phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _parsed(text: str, country: str) -> PhoneNumber:
    _refuse_damage(text)
    try:
        return phonenumbers.parse(text, country)
    except NumberParseException:
        raise CellError("not_a_phone") from None


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
    if not any(sign.isdigit() for sign in text) and says_none(text):
        raise CellError("phone_none")
    if _SEVERAL.fullmatch(text):
        raise CellError("phone_several")
    if _DAMAGED.fullmatch(text.replace(" ", "")):
        raise CellError("phone_cut_short")
    if _DECIMAL.fullmatch(text):
        raise CellError("phone_decimal")
    if _LETTER_O.search(text):
        raise CellError("phone_letter_o")
    if len(text) > _LONGEST or not _ALLOWED.fullmatch(text):
        several = any(mark in text for mark in ",;") or " veya " in f" {plain(text)} " or " or " in f" {plain(text)} "
        raise CellError("phone_several" if several else "phone_characters")


def _refuse_turkish_services(e164: str, country: str) -> None:
    if e164.startswith("+90850"):
        raise CellError("phone_0850")
    if e164.startswith("+90444") or (country == "TR" and e164.startswith("+444")):
        raise CellError("phone_444")


def _refuse_neighbours(number: PhoneNumber, kind: int) -> None:
    """Refuse a number that is no mobile number of its country, but would be one of another country."""
    own = number.country_code or 0
    digits = phonenumbers.national_significant_number(number)
    found = dict[int, str]()
    for code in next((codes for codes in _NEIGHBOURS if own in codes), ()):
        # Inside France +508 55 12 34 is dialled 05 08 55 12 34.
        country = _country_of(f"+{digits}", _MOBILE) if digits.startswith(str(code)) else ""
        if kind == PhoneNumberType.UNKNOWN:
            country = country or _country_of(f"+{code}{digits}", _MOBILE + _LANDLINE)
        if country and code != own:
            found[code] = country
    if found:
        raise CellError(
            "phone_of_neighbour",
            country=_named(phonenumbers.region_code_for_country_code(own)),
            others=tuple(map(_named, found.values())),
            prefixes=tuple(f"+{code}" for code in found),
        )


def _country_of(e164: str, kinds: tuple[int, ...]) -> str:
    """Return the country of this number, if it is of one of these kinds; else nothing."""
    number = phonenumbers.parse(e164, None)
    return phonenumbers.region_code_for_number(number) or "" if phonenumbers.number_type(number) in kinds else ""


def _named(country: str) -> Country:
    return Country(country, str(Locale("en").territories.get(country, country)))

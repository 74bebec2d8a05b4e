"""The emergency number of each country, as data.

Source: libphonenumber's ShortNumberMetadata (`phonenumbers` 9, read 2026-11), which lists each country's numbers but
not what each is for. If a country has 112, that is taken, unless people there are told another one. A country without
112 stands here only with its one general number or that of the ambulance. A study file may name another number
(`emergency` at a site), and should if the country is in neither list.
"""

import re
from collections.abc import Iterator

USUAL = "112"
"""Also used where the country's own number is not known, because GSM telephones put it through."""

_OTHERS = {
    "000": "AU CC CX",
    "03": "TM",
    "101": "PS",
    "102": "AF",
    "103": "AM KG MN",
    "104": "CU",
    "111": "NZ",
    "115": "VN",
    "118": "SM",
    "119": "JP KH KR TW",
    "120": "CN",
    "122": "IQ",
    "123": "CO EG",
    "131": "CL",
    "15": "GF GP MF NC PF PM WF",
    "1669": "TH",
    "18": "BL",
    "190": "TN",
    "191": "YE",
    "192": "BR",
    "195": "LA",
    "911": (
        "AG AI AR AS AW BB BM BS BZ CA CR CW DM DO EC FJ FM GD GU JM KN KY LC LR MH MP MS MX PA PH PR PW PY SV TC TO "
        "TV US UY VC VE VG VI WS"
    ),
    "991": "BN",
    "995": "SG",
    "999": "BD BH FK GB GG HK IM JE KE MO MY QA SB SC SD SL SS SZ UG",
    "9999": "OM",
}
_112 = (
    "AD AE AL AO AT AX AZ BE BG BI BJ BQ BT BW BY CH CY CZ DE DK DZ EE ER ES FI FO FR GE GI GL GR HR HU ID IE IL IN IR "
    "IS IT JO KP KW KZ LB LI LK LS LT LU LV MC MD ME MK MQ MT NL NO NP NR PK PL PT RE RO RS RU RW SA SE SI SJ SK ST SY "
    "TJ TL TR TZ UA VA VU XK YT ZA ZM ZW"
)
_NUMBERS = {country: number for number, countries in _OTHERS.items() for country in countries.split()} | dict.fromkeys(
    _112.split(), USUAL
)
_SHORT_NUMBER = re.compile(r"(?<![\d{+-])\d{3,4}(?![\d}-])", re.ASCII)


def number_in(country: str) -> str | None:
    """Return the emergency number of a country (ISO 3166-1 alpha-2); None where it is not known."""
    return _NUMBERS.get(country.upper())


def named(text: str) -> Iterator[tuple[str, int]]:
    """Yield every emergency number of some country that a text names, with where it stands; none of two digits."""
    known = set(_NUMBERS.values())
    for found in _SHORT_NUMBER.finditer(text):
        if found[0] in known:
            yield found[0], found.start()

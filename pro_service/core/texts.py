"""SMS texts: encoding, segments, frames with placeholders, internet addresses, masked numbers.

Alphabet and segment sizes: 3GPP TS 23.038 (GSM 03.38) and TS 23.040.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

Encoding = Literal["GSM-7", "UCS-2"]

_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
)
_GSM_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Characters sent as an escape and a second septet."""
_GSM = _GSM_BASIC | _GSM_EXTENSION

_SIZES: Mapping[Encoding, tuple[int, int]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
"""Units in a text that fits one segment, and in each segment of a longer one."""

_LAST_BASIC_PLANE = 0xFFFF


def encoding(text: str) -> Encoding:
    """Return how a text travels. One `ş`, `ğ`, `ı`, `İ` or small `ç` makes all of it UCS-2."""
    return "GSM-7" if set(text) <= _GSM else "UCS-2"


def units(text: str) -> int:
    """Count septets (GSM-7) or 16-bit units (UCS-2) of a text."""
    return sum(_widths(text, encoding(text)))


def segments(text: str) -> int:
    """Count the segments that are paid for; an empty text has none.

    A character of two units is never split: the segment before it stays one unit short.
    """
    used = encoding(text)
    whole, part = _SIZES[used]
    if _single(text, used):
        return -(-len(text) // part) if len(text) > whole else min(len(text), 1)
    widths = _widths(text, used)
    if sum(widths) <= whole:
        return 1 if text else 0
    count, filled = 1, 0
    for width in widths:
        if filled + width > part:
            count, filled = count + 1, 0
        filled += width
    return count


def _single(text: str, used: Encoding) -> bool:
    """Whether every character is one unit wide, as in nearly every text."""
    return _GSM_EXTENSION.isdisjoint(text) if used == "GSM-7" else ord(max(text, default=" ")) <= _LAST_BASIC_PLANE


def _widths(text: str, used: Encoding) -> list[int]:
    if used == "GSM-7":
        return [2 if c in _GSM_EXTENSION else 1 for c in text]
    return [2 if ord(c) > _LAST_BASIC_PLANE else 1 for c in text]


class FrameError(ValueError):
    """A frame of a text cannot be filled; `name` is the placeholder or brace at fault, `place` where a brace stands."""

    def __init__(self, name: str, fault: str, place: int = 0) -> None:
        """Keep the placeholder's name and place beside the sentence about it."""
        super().__init__(fault)
        self.name, self.place = name, place


_BRACES = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]*)\}|[{}]")


@lru_cache(maxsize=1024)
def placeholders(frame: str) -> frozenset[str]:
    """Return the names a frame asks for; raise FrameError for a brace that belongs to no placeholder."""
    names = []
    for found in _BRACES.finditer(frame):
        if found[0] in {"{", "}"}:
            raise FrameError(
                found[0],
                f"{found[0]!r} at character {found.start() + 1} belongs to no {{placeholder}}: "
                "small letters make one, two braces a brace",
                found.start() + 1,
            )
        if found[1]:
            names.append(found[1])
    return frozenset(names)


def fill(frame: str, values: Mapping[str, str]) -> str:
    """Return a frame with its `{name}` placeholders filled; `{{` and `}}` are literal braces.

    Values are not read again for placeholders; values the frame does not name are left out. Raise FrameError for a
    placeholder without a value, and for a stray brace.
    """
    missing = sorted(placeholders(frame) - values.keys())
    if missing:
        named = ", ".join(f"{{{name}}}" for name in missing)
        raise FrameError(missing[0], f"no value for {named}")

    def put(found: re.Match[str]) -> str:
        return values[found[1]] if found[1] else found[0][0]

    return _BRACES.sub(put, frame)


_TOP_LEVEL = (
    " "
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca "
    "cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo "
    "fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it "
    "je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn "
    "mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps "
    "pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj "
    "tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw academy agency "
    "aero app arpa art asia bio biz blog care center chat city clinic click cloud club com company coop dental "
    "design dev digital doctor edu email education expert foundation fyi global gov group guru health healthcare "
    "help hospital host info ink institute int jobs life link live local localhost ltd medical mil mobi museum "
    "name net network news one online onl org page plus pro rest science services shop site social software "
    "solutions space store study support surgery systems tech technology today tools top vip website wiki work "
    "works world xyz zone "
)
"""Endings of internet names: all country codes and the general ones met in texts."""

_ENDING = re.compile(r"(?<=\w)\.(xn--[a-z0-9-]{1,59}|[a-z]{2,24})(?![\w-])")
_FOUR_NUMBERS = re.compile(
    r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]*\d)",
)


def contains_address(text: str) -> bool:
    """Whether a text holds an internet address: web, e-mail, bare name or IPv4.

    For routes that drop such texts, so it finds one too many rather than one too few: `metin.Info` without a space
    counts (telephones and filters see a name there as well), `Prof.Dr.` and `12.30` do not.
    """
    folded = unicodedata.normalize("NFKC", text).replace("İ", "i").lower()
    if "://" in folded or re.search(r"(?<!\w)www\.", folded):
        return True
    named = any(f" {found[1]} " in _TOP_LEVEL or found[1].startswith("xn--") for found in _ENDING.finditer(folded))
    return named or _FOUR_NUMBERS.search(folded) is not None


_E164 = re.compile(r"\+([1-9][0-9]{4,14})")
_ONE_DIGIT_CODES = " 1 7 "
_TWO_DIGIT_CODES = (
    " "
    "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 "
    "86 90 91 92 93 94 95 98 "
)
"""Country calling codes of one and two digits; every other has three (ITU-T E.164 annex)."""

_LONG_ENOUGH = 8  # national digits; of a shorter number only the last two are shown


def masked(e164: str) -> str:
    """Return a number that its owner recognises and nobody can dial: `+90 5•• ••• 12 34`.

    Country code, first national digit and last four; anything that is not E.164 shows nothing.
    """
    found = _E164.fullmatch(e164)
    if found is None:
        return "•••"
    code, national = _split_code(found[1])
    if len(national) < _LONG_ENOUGH:
        return f"+{code} {'•' * (len(national) - 2)} {national[-2:]}"
    hidden = national[0] + "•" * (len(national) - 5)
    groups = [hidden[at : at + 3] for at in range(0, len(hidden), 3)]
    return " ".join((f"+{code}", *groups, national[-4:-2], national[-2:]))


def _split_code(digits: str) -> tuple[str, str]:
    lengths = (
        length for length, codes in ((1, _ONE_DIGIT_CODES), (2, _TWO_DIGIT_CODES)) if f" {digits[:length]} " in codes
    )
    length = next(lengths, 3)
    return digits[:length], digits[length:]

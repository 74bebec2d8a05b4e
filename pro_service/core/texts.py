"""SMS texts: encoding, segments, frames with placeholders, internet addresses, masked numbers.

Alphabets and segment sizes: 3GPP TS 23.038 (GSM 03.38) and TS 23.040.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

Encoding = Literal["GSM-7", "Turkish", "UCS-2"]
Charset = Literal["gsm", "turkish"]
"""What a provider knows beside UCS-2: the default alphabet alone, or the Turkish table too."""

_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
)
_GSM_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Characters sent as an escape and a second septet, by either table."""
_GSM = _GSM_BASIC | _GSM_EXTENSION

_TURKISH = (_GSM - frozenset("èìØøÆæ¡¿")) | frozenset("ŞşĞğçıİ")
"""The Turkish locking shift table (3GPP TS 23.038, A.3.1): seven letters and the euro take the places of eight."""
_SIZES: Mapping[Encoding, tuple[int, int]] = {"GSM-7": (160, 153), "Turkish": (155, 149), "UCS-2": (70, 67)}
"""Units in a text that fits one segment, and in each segment of a longer one."""

_LAST_BASIC_PLANE = 0xFFFF


def encoding(text: str, charset: Charset = "gsm") -> Encoding:
    """Return how a text travels. One `ş`, `ğ`, `ı`, `İ` or small `ç` makes all of it UCS-2, or Turkish where known."""
    used = set(text)
    if used <= _GSM:
        return "GSM-7"
    return "Turkish" if charset == "turkish" and used <= _TURKISH else "UCS-2"


def beyond_gsm(text: str) -> str:
    """Return the characters that make a text UCS-2 where only GSM-7 is known, each once; none if it travels so."""
    return "".join(dict.fromkeys(character for character in text if character not in _GSM))


def units(text: str, charset: Charset = "gsm") -> int:
    """Count septets (GSM-7, Turkish) or 16-bit units (UCS-2) of a text."""
    return sum(_widths(text, encoding(text, charset)))


def segments(text: str, charset: Charset = "gsm") -> int:
    """Count the segments that are paid for; an empty text has none.

    A character of two units is never split: the segment before it stays one unit short.
    """
    used = encoding(text, charset)
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
    if used == "UCS-2":
        return ord(max(text, default=" ")) <= _LAST_BASIC_PLANE
    return _GSM_EXTENSION.isdisjoint(text)


def _widths(text: str, used: Encoding) -> list[int]:
    if used == "UCS-2":
        return [2 if ord(c) > _LAST_BASIC_PLANE else 1 for c in text]
    return [2 if c in _GSM_EXTENSION else 1 for c in text]


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


def values_in(frame: str, text: str) -> Mapping[str, str] | None:
    """Return what fills a frame in a text that it made; None if it did not make it.

    Where a text can be read in several ways, each of them makes the same text of the frame again.
    """
    pattern, known, place = "", set[str](), 0
    for found in _BRACES.finditer(frame):
        pattern += re.escape(frame[place : found.start()])
        name, place = found[1], found.end()
        pattern += re.escape(found[0][0]) if not name else f"(?P={name})" if name in known else f"(?P<{name}>.*?)"
        known.add(name)
    made = re.fullmatch(pattern + re.escape(frame[place:]), text, re.DOTALL)
    return None if made is None else made.groupdict()


def in_one_line(text: str) -> str:
    """Return a text with one space wherever it has any number of spaces and line breaks."""
    return " ".join(text.split())


_BESIDE_THE_ROOT = frozenset({"local", "localhost", "onion"})
"""Endings that lead somewhere and are not in the root zone."""


@lru_cache(maxsize=1)
def _top_level() -> frozenset[str]:
    """Return the endings of internet names, those in other alphabets in both forms (RFC 3492).

    Source: IANA, https://data.iana.org/TLD/tlds-alpha-by-domain.txt, kept beside this module.
    """
    # Not by importlib.resources, which costs every process 3 MB.
    lines = Path(__file__).with_name("tlds-alpha-by-domain.txt").read_text(encoding="ascii").lower().split("\n")
    listed = {line for line in lines if line and not line.startswith("#")}
    native = {
        _folded(line.removeprefix("xn--").encode().decode("punycode")) for line in listed if line.startswith("xn--")
    }
    return _BESIDE_THE_ROOT | listed | native


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("İ", "i").lower()


_MARKS = r"\u0300-\u036f\u0900-\u0dff\u0e00-\u0eff"
"""Vowels and accents that some alphabets write as characters of their own: `\\w` leaves them out."""
_ENDING = re.compile(
    rf"(?<=[\w{_MARKS}])[.\u3002](xn--[a-z0-9-]{{1,59}}|(?:(?![\d_])[\w{_MARKS}]){{2,24}})(?![\w{_MARKS}-])"
)
_FOUR_NUMBERS = re.compile(
    r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]*\d)",
)


def contains_address(text: str) -> bool:
    """Whether a text holds an internet address: web, e-mail, bare name or IPv4.

    For routes that drop such texts, so it finds one too many rather than one too few: `metin.Info` without a space
    counts (telephones and filters see a name there as well), `Prof.Dr.` and `12.30` do not.
    """
    folded = _folded(text)
    if "://" in folded or re.search(r"(?<!\w)www\.", folded):
        return True
    named = any(found[1] in _top_level() or found[1].startswith("xn--") for found in _ENDING.finditer(folded))
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


def masked_address(address: str) -> str:
    """Return an e-mail address that its owner recognises and nobody can write to: `a•••@e•••.org`."""
    name, _, domain = address.rpartition("@")
    first, _, last = domain.rpartition(".")
    return f"{name[:1]}•••@{first[:1]}•••.{last}"


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

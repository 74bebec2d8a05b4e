"""The personal code on a participant's card: its characters, how it is printed, and how what people type is read.

A code has twelve characters, so many that nobody has to be kept from typing: see `core/throttle`. Cards of earlier
releases have eight, and work until they are printed again.
"""

import re
import unicodedata
from typing import Literal, TypeAlias

SIGNS = "23456789ACDEFHJKMNPRTVWXY"
LENGTH = 12
CODES: int = len(SIGNS) ** LENGTH
"""How many codes there are: 6.0 × 10¹⁶."""
SHORT = 8
"""Signs of the codes that earlier releases made."""
SHORT_CODES: int = len(SIGNS) ** SHORT
"""How many of those there are: 1.5 × 10¹¹."""

GROUP = 4
LONGEST_TYPED = 64
"""Characters looked at; normalizing costs time, and no code with spaces is longer."""

CodeFault: TypeAlias = Literal["empty", "length", "sign"]

# What is read for it on paper, and what a Cyrillic or Greek keyboard writes that looks the same.
_LOOK_ALIKES = str.maketrans(
    {"B": "8", "G": "6", "S": "5", "Z": "2", "U": "V", "0": "D", "O": "D", "Q": "D", "Đ": "D", "Ø": "D"}
)
_CYRILLIC = str.maketrans("АВСЕЗНІЈКМОРЅТУХ", "ABCE3HIJKMOPSTYX")
_GREEK = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX")
_LABEL = re.compile(r"\W*(?:(?:YOUR|MY|CARD|KART|KARTINIZDAKI) +)*(?:CODE|KOD(?:U|UM|UNUZ)?)(?: +IS)?[\s:=.-]+")
"""What people write before their code, as it stands on the card. No card has an O."""
_SIGNS = frozenset(SIGNS)


class CodeError(ValueError):
    """What was typed cannot be a code: empty, too short or too long, or a character that no card has."""

    def __init__(self, fault: CodeFault, signs: int = 0) -> None:
        super().__init__(fault)
        self.fault = fault
        self.signs = signs
        """How many were typed."""


def code_of(number: int, length: int = LENGTH) -> str:
    """Return the code with this number, from 0 to one less than there are of this length."""
    if not 0 <= number < len(SIGNS) ** length:
        raise ValueError("a code's number is from 0 to one less than there are")
    signs = []
    for _ in range(length):
        number, sign = divmod(number, len(SIGNS))
        signs.append(SIGNS[sign])
    return "".join(signs)


def is_short(code: str) -> bool:
    """Whether this is a code of an earlier release."""
    return len(code) == SHORT


def code_text(code: str) -> str:
    """Return a code as people read it, in groups of four: `K7MN 2X4R 9ACD`."""
    return " ".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def read_code(typed: str) -> str:
    """Return the code that was typed, in any case, with spaces, dashes, brackets, a word before it or look-alikes.

    Raise CodeError if it is none.
    """
    text = _folded(typed[:LONGEST_TYPED])
    signs = [sign for sign in _LABEL.sub("", text, count=1) if not _separates(sign)]
    if not signs:
        raise CodeError("empty")
    code = "".join(signs).translate(_LOOK_ALIKES)
    if not _SIGNS.issuperset(code):
        raise CodeError("sign")
    if len(code) not in (LENGTH, SHORT):
        raise CodeError("length", len(code))
    return code


def _folded(text: str) -> str:
    """Return capital letters without accents, and ASCII digits: a Turkish keyboard writes ş for s and İ for i."""
    bare = (c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) not in {"Mn", "Me", "Cf"})
    digits = (c if (value := unicodedata.decimal(c, None)) is None else str(value) for c in bare)
    return "".join(digits).upper().translate(_CYRILLIC).translate(_GREEK)


def _separates(sign: str) -> bool:
    """Whether a character only separates others: a space, a dash, a bracket, a point, a quotation mark."""
    return sign.isspace() or sign in "._,:;'\"*/|\u2212" or unicodedata.category(sign) in {"Pd", "Ps", "Pe", "Pi", "Pf"}

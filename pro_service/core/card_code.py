"""The personal code on a participant's card: its characters, how it is printed, and how what people type is read."""

import unicodedata
from typing import Literal, TypeAlias

SIGNS = "23456789ACDEFHJKMNPRTVWXY"
LENGTH = 8
CODES: int = len(SIGNS) ** LENGTH
"""How many codes there are: 1.5 × 10¹¹."""

GROUP = 4
LONGEST_TYPED = 64
"""Characters looked at; normalizing costs time, and no code with spaces is longer."""

CodeFault: TypeAlias = Literal["empty", "length", "sign"]

_LOOK_ALIKES = str.maketrans({"B": "8", "G": "6", "S": "5", "Z": "2", "U": "V", "0": "D", "O": "D", "Q": "D"})
_SIGNS = frozenset(SIGNS)


class CodeError(ValueError):
    """What was typed cannot be a code: empty, too short or too long, or a character that no card has."""

    def __init__(self, fault: CodeFault) -> None:
        super().__init__(fault)
        self.fault = fault


def code_of(number: int) -> str:
    """Return the code with this number, from 0 to `CODES` - 1."""
    if not 0 <= number < CODES:
        raise ValueError("a code's number is from 0 to CODES - 1")
    signs = []
    for _ in range(LENGTH):
        number, sign = divmod(number, len(SIGNS))
        signs.append(SIGNS[sign])
    return "".join(signs)


def code_text(code: str) -> str:
    """Return a code as people read it, in groups of four: `K7MN 2X4R`."""
    return " ".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def read_code(typed: str) -> str:
    """Return the code that was typed, in any case, with spaces, dashes or look-alikes.

    Raise CodeError if it is none.
    """
    signs = [sign for sign in _folded(typed[:LONGEST_TYPED]) if not _separates(sign)]
    if not signs:
        raise CodeError("empty")
    code = "".join(signs).translate(_LOOK_ALIKES)
    if not _SIGNS.issuperset(code):
        raise CodeError("sign")
    if len(code) != LENGTH:
        raise CodeError("length")
    return code


def _folded(text: str) -> str:
    """Return capital letters without accents, and ASCII digits: a Turkish keyboard writes ş for s and İ for i."""
    bare = (c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) not in {"Mn", "Me", "Cf"})
    digits = (c if (value := unicodedata.decimal(c, None)) is None else str(value) for c in bare)
    return "".join(digits).upper()


def _separates(sign: str) -> bool:
    """Whether a character only separates others: a space, a dash, a point, an underscore."""
    return sign.isspace() or sign in "._,:" or unicodedata.category(sign) == "Pd" or sign == "\u2212"

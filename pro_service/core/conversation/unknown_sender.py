"""A text from a telephone that no participant has: whether it gets the one neutral answer, and in which language."""

import re
from collections.abc import Sequence
from datetime import timedelta

from pro_service.core.replies import reading

ONCE = timedelta(hours=24)
"""At most one answer a number in this time: two machines never talk to each other."""
KIND = "stranger"
FRAME = "unknown-sender"
_TELEPHONE = re.compile(r"\+[1-9][0-9]{7,14}")
"""E.164; no short code and no name of a company, for nobody reads an answer there."""
_COUNTRY_LANGUAGE = {"+90": "tr"}
OTHERWISE = "en"


def read_meaning(text: str, media: int) -> str:
    """Return how an unknown sender's text is read.

    A stop and a start hold for the number; of all other texts only the kind matters.
    """
    return type(reading.read(text, OTHERWISE, item_min=0, item_max=10, media=media)).__name__


def may_answer(number: str, meaning: str, *, stopped: bool, answered: bool) -> bool:
    """Whether the neutral answer may be sent.

    `stopped`: this number's last such text was a stop; `answered`: it got its answer within ONCE.
    """
    silent = meaning in ("OptOut", "OptIn", "OptOutMentioned", "Tapback", "Automatic", "WrongNumber")
    return not (silent or stopped or answered) and _TELEPHONE.fullmatch(number) is not None


def language(number: str, known: Sequence[str]) -> str:
    """Return the language of a number's country if there are texts in it; else the study's first."""
    wanted = next((code for prefix, code in _COUNTRY_LANGUAGE.items() if number.startswith(prefix)), OTHERWISE)
    return wanted if wanted in known else known[0]

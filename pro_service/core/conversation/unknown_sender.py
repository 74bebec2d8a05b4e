"""A text from a telephone that nobody in a study has: whether it gets the one neutral answer, and in which language."""

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
    """How a stranger's text is read: a stop and a start hold for the number, of the rest only the kind matters."""
    return type(reading.read(text, OTHERWISE, item_min=0, item_max=10, media=media)).__name__


def may_answer(number: str, meaning: str, *, stopped: bool, answered: bool) -> bool:
    """The gate of the neutral answer.

    `stopped`: this number's last word on it was a stop; `answered`: it had its answer within ONCE.
    """
    silent = meaning in ("OptOut", "OptIn", "OptOutMentioned", "Tapback", "Automatic", "WrongNumber")
    return not (silent or stopped or answered) and _TELEPHONE.fullmatch(number) is not None


def language(number: str, known: Sequence[str]) -> str:
    """The language of a number's country, as far as there are texts in it."""
    wanted = next((code for prefix, code in _COUNTRY_LANGUAGE.items() if number.startswith(prefix)), OTHERWISE)
    return wanted if wanted in known else known[0]

"""One telephone that several participants use: who is asked next, and who sent a text.

One conversation at a time: the next participant is asked once the one before has finished, or has not answered for so
long that their turn is over. A number is nobody's answer unless it is clear who sent it.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from pro_service.core.case import PENDING, REPLIED, Case, MessageFacts, Other, WindowFacts
from pro_service.core.conversation.answers import CORRECTION
from pro_service.core.protocol import CONVERSING
from pro_service.core.replies.folding import plain
from pro_service.core.replies.number_words import SMALL_NUMBERS
from pro_service.core.schedule.prompts import may_prompt

TURN = timedelta(hours=3)
"""How long an unanswered question keeps the telephone: on one day both can be asked inside contact hours."""
LARGEST_ANSWER = 100
"""No study asks for a number beyond it."""
WHICH_PARTICIPANT = "which-participant"
"""Asks who sent a text that may be anybody's who uses the telephone."""
_FAILED = frozenset({"undelivered", "failed", "refused", "expired", "cancelled", "dead"})


def seen_by_others(case: Case) -> Other:
    """Return what the rules of the others on this telephone need to know of this participant."""
    person = case.participant
    if person.asked_by not in CONVERSING:
        return Other(person.id, person.code, study=case.protocol.study)
    kept, leaving = list[datetime](), list[datetime]()
    for window in case.current:
        if not window.point.prompted:
            continue
        # Who has just answered may correct it, and their number would be taken for the next one's.
        kept += [a.received_at + CORRECTION for a in window.answers.values() if a.source in REPLIED]
        for text in _open_questions(case, window):
            kept.append(min((text.accepted_at or text.queued_at) + TURN, window.span.closes_at))
            if text.state in PENDING and text.accepted_at is None:
                leaving.append(min(text.useful_until or window.span.closes_at, window.span.closes_at))
    until, leaving_until = max(kept, default=None), max(leaving, default=None)
    return Other(person.id, person.code, until, leaving_until, case.protocol.study)


def _open_questions(case: Case, window: WindowFacts) -> list[MessageFacts]:
    """Return the texts that ask something in a window that still wants answers, if they left or may leave.

    Also those that left before it opened, by a wrong clock: whoever reads one may answer it.
    """
    if not may_prompt(case, window, window.span.opens_at):
        return []
    about = {one.id for one in case.windows if one.code == window.code}
    return [m for m in case.messages if m.window_id in about and m.item is not None and m.state not in _FAILED]


# What participants on one telephone are called ------------------------------------------------------------------------


def names_on_phone(case: Case) -> tuple[str, ...]:
    """Return what each participant on this telephone is called in texts, this one first."""
    others = ((other.study, other.code) for other in case.others)
    return names(((case.protocol.study, case.participant.code), *others))


def names(people: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return for each (study, code) the words that answers begin with.

    That is the code: with `#` where it could be an answer, after its study where another study gave the same code.
    """
    written = [_letters_and_digits(code) for _, code in people]
    return tuple(_name(study, code, people, written) for study, code in people)


def _name(study: str, code: str, people: Sequence[tuple[str, str]], written: Sequence[str]) -> str:
    mine = _letters_and_digits(code)
    if any(theirs == mine and other != study for (other, _), theirs in zip(people, written, strict=True)):
        return f"{study} {code}"
    return f"#{code}" if _could_be_answer(code, LARGEST_ANSWER) else code


def owners_named(text: str, cases: Sequence[Case]) -> tuple[tuple[int, ...], str]:
    """Return the places of those whose words a text may be by what it begins with, and the rest of it.

    One place if it begins with a name; several if it begins with a code that two studies gave; all of them and the
    whole text if it begins with none.
    """
    people = [(case.protocol.study, case.participant.code) for case in cases]
    largest = max((item.maximum for case in cases for item in case.protocol.items.values()), default=LARGEST_ANSWER)
    said = addressed(text, names(people), largest)
    if said is not None:
        return (said[0],), said[1]
    twins = [place for place, (_, code) in enumerate(people) if addressed(text, (code,), largest) is not None]
    if len({_letters_and_digits(people[place][1]) for place in twins}) == 1:
        shared = addressed(text, (people[twins[0]][1],), largest)
        return tuple(twins), text if shared is None else shared[1]
    return tuple(range(len(cases))), text


def addressed(text: str, called: Sequence[str], largest: int = LARGEST_ANSWER) -> tuple[int, str] | None:
    """Return (place, rest) of a text that begins with exactly one of these names; None for any other text.

    `largest`: the largest number that may be an answer. A code that may be one as well begins with `#` or "no".
    """
    # To make a pattern takes longer than the rest of reading a text, and most texts hold no code.
    near = [(n, name) for n, name in enumerate(called) if _holds_numbers_of(name, text)]
    found = [(n, match.end()) for n, name in near if (match := _pattern(name, largest).match(text))]
    if len(found) != 1:
        return None
    place, end = found[0]
    rest = text[end:]
    return (place, rest) if rest.strip() or not _is_number(called[place]) else None


def _holds_numbers_of(name: str, text: str) -> bool:
    return all(part in text for part in _parts(name) if part.isdecimal())


_SIGN = r"(?:[#＃]|\b(?:no|nr|numara|kod|code|number)(?![^\W\d_]))"
_BETWEEN = r"[\s_]*(?:[:;=)\]]+|[,.–—-]+(?=\s|$))?[\s_]*"
"""Between a name and the answer. A sign that stands at the number is the answer's: `P-002 -7`, `P-002 >7`."""


def _pattern(name: str, largest: int) -> re.Pattern[str]:
    """Return the pattern of a text that begins with this name, however it is punctuated: `P-002 7`, `p002: 7`."""
    parts = _parts(name)
    if not parts:
        return re.compile(r"(?!)")
    sign = rf"{_SIGN}[\W_]*" if _could_be_answer(name, largest) else rf"(?:{_SIGN}[\W_]*)?"
    code = r"[\W_]*".join(map(re.escape, parts))
    return re.compile(rf"[^\w#＃]*{sign}{code}(?!\w){_BETWEEN}", re.IGNORECASE)


def _parts(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+|\d+", name)


def _letters_and_digits(code: str) -> str:
    return "".join(_parts(code)).casefold()


def _is_number(name: str) -> bool:
    """Whether a name is nothing but numbers, in digits or words, so that it alone may be what somebody answers."""
    return all(part.isdecimal() or plain(part) in SMALL_NUMBERS for part in _parts(name))


def _could_be_answer(code: str, largest: int) -> bool:
    """Whether a text that begins with this code may begin with an answer: `8`, `07`, `1-0`, `on`, but not `01-001`."""
    parts = _parts(code)
    if not parts or not _is_number(code):
        return False
    digits = [part if part.isdecimal() else str(SMALL_NUMBERS[plain(part)]) for part in parts]
    each = all(part == str(int(part)) and int(part) <= largest for part in digits)
    return each or int("".join(digits)) <= largest

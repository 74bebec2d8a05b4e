"""One telephone that several participants use: who is asked next, and who sent a text.

One conversation at a time: the next participant is asked once the one before has finished, or has not answered for so
long that their turn is over. A number is nobody's answer unless it is clear who sent it.
"""

import re
from collections.abc import Collection
from datetime import datetime, timedelta

from pro_service.core.case import PENDING, Case, MessageFacts, Other, WindowFacts
from pro_service.core.conversation.rules import CORRECTION
from pro_service.core.schedule.agenda import may_text
from pro_service.core.schedule.prompts import may_prompt

TURN = timedelta(hours=3)
"""How long an unanswered question keeps the telephone: on one day both can be asked inside contact hours."""
LARGEST_ANSWER = 10
_FAILED = frozenset({"undelivered", "failed", "refused", "expired", "cancelled", "dead"})


def seen_by_others(case: Case) -> Other:
    """Return what the rules of the others on this telephone need to know of this participant."""
    person = case.participant
    if person.channel != "sms-reply" or not may_text(person):
        return Other(person.id, person.code)
    kept, leaving = list[datetime](), list[datetime]()
    for window in case.current:
        if not window.point.prompted:
            continue
        # Who has just answered may correct it, and their number would be taken for the next one's.
        kept += [a.received_at + CORRECTION for a in window.answers.values() if a.source == "sms"]
        for text in _open_questions(case, window):
            kept.append(min((text.accepted_at or text.queued_at) + TURN, window.span.closes_at))
            if text.state in PENDING and text.accepted_at is None:
                leaving.append(min(text.useful_until or window.span.closes_at, window.span.closes_at))
    return Other(person.id, person.code, max(kept, default=None), max(leaving, default=None))


def _open_questions(case: Case, window: WindowFacts) -> list[MessageFacts]:
    """Return the texts that ask something in a window that still wants answers, if they left or may leave."""
    if not may_prompt(case, window, window.span.opens_at):
        return []
    return [m for m in case.texts(window.id) if m.item is not None and m.state not in _FAILED]


def addressed(text: str, codes: Collection[str]) -> tuple[str, str] | None:
    """Return (code, rest) of a text that begins with exactly one of these codes; None for any other text."""
    found = [(code, match.end()) for code in codes if (match := _code_pattern(code).match(text)) is not None]
    if len(found) != 1:
        return None
    code, end = found[0]
    rest = text[end:]
    return (code, rest) if _is_no_answer(code) or rest.strip() else None


def _code_pattern(code: str) -> re.Pattern[str]:
    """Return the pattern of a text that begins with this code, however it is punctuated: `P-002 7`, `p002: 7`."""
    parts = re.findall(r"[^\W\d_]+|\d+", code)
    if not parts or (code.isdecimal() and int(code) <= LARGEST_ANSWER):
        return re.compile(r"(?!)")  # such a code could be an answer
    return re.compile(r"\W*" + r"[\W_]*".join(map(re.escape, parts)) + r"(?!\w)[\W_]*", re.IGNORECASE)


def _is_no_answer(code: str) -> bool:
    return not code.isdecimal()

"""What a participant meant by a text: a score, a wish, or something a person must read.

A score is never guessed. This follows the table in the study's conversation rules: one whole number, alone or in a
short known phrase. Everything else has a type of its own, so that `match` with `assert_never` handles each meaning.
"""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Literal, TypeAlias

from pro_service.core.case import Part
from pro_service.core.replies import number_words, phrases
from pro_service.core.replies.folding import contains, marked, plain, plain_of
from pro_service.core.replies.numbers import Reason, courteous, find
from pro_service.core.replies.safety import alarming

LONGEST = 1600
"""Characters considered (ten SMS segments of one text); a longer text is never a score."""


@dataclass(frozen=True, slots=True)
class CallMe:
    """The participant asks for a call, in a part of the day (None = at any time), perhaps from tomorrow on."""

    part: Part | None = None
    tomorrow: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """A whole number within the item's range. Zero is a score."""

    value: int
    call: CallMe | None = None
    """The wish to be called that was said beside it."""


@dataclass(frozen=True, slots=True)
class ConfirmZero:
    """`hiç`, `yok`, `no pain`: probably 0, to be confirmed with the number."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Not exactly understood: ask again for one whole number."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class OptOut:
    """An opt-out word as the whole message: prompts stop."""


@dataclass(frozen=True, slots=True)
class OptIn:
    """START or BAŞLA as the whole message: undoes an opt-out."""


@dataclass(frozen=True, slots=True)
class Help:
    """Asks who is writing, and on which telephone number one can be asked."""


@dataclass(frozen=True, slots=True)
class OptOutMentioned:
    """An opt-out word inside a sentence: a person reads it, automatic texts pause."""


@dataclass(frozen=True, slots=True)
class WrongNumber:
    """The text reached somebody else: stop at once, verify the contact."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """Ask again later, inside the window."""

    kind: Literal["hour", "tonight", "tomorrow"]
    hours: int = 1
    """After how many, where they said so."""


@dataclass(frozen=True, slots=True)
class Safety:
    """A safety word: fixed reply and a person at once."""


@dataclass(frozen=True, slots=True)
class Tapback:
    """A reaction of the telephone, or our own text quoted back: ignored and logged."""


@dataclass(frozen=True, slots=True)
class Automatic:
    """Written by a machine: out of office, driving. Never answered, or two machines would talk to each other."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Somebody else answers for the participant. Only self-report counts, so a person takes over."""


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or voice note without a readable text: only the fact is stored."""


@dataclass(frozen=True, slots=True)
class Yes:
    """Confirms a question of ours."""


@dataclass(frozen=True, slots=True)
class No:
    """Denies a question of ours. Never an opt-out."""


@dataclass(frozen=True, slots=True)
class Decline:
    """Prefers not to answer this item: not the same as missing."""


Reading: TypeAlias = (
    Score
    | ConfirmZero
    | Unreadable
    | OptOut
    | OptIn
    | Help
    | OptOutMentioned
    | WrongNumber
    | CallMe
    | Snooze
    | Safety
    | Tapback
    | Automatic
    | Proxy
    | Media
    | Yes
    | No
    | Decline
)


def read(
    text: str,
    language: str,
    *,
    item_min: int,
    item_max: int,
    media: int = 0,
    own_texts: Sequence[str] = (),
    safety_words: Sequence[str] = (),
) -> Reading:
    """Return what a participant meant by `text`.

    `language` is a tag such as `tr` or `en-GB` (an unknown one reads as English), `item_min` and `item_max` bound the
    awaited item, `media` counts attachments, `own_texts` are texts we sent to this telephone, `safety_words` the
    investigator's phrases (see `safety`), which come before every other reading. Takes time linear in the length and
    raises nothing.
    """
    whole = text.strip()
    mark = marked(whole[:LONGEST])
    said = plain_of(mark)
    ours = _folded(tuple(own_texts))
    clear = (
        _safety(mark, said, ours, safety_words)
        or _opt_out(said)
        or _tapback(mark, said, ours)
        or _automatic(said)
        or _wish(said, zero=item_min <= 0 <= item_max)
    )
    if clear is not None:
        return clear
    found = find(whole, language, item_min, item_max) if len(whole) <= LONGEST else "words"
    if isinstance(found, int):
        return Score(found)
    return (
        _score_and_call(whole, language, item_min, item_max)
        or _for_a_person(said)
        or (Media() if media > 0 else Unreadable(found))
    )


def compile_all() -> None:
    """Compile what replies are compared with; takes up to a second, which the first ones would wait for.

    A number alone needs nothing of it. For speed alone.
    """
    for language in number_words.NUMBERS:
        for low, high in ((0, 10), (1, 7)):
            for value in range(low, high + 1):
                for text in _OF_EVERY_KIND:
                    read(text.format(value), language, item_min=low, item_max=high)


def _safety(mark: str, said: str, ours: Sequence[str], safety_words: Sequence[str]) -> Safety | None:
    """Return safety for what the text itself says; our own words quoted in it are no alarm."""
    if _quotes(said, ours):
        return None
    before, quote, after = _quote(mark)
    own = f"{before} {after}" if _quotes(quote, ours) else said
    return Safety() if alarming(own, _folded(tuple(safety_words))) else None


@lru_cache(maxsize=32)
def _folded(phrases: tuple[str, ...]) -> tuple[str, ...]:
    """Fold a study's phrases and questions once; folding them for every text took much longer than reading it."""
    return tuple(map(plain, phrases))


def _opt_out(said: str) -> OptOut | None:
    """Return an opt-out for `STOP` and `stop stop`, and for a message that wants no more messages.

    Never for a word inside a sentence, and never for HAYIR, NO or YOK.
    """
    tokens = said.split()
    once = tokens[0] if len(set(tokens)) == 1 else said
    return OptOut() if once in phrases.OPT_OUT or courteous(said) in phrases.OPT_OUT_DEMANDS else None


_OF_EVERY_KIND = ("{} so so", "iyi {} oldu", "çok iyi yedi gibi", "x {} seven")
"""Texts that between them, with every value, are compared with everything."""
_QUOTE_WORTH_COMPARING = 12  # characters; shorter ones (`7`, `evet`) are answers, not quotes


def _tapback(mark: str, said: str, ours: Sequence[str]) -> Tapback | None:
    """Return a tapback for `Liked "…"` and the like, and for our own text sent back whole or in part."""
    before, quote, after = _quote(mark)
    if _quotes(said, ours) or (_quotes(quote, ours) and not (before and after)):
        return Tapback()
    headed = '"' in mark and before in phrases.TAPBACK_HEADS and not after
    tailed = '"' in mark and after in phrases.TAPBACK_TAILS and not before
    return Tapback() if headed or tailed or said in phrases.TAPBACK_WHOLE else None


def _quote(mark: str) -> tuple[str, str, str]:
    """Return the plain words before, inside and after the quotation marks of a marked text."""
    head, _, rest = mark.partition('"')
    quote, closed, tail = rest.rpartition('"')
    if not closed:  # a long text cut off by the telephone
        quote, tail = rest, ""
    return plain_of(head), plain_of(quote), plain_of(tail)


def _quotes(said: str, ours: Iterable[str]) -> bool:
    return len(said) >= _QUOTE_WORTH_COMPARING and any(said in sent for sent in ours)


def _automatic(said: str) -> Automatic | None:
    """Return an automatic reply for what a machine wrote in somebody's name."""
    begins = any(said.startswith(phrase) for phrase in phrases.AUTOMATIC_HEADS)
    return Automatic() if begins or contains(said, phrases.AUTOMATIC_INSIDE) else None


def _wish(said: str, *, zero: bool) -> Reading | None:
    """Return the meaning of a text that is a wish as a whole; None if it is none."""
    if contains(said, phrases.WRONG_NUMBER_INSIDE):
        return WrongNumber()
    if said in phrases.OPT_IN:
        return OptIn()
    known: tuple[tuple[AbstractSet[str], Reading], ...] = (
        (phrases.HELP, Help()),
        (phrases.WRONG_NUMBER, WrongNumber()),
        (phrases.SNOOZE_HOUR, Snooze("hour")),
        (phrases.SNOOZE_TONIGHT, Snooze("tonight")),
        (phrases.SNOOZE_TOMORROW, Snooze("tomorrow")),
        (phrases.DECLINE, Decline()),
        (phrases.YES, Yes()),
        (phrases.NO, No()),
        (phrases.ZERO if zero else frozenset(), ConfirmZero()),
    )
    meant = courteous(said) if " " in said else said
    found = next((meaning for listed, meaning in known if said in listed or meant in listed), None)
    return found or _in_hours(meant) or _call(said)


_MOST_HOURS = 48


def _in_hours(meant: str) -> Snooze | None:
    """Return the snooze in `2 saat sonra`, `in three hours`: a wish about time, never a score."""
    found = phrases.IN_HOURS.fullmatch(meant)
    if found is None:
        return None
    number = next(part for part in found.groups() if part is not None)
    hours = int(number) if number.isdecimal() else number_words.SMALL_NUMBERS[number]
    return Snooze("hour", hours) if 0 < hours <= _MOST_HOURS else None


_LONGEST_CALL = 12  # words


def _call(said: str) -> CallMe | None:
    """Return the wish in `beni arayın`, `please ring me tomorrow morning`: to be called, perhaps at one time."""
    meant = courteous(said)
    if phrases.CALL_ME & {said, meant}:
        return CallMe()
    tokens, found = meant.split(), set[CallMe]()
    if len(tokens) > _LONGEST_CALL:
        return None
    for first, last in combinations(range(len(tokens) + 1), 2):
        when = phrases.CALL_TIMES.get(" ".join(tokens[first:last]))
        if when is not None and " ".join((*tokens[:first], *tokens[last:])) in phrases.CALL_AT:
            found.add(CallMe(*when))
    return found.pop() if len(found) == 1 else None


_LONGEST_WITH_CALL = 24  # words
_WORD = re.compile(r"\S+")
_STOP = re.compile(r"(?:[.!;:,)\n]|\s[-–—])\s*$")
_DASH = re.compile(r"\s[-–—]\s*$")
_NEW_SENTENCE = re.compile(r"[.!?;\n]\s*\S")


def _score_and_call(text: str, language: str, low: int, high: int) -> Score | None:
    """Return the score of a text that also wishes to be called: `7. Lütfen arayın`, `7 but please call me`.

    Without the wish the text must be a score as a whole, and its number must not be the time of the call: `7 arayın`.
    """
    words = list(_WORD.finditer(text))
    if len(text) > LONGEST or len(words) > _LONGEST_WITH_CALL or not phrases.CALLING.search(plain(text)):
        return None
    for first, last in combinations(range(len(words) + 1), 2):
        start, end = words[first].start(), words[last - 1].end()
        before, wish, after = text[:start], plain(text[start:end]), text[end:]
        if not phrases.CALLING.search(wish) or _NEW_SENTENCE.search(text[start:end]):
            continue
        call = _call(phrases.LINKED_CALL.sub("", wish))
        if call is not None and _is_no_time(before, wish, after, call):
            value = find(f"{_DASH.sub('', before)}, {after}" if before.strip() else after, language, low, high)
            if isinstance(value, int):
                return Score(value, call)
    return None


def _is_no_time(before: str, wish: str, after: str, call: CallMe) -> bool:
    """Whether the number beside a wish to be called is not the time of the call, nor of the day that is named there."""
    linked, polite = phrases.LINKED_CALL.findall(wish)[0]
    stopped = not before.strip() or _STOP.search(before) is not None
    said = plain(before)
    if phrases.SCORED.search(marked(f"{before}, {after}")):
        return bool(linked or polite or stopped or (call == CallMe() and said[-1:].isdecimal()))
    if after.strip() or phrases.TIMED.search(said):
        return False
    return bool(linked or (call == CallMe() and (stopped or (polite and " " not in courteous(said)))))


def _for_a_person(said: str) -> Reading | None:
    """Return the meaning that stands inside a sentence, the more careful one first."""
    if contains(said, phrases.OPT_OUT) or contains(said, phrases.OPT_OUT_HINTS):
        return OptOutMentioned()
    return Proxy() if contains(said, phrases.PROXY) else None

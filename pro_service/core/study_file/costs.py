"""What each text of a study costs: its segments, which characters make it UCS-2, and where they come from.

A text is measured as it may be sent: a prompt may carry more, before it on a shared telephone, behind it as the first
text of all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from pro_service.core.protocol import Item, Language, Protocol, Site, Texts, TimePoint
from pro_service.core.routes import BY_TEXT, CHANNELS
from pro_service.core.study_file.frames import ABOVE_REPLIES, ALWAYS, REPLY_TO, REPLY_TO_WORD, Frames, required_frames
from pro_service.core.texts import Encoding, FrameError, beyond_gsm, encoding, fill, placeholders, segments, units

LIMIT = 3
"""Segments that a text should stay within; a longer one is named."""
TELEPHONE = "+90 212 555 01 99"
"""As long as the one that is not in the file yet."""
NOBODYS = "Xk3vQ9mTz7Lw2RbY5hNc8A"
"""As long as the end of a real address, and nobody's."""
LINK = f"https://outcomes.hospital.example/q/{NOBODYS}"
CODE = "P-012"
UNTIL = "17:00"


@dataclass(frozen=True, slots=True)
class Value:
    """What fills a placeholder."""

    text: str
    place: str
    """Where it is written: a path in the study file; the placeholder itself if it is not in the file."""


Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Cost:
    """One text in one language, filled in."""

    language: Language
    frames: tuple[str, ...]
    """The names of its frames, in the order in which they follow one another."""
    body: str
    units: int
    """Septets or 16-bit units, of which a segment holds so many."""
    encoding: Encoding
    segments: int
    segments_in_gsm: int
    """Its segments if it held no character beyond GSM-7."""
    beyond_gsm: tuple[tuple[str, str], ...]
    """(characters beyond GSM-7, place where they are written); the place is empty for the words of its frames."""
    question: str = ""
    """The id of the item whose question it holds; empty if it holds none."""

    @property
    def name(self) -> str:
        """Its frames and its question in one line: `invitation.sms-reply + first (PGIC)`."""
        return " + ".join(self.frames) + (f" ({self.question})" if self.question else "")

    @property
    def too_long(self) -> bool:
        """Whether it takes more segments than a text should."""
        return self.segments > LIMIT

    @property
    def dear_by_itself(self) -> bool:
        """Whether the words of its frames make it UCS-2, whatever fills them."""
        return any(not place for _, place in self.beyond_gsm)


def text_costs(protocol: Protocol, frames: Frames, dates: Texts, link: str = LINK) -> tuple[Cost, ...]:
    """Return every text of every language, once for each question it can hold, at the dearest site and time point.

    `dates`: the longest moment that a text can name, by language. What cannot be filled in is another fault.
    """
    found: list[Cost] = []
    for language in protocol.languages:
        given = {"closes": dates[language], "when": dates[language], "until": UNTIL, "link": link, "code": CODE}
        for names in forms(protocol):
            dearest: dict[str, Cost] = {}
            for one in _sizes(protocol, language, names, frames.get(language, {}), given):
                dearest[one.question] = max(dearest.get(one.question, one), one, key=_price)
            found += dearest.values()
    return tuple(found)


def _price(text: Cost) -> tuple[int, bool, int]:
    return text.segments, bool(text.beyond_gsm), text.units


def long_questions(protocol: Protocol, texts: Sequence[Cost]) -> dict[str, int]:
    """Return the items whose question stands in a text that is too long, with the length of that question alone."""
    return {one.question: len(protocol.items[one.question].question[one.language]) for one in texts if _asks_long(one)}


def _asks_long(text: Cost) -> bool:
    return text.too_long and bool(text.question)


def worth_a_look(texts: Sequence[Cost]) -> tuple[Cost, ...]:
    """Return those texts of one language that are too long, or UCS-2 in a language that does not need it.

    A language needs UCS-2 if most texts have letters beyond GSM-7 in words of their own.
    """
    needed = 2 * sum(text.dear_by_itself for text in texts) > len(texts)
    return tuple(text for text in texts if text.too_long or (text.beyond_gsm and not needed))


def forms(protocol: Protocol) -> Iterator[tuple[str, ...]]:
    """Return the names of the frames that make up each text that may be sent."""
    for name in required_frames(protocol):
        kind, _, channel = name.partition(".")
        if kind in ("first", "turn", "turn-link", REPLY_TO, REPLY_TO_WORD):
            continue
        if channel in CHANNELS and channel not in BY_TEXT:
            # Neither a mail nor a WhatsApp message is paid for by its length.
            continue
        if name in ABOVE_REPLIES:
            yield (name, "question")
            continue
        yield (name,)
        if kind == "invitation" and channel in BY_TEXT:
            turn, first = turn_frame(channel), first_frame(channel)
            yield from ((name, first), (turn, name), (turn, name, first))


def turn_frame(channel: str) -> str:
    """Return the name of the frame that says whose turn it is, before a text to a shared telephone."""
    return "turn" if channel == "sms-reply" else "turn-link"


def first_frame(channel: str) -> str:
    """Return the name of the frame behind the first text of all."""
    return f"first.{channel}" if f"first.{channel}" in ALWAYS else "first"


def _sizes(
    protocol: Protocol, language: Language, names: Sequence[str], frames: Mapping[str, str], given: Mapping[str, str]
) -> Iterator[Cost]:
    kinds = {name.partition(".")[0] for name in names}
    points = [point for point in protocol.time_points if point.prompted]
    asking = [point for point in points if kinds & {step.name for step in point.steps}]
    for site, point in product(protocol.sites.values(), asking or points or protocol.time_points[:1]):
        for item in point.items:
            known = values(protocol, language, site, point, protocol.items[item], given)
            found = cost(language, names, frames, known)
            if found is not None:
                asks = any("question" in placeholders(frames[name]) for name in names)
                yield replace(found, question=item) if asks else found


def values(
    protocol: Protocol, language: Language, site: Site, point: TimePoint, item: Item, given: Mapping[str, str]
) -> Values:
    """Return what fills the placeholders; `given` holds what the study file does not."""
    # By their codes: a stored protocol does not keep the order of the file.
    here, when, what = f"site.{site.code}", f"time_point.{point.code}", f"item.{item.id}"
    name = "name" if site.short_name == site.name else "short_name"

    def of(texts: Texts, path: str) -> Value:
        return Value(texts[language], path if len(set(texts.values())) == 1 else f"{path}.{language}")

    return {name: Value(text, f"{{{name}}}") for name, text in given.items()} | {
        "contact": of(site.short_name, f"{here}.{name}"),
        "telephone": Value(site.telephone or TELEPHONE, f"{here}.telephone"),
        "emergency": Value(site.emergency_number, f"{here}.emergency"),
        "label": of(point.label, f"{when}.label"),
        "question": of(item.question, f"{what}.question"),
        "item": of(item.short, f"{what}.short"),
        "low": Value(str(item.minimum), f"{what}.minimum"),
        "high": Value(str(item.maximum), f"{what}.maximum"),
        "answer": Value(str(item.maximum), f"{what}.maximum"),
        "study": Value(protocol.study, "study"),
    }


def cost(language: Language, names: Sequence[str], frames: Mapping[str, str], known: Values) -> Cost | None:
    """Return the text that these frames make; None if one is missing or cannot be filled in."""
    texts = {key: value.text for key, value in known.items()}
    try:
        body = "\n".join(fill(frames[name], texts) for name in names).strip()
    except (KeyError, FrameError):
        return None
    found = {"": ""}
    for name in names:
        asked = placeholders(frames[name])
        found[""] += fill(frames[name], dict.fromkeys(asked, ""))
        found |= {known[key].place: known[key].text for key in sorted(asked)}
    dear = beyond_gsm(body)
    plain = "".join("x" if character in dear else character for character in body)
    return Cost(
        language=language,
        frames=tuple(names),
        body=body,
        units=units(body),
        encoding=encoding(body),
        segments=segments(body),
        segments_in_gsm=segments(plain),
        beyond_gsm=tuple((letters, place) for place, text in found.items() if (letters := beyond_gsm(text))),
    )

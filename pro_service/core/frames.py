"""Checks the frames of texts before a study relies on them: every one there, every placeholder known."""

from collections.abc import Iterator, Mapping
from itertools import product

from pro_service.core.faults import Fault, closest
from pro_service.core.folding import plain
from pro_service.core.protocol import Language, Protocol
from pro_service.core.routes import CARD, CHANNELS
from pro_service.core.texts import FrameError, contains_address, fill, placeholders

Frames = Mapping[Language, Mapping[str, str]]
"""Language -> name of the frame -> text with {placeholders}."""

ALWAYS = (
    *("first", "question", "reask", "reask-2", "confirm-zero", "confirm-repeat", "confirm-change", "corrected"),
    *("already", "thanks", "thanks-late", "unscheduled", "stopped", "started", "help", "safety", "call-me", "snoozed"),
    *("media", "proxy", "declined", "handed-over", "unknown-sender", "turn", "turn-link", "first.sms-card"),
    *("reach-test", *(f"reach-test.{channel}" for channel in ("sms-reply", "sms-link"))),
)
"""What a conversation can call for, whatever the protocol."""

KNOWN = frozenset(
    {"question", "label", "closes", "link", "telephone", "contact", "study", "item", "answer", "low", "high", "when"}
    | {"code"}
)
STOP_WORDS: Mapping[Language, str] = {"tr": "dur", "en": "stop"}
"""How one says stop; in another language STOP."""

NOT_MONITORED: Mapping[Language, tuple[str, ...]] = {"tr": ("izlenm", "takip edilm"), "en": ("not monitored",)}
"""Beginnings of words that say that nobody reads at once; not judged in another language."""


def wanted(protocol: Protocol) -> tuple[str, ...]:
    """The names of all frames a protocol needs in each of its languages."""
    steps = {step.name: None for point in protocol.time_points if point.prompted for step in point.steps}
    return (*(f"{step}.{channel}" for step in steps for channel in CHANNELS), *ALWAYS)


def check_frames(protocol: Protocol, frames: Frames) -> tuple[Fault, ...]:
    """Every fault in the frames of a protocol's languages; paths are those of the files."""
    return tuple(fault for language in protocol.languages for fault in _language(protocol, language, frames))


def addressed(protocol: Protocol, language: Language, text: str) -> bool:
    """Whether a text holds anything like an internet address, filled in for some site, window and item.

    A text that cannot be filled in is another fault, and holds none.
    """
    points = [point for point in protocol.time_points if point.prompted] or protocol.time_points[:1]
    for site, point, item in product(protocol.sites.values(), points, protocol.items.values()):
        values = dict.fromkeys(KNOWN, "7") | {
            "telephone": site.telephone,
            "contact": site.name,
            "study": protocol.study,
            "label": point.label[language],
            "question": item.question[language],
            "item": item.short[language],
        }
        try:
            if contains_address(fill(text, values)):
                return True
        except FrameError:
            return False
    return False


def unfit_for_cards(protocol: Protocol, language: Language, given: Mapping[str, str]) -> tuple[str, ...]:
    """The texts that a participant with a card may be sent and that cannot be: they are missing, or hold an address.

    Versions of a protocol that an earlier release stored have none of the card's own.
    """
    others = (".sms-link", ".sms-reply")
    names = [name for name in wanted(protocol) if not name.endswith(others) and name not in ("first", "unknown-sender")]
    return tuple(name for name in names if name not in given or addressed(protocol, language, given[name]))


def _language(protocol: Protocol, language: Language, frames: Frames) -> Iterator[Fault]:
    given = frames.get(language, {})
    if not given:
        remedy = f'write the texts in this folder, or take "{language}" out of the languages'
        yield Fault(f"templates/sms/{language}", None, "there are no texts in this language", remedy)
        return
    for name in wanted(protocol):
        path = f"templates/sms/{language}/{name}.txt"
        if name not in given:
            yield Fault(path, None, "this text is missing", "write it, or copy that of another study and change it")
        elif not given[name].strip():
            yield Fault(path, 1, "this text is empty", "write it")
        else:
            yield from _frame(path, name, given[name])
            if name.endswith(f".{CARD}") and addressed(protocol, language, given[name]):
                remedy = "take it out, or put a space behind the point: where cards are used, such texts do not arrive"
                yield Fault(path, 1, "this text holds an internet address, or what looks like one", remedy)
    if given.get("first", "").strip():
        yield from _first(f"templates/sms/{language}/first.txt", language, given["first"])


def _frame(path: str, name: str, text: str) -> Iterator[Fault]:
    try:
        asked = placeholders(text)
    except FrameError as error:
        yield Fault(path, _line(text, error.name), str(error), "write {name}, or {{ and }} for braces")
        return
    for placeholder in sorted(asked - KNOWN):
        remedy = closest(placeholder, KNOWN) or f"known: {', '.join(sorted(KNOWN))}"
        yield Fault(path, _line(text, f"{{{placeholder}}}"), f"unknown placeholder {{{placeholder}}}", remedy)
    if name.endswith(".sms-link") and "link" not in asked:
        yield Fault(path, 1, "a text that invites to the page does not name it", "write {link} where the address goes")
    if name.endswith(f".{CARD}") and "telephone" not in asked:
        remedy = "write {telephone}: whoever has lost the card, or cannot reply, calls"
        yield Fault(path, 1, "a text that points to the card names no telephone", remedy)
    if not name.endswith(".sms-link") and "link" in asked:
        remedy = "take {link} out: only texts of the channel sms-link carry an address"
        yield Fault(path, _line(text, "{link}"), "this text has no address to give", remedy)
    if name == "unknown-sender" and asked:
        remedy = "take the placeholders out: whoever gets it may be a stranger"
        yield Fault(path, 1, "the answer to an unknown number tells something about the study", remedy)


def _first(path: str, language: Language, text: str) -> Iterator[Fault]:
    """The first text says who writes, how to stop, and that nobody watches the line (the protocol's own rule)."""
    said = plain(text)
    if "{telephone}" not in text:
        yield Fault(path, 1, "the first text does not name the study's contact", "write {telephone}")
    stop = STOP_WORDS.get(language, "stop")
    if stop not in said.split():
        yield Fault(path, 1, "the first text does not say how to stop", f"say that {stop.upper()} ends the texts")
    monitored = NOT_MONITORED.get(language, ())
    if monitored and not any(phrase in said for phrase in monitored):
        remedy = "say that nobody watches this line, and where to turn in an emergency"
        yield Fault(path, 1, "the first text does not say that the line is not monitored", remedy)


def _line(text: str, part: str) -> int:
    return text[: max(text.find(part), 0)].count("\n") + 1

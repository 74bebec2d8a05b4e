"""Checks the frames of texts before a study relies on them: every one there, every placeholder known."""

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import product

from pro_service.core.emergency import named, number_in
from pro_service.core.problems import Country, Problem, nearest, problem
from pro_service.core.protocol import Channel, Language, Protocol
from pro_service.core.replies.folding import plain
from pro_service.core.routes import BY_TEXT, CARD, CHANNELS, Carriers, route
from pro_service.core.texts import FrameError, contains_address, fill, placeholders

Frames = Mapping[Language, Mapping[str, str]]
"""Language -> name of the frame -> text with {placeholders}."""

ABOVE_REPLIES = ("will-call", "will-call-at")
"""Lines above the reply to an answer that came with a wish to be called."""
REPLY_TO, REPLY_TO_WORD = "reply-to", "reply-to-word"
"""Lines below a text that asks for a reply, where nobody can reply to its sender: where to write instead."""
ALWAYS = (
    *("first", "question", "reask", "reask-2", "confirm-zero", "confirm-repeat", "confirm-change", "corrected"),
    *("already", "thanks", "thanks-late", "unscheduled", "stopped", "started", "help", "safety", "call-me", "snoozed"),
    *("media", "proxy", "declined", "handed-over", "unknown-sender", "turn", "turn-link", "first.sms-card"),
    *("not-counted", "which-participant", "call-me-at"),
    *ABOVE_REPLIES,
    *(REPLY_TO, REPLY_TO_WORD),
    *("reach-test", *(f"reach-test.{channel}" for channel in ("sms-reply", "sms-link", "whatsapp"))),
)
"""What a conversation can call for, whatever the protocol."""

ASKING = ("question", "reask", "reask-2", "confirm-zero", "confirm-repeat", "confirm-change", "which-participant")
"""Replies that ask for one, beside the prompts of `sms-reply`."""

_BETWEEN_DIGITS = re.compile(r"(?<=\d)[ ()./-]+(?=\d)")

NEWER = tuple(f".{channel}" for channel in CHANNELS if channel not in BY_TEXT)
"""How names of texts end that a version stored by an earlier release lacks. Nobody there is asked by those channels."""

ON_WHATSAPP = ".whatsapp"
"""How names of texts end that begin a conversation there. Each is complete, because nothing can be put before or behind
what was approved."""

KNOWN = frozenset(
    {"question", "label", "closes", "link", "telephone", "contact", "study", "item", "answer", "low", "high", "when"}
    | {"code", "until", "emergency", "reply_to", "reply_word", "stop_link"}
)
STOP_WORDS: Mapping[Language, str] = {"tr": "dur", "en": "stop"}
"""How one says stop; in another language STOP."""

NOT_MONITORED: Mapping[Language, tuple[str, ...]] = {"tr": ("izlenm", "takip edilm"), "en": ("not monitored",)}
"""Beginnings of words that say that nobody reads at once; not judged in another language."""


def required_frames(protocol: Protocol) -> tuple[str, ...]:
    """The names of all frames a protocol needs in each of its languages."""
    steps = {step.name: None for point in protocol.time_points if point.prompted for step in point.steps}
    return (*(f"{step}.{channel}" for step in steps for channel in CHANNELS), *ALWAYS)


def unasked_frames(protocol: Protocol) -> tuple[str, ...]:
    """The names of the frames of texts that nobody has just asked for: prompts and contact tests. Each says who writes.

    A reply does not: it comes at once, below a text that does, to somebody who wrote to that very number. There the
    room belongs to the question.
    """
    return tuple(name for name in required_frames(protocol) if name not in ALWAYS or name.startswith("reach-test"))


def check_frames(protocol: Protocol, frames: Frames) -> tuple[Problem, ...]:
    """Every fault in the frames of a protocol's languages; paths are those of the files."""
    return tuple(found for language in protocol.languages for found in _language(protocol, language, frames))


def check_emergency(protocol: Protocol, frames: Frames) -> Iterator[Problem]:
    """Yield warnings: a text with another country's emergency number, a country whose number is not known.

    They are no faults: a stored version may hold such a text.
    """
    for language, name in product(protocol.languages, required_frames(protocol)):
        text = frames.get(language, {}).get(name, "")
        for number, place in named(text):
            elsewhere = [site for site in protocol.sites.values() if site.emergency_number != number]
            if elsewhere:
                path, line = f"templates/sms/{language}/{name}.txt", text.count("\n", 0, place) + 1
                sites = tuple(f"{site.code}: {site.emergency_number}" for site in elsewhere)
                yield problem("emergency_of_elsewhere", path, line, given=number, sites=sites)
    for index, site in enumerate(protocol.sites.values()):
        if not site.emergency and number_in(site.country) is None:
            path = f"site[{index}]"
            yield problem(
                "emergency_unknown",
                path,
                None,
                country=Country(site.country, site.country),
                number=site.emergency_number,
            )


def addressed(protocol: Protocol, language: Language, text: str) -> bool:
    """Whether a text holds anything like an internet address, filled in for some site, window and item.

    A text that cannot be filled in is another fault, and holds none.
    """
    points = [point for point in protocol.time_points if point.prompted] or protocol.time_points[:1]
    for site, point, item in product(protocol.sites.values(), points, protocol.items.values()):
        values = dict.fromkeys(KNOWN, "7") | {
            "telephone": site.telephone,
            "emergency": site.emergency_number,
            "contact": site.short_name[language],
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


def asks_for_reply(name: str) -> bool:
    """Whether the text of this name is answered by text."""
    return name.endswith(".sms-reply") or name in ASKING


def reply_line(frames: Mapping[str, str], text: str, number: str, word: str) -> str:
    """Return the frame that says where to write, for a text that asks for a reply; empty if it says so itself.

    Where others have that number too, the word to begin with is said as well. A version that an earlier release stored
    has no such frame.
    """
    digits = re.sub(r"\D", "", number)[-10:]
    said = digits in _BETWEEN_DIGITS.sub("", text) and plain(word) in plain(text)
    return "" if said else frames.get(REPLY_TO_WORD if word else REPLY_TO, "")


def cannot_say_where(protocol: Protocol, frames: Frames, carriers: Carriers) -> bool:
    """Whether some text that asks for a reply cannot say where it goes, where that is not to its sender."""
    asking = [name for name in required_frames(protocol) if asks_for_reply(name)]
    for site, language in product(protocol.sites.values(), protocol.languages):
        provider = carriers.to(site.country, site.provider)
        if provider not in carriers.answered_at or route(provider, site.country).two_way is False:
            continue
        number, word = carriers.answered_at[provider]
        given = frames.get(language, {})
        if (REPLY_TO_WORD if word else REPLY_TO) not in given:
            missing = {REPLY_TO: "unsaid", REPLY_TO_WORD: "unsaid"}
            if any(reply_line(missing, given.get(name, ""), number, word) for name in asking):
                return True
    return False


def unfit_for_cards(protocol: Protocol, language: Language, given: Mapping[str, str]) -> tuple[str, ...]:
    """The texts that a participant with a card may be sent and that cannot be: they are missing, or hold an address.

    Versions of a protocol that an earlier release stored have none of the card's own.
    """
    others = tuple(f".{channel}" for channel in CHANNELS if channel != CARD)
    names = [
        name
        for name in required_frames(protocol)
        if not name.endswith(others) and name not in ("first", "unknown-sender")
    ]
    return tuple(name for name in names if name not in given or addressed(protocol, language, given[name]))


def whatsapp_frames(protocol: Protocol) -> tuple[str, ...]:
    """Return the names of the texts that begin a conversation on WhatsApp: each needs a template in each language."""
    return tuple(name for name in required_frames(protocol) if name.endswith(ON_WHATSAPP))


def check_blanks(protocol: Protocol, frames: Frames) -> Iterator[Problem]:
    """Yield what cannot fill the blanks of a WhatsApp template: a value that the template's text does not hold."""
    for index, one in enumerate(protocol.whatsapp_templates):
        try:
            asked = placeholders(frames.get(one.language, {}).get(one.frame, ""))
        except FrameError:
            continue
        for place, name in enumerate(one.variables):
            if name not in asked:
                where, known = f"whatsapp_template[{index}].variables[{place}]", tuple(sorted(asked))
                yield problem("choice_unknown", where, given=name, near=nearest(name, known), known=known)


def _language(protocol: Protocol, language: Language, frames: Frames) -> Iterator[Problem]:
    given = frames.get(language, {})
    if not given:
        yield problem("no_texts", f"templates/sms/{language}", language=language)
        return
    unasked = unasked_frames(protocol)
    for name in required_frames(protocol):
        path = f"templates/sms/{language}/{name}.txt"
        if name not in given:
            if not name.endswith(NEWER) or (name.endswith(ON_WHATSAPP) and protocol.whatsapp_templates):
                yield problem("text_missing", path)
        elif not given[name].strip():
            yield problem("text_empty", path, 1)
        else:
            yield from _frame(path, name, given[name], unasked=name in unasked)
            if name.endswith(f".{CARD}") and addressed(protocol, language, given[name]):
                yield problem("address_in_card", path, 1)
            if name.endswith(ON_WHATSAPP) and name not in ALWAYS:
                yield from _whole(path, language, given[name])
    if given.get("first", "").strip():
        yield from _first(f"templates/sms/{language}/first.txt", language, given["first"])


def _frame(path: str, name: str, text: str, *, unasked: bool) -> Iterator[Problem]:
    try:
        asked = placeholders(text)
    except FrameError as error:
        yield problem("stray_brace", path, _line(text, error.name), brace=error.name, place=error.place)
        return
    for placeholder in sorted(asked - KNOWN):
        yield _unknown(path, _line(text, f"{{{placeholder}}}"), placeholder)
    if unasked and "contact" not in asked:
        yield problem("sender_missing", path, 1)
    linked = name.endswith((".sms-link", ".email-link"))
    if linked and "link" not in asked:
        yield problem("link_missing", path, 1)
    if name.endswith(".email-link"):
        yield from _mail(path, text, asked)
    elif "stop_link" in asked:
        yield problem("no_link_to_give", path, _line(text, "{stop_link}"))
    if name.endswith(f".{CARD}") and name != f"first.{CARD}" and "telephone" not in asked:
        yield problem("card_without_telephone", path, 1)
    if not linked and "link" in asked:
        yield problem("no_link_to_give", path, _line(text, "{link}"))
    if name == "unknown-sender" and asked:
        yield problem("stranger_is_told", path, 1)


def _mail(path: str, text: str, asked: Collection[str]) -> Iterator[Problem]:
    """Yield the faults of a mail. Its first line is the subject, which others may see on a screen: it tells nothing."""
    subject, blank, body = text.strip().partition("\n\n")
    if "\n" in subject or not (blank and body.strip()):
        yield problem("subject_missing", path, 1)
    elif placeholders(subject):
        yield problem("subject_tells", path, 1)
    if "stop_link" not in asked:
        yield problem("stop_link_missing", path, 1)


def lacks_texts(protocol: Protocol, given: Mapping[str, str], channel: Channel) -> bool:
    """Whether a version has no texts for a channel: an earlier release stored it, or nobody gave it templates."""
    if channel == "whatsapp" and not protocol.whatsapp_templates:
        return True
    return any(name.endswith(f".{channel}") and name not in given for name in required_frames(protocol))


def _unknown(path: str, line: int, name: str) -> Problem:
    return problem("unknown_placeholder", path, line, name=name, near=nearest(name, KNOWN), known=tuple(sorted(KNOWN)))


def _whole(path: str, language: Language, text: str) -> Iterator[Problem]:
    """Yield what a text that begins a conversation on WhatsApp lacks: no first text or code can be put before it."""
    yield from _first(path, language, text)
    if "{code}" not in text:
        yield problem("turn_missing", path, 1)


def _first(path: str, language: Language, text: str) -> Iterator[Problem]:
    """The first text says who writes, how to stop, and that nobody watches the line (the protocol's own rule)."""
    said = plain(text)
    if "{telephone}" not in text:
        yield problem("first_without_contact", path, 1)
    stop = STOP_WORDS.get(language, "stop")
    if stop not in said.split():
        yield problem("first_without_stop", path, 1, stop=stop.upper())
    monitored = NOT_MONITORED.get(language, ())
    if monitored and not any(phrase in said for phrase in monitored):
        yield problem("first_not_monitored", path, 1)


def _line(text: str, part: str) -> int:
    return text[: max(text.find(part), 0)].count("\n") + 1

"""Every text of a protocol version as a telephone will show it, filled with invented values of the usual length."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pro_service.core.protocol import Item, Protocol, Site, TimePoint, Window
from pro_service.core.routes import CHANNELS
from pro_service.core.study_file.frames import ALWAYS
from pro_service.core.texts import FrameError, encoding, fill, segments, units
from pro_service.runtime import Bundle
from pro_service.wording import MIDNIGHT, moment

NOBODYS = "Xk3vQ9mTz7Lw2RbY5hNc8A"
"""As long as the end of a real address, and nobody's."""
FIRST = "first"


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text."""

    name: str
    """Of its template."""
    channel: str
    """The channel it goes by; empty: both."""
    body: str
    characters: int
    units: int
    encoding: str
    segments: int
    first: bool = False
    """With what is added to the first text a participant ever gets."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the blanks are filled with."""

    site: Site
    point: TimePoint
    span: Window
    zone: ZoneInfo
    base_url: str


def prompts(bundle: Bundle, language: str, sample: Sample) -> Iterator[Bubble]:
    """The texts that ask in one window, in the order of time, by both channels."""
    first_of_all = next((point for point in bundle.protocol.time_points if point.steps), None)
    for number, step in enumerate(sample.point.steps):
        for channel in CHANNELS:
            name = f"{step.name}.{channel}"
            yield from _bubble(bundle, language, sample, name, channel)
            if number == 0 and first_of_all is not None and sample.point.code == first_of_all.code:
                yield from _bubble(bundle, language, sample, name, channel, first=True)


def answers(bundle: Bundle, language: str, sample: Sample) -> Iterator[Bubble]:
    """Every other text: what a conversation can call for."""
    for name in ALWAYS:
        if name != FIRST:
            yield from _bubble(bundle, language, sample, name, "")


def _bubble(
    bundle: Bundle, language: str, sample: Sample, name: str, channel: str, *, first: bool = False
) -> Iterator[Bubble]:
    frames = bundle.wording.frames.get(language, {})
    values = _values(bundle.protocol, language, sample, name)
    try:
        body = fill(frames[name], values).strip()
        if first:
            body = f"{body}\n{fill(frames[FIRST], values)}".strip()
    except (KeyError, FrameError):
        return  # Said among the findings.
    size = (len(body), units(body), encoding(body), segments(body))
    yield Bubble(name, channel, body, *size, first=first)


def _values(protocol: Protocol, language: str, sample: Sample, name: str) -> Mapping[str, str]:
    items = [protocol.items[item] for item in sample.point.items]
    # A window begins with its first question; the text `question` asks for the next.
    item: Item | None = items[min(1, len(items) - 1)] if name == "question" and items else next(iter(items), None)
    close = sample.span.closes_at - MIDNIGHT
    later: datetime = sample.span.closes_at - timedelta(hours=30)
    return {
        "question": "" if item is None else item.question[language],
        "item": "" if item is None else item.short[language],
        "low": "" if item is None else str(item.minimum),
        "high": "" if item is None else str(item.maximum),
        "label": sample.point.label[language],
        "closes": moment(close, sample.zone, language),
        "link": f"{sample.base_url}/q/{NOBODYS}",
        "telephone": sample.site.telephone,
        "contact": sample.site.name,
        "study": protocol.study,
        "answer": "" if item is None else str(item.maximum),
        "when": moment(later, sample.zone, language),
    }

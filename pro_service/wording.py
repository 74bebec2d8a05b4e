"""A protocol version's words: the frames of texts with their values filled in, as the telephone will show them.

Babel is imported where it is used: it takes long, and most commands say no day and no instant.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias, cast
from zoneinfo import ZoneInfo

from pro_service.core.case import PROMPTS, Case
from pro_service.core.commands import Send
from pro_service.core.conversation.shared_phone import WHICH_PARTICIPANT, names_on_phone
from pro_service.core.protocol import CONVERSING, MEDIA, Channel, Protocol
from pro_service.core.study_file.costs import LINK, Cost, text_costs
from pro_service.core.study_file.frames import ON_WHATSAPP, Frames, asks_for_reply, reply_line
from pro_service.core.texts import beyond_gsm, fill, placeholders, values_in

ReplyTo: TypeAlias = tuple[str, str]
"""A number, and the word to begin with where others have that number too; else nothing."""

MOMENT = {"tr": "d MMMM EEEE HH:mm", "en": "EEEE d MMMM HH:mm"}
MIDNIGHT = timedelta(minutes=1)
"""A window closes at 00:00 of the day after; people are told 23:59 of its last day."""
BEFORE: Mapping[str, str] = {
    "not-counted": "question",
    WHICH_PARTICIPANT: "handed-over",
    "call-me-at": "call-me",
    "will-call": "call-me",
    "will-call-at": "call-me-at",
}
"""What a protocol version that an earlier release stored says instead of a frame that it does not have."""


ABOUT_ONE = frozenset(
    {"thanks", "thanks-late", "corrected", "declined", "already", "not-counted", "unscheduled", "snoozed"}
    | {"call-me", "call-me-at"}
)
"""Frames that say what became of one participant's text; on a shared telephone the code stands before them."""


STOP = "/stop"
"""Behind the address of a mail: where its reader ends these mails."""
_STOP_ADDRESS = re.compile(rf"\bhttps?://\S+/q/[\w-]+{STOP}(?!\S)")


def stop_address(body: str) -> str:
    """Return the address in a mail's words at which its reader ends these mails; empty if it holds none."""
    found = _STOP_ADDRESS.search(body)
    return "" if found is None else found[0]


def prompting_channel(send: Send) -> Channel | None:
    """Return the channel that a prompt asks by (`invitation.sms-link`); None for every other text."""
    channel = send.frame.partition(".")[2]
    return cast("Channel", channel) if send.kind in PROMPTS and channel in MEDIA else None


def _answering_channel(case: Case, send: Send) -> Channel:
    """Return the channel of the ladder that goes by the medium an answer goes by; who has none answers by text."""
    mine = (channel for channel in case.participant.ladder if MEDIA[channel] == send.medium)
    return next(mine, "whatsapp" if send.medium == "whatsapp" else "sms-reply")


@dataclass(frozen=True, slots=True)
class Wording:
    """The frames of one protocol version: language -> frame name -> text with {placeholders}."""

    version_id: int
    frames: Mapping[str, Mapping[str, str]]

    def needs_link(self, case: Case, send: Send) -> bool:
        """Whether this text carries an address of its own."""
        return "link" in placeholders(self._frame(case, send.frame))

    def text(
        self,
        case: Case,
        send: Send,
        *,
        link: str = "",
        first: bool = False,
        reply_to: ReplyTo | None = None,
    ) -> str:
        """The words of one command, as the telephone shows them.

        `first` adds who we are and how to stop: the first text a participant ever gets says so. `reply_to`: where
        people answer whose text comes from a sender that takes no replies, and the word to begin with. FrameError if a
        frame asks for a value that does not exist; KeyError for a frame or language the version does not have.
        """
        values, language = self._values(case, send, link), case.participant.language
        names = (send.frame,) if send.after is None else (send.after, send.frame)
        body = "\n".join(fill(self._frame(case, name), values).strip() for name in names)
        channel = prompting_channel(send) or _answering_channel(case, send)
        if MEDIA[channel] == "email" or send.frame.endswith(ON_WHATSAPP):
            # The frame says all of it: a mail has room, with a subject above the first empty line, and nothing can be
            # put before or behind the words of a template.
            return body.strip()
        turn = "turn" if channel in CONVERSING else "turn-link"
        if case.others and (send.item is not None or send.kind in PROMPTS) and turn in self.frames[language]:
            # Several use this telephone: the text says whose turn it is.
            body = f"{fill(self._frame(case, turn), values).strip()}\n{body}"
        elif case.others and send.frame in ABOUT_ONE:
            # What was understood is said of somebody: two on one telephone cannot tell whose answer is meant.
            body = f"{values['code']}: {body}"
        if reply_to is not None and channel == "sms-reply" and asks_for_reply(send.frame):
            line = reply_line(self.frames[language], body, *reply_to)
            number, word = reply_to
            body = f"{body}\n{fill(line, {'reply_to': number, 'reply_word': word}).strip()}".strip()
        if first and send.kind in PROMPTS:
            body = f"{body}\n{fill(self._first(case, channel), values)}"
        return body.strip()

    def template(self, protocol: Protocol, frame: str, language: str, words: str) -> tuple[str, tuple[str, ...]] | None:
        """Return the id of the template that says these words of a frame, and its values; None if there is none."""
        key = (frame, language)
        one = next((one for one in protocol.whatsapp_templates if (one.frame, one.language) == key), None)
        values = None if one is None else values_in(self.frames[language].get(frame, "").strip(), words)
        return (
            None if one is None or values is None else (one.content_sid, tuple(values[name] for name in one.variables))
        )

    def _frame(self, case: Case, name: str) -> str:
        frames = self.frames[case.participant.language]
        while name not in frames and name in BEFORE:
            name = BEFORE[name]
        return frames[name]

    def _first(self, case: Case, channel: Channel) -> str:
        """Who we are and how to stop: where replies do not reach us, it is said otherwise."""
        frames = self.frames[case.participant.language]
        return frames.get(f"first.{channel}") or frames["first"]

    @staticmethod
    def _values(case: Case, send: Send, link: str) -> dict[str, str]:
        language, zone = case.participant.language, case.participant.zone
        site, protocol = case.participant.site, case.protocol
        item = protocol.items.get(send.item or "")
        named = protocol.items.get(send.about or send.item or "")
        called = names_on_phone(case) if case.others else (case.participant.code,)
        window = None if send.window_id is None else case.window(send.window_id)
        return {
            "question": "" if item is None else item.question[language],
            "item": "" if named is None else named.short[language],
            "low": "" if item is None else str(item.minimum),
            "high": "" if item is None else str(item.maximum),
            "label": "" if window is None else window.point.label[language],
            "closes": "" if window is None else moment(window.span.closes_at - MIDNIGHT, zone, language),
            "link": link,
            "stop_link": f"{link}{STOP}",
            "telephone": site.telephone,
            "emergency": site.emergency_number,
            "contact": site.short_name[language],
            "study": protocol.study,
            "code": " / ".join(sorted(called)) if send.frame == WHICH_PARTICIPANT else called[0],
            "answer": "" if send.proposed is None else str(send.proposed),
            "when": "" if send.when is None else moment(send.when, zone, language),
            "until": "" if send.until is None else clock_time(send.until, zone),
        }


@lru_cache(maxsize=4096)
def moment(instant: datetime, zone: ZoneInfo, language: str) -> str:
    """An instant as people say it, in their zone: `Tuesday 20 January 23:59`."""
    from babel.dates import format_datetime  # noqa: PLC0415

    pattern = MOMENT.get(language, MOMENT["en"])
    return format_datetime(local(instant, zone), pattern, tzinfo=zone, locale=language)


@lru_cache(maxsize=4096)
def day(value: date, pattern: str, language: str) -> str:
    """A calendar date in a language, by one of Babel's patterns: `d MMM y` is `20 Jan 2026`."""
    from babel.dates import format_date  # noqa: PLC0415

    return format_date(value, pattern, locale=language)


def local(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return what the clocks of a zone show at an instant; every instant that people read comes through here.

    Raise TypeError for no zone, or a time that is no instant: Python would take the zone of this machine.
    """
    if instant.tzinfo is None or not isinstance(zone, ZoneInfo):
        raise TypeError("an instant is read on the clock of a zone, never on this machine's")
    return instant.astimezone(zone)


@lru_cache(maxsize=256)
def place_of(zone: ZoneInfo, language: str) -> str:
    """Return the place whose clocks a zone is, in a language: `Istanbul`."""
    from babel.dates import get_timezone_location  # noqa: PLC0415

    return str(get_timezone_location(zone, locale=language, return_city=True))


@lru_cache
def longest_moment(language: str) -> str:
    """Return the longest text that `moment` makes in a year; with characters beyond GSM-7 if any has them."""
    days = (datetime(2026, 1, 1, 23, 59, tzinfo=UTC) + timedelta(days=day) for day in range(365))
    return max(
        (moment(day, ZoneInfo("UTC"), language) for day in days), key=lambda text: (bool(beyond_gsm(text)), len(text))
    )


def costs_of(protocol: Protocol, frames: Frames, link: str = LINK) -> tuple[Cost, ...]:
    """Return what every text of a protocol costs, in its dearest form."""
    return text_costs(protocol, frames, {language: longest_moment(language) for language in protocol.languages}, link)


def clock_time(instant: datetime, zone: ZoneInfo) -> str:
    """An instant on the clock of a zone: `16:00`."""
    return f"{local(instant, zone):%H:%M}"


def from_json(version_id: int, text: str) -> Wording:
    """The wording stored with a protocol version."""
    return Wording(version_id, json.loads(text))

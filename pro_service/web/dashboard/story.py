"""One participant's story in words: each event as a line with its shape, newest first, page by page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import get_args
from zoneinfo import ZoneInfo

from flask import request, url_for

from pro_service.core.case import REPLIED, Case
from pro_service.reports.events import KINDS, AnswerVersion, Event, EventPage, Kind, Mark, Step
from pro_service.web.dashboard.formatting import fact, short_moment, window_shape, word, word_or_code, words
from pro_service.web.i18n import MINUTE, clock_at, ngettext, of
from pro_service.web.i18n import gettext as _
from pro_service.wording import local

PAGE = 25
CHIPS: Mapping[str, tuple[Kind, ...]] = {
    "messages": ("message", "reply", "reach"),
    "answers": ("answer",),
    "calls": ("call", "task"),
    "changes": ("change",),
}
"""What the address may ask for, and which events that is."""

ON_WHATSAPP = "whatsapp"
"""The way out, as a text is stored."""
GLYPHS: Mapping[Kind, str] = {
    "window": "window",
    "change": "change",
    "message": "text",
    "reach": "text",
    "reply": "reply",
    "answer": "answer",
    "call": "call",
    "task": "task",
}
TEXT_SHAPES = {
    "ready": "upcoming",
    "sending": "upcoming",
    "accepted": "open",
    "sent": "open",
    "delivered": "completed_in_window",
    "undelivered": "missed",
    "failed": "missed",
    "refused": "missed",
    "dead": "missed",
    "uncertain": "partial",
    "expired": "not_applicable",
    "cancelled": "not_applicable",
}
IN_VAIN = frozenset({"no_answer", "busy", "wrong_person", "not_in_service"})
ENDED = frozenset({"withdraw", "died", "opt_out"})
_PLACE = re.compile(r"(\d{8}T\d{6}\.\d{6})-([a-z]+)-(\d{1,18})")
_STAMP = "%Y%m%dT%H%M%S.%f"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the story."""

    at: datetime
    kind: Kind
    glyph: str
    shape: str
    title: str
    state: str = ""
    """The word that stands beside the shape."""
    window: str = ""
    details: tuple[str, ...] = ()
    answers: tuple[tuple[str, str, int | None], ...] = ()
    """(question, what came of it, the value where the reader may see it)."""
    note: str | None = None
    """A reason as it was typed; None: there is none."""
    link: str | None = None
    folded: tuple["Entry", ...] = ()
    """What this one line stands for, to be opened."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the story."""

    works: bool
    """At this participant's site: may follow to tasks' forms and the inbox."""
    scores: bool
    free_text: bool


def kinds(chip: str | None) -> tuple[Kind, ...]:
    """Return the events a chip stands for; all of them where the address asks for none or for one there is not."""
    return CHIPS.get(chip or "", KINDS)


def place(mark: Mark) -> str:
    """Return a mark as it stands in an address."""
    return f"{mark.at.astimezone(UTC).strftime(_STAMP)}-{mark.kind}-{mark.id}"


def mark_of(text: str | None) -> Mark | None:
    """Return the mark of an address; None for what is none."""
    found = _PLACE.fullmatch(text or "")
    if found is None or found[2] not in get_args(Kind):
        return None
    try:
        at = datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return Mark(at, KINDS[KINDS.index(found[2])], int(found[3]))


@dataclass(frozen=True, slots=True)
class StoryPage:
    """What the page tells: everything for the line of time, and one page of the story."""

    every: tuple[Entry, ...]
    """The newest of all kinds, newest first."""
    entries: tuple[Entry, ...]
    chip: str | None
    more: Mark | None
    """Where older ones begin; None where there are none."""
    earlier: bool
    """Whether newer ones were left out: somebody has turned the page."""


def filter_in_address() -> tuple[str | None, Mark | None]:
    """Return what the address asks for: a kind of events, and from where on."""
    chip = request.args.get("show")
    return chip if chip in CHIPS else None, mark_of(request.args.get("before"))


def story_page(happened: EventPage, case: Case, reader: Reader) -> StoryPage:
    """Return the story in words."""
    chip, before = filter_in_address()
    teller = Teller(case, reader, happened.steps)
    page = happened.page[:PAGE]
    more = page[-1].mark if len(happened.page) > PAGE else None
    return StoryPage(tuple(map(teller, happened.every)), tuple(map(teller, page)), chip, more, before is not None)


class Teller:
    """Puts the events of one participant into words for one reader."""

    def __init__(self, case: Case, reader: Reader, lives: Mapping[int, Sequence[Step]]) -> None:
        self._case, self._reader, self._lives, self._zone = case, reader, lives, case.site_zone
        self._tellers = {
            "window": self._window,
            "change": self._change,
            "message": self._message,
            "reach": self._reach,
            "reply": self._reply,
            "answer": self._answer,
            "call": self._call,
            "task": self._task,
        }

    def __call__(self, event: Event) -> Entry:
        """Return the event as a line."""
        return self._tellers[event.mark.kind](event)

    def _entry(self, event: Event, shape: str, title: str, state: str = "", **more: object) -> Entry:
        details = tuple(str(one) for one in (*_many(more.pop("details", ())), _by(event)) if one)
        kind = event.mark.kind
        glyph = "mail" if event.by in ("email", "email-link") else GLYPHS[kind]
        return Entry(event.at, kind, glyph, shape, title, state, event.window or "", details, **more)  # type: ignore[arg-type]

    def _window(self, event: Event) -> Entry:
        if event.word == "opened":
            return self._entry(event, "open", _("The window opened"))
        if event.word == "skipped":
            return self._entry(
                event, "missed", word("kind", event.state or ""), _("not sent: the time for it has passed")
            )
        state = event.state or ""
        closed = self._entry(event, window_shape(state), _("The window closed"), word("status", state))
        # At the minute that every page says it closes, not the midnight after.
        return replace(closed, at=event.at - MINUTE)

    def _message(self, event: Event) -> Entry:
        return self._mails(event) if event.folded else self._one_message(event)

    def _mails(self, event: Event) -> Entry:
        """Return the mails to staff about one task on one day: how many, and whether one did not leave."""
        each = tuple(map(self._one_message, event.folded))
        worst = next((one for one in each if one.shape == "missed"), each[0])
        title = ngettext("%(num)s mail to staff", "%(num)s mails to staff", len(each)) % {"num": len(each)}
        return self._entry(event, worst.shape, title, worst.state, folded=each)

    def _one_message(self, event: Event) -> Entry:
        state = event.state or ""
        steps = [_step(step, self._zone, event.at) for step in self._lives.get(event.mark.id, ())]
        failure = [word("failure", event.detail)] if event.detail and TEXT_SHAPES.get(state) == "missed" else []
        return self._entry(
            event,
            TEXT_SHAPES.get(state, "open"),
            word("kind", event.word),
            word("state", state),
            details=(_("on WhatsApp") if event.by == ON_WHATSAPP else "", *failure, " → ".join(dict.fromkeys(steps))),
            link=url_for("dashboard.message", number=event.mark.id),
        )

    def _reach(self, event: Event) -> Entry:
        shape = {"confirmed": "completed_in_window", "failed": "missed"}.get(event.state or "", "open")
        states = {
            "confirmed": _("confirmed"),
            "failed": _("failed"),
        }
        ways = {
            "reply": _("by reply"),
            "link": _("by its link"),
            "staff": _("by staff"),
            "undelivered": _("the message did not arrive"),
            "unconfirmed": _("not confirmed in time"),
        }
        steps = tuple(f"{states[step.word]} {short_moment(step.at, self._zone)}" for step in event.steps)
        state = states.get(event.state or "", _("waits to be confirmed"))
        return self._entry(event, shape, _("Contact test"), state, details=(ways.get(event.detail or "", ""), *steps))

    def _reply(self, event: Event) -> Entry:
        state = {"waits": _("waits for a person"), "handled": _("dealt with")}.get(event.state or "", "")
        shape = {"waits": "partial"}.get(event.state or "", "completed_in_window")
        to = event.state is not None and self._reader.works
        link = url_for("dashboard.inbox_text", text_id=event.mark.id) if to else None
        came = _("A WhatsApp message came in") if event.by == ON_WHATSAPP else _("A message came in")
        return self._entry(event, shape, came, state or _("read"), link=link)

    def _answer(self, event: Event) -> Entry:
        given = [one for one in event.answers if not one.cleared]
        if not given:
            shape, state = "not_applicable", _("taken back")
        elif all(one.declined for one in given):
            shape, state = "declined", word("status", "declined")
        elif event.in_window:
            shape, state = "completed_in_window", ""
        else:
            shape, state = "completed_late", _("late")
        reasons = list(dict.fromkeys(one.reason for one in event.answers if one.reason))
        read = _("read and entered by staff") if event.word in REPLIED and event.who else ""
        return self._entry(
            event,
            shape,
            _("Answers {how}").format(how=word("source", event.word)),
            state,
            details=(read,),
            answers=tuple(self._given(one) for one in event.answers),
            note=" · ".join(reasons) or None,
        )

    def _given(self, one: AnswerVersion) -> tuple[str, str, int | None]:
        items = self._case.protocol.items
        name = of(items[one.item].short) if one.item in items else one.item
        came = _("declined") if one.declined else _("taken back") if one.cleared else _("answered")
        if one.version > 1:
            came = _("{answered}, version {n}").format(answered=came, n=one.version)
        return name, came, one.value if self._reader.scores else None

    def _call(self, event: Event) -> Entry:
        shape = (
            "missed" if event.word in IN_VAIN else "completed_in_window" if event.word == "completed_now" else "open"
        )
        when = "" if event.until is None else short_moment(event.until, self._zone)
        return self._entry(event, shape, _("Called"), f"{word('outcome', event.word)} {when}".strip())

    def _task(self, event: Event) -> Entry:
        steps = []
        for step in event.steps:
            came = word("outcome", step.error) if step.word == "resolve" and step.error else word("action", step.word)
            steps.append(
                " ".join((came, short_moment(step.at, self._zone), f"({step.who})" if step.who else "")).strip()
            )
        still = event.state == "open"
        due = _("due {when}").format(when=short_moment(event.until, self._zone)) if still and event.until else ""
        shape = "at_risk" if still else "completed_in_window"
        return self._entry(
            event,
            shape,
            word("level", event.word),
            _("open") if still else _("ended"),
            details=(word("reason", event.detail or ""), due, *steps),
            link=url_for("dashboard.task", task_id=event.mark.id),
        )

    def _change(self, event: Event) -> Entry:
        known = words("fact")
        facts = [
            f"{known[name]}: {fact(name, old, self._zone)} → {fact(name, new, self._zone)}"
            if old is not None
            else f"{known[name]}: {fact(name, new, self._zone)}"
            for name, old, new in event.facts
            if name in known and old != new
        ]
        shape = "not_applicable" if event.word in ENDED else ""
        return self._entry(event, shape, word("action", event.word), details=tuple(facts), note=event.note)


def _many(details: object) -> tuple[object, ...]:
    return details if isinstance(details, tuple) else ()


def _by(event: Event) -> str:
    """Return who did it."""
    if event.who:
        return event.who
    if event.mark.kind != "change":
        return ""
    kinds_of = {
        "participant": _("participant"),
        "staff": _("staff"),
        "system": _("this service"),
        "provider": _("the provider"),
    }
    return word_or_code(kinds_of, event.by or "")


def _step(step: Step, zone: ZoneInfo, since: datetime) -> str:
    """Return `delivered 18:31`; with its day where it is another."""
    same = local(step.at, zone).date() == local(since, zone).date()
    at = clock_at(step.at, zone) if same else short_moment(step.at, zone)
    if step.word == "attempt":
        return _("handed over {when}").format(when=at)
    return f"{word_or_code({**words('state'), **words('carried')}, step.word)} {at}"

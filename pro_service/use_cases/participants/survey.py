"""The participants' form: what it shows, what an answer does, and the wish to be called.

The token of the address is all that is asked for. A token nobody has, a closed window and somebody who has left are
answered alike: None.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from pro_service.core.case import Answer, Case, EscalationFacts, Part, WindowFacts
from pro_service.core.conversation.answers import editable, on_answers
from pro_service.core.conversation.call_wishes import ask_for_call as commands_of_wish
from pro_service.core.protocol import Item, Language, Texts, Window
from pro_service.core.schedule.agenda import opt_out
from pro_service.core.schedule.calendar import local_day
from pro_service.core.schedule.call_times import PARTS, CallHours, call_hours, promised_hours
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.participants import links
from pro_service.store.participants.links import Opened
from pro_service.use_cases.transaction import transaction

DECLINED = "declined"
"""The value of a field whose question somebody prefers not to answer."""

State: TypeAlias = Literal["upcoming", "open", "late", "done"]
FieldFault: TypeAlias = Literal["not_in_range", "nothing_answered"]


@dataclass(frozen=True, slots=True)
class Question:
    """One item and what was answered before."""

    item: Item
    answer: Answer | None

    @property
    def given(self) -> str:
        """What was answered, as the field's value; empty if nothing was."""
        if self.answer is None or not self.answer.given:
            return ""
        return DECLINED if self.answer.declined else str(self.answer.value)


@dataclass(frozen=True, slots=True)
class Form:
    """One window as its participant sees it. No name, no disease, no telephone of the participant."""

    state: State
    language: Language
    languages: tuple[Language, ...]
    zone: ZoneInfo
    clinic: Texts
    """The name of the clinic that asks, as in texts."""
    label: Texts
    span: Window
    questions: tuple[Question, ...]
    """All of the window, in the protocol's order."""
    changeable: bool
    """Given answers may still be changed."""
    telephone: str
    emergency: str
    """The number to call in an emergency."""
    call_wanted: bool
    """The participant asked for a call, and nobody has called yet."""
    call_pending: bool
    """A call about this window is somebody's task, asked for or not."""
    promised: CallHours | None
    """The hours in which we said that we call, as long as they last; None = any working hours."""
    call_hours: tuple[tuple[Part, CallHours], ...]
    """The parts of the day in which somebody can call, with their hours on a day like today."""

    @property
    def missing(self) -> tuple[Question, ...]:
        """What is still to be answered."""
        return tuple(question for question in self.questions if not question.given)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a submitted form did. `form` None: there is nothing to answer here."""

    form: Form | None
    faults: Mapping[str, FieldFault]
    """Item id -> what is wrong; nothing was kept unless this is empty. The empty id is the form as a whole."""


def open_form(rt: Runtime, token: str) -> Form | None:
    """The form of this token. Only looks: robots that preview links fetch it too."""
    return _form_behind(rt, token, rt.clock())[1]


def submit(rt: Runtime, token: str, fields: Mapping[str, str]) -> Outcome:
    """Keep what was answered: item id -> whole number or `declined`; empty or absent is missing.

    A form with a fault keeps nothing. The same answers twice make one version.
    """
    now = rt.clock()
    behind, seen = _form_behind(rt, token, now)
    if seen is None:
        return Outcome(None, {})
    with transaction(rt, _participant(behind.participant_id), now) as tx:
        loaded = rt.loader.one(tx.session, behind.participant_id)
        window = _window(loaded.case, behind.window_id)
        form = _form(loaded.case, behind.window_id, now)
        if form is None or window is None:
            return Outcome(None, {})
        if not editable(window, behind.source, now):
            return Outcome(form, {})
        answers, faults = _read(form, fields)
        if not faults:
            commands = on_answers(loaded.case, window, answers, source=behind.source, received_at=now, now=now)
            tx.carry_out(loaded, commands)
    return Outcome(form, faults)


def ask_for_call(rt: Runtime, token: str, part: str = "") -> bool:
    """Make a task of the wish to be called in a part of the day (else at any time); False where there is no form.

    Asked for once more the same call is moved.
    """
    wished = next((one for one in PARTS if one == part), None)
    now = rt.clock()
    behind, seen = _form_behind(rt, token, now)
    if seen is None:
        return False
    with transaction(rt, _participant(behind.participant_id), now) as tx:
        loaded = rt.loader.one(tx.session, behind.participant_id)
        case = loaded.case
        form, window = _form(case, behind.window_id, now), _window(case, behind.window_id)
        if form is None or window is None:
            return False
        tx.carry_out(loaded, commands_of_wish(case, window, now, now, wished)[0])
    return True


def language_of(rt: Runtime, token: str) -> Language | None:
    """Return the participant's language, also when their window is over; None for a token nobody has."""
    return _reader(rt, token)[1]


def stop(rt: Runtime, token: str) -> Language | None:
    """End the messages to a participant on every channel; a second time changes nothing.

    Return their language; None for a token nobody has. It works for every link they ever got: mails are kept for years.
    """
    participant_id, language = _reader(rt, token)
    if language is not None:
        with transaction(rt, _participant(participant_id), rt.clock()) as tx:
            loaded = rt.loader.one(tx.session, participant_id)
            if loaded.case.participant.left_at is None:
                tx.carry_out(loaded, opt_out(loaded.case, tx.now))
    return language


def _reader(rt: Runtime, token: str) -> tuple[int, Language | None]:
    """Return the participant a link was sent to (row id), and their language; None for a token nobody has."""
    with rt.sessions.reading() as session:
        behind = links.opened(session, token)
        loaded = rt.loader.load(session, [behind.participant_id], lock=False)
    known = bool(loaded) and behind.window_id is not None
    return behind.participant_id, loaded[0].case.participant.language if known else None


def _form_behind(rt: Runtime, token: str, now: datetime) -> tuple[Opened, Form | None]:
    """Whose window this token opens, and its form; the same work for a token nobody has."""
    with rt.sessions.reading() as session:
        behind = links.opened(session, token)
        loaded = rt.loader.load(session, [behind.participant_id], lock=False)
    return behind, _form(loaded[0].case, behind.window_id, now) if loaded else None


def _participant(participant_id: int) -> Actor:
    return Actor(kind="participant", id=f"participant:{participant_id}", source="web")


def _window(case: Case, window_id: int | None) -> WindowFacts | None:
    """The window of a link; after a changed procedure date the one that took its place."""
    found = next((window for window in case.windows if window.id == window_id), None)
    if found is None or found.cancelled_at is None:
        return found
    return next((window for window in case.current if window.code == found.code), None)


def _form(case: Case, window_id: int | None, now: datetime) -> Form | None:
    window, participant = _window(case, window_id), case.participant
    if window is None or _is_over(case) or now >= window.span.late_until:
        return None
    open_tasks = [e for e in case.escalations if e.open and e.window_id == window.id]
    wanted = [e for e in open_tasks if e.asked_at is not None]
    return Form(
        state=_state(window, now),
        language=participant.language,
        languages=case.protocol.languages,
        zone=participant.zone,
        clinic=participant.site.short_name,
        label=window.point.label,
        span=window.span,
        questions=tuple(Question(case.protocol.items[item], window.answers.get(item)) for item in window.point.items),
        changeable=window.span.opens_at <= now < window.span.closes_at,
        telephone=participant.site.telephone,
        emergency=participant.site.emergency_number,
        call_wanted=bool(wanted),
        call_pending=bool(wanted) or any(e.level in ("E1", "E2") for e in open_tasks),
        promised=_promised(case, wanted, now),
        call_hours=_call_hours(case, now),
    )


def _is_over(case: Case) -> bool:
    return case.participant.left_at is not None or case.locked_at is not None


def _promised(case: Case, wanted: list[EscalationFacts], now: datetime) -> CallHours | None:
    newest = max(wanted, key=lambda task: task.asked_at or task.raised_at, default=None)
    hours = None if newest is None else promised_hours(case, newest)
    return hours if hours is not None and now < hours.ends else None


def _call_hours(case: Case, now: datetime) -> tuple[tuple[Part, CallHours], ...]:
    """Return the parts of a day with their hours; of two with the same hours the first."""
    day = local_day(now, case.site_zone)
    of_hours = {call_hours(case, part, day): part for part in reversed(PARTS)}
    return tuple((part, hours) for hours, part in sorted(of_hours.items()))


def _state(window: WindowFacts, now: datetime) -> State:
    if now < window.span.opens_at:
        return "upcoming"
    if not window.missing():
        return "done"
    return "open" if now < window.span.closes_at else "late"


def _read(form: Form, fields: Mapping[str, str]) -> tuple[dict[str, int | None], dict[str, FieldFault]]:
    """The answers of the fields, and what is wrong with them."""
    answers: dict[str, int | None] = {}
    faults: dict[str, FieldFault] = {}
    for question in form.questions:
        item, text = question.item, fields.get(question.item.id, "").strip()
        if text == DECLINED:
            answers[item.id] = None
        elif text in {str(value) for value in range(item.minimum, item.maximum + 1)}:
            answers[item.id] = int(text)
        elif text:
            faults[item.id] = "not_in_range"
    if not answers and not faults:
        faults[""] = "nothing_answered"
    return answers, faults

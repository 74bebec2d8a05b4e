"""What differs between two versions of a study: every value of the file and every text, by its place."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, time, timedelta
from typing import Any, Literal, TypeAlias, get_args

from pro_service.core.iso8601 import offset_text, span_text
from pro_service.core.protocol import Hours, Offset, Protocol, Step, TimePoint

Area = Literal["study", "hours", "items", "windows", "ladder", "sites", "safety_words", "texts"]
AREAS: tuple[Area, ...] = get_args(Area)

Place: TypeAlias = tuple[str, ...]
Texts: TypeAlias = Mapping[str, Mapping[str, str]]
"""Language -> name of the text -> the text with its blanks."""

_AREA: Mapping[str, Area] = {
    "contact_hours": "hours",
    "working_hours": "hours",
    "useful_for": "hours",
    "useless_before_close": "hours",
    "failed_calls": "hours",
    "missed_in_a_row": "hours",
    "items": "items",
    "time_points": "windows",
    "ladder": "ladder",
    "sites": "sites",
    "safety_words": "safety_words",
    "whatsapp_templates": "texts",
}
_IN_FILE = {"items": "item", "time_points": "time_point", "sites": "site", "whatsapp_templates": "whatsapp_template"}
"""What the study file calls them."""
_SINGLE = (Offset, bool, int, str, date, time, timedelta)
_KEYS = ("code", "id", "name", "content_sid")
"""The key that identifies each part of a list, so that a part that moved is still the same one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs."""

    area: Area
    place: str
    """`time_point · W1 · reminder-1 · at`; of a text `tr/thanks`."""
    old: str | None
    """None: it is new."""
    new: str | None
    """None: it is gone."""


def differences(old: tuple[Protocol, Texts], new: tuple[Protocol, Texts]) -> tuple[Difference, ...]:
    """Return every difference, by area, in the order of the newer version; what was removed comes last."""
    before, after = _flat(*old), _flat(*new)
    places = [*after, *(place for place in before if place not in after)]
    found = [
        Difference(area, place, before.get((area, place)), after.get((area, place)))
        for area, place in places
        if before.get((area, place)) != after.get((area, place))
    ]
    return tuple(sorted(found, key=lambda one: AREAS.index(one.area)))


def _flat(protocol: Protocol, texts: Texts) -> dict[tuple[Area, str], str]:
    found: dict[tuple[Area, str], str] = {}
    for field in fields(protocol):
        area = _AREA.get(field.name, "study")
        part = getattr(protocol, field.name)
        if field.name == "safety_words":
            # One of fifty words was added: their order means nothing.
            part = {language: frozenset(words) for language, words in part.items()}
        for place, value in _values(part):
            found[area, " · ".join((_IN_FILE.get(field.name, field.name), *place))] = value
    for language, frames in texts.items():
        for name, text in frames.items():
            found["texts", f"{language}/{name}"] = text
    return found


def _values(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield every single value below a place, but none that is unset or empty."""
    if value is None or value in ("", ()):
        return
    if isinstance(value, _SINGLE):
        yield place, _said(value)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _values(part, (*place, key))
    elif isinstance(value, frozenset):
        for part in sorted(value):
            yield (*place, part), part
    elif isinstance(value, tuple):
        yield from _several(value, place)
    else:
        for field in fields(value):
            below, part = _as_in_file(value, field.name)
            yield from _values(part, (*place, *below))


def _several(values: tuple[Any, ...], place: Place) -> Iterator[tuple[Place, str]]:
    if all(isinstance(part, str) for part in values):
        yield place, ", ".join(values)
        return
    if place == () and _key(values[0]):
        # The order of the parts is a value of its own.
        yield place, ", ".join(map(_key, values))
    for number, part in enumerate(values, start=1):
        yield from _values(part, (*place, _key(part) or str(number)))


def _key(part: Any) -> str:
    return next((getattr(part, key) for key in _KEYS if is_dataclass(part) and hasattr(part, key)), "")


def _as_in_file(value: Any, name: str) -> tuple[Place, Any]:
    """Return the key of a field in the study file, below what holds it, and the value as it stands there."""
    part = getattr(value, name)
    if isinstance(value, TimePoint) and value.call_after is None and name in _OF_A_CALL:
        return (), None
    below, spelled = _SPELLED.get((type(value), name), ((name,), None))
    return below, part if part is None or spelled is None else spelled(part)


def _days(count: int) -> Offset:
    return Offset(days=count)


def _days_before(count: int) -> Offset:
    return Offset(days=-count)


def _minutes(bounds: tuple[int, ...]) -> Mapping[str, timedelta]:
    return {name: timedelta(minutes=count) for name, count in zip(("target", "from", "to"), bounds, strict=True)}


_SPELLED: Mapping[tuple[type, str], tuple[Place, Callable[[Any], Any] | None]] = {
    (TimePoint, "before"): (("first_day",), _days_before),
    (TimePoint, "after"): (("last_day",), _days),
    (TimePoint, "late"): (("late_until",), None),
    (TimePoint, "minutes"): (("after_procedure",), _minutes),
    (TimePoint, "steps"): ((), None),
    (TimePoint, "call_after"): (("call", "after"), _days),
    (TimePoint, "call_at"): (("call", "at"), None),
    (TimePoint, "call_due_working_days"): (("call", "due_working_days"), None),
    (TimePoint, "lead_before"): (("call", "lead_before"), None),
    (Step, "after"): (("after",), _days),
    (Hours, "start"): (("from",), None),
    (Hours, "end"): (("to",), None),
}
"""How the file spells what the protocol calls otherwise."""
_OF_A_CALL = frozenset({"call_at", "call_due_working_days", "lead_before"})


def _said(value: Any) -> str:
    """Return a value as the study file writes it."""
    match value:
        case Offset():
            return offset_text(value)
        case bool():
            return "true" if value else "false"
        case timedelta():
            return span_text(value)
        case time():
            return value.strftime("%H:%M")
        case date():
            return value.isoformat()
        case _:
            return str(value)

"""A protocol as canonical JSON, the form in which a version of it is stored: equal protocols give equal texts.

Sorted keys, no spaces. Dates and times in ISO 8601, lengths of time in whole seconds. A field that an older text does
not have takes its default, so that a stored version stays readable. A site's name is one text where it is the same in
every language, and its short name is left out where it is the name: so it was before names had languages, and a study
file that has not changed gives the text that is stored. So does one that is no draft and has no template: there were no
such keys.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, time, timedelta
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pro_service.core.protocol import Protocol


def to_json(protocol: Protocol) -> str:
    """The protocol as canonical JSON."""
    values = _encode(protocol)
    for name in ("draft", "whatsapp_templates"):
        if not values[name]:
            del values[name]
    for site in values["sites"].values():
        if site["short_name"] == site["name"]:
            del site["short_name"]
        for name in ("emergency", "provider"):
            if not site[name]:
                del site[name]
        site.update({key: _one_for_all(site[key]) for key in _NAMES if key in site})
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Protocol:
    """The protocol that `to_json` wrote. ValueError if a field is missing or has another type."""
    values = json.loads(text)
    try:
        for site in values["sites"].values():
            site.setdefault("short_name", site["name"])
            site.update({key: _one_for_each(site[key], values["languages"]) for key in _NAMES})
    except KeyError as missing:
        raise ValueError(f"{missing} is missing") from None
    protocol = _decode(Protocol, values)
    if not isinstance(protocol, Protocol):
        raise TypeError("not a protocol")
    return protocol


_NAMES = ("name", "short_name")


def _one_for_all(texts: Mapping[str, str]) -> str | Mapping[str, str]:
    """The text itself where it is the same in every language."""
    different = set(texts.values())
    return different.pop() if len(different) == 1 else texts


def _one_for_each(text: str | Mapping[str, str], languages: Sequence[str]) -> Mapping[str, str]:
    return dict.fromkeys(languages, text) if isinstance(text, str) else text


def _encode(value: Any) -> Any:
    match value:
        case timedelta():
            return round(value.total_seconds())
        case date() | time():
            return value.isoformat()
        case Mapping():
            return {key: _encode(part) for key, part in value.items()}
        case tuple():
            return [_encode(part) for part in value]
        case None | bool() | int() | str():
            return value
        case _:
            return {field.name: _encode(getattr(value, field.name)) for field in fields(value)}


def _decode(hint: Any, value: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{field.name: _field(field, hints[field.name], value) for field in fields(hint)})  # type: ignore[operator]
    if origin in (UnionType, Union):
        present = next(argument for argument in arguments if argument is not NoneType)
        return None if value is None else _decode(present, value)
    if origin is Mapping:
        return {key: _decode(arguments[1], part) for key, part in value.items()}
    if origin is tuple:
        kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(_decode(kind, part) for kind, part in zip(kinds, value, strict=True))
    if hint is timedelta:
        return timedelta(seconds=value)
    if hint in (date, time):
        return hint.fromisoformat(value)
    if not (value in arguments if origin is Literal else isinstance(value, hint)):
        raise ValueError(f"{value!r} is not {hint}")
    return value


def _field(field: Field[Any], hint: Any, values: Mapping[str, Any]) -> Any:
    if field.name in values:
        return _decode(hint, values[field.name])
    if field.default is MISSING:
        raise ValueError(f"{field.name} is missing")
    return field.default

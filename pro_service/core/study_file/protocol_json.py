"""A protocol as canonical JSON, the form in which a version of it is stored: equal protocols give equal texts.

Sorted keys, no spaces. Dates and times in ISO 8601, lengths of time in whole seconds. A field that an older text does
not have takes its default, so that a stored version stays readable.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, time, timedelta
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pro_service.core.protocol import Protocol


def to_json(protocol: Protocol) -> str:
    """The protocol as canonical JSON."""
    return json.dumps(_encode(protocol), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Protocol:
    """The protocol that `to_json` wrote. ValueError if a field is missing or has another type."""
    protocol = _decode(Protocol, json.loads(text))
    if not isinstance(protocol, Protocol):
        raise TypeError("not a protocol")
    return protocol


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

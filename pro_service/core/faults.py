"""Faults of a file a person wrote: every one at once, each with its place and its remedy."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

_HEADER = re.compile(r"\s*(?P<open>\[\[?)\s*(?P<name>[^\[\]#=]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*(?P<key>[\w-]+|"[^"]*"|'[^']*')(?P<more>(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=(?P<value>.*)""")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'')
_PARENT = re.compile(r"(?:\[\d+\]|(?:^|\.)[^.\[\]]+)$")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a file, where, and what to do about it."""

    path: str
    """Place in the file's structure, counted from 0: `time_point[2].reminder[0].at`."""
    line: int | None
    """Line in the file, from 1, best effort."""
    fault: str
    remedy: str
    code: str = field(default="", compare=False)
    """Of `core.findings`, for whoever says it in another language; empty where a person reads the file itself."""
    values: tuple[tuple[str, object], ...] = field(default=(), compare=False)
    """What fills the blanks of its words."""


class RejectedError(Exception):
    """What was given has faults; `faults` holds all of them, and nothing was changed."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


class Faults:
    """Collects the faults of one file and finds their lines."""

    def __init__(self, text: str) -> None:
        self._lines = places(text)
        self._found: list[Fault] = []

    def add(self, path: str, fault: str, remedy: str, *, line: int | None = None) -> None:
        """Note a fault; its line is the path's, or that of the nearest enclosing path the file names."""
        self._found.append(Fault(path, self.line(path) if line is None else line, fault, remedy))

    def line(self, path: str) -> int | None:
        """The line of a path or of what encloses it."""
        while path:
            for known in (path, f"{path}[0]"):
                if known in self._lines:
                    return self._lines[known]
            path = _PARENT.sub("", path, count=1)
        return None

    def touched(self, *paths: str) -> bool:
        """Whether a fault was noted at one of these paths, inside or around it: what was read there is a stand-in."""
        return any(
            found.path == path or _inside(found.path, path) or (found.path and _inside(path, found.path))
            for found in self._found
            for path in paths
        )

    def all(self) -> tuple[Fault, ...]:
        """Every fault, in the order of the file."""
        return tuple(sorted(self._found, key=lambda fault: (fault.line or 0, fault.path)))


def closest(word: str, known: Iterable[str]) -> str:
    """` did you mean "x"?` with the nearest known word, or nothing."""
    near = nearest(word, known)
    return "" if near is None else f'did you mean "{near}"?'


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that this one was most likely meant to be; None if none is near."""
    folded = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def places(text: str) -> dict[str, int]:
    """The line of every table and key of a TOML text, by path. Best effort: values over several lines are skipped."""
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    here, closing, depth = "", "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if closing:
            closing = "" if closing in line else closing
            continue
        if depth > 0:
            depth += _open_brackets(line)
            continue
        if header := _HEADER.fullmatch(line):
            here = _header_path(header["name"], counts, many=header["open"] == "[[")
            found.setdefault(here, number)
        elif key := _KEY.fullmatch(line):
            path = here
            for name in (key["key"], *key["more"].split(".")[1:]):
                path = _join(path, name)
                found.setdefault(path, number)
            closing = _open_quotes(key["value"])
            depth = 0 if closing else max(0, _open_brackets(key["value"]))
    return found


def _header_path(name: str, counts: dict[str, int], *, many: bool) -> str:
    path = ""
    parts = name.split(".")
    for place, part in enumerate(parts, start=1):
        path = _join(path, part)
        if many and place == len(parts):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = f"{path}[{counts[path]}]"
    return path


def _join(path: str, name: str) -> str:
    name = name.strip().strip("\"'")
    return f"{path}.{name}" if path else name


def _inside(path: str, around: str) -> bool:
    return path.startswith((f"{around}.", f"{around}["))


def _open_quotes(value: str) -> str:
    return next((mark for mark in ('"""', "'''") if value.count(mark) % 2), "")


def _open_brackets(value: str) -> int:
    bare = _STRING.sub("", value).split("#", 1)[0]
    return sum(bare.count(mark) for mark in "[{") - sum(bare.count(mark) for mark in "]}")

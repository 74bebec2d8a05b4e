"""Faults of a TOML text that a person wrote: every one at once, each with its place, its line and its remedy."""

import re
from collections.abc import Iterator

from pro_service.core.problems import Problem, problem

_AT = re.compile(r"\(at line (\d+), column \d+\)")
_HEADER = re.compile(r"\s*(?P<open>\[\[?)\s*(?P<name>[^\[\]#=]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*(?P<key>[\w-]+|"[^"]*"|'[^']*')(?P<more>(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=(?P<value>.*)""")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'')
_PARENT = re.compile(r"(?:\[\d+\]|(?:^|\.)[^.\[\]]+)$")


class Faults:
    """The faults of one TOML text, collected while it is read; finds the line of each."""

    def __init__(self, text: str) -> None:
        self._lines = lines_by_path(text)
        self._found: list[Problem] = []

    def add(self, path: str, code: str, /, **values: object) -> None:
        """Add the problem of this code, at the line of its path."""
        self._found.append(problem(code, path, self.line(path), **values))

    def line(self, path: str) -> int | None:
        """Return the line of a path, or of what encloses it; None if the text names neither."""
        while path:
            for known in (path, f"{path}[0]"):
                if known in self._lines:
                    return self._lines[known]
            path = _PARENT.sub("", path, count=1)
        return None

    def touched(self, *paths: str) -> bool:
        """Whether there is a fault at one of these paths, inside or around it: the value read there is a stand-in."""
        return any(
            found.path == path or _inside(found.path, path) or (found.path and _inside(path, found.path))
            for found in self._found
            for path in paths
        )

    def all(self) -> tuple[Problem, ...]:
        """Return every fault, in the order of the text."""
        return tuple(sorted(self._found, key=lambda fault: (fault.line or 0, fault.path)))


def line_of(error: Exception, text: str) -> int:
    """Return the line of a text that the reader of TOML stumbled over: the last, where it names none."""
    found = _AT.search(str(error))
    return int(found[1]) if found else text.count("\n") + 1


def lines_by_path(text: str) -> dict[str, int]:
    """Return the line (from 1) of every table and key of a TOML text, by path (`time_point[2].reminder[0].at`).

    Best effort: values over several lines are skipped.
    """
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    table, closing, depth = "", "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if closing:
            closing = "" if closing in line else closing
            continue
        if depth > 0:
            depth += _open_brackets(line)
            continue
        if header := _HEADER.fullmatch(line):
            table = _header_path(header["name"], counts, many=header["open"] == "[[")
            found.setdefault(table, number)
        elif key := _KEY.fullmatch(line):
            path = table
            for name in (key["key"], *key["more"].split(".")[1:]):
                path = _join_path(path, name)
                found.setdefault(path, number)
            closing = _open_quote(key["value"])
            depth = 0 if closing else max(0, _open_brackets(key["value"]))
    return found


def comments(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield every comment of a TOML text: its line (from 1), its words, and whether the line holds nothing else.

    Best effort: a value over several lines in triple quotes is skipped.
    """
    closing = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if closing:
            closing = "" if closing in line else closing
            continue
        closing = _open_quote(line)
        code, sign, words = _STRING.sub(lambda found: "_" * len(found[0]), line).partition("#")
        if sign and not closing:
            yield number, line[len(line) - len(words) :].strip(), not code.strip()


def _header_path(name: str, counts: dict[str, int], *, many: bool) -> str:
    path = ""
    parts = name.split(".")
    for place, part in enumerate(parts, start=1):
        path = _join_path(path, part)
        if many and place == len(parts):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = f"{path}[{counts[path]}]"
    return path


def _join_path(path: str, name: str) -> str:
    name = name.strip().strip("\"'")
    return f"{path}.{name}" if path else name


def _inside(path: str, around: str) -> bool:
    return path.startswith((f"{around}.", f"{around}["))


def _open_quote(value: str) -> str:
    return next((mark for mark in ('"""', "'''") if value.count(mark) % 2), "")


def _open_brackets(value: str) -> int:
    bare = _STRING.sub("", value).split("#", 1)[0]
    return sum(bare.count(mark) for mark in "[{") - sum(bare.count(mark) for mark in "]}")

"""What goes wrong, as values: a code of the catalogue, what fills the blanks of its words, and where it is.

Every problem of what a person wrote is reported at once. Nothing here or above reads words back: behaviour hangs on
codes, and `words` puts a problem into the reader's language at the edge, on a page or on the command line.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from pro_service.core.problem_words import CATALOGUE, DID_YOU_MEAN, Severity


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or to be minded, and where."""

    code: str
    """Of `CATALOGUE`."""
    path: str = ""
    """Place in a file's structure, counted from 0 (`time_point[2].reminder[0].at`), or a field; empty: the whole."""
    line: int | None = None
    """Line in the file, from 1, best effort."""
    values: Mapping[str, object] = dataclasses.field(default_factory=dict, hash=False)
    """What fills the blanks of its words: texts, numbers, days, `Country`, `Column`, `ChannelCode`, or several of
    them."""

    @property
    def severity(self) -> Severity:
        """Whether what was asked for is refused, or done all the same."""
        return CATALOGUE[self.code].severity

    def at(self, path: str, line: int | None = None) -> "Problem":
        """Return the same problem at this place."""
        return dataclasses.replace(self, path=path, line=line)


def problem(code: str, path: str = "", line: int | None = None, /, **values: object) -> Problem:
    """Return the problem of this code, at a place, with what fills its blanks."""
    return Problem(code, path, line, values)


@dataclass(frozen=True, slots=True)
class Country:
    """A country among the values of a problem; pages know its name in the reader's language."""

    code: str
    """ISO 3166-1 alpha-2; empty for one that is not known."""
    name: str
    """In English."""

    def __str__(self) -> str:
        return self.name


class Column(str):
    """A column of an enrolment file among the values of a problem; pages have words for it."""

    __slots__ = ()


class ChannelCode(str):
    """A channel among the values of a problem; pages have words for it, unless they speak of a file that names it."""

    __slots__ = ()


class RejectedError(Exception):
    """The input has faults; `faults` holds all of them, and nothing was changed."""

    def __init__(self, faults: tuple[Problem, ...]) -> None:
        super().__init__(", ".join(fault.code for fault in faults))
        self.faults = faults


class ChangeRefusedError(Exception):
    """The change cannot be made; `notes` holds every reason, and nothing was written."""

    def __init__(self, notes: tuple[Problem, ...]) -> None:
        super().__init__(", ".join(note.code for note in notes))
        self.notes = notes


class SetUpError(Exception):
    """The service cannot work as it is set up; `problem` says why."""

    def __init__(self, code: str, /, **values: object) -> None:
        super().__init__(code)
        self.problem = Problem(code, values=values)


def unavailable(cause: str) -> Problem:
    """Return why the database cannot be used, by its cause (`store.unavailable`)."""
    return Problem(f"database_{cause}")


def words(
    found: Problem,
    translate: Callable[[str], str] = str,
    show: Callable[[object], str] | None = None,
    *,
    on_page: bool = False,
) -> tuple[str, str]:
    """Return (what is wrong, what to do about it).

    In English, with days and instants in ISO 8601, unless `translate` puts a pattern into another language and `show`
    a value. `on_page`: for somebody in a browser. KeyError for an unknown code or a missing value.
    """
    entry, one = CATALOGUE[found.code], show or _plain
    values = {
        name: ", ".join(map(one, value)) if isinstance(value, tuple) else one(value)
        for name, value in found.values.items()
    }
    remedy = DID_YOU_MEAN if found.values.get("near") else entry.on_page if on_page and entry.on_page else entry.remedy
    return translate(entry.what).format(**values), translate(remedy).format(**values)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that this one was most likely meant to be; None if none is near."""
    folded = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def _plain(value: object) -> str:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)

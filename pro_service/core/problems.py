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
    """What fills the blanks of its words: texts, numbers, days, `Country`, `Column`, or several of them."""

    @property
    def severity(self) -> Severity:
        """Whether what was asked for is refused, or done all the same."""
        return CATALOGUE[self.code].severity

    def at(self, path: str, line: int | None = None) -> "Problem":
        """Return the same problem at this place."""
        return dataclasses.replace(self, path=path, line=line)

    @property
    def fault(self) -> str:
        """What is wrong, in English."""
        return words(self)[0]

    @property
    def remedy(self) -> str:
        """What to do about it, in English."""
        return words(self)[1]


def problem(code: str, path: str = "", line: int | None = None, /, **values: object) -> Problem:
    """Return the problem of this code, at a place, with what fills its blanks."""
    return Problem(code, path, line, values)


def said(path: str, line: int | None, fault: str, remedy: str) -> Problem:
    """Return a problem that has no code yet, in English words."""
    return Problem("said", path, line, {"fault": fault, "remedy": remedy})


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


UNAVAILABLE: Mapping[str, tuple[str, str]] = {
    "full": (
        "the database cannot be written: the disk is full",
        "free some space on the disk of the database; nothing else is needed, what waits goes on then",
    ),
    "disk": (
        "the database cannot be written: its disk is full, or reports a fault",
        "look at free space and quotas first, then at the system's log about that disk",
    ),
    "locked": (
        "the database is locked by another program",
        "find what holds it: a backup, a shell, another process of this service that stands still",
    ),
    "read_only": (
        "the database can only be read",
        "it lies on a read-only disk, its file is not this user's to write, or it is a standby: check where it points",
    ),
    "not_opened": (
        "the file of the database cannot be opened",
        "check that its folder is there, belongs to this user and lies on no read-only disk",
    ),
    "forbidden": (
        "this user may not write to the database",
        "check who owns its file and folder, or the rights of its role",
    ),
    "unreachable": (
        "the database cannot be reached",
        "check DATABASE_URL, and that the server or folder is there",
    ),
}
"""Why the database cannot be used (`store.unavailable`): what is wrong, and what to do about it."""


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


def closest(word: str, known: Iterable[str]) -> str:
    """Return `did you mean "x"?` with the nearest known word; an empty text if none is near."""
    near = nearest(word, known)
    return "" if near is None else f'did you mean "{near}"?'


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that this one was most likely meant to be; None if none is near."""
    folded = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)

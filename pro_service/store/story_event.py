"""One thing that happened to a participant, in codes: pages put them into words."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args

Kind: TypeAlias = Literal["window", "change", "message", "reach", "reply", "answer", "call", "task"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order in which they are told where they happened at one instant."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the story: the event one has read last."""

    at: datetime
    kind: Kind
    id: int

    @property
    def order(self) -> tuple[datetime, int, int]:
        """What events are sorted by."""
        return self.at, KINDS.index(self.kind), self.id


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of something that took a while: of a text's delivery, of a task, of a test."""

    at: datetime
    word: str
    """A code: a state of a text, or what was done with a task."""
    error: str | None = None
    who: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """One version of one answer. `value` is None where it is not the reader's to see."""

    item: str
    version: int
    value: int | None
    declined: bool
    cleared: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    mark: Mark
    word: str
    """A code: the kind of a text, an outcome, an action, a level."""
    window: str | None = None
    window_id: int | None = None
    state: str | None = None
    """What came of it, where something can."""
    who: str | None = None
    """A member of staff, by mail address."""
    by: str | None = None
    """Of a change: the kind of actor."""
    detail: str | None = None
    """Another code: a reason, a channel, a failure."""
    until: datetime | None = None
    """To be called back, due, or at an end."""
    note: str | None = None
    """A reason as it was typed: free text."""
    steps: tuple[Step, ...] = ()
    answers: tuple[Given, ...] = ()
    in_window: bool = True
    facts: tuple[tuple[str, object, object], ...] = ()
    """(field, before, since) of a change, those that staff may read."""

    @property
    def at(self) -> datetime:
        """When."""
        return self.mark.at


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a story."""

    kinds: Collection[Kind] = KINDS
    before: Mark | None = None
    limit: int = 300
    scores: bool = False
    """Whether values are read."""

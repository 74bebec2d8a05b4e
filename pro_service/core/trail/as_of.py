"""What one participant's facts were at an earlier instant: what the trail has written since is taken back.

Rows are not taken in an order: each later row holds the old and the new value of a fact, so the old value that no other
later row has set is the one of that instant. A fact that no later row names is as it is stored now.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pro_service.core.trail.facts import PERSON, TrailRow

TASK = ("raised_at", "due_at", "acknowledged_at", "outcome")
"""What changes in a task, as the trail calls it."""
SETTLING = frozenset({"settle", "reopen", "explain"})
"""Actions that say why a window is empty."""
V = TypeVar("V")


@dataclass(slots=True)
class Earlier:
    """What differs from what is stored now; values as the trail writes them."""

    person: dict[str, object] = field(default_factory=dict)
    """Fact -> its value then."""
    unborn: set[int] = field(default_factory=set)
    """Windows and tasks that did not exist yet."""
    standing: set[int] = field(default_factory=set)
    """Windows that ended only later."""
    following: set[int] = field(default_factory=set)
    """Windows that still followed their participant's version."""
    settled: dict[int, str | None] = field(default_factory=dict)
    """Window -> how it was counted then, or None."""
    missing: dict[int, str | None] = field(default_factory=dict)
    """Window -> why it was empty then, or None."""
    tasks: dict[int, dict[str, object]] = field(default_factory=dict)
    """Task -> what was different of `TASK`, and when it had ended (`resolved_at`)."""


def earlier(rows: Iterable[TrailRow], as_of: str) -> Earlier:
    """Return what was different at an instant, from all rows about one participant; instants as the trail writes them.

    What happened at the instant itself counts as known.
    """
    found, since = Earlier(), list[TrailRow]()
    reasons: dict[int, tuple[tuple[str, int], str | None]] = {}
    ends: dict[int, str] = {}
    for row in rows:
        if row.at > as_of:
            since.append(row)
        elif row.entity == "window" and row.action in SETTLING and row.entity_id is not None:
            why = _new(row, "missing_reason") if row.action == "explain" else row.reason
            reasons[row.entity_id] = max(
                reasons.get(row.entity_id, (("", 0), None)),
                ((row.at, row.id), why if row.action != "reopen" else None),
                key=lambda told: told[0],
            )
        elif row.entity == "escalation" and "outcome" in row.changes and row.entity_id is not None:
            ends[row.entity_id] = max(ends.get(row.entity_id, ""), row.at)
    _Taking(found, reasons, ends).back(since)
    return found


@dataclass(slots=True)
class _Taking:
    found: Earlier
    reasons: Mapping[int, tuple[tuple[str, int], str | None]]
    ends: Mapping[int, str]
    person: dict[str, dict[object, int]] = field(default_factory=dict)
    counted: dict[int, dict[str | None, int]] = field(default_factory=dict)
    tasks: dict[int, dict[str, dict[object, int]]] = field(default_factory=dict)

    def back(self, rows: Iterable[TrailRow]) -> None:
        for row in rows:
            match row.entity, row.action:
                case "participant", _:
                    self._participant(row)
                case "window", action if row.entity_id is not None:
                    self._window(row, row.entity_id, action)
                case "escalation", "escalate" if row.entity_id is not None:
                    self.found.unborn.add(row.entity_id)
                case "escalation", _ if row.entity_id is not None:
                    for name in TASK:
                        if name in row.changes:
                            tallies = self.tasks.setdefault(row.entity_id, {})
                            _note(tallies.setdefault(name, {}), *row.changes[name])
                case _:
                    pass
        self._conclude()

    def _participant(self, row: TrailRow) -> None:
        for name in PERSON.intersection(row.changes):
            _note(self.person.setdefault(name, {}), *row.changes[name])
        ended, laid = row.changes.get("windows", (None, None))
        if row.action != "enrol":
            self.found.standing.update(row_id for row_id, *_ in ended or ())
        self.found.unborn.update(row_id for row_id, *_ in laid or ())
        self.found.following.update(row_id for row_id, *_ in _new(row, "windows_kept") or ())

    def _window(self, row: TrailRow, window_id: int, action: str) -> None:
        if action == "end":
            self.found.standing.add(window_id)
        elif action in SETTLING:
            told = self.reasons.get(window_id)
            self.found.missing[window_id] = None if told is None else told[1]
            if "settled" in row.changes:
                _note(self.counted.setdefault(window_id, {}), *row.changes["settled"])

    def _conclude(self) -> None:
        self.found.person = {name: old for name, tally in self.person.items() for old in _then(tally)}
        self.found.settled = {window: old for window, tally in self.counted.items() for old in _then(tally)}
        for task, tallies in self.tasks.items():
            facts = {name: old for name, tally in tallies.items() for old in _then(tally)}
            if "outcome" in tallies:
                had_ended = "outcome" not in facts or facts["outcome"] is not None
                facts["resolved_at"] = self.ends.get(task) if had_ended else None
            self.found.tasks[task] = facts


def _note(tally: dict[V, int], old: V, new: V) -> None:
    tally[old] = tally.get(old, 0) + 1
    tally[new] = tally.get(new, 0) - 1


def _then(tally: Mapping[V, int]) -> list[V]:
    """Return the old value that no later row has set; nothing if a fact came back to what it was."""
    return [value for value, count in tally.items() if count > 0][:1]


def _new(row: TrailRow, name: str) -> Any:
    return row.changes.get(name, (None, None))[1]

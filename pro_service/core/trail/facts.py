"""Rebuild one participant's facts from the rows of the trail, and compare the stored facts with them.

Each row holds the old and the new value of a fact. Every old value is paired with the new value of another row; the one
new value that is left is the fact. So the order of rows does not matter, and an old value that no row has set is found
as well. Facts of earlier releases are compared as far as their rows go.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

PERSON = frozenset(
    {
        "card_handed_at",
        "card_made_at",
        "channel",
        "channel_2",
        "channel_3",
        "code",
        "confirmed_at",
        "consented_at",
        "died_at",
        "email_consented_at",
        "email_seal",
        "email_unreachable_at",
        "enrolled_at",
        "erased_at",
        "first_text_at",
        "language",
        "opted_out_at",
        "paused_at",
        "paused_until",
        "phone_seal",
        "procedure_date",
        "procedure_end",
        "protocol_version",
        "schedule",
        "site",
        "snoozed_until",
        "texts_held_until",
        "unreachable_at",
        "whatsapp_consented_at",
        "whatsapp_unreachable_at",
        "withdrawn_at",
        "zone",
    }
)
"""What the trail holds of a participant's row; contact data by the hash of how they are stored."""
STUDY = ("closed_at", "locked_at", "erase_after")
"""What the trail holds of a study's row."""
_TOLD_LATER = frozenset(
    {
        *("card_handed_at", "card_made_at", "email_seal", "enrolled_at", "first_text_at", "phone_seal"),
        *("snoozed_until", "texts_held_until"),
    }
)
"""What earlier releases did not write to the trail, or not each time."""
_BOUNDS = ("code", "target", "target_at", "opens_at", "closes_at", "late_until", "clamped")
"""The values after the id in a row about a new window."""
IMPORTED = "import"
DECLINED = "declined"

Tally: TypeAlias = dict[object, int]
"""Value -> the number of rows that set it, less the number that replaced it; {None: 1} before the first row."""
Fact: TypeAlias = Literal["participant", "window", "response", "study"]


class TrailRow(NamedTuple):
    """One row of the trail about one participant; instants as it writes them."""

    id: int
    at: str
    action: str
    entity: str
    entity_id: int | None
    changes: Mapping[str, Any]
    reason: str | None


@dataclass(slots=True)
class Kept:
    """One participant's facts as they are stored; values as the trail writes them."""

    windows: dict[int, dict[str, object]]
    answers: dict[int, dict[str, object]]
    person: dict[str, object] | None = None


class Difference(NamedTuple):
    """One fact that differs from the trail. `names`: the parts that differ, or the values that the finding names."""

    entity: Fact
    id: int | None
    code: str
    names: tuple[object, ...] = ()


class _Torn:
    """A fact with an old value that no row has set."""


TORN = _Torn()


@dataclass(slots=True)
class Told:
    """What the trail holds of one participant, row by row."""

    enrolled: bool = False
    whole: bool = False
    """Whether the enrolment names every window: then nothing of this participant is from an earlier release."""
    person: dict[str, Tally] = field(default_factory=dict)
    windows: dict[int, dict[str, object]] = field(default_factory=dict)
    settled: dict[int, Tally] = field(default_factory=dict)
    reasons: dict[int, list[tuple[object, str | None]]] = field(default_factory=dict)
    """Window -> (counted as, why it is empty) of each time it was counted."""
    explained: dict[int, set[object]] = field(default_factory=dict)
    """Window -> why it is empty, as people said."""
    channels: dict[int, set[object]] = field(default_factory=dict)
    answers: dict[int, dict[str, object]] = field(default_factory=dict)
    baseline: dict[str, object] = field(default_factory=dict)
    """Item -> value, if the enrolment does not name the rows of these answers."""

    def read(self, row: TrailRow) -> None:
        """Add one row."""
        match row.entity, row.action:
            case "participant", "enrol":
                self._enrol(row)
            case "participant", _:
                self._change(row)
            case "window", "settle" | "reopen" | "explain" if row.entity_id is not None:
                self._count(row, row.entity_id)
            case "window", "end" if row.entity_id is not None:
                self.windows.setdefault(row.entity_id, {})["cancelled_at"] = row.at
            case "response", "answer" if row.entity_id is not None:
                self._answer(row, row.entity_id)
            case "message", "queue":
                self._tally(row.changes)
            case _:
                pass

    def _enrol(self, row: TrailRow) -> None:
        self.enrolled = True
        self._tally(row.changes)
        self._tally({"schedule": (None, 1), "enrolled_at": (None, row.at)})
        if "windows" in row.changes:
            self.whole = True
            self._new_windows(row.changes["windows"][1], 1)
        values = _new(row.changes, "baseline") or {}
        ids = _new(row.changes, "answers")
        if ids is None:
            self.baseline = dict(values)
        for row_id, item, window in ids or ():
            self.answers[row_id] = {
                "item": item,
                "said": values.get(item),
                "cleared": False,
                "version": 1,
                "window": window,
                "source": IMPORTED,
                "received_at": row.at,
                "recorded_at": row.at,
                "in_window": True,
                "inbound": None,
                "entered_by": None,
            }

    def _change(self, row: TrailRow) -> None:
        self._tally(row.changes)
        ended, laid = row.changes.get("windows", (None, None))
        for row_id, _ in ended or ():
            self.windows.setdefault(row_id, {})["cancelled_at"] = row.at
        self._new_windows(laid or (), _new(row.changes, "schedule"))
        for row_id, _ in _new(row.changes, "windows_kept") or ():
            self.windows.setdefault(row_id, {})["protocol_version"] = row.changes["protocol_version"][0]
        if row.action == "erase":
            self.person |= {"phone_seal": {None: 1}, "email_seal": {None: 1}}

    def _new_windows(self, laid: Iterable[list[object]], schedule: object) -> None:
        for row_id, *bounds in laid:
            assert isinstance(row_id, int)  # noqa: S101 -- for the type checker
            there = {"schedule": schedule, "cancelled_at": None, "protocol_version": None}
            told = dict(zip(_BOUNDS, bounds, strict=True))
            # A row that ends a window, or keeps its version, may have a lower id than the row that made it.
            self.windows[row_id] = there | told | self.windows.get(row_id, {})

    def _count(self, row: TrailRow, window_id: int) -> None:
        if row.action == "explain":
            self.explained.setdefault(window_id, set()).add(_new(row.changes, "missing_reason"))
            return
        _note(self.settled.setdefault(window_id, {None: 1}), *row.changes["settled"])
        why = row.reason if row.action == "settle" else None
        self.reasons.setdefault(window_id, []).append((_new(row.changes, "settled"), why))
        if "channel" in row.changes:
            self.channels.setdefault(window_id, set()).add(row.changes["channel"][1])

    def _answer(self, row: TrailRow, row_id: int) -> None:
        # Items are in capitals or digits; the other names in a row about an answer are not.
        item = next((name for name in row.changes if not name.islower()), None)
        told = {"item": item, "said": _new(row.changes, item or ""), "version": _new(row.changes, "version")}
        if "source" in row.changes:
            names = ("window", "source", "received_at", "in_window", "inbound", "entered_by")
            told |= {name: _new(row.changes, name) for name in names} | {"recorded_at": row.at}
            told |= {"cleared": _new(row.changes, "cleared") is True, "carried_from": _new(row.changes, "carried_from")}
        self.answers[row_id] = told

    def why_empty(self, window_id: int, settled: object) -> set[object]:
        """Return the possible reasons why a window is empty: of its last count, or as people gave them."""
        of_count = {why for new, why in self.reasons.get(window_id, [(None, None)]) if new == settled}
        return of_count | self.explained.get(window_id, set())

    def _tally(self, changes: Mapping[str, Any]) -> None:
        for name in PERSON.intersection(changes):
            _note(self.person.setdefault(name, {None: 1}), *changes[name])


def _note(tally: Tally, old: object, new: object) -> None:
    tally[old] = tally.get(old, 0) - 1
    tally[new] = tally.get(new, 0) + 1


def _left(tally: Tally | None) -> object:
    """Return the one value that no row has replaced; TORN if the rows contradict one another."""
    if tally is None:
        return None
    left = [value for value, count in tally.items() if count]
    return left[0] if len(left) == 1 and tally[left[0]] == 1 else TORN


def _new(changes: Mapping[str, Any], name: str) -> Any:
    """Return a field's new value in a row of the trail; None if the row does not hold the field."""
    return changes.get(name, (None, None))[1]


def study_differences(
    study_id: int, rows: Iterable[Mapping[str, Any]], kept: Mapping[str, object]
) -> Iterator[Difference]:
    """Yield what differs between a study as it is stored and the changes in its rows."""
    tallies: dict[str, Tally] = {name: {None: 1} for name in STUDY}
    for changes in rows:
        for name in STUDY:
            if name in changes:
                _note(tallies[name], *changes[name])
    wrong = tuple(name for name in STUDY if _left(tallies[name]) != kept[name])
    if wrong:
        yield Difference("study", study_id, "trail_study_differs", wrong)


# --- what differs ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Comparison:
    """Compares participants one by one."""

    not_covered: int = 0
    """The number of facts of earlier releases that the trail does not hold in full."""

    def differences(self, participant_id: int, told: Told, kept: Kept) -> Iterator[Difference]:
        """Yield each fact of one participant that differs from the trail."""
        if kept.person is None:
            if told.enrolled:
                yield Difference("participant", participant_id, "trail_participant_gone")
        elif not told.enrolled:
            yield Difference("participant", participant_id, "trail_participant_untold")
        else:
            yield from self._person(participant_id, told, kept.person)
        yield from self._windows(told, kept.windows)
        yield from self._answers(told, kept.answers)

    def _person(self, participant_id: int, told: Told, person: Mapping[str, object]) -> Iterator[Difference]:
        left = {name: _left(told.person.get(name)) for name in PERSON}
        torn = sorted(name for name, value in left.items() if value is TORN)
        if not told.whole:
            self.not_covered += 1
            # An earlier release wrote each change, but not always with the true old value.
            left = {name: left[name] for name in told.person.keys() - _TOLD_LATER if left[name] is not TORN}
            torn = []
        if torn:
            yield Difference("participant", participant_id, "trail_participant_torn", tuple(torn))
        wrong = sorted(name for name, value in left.items() if value is not TORN and value != person[name])
        if wrong:
            yield Difference("participant", participant_id, "trail_participant_differs", tuple(wrong))

    def _windows(self, told: Told, kept: Mapping[int, Mapping[str, object]]) -> Iterator[Difference]:
        born = {row_id for row_id, window in told.windows.items() if "code" in window}
        for row_id in sorted(born - kept.keys()):
            yield Difference("window", row_id, "trail_window_gone")
        for row_id, window in kept.items():
            settled = _left(told.settled.get(row_id))
            if row_id in born:
                expected = {**told.windows[row_id], "settled": settled}
                for name, possible in (
                    ("missing_reason", told.why_empty(row_id, settled)),
                    ("channel", told.channels.get(row_id, {None})),
                ):
                    expected[name] = window[name] if window[name] in possible else TORN
            elif told.whole:
                yield Difference("window", row_id, "trail_window_untold")
                continue
            else:
                self.not_covered += 1
                expected = dict(told.windows.get(row_id, {}))
                if row_id in told.settled and settled is not TORN:
                    expected["settled"] = settled
            wrong = sorted(name for name, value in expected.items() if window[name] != value)
            if wrong:
                yield Difference("window", row_id, "trail_window_differs", tuple(wrong))

    def _answers(self, told: Told, kept: Mapping[int, Mapping[str, object]]) -> Iterator[Difference]:
        baseline = dict(told.baseline)
        for row_id in sorted(told.answers.keys() - kept.keys()):
            yield Difference("response", row_id, "trail_answer_gone")
        for row_id, answer in kept.items():
            expected = told.answers.get(row_id)
            if expected is None:
                if answer["source"] != IMPORTED or answer["item"] not in baseline:
                    yield Difference("response", row_id, "trail_answer_untold")
                    continue
                expected = {"said": baseline.pop(str(answer["item"]))}
            self.not_covered += "source" not in expected
            wrong = sorted(name for name, value in expected.items() if name in answer and answer[name] != value)
            if wrong:
                yield Difference("response", row_id, "trail_answer_differs", tuple(wrong))
            origin = told.answers.get(_id(expected.get("carried_from")))
            if origin is not None and (origin["item"], origin["said"]) != (expected["item"], expected["said"]):
                other = expected["carried_from"]
                yield Difference("response", row_id, "trail_answer_carried", (other,))
        for _ in baseline:
            yield Difference("response", None, "trail_answer_gone")


def _id(value: object) -> int:
    return value if isinstance(value, int) else 0

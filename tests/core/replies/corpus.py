"""The open corpus of replies (replies.*.toml), read by the product."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pro_service.core.replies import reading
from pro_service.core.replies.reading import Reading, Score, Snooze, Unreadable, read
from pro_service.core.schedule.call_times import PARTS

FOLDER = Path(__file__).parent
CALLS = {
    "call": reading.CallMe(),
    **{f"call: {part}": reading.CallMe(part) for part in PARTS},
    "call: tomorrow": reading.CallMe(tomorrow=True),
    **{f"call: tomorrow {part}": reading.CallMe(part, tomorrow=True) for part in PARTS},
}
"""Wishes to be called, by themselves or beside a score: `score = 7, call`."""
NAMES = {
    "confirm_zero": reading.ConfirmZero(),
    "opt_out": reading.OptOut(),
    "opt_out_mentioned": reading.OptOutMentioned(),
    "opt_in": reading.OptIn(),
    "help": reading.Help(),
    "wrong_number": reading.WrongNumber(),
    **CALLS,
    "snooze: hour": Snooze("hour"),
    **{f"snooze: {hours} hours": Snooze("hour", hours) for hours in (2, 3, 4, 5, 12, 24)},
    "automatic": reading.Automatic(),
    "snooze: tonight": Snooze("tonight"),
    "snooze: tomorrow": Snooze("tomorrow"),
    "decline": reading.Decline(),
    "yes": reading.Yes(),
    "no": reading.No(),
    "safety": reading.Safety(),
    "tapback": reading.Tapback(),
    "proxy": reading.Proxy(),
    "media": reading.Media(),
}
UNDERSTOOD = 0.98
"""Share of the readable replies that has to be read as expected."""


@dataclass(frozen=True, slots=True)
class Example:
    """One reply of the corpus, and what the product read in it."""

    language: str
    text: str
    expect: str
    readable: bool
    got: Reading

    @property
    def right(self) -> bool:
        """Whether the reading is the expected one; `ask` allows any reason for asking."""
        kind, _, reason = self.expect.partition(": ")
        if kind == "ask":
            return isinstance(self.got, Unreadable) and reason in ("", self.got.reason)
        if self.expect.startswith("score = "):
            value, _, call = self.expect.removeprefix("score = ").partition(", ")
            return self.got == Score(int(value), CALLS.get(call))
        return self.got == NAMES[self.expect]

    @property
    def wrong_score(self) -> bool:
        """Whether a number was read that is not the expected one: what must never be."""
        return isinstance(self.got, Score) and not self.right


def examples() -> Iterator[Example]:
    """Read every reply of both files."""
    for file in sorted(FOLDER.glob("replies.*.toml")):
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        for pattern in content["pattern"]:
            low, high = pattern.get("range", (0, 10))
            for text in pattern["texts"]:
                got = read(
                    text,
                    content["language"],
                    item_min=low,
                    item_max=high,
                    media=pattern.get("media", 0),
                    own_texts=content["own_texts"],
                    safety_words=content["safety_words"],
                )
                yield Example(content["language"], text, pattern["expect"], pattern["readable"], got)


def accuracy(read_ones: list[Example]) -> str:
    """Say in one line how well the corpus is read."""
    turkish = sum(example.language == "tr" for example in read_ones)
    readable = [example for example in read_ones if example.readable]
    right = sum(example.right for example in readable)
    wrong = sum(example.wrong_score for example in read_ones)
    return (
        f"{len(read_ones)} in the corpus ({turkish} Turkish), wrong scores {wrong}, "
        f"understood {right} of {len(readable)} readable ({right / len(readable):.1%})"
    )

"""What happened in one run, in order, and what should not have."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    at: datetime
    who: str
    what: str

    def __str__(self) -> str:
        """Write it on one line."""
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.who:<10} {self.what}"


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise of the product that was not kept."""

    at: datetime
    promise: str
    who: str
    how: str

    def __str__(self) -> str:
        """Write it on one line."""
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.promise}: {self.who}: {self.how}"


@dataclass(slots=True)
class Ledger:
    """Everything that happened; the clock is the run's."""

    clock: Callable[[], datetime]
    lines: list[Line] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)

    def note(self, who: str, what: str) -> None:
        """Write one line."""
        self.lines.append(Line(self.clock(), who, what))

    def broken(self, promise: str, who: str, how: str, at: datetime | None = None) -> None:
        """Write down that a promise was not kept, once; `at` is when it should have been, if that was before now."""
        if all((known.promise, known.who, known.how) != (promise, who, how) for known in self.violations):
            self.violations.append(Violation(at or self.clock(), promise, who, how))

    def last(self, count: int) -> list[str]:
        """The last lines up to the first violation, of those it is about and of the machines."""
        if not self.violations:
            return []
        first = self.violations[0]
        others = first.who.startswith("P-")
        lines = [line for line in self.lines if line.at <= first.at]
        lines = [line for line in lines if not others or line.who == first.who or not line.who.startswith("P-")]
        return [str(line) for line in lines[-count:]]

"""What every simulated provider does: it carries a text from state to state, at a pace and with faults."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pro_service.simulator.faults import Dice
from pro_service.simulator.network import Network, Text
from pro_service.simulator.postman import Postman


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds from one state of a message to the next."""

    queued: float = 0.05
    sent: float = 0.3
    delivered: float = 0.7


class CannotReply(Exception):  # noqa: N818 (an answer, not a fault)
    """Nobody can answer from this telephone; the text says why."""


class Provider(ABC):
    """One provider of the simulated network. Its API takes texts; people's replies go to it."""

    name = ""
    """Key of its texts, and as the page calls it."""

    def __init__(
        self, network: Network, postman: Postman, dice: Dice, pace: Pace, clock: Callable[[], datetime]
    ) -> None:
        """Put the parts together."""
        self.network, self.postman, self.dice = network, postman, dice
        self.pace, self.clock = pace, clock

    # --- what each of them does in its own way -----------------------------------------------------------------------

    @abstractmethod
    def report(self, text: Text, status: str, error: int | str | None, *, at_once: bool = False) -> None:
        """Tell the study how far a text got; `at_once`: before this call returns."""

    @abstractmethod
    def answered_at(self, telephone: str) -> str:
        """Return the number or name that a reply from this telephone goes to."""

    @abstractmethod
    def why_no_reply(self, telephone: str) -> str | None:
        """Return why nobody can answer from this telephone; None if they can."""

    @abstractmethod
    def person_writes(self, telephone: str, body: str) -> Text:
        """Deliver a person's text to the study; raise CannotReply."""

    # --- what they share ---------------------------------------------------------------------------------------------

    def sender_to(self, telephone: str) -> str | None:
        """Return which number or name of this provider texted a telephone last; None if none did."""
        thread = self.network.thread(telephone)
        return next((text.from_ for text in reversed(thread) if not text.inbound and text.provider == self.name), None)

    def set_out(self, text: Text, error: int | str | None) -> None:
        """Send a text on its way; with an error it does not arrive."""
        last = "undelivered" if error else "delivered"
        steps = [("queued", self.pace.queued), ("sent", self.pace.sent), (last, self.pace.delivered)]
        faults = self.dice.faults
        if self.dice.happens(faults.reordered_callbacks):
            steps[1], steps[2] = (last, self.pace.sent), ("sent", self.pace.delivered)
        if self.dice.happens(faults.callback_first):
            self._step(text.sid, steps.pop(0)[0], error, at_once=True)
        self._walk(text.sid, steps, error)

    def _walk(self, sid: str, steps: list[tuple[str, float]], error: int | str | None) -> None:
        if not steps:
            return
        (status, seconds), rest = steps[0], steps[1:]

        def step() -> None:
            self._step(sid, status, error)
            self._walk(sid, rest, error)

        self.postman.later(seconds, step)

    def _step(self, sid: str, status: str, error: int | str | None, *, at_once: bool = False) -> None:
        code = error if status == "undelivered" else None
        text = self.network.advance(sid, status, code)
        if text is not None:
            for _ in range(2 if self.dice.happens(self.dice.faults.duplicate_callbacks) else 1):
                self.report(text, status, code, at_once=at_once)

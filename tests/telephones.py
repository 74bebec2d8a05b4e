"""The telephone network of the tests: it takes texts, or does what a test told it to."""

from collections import deque
from dataclasses import dataclass, field

from pro_service.gateways.outgoing import Accepted, GatewayError, Outgoing


@dataclass(slots=True)
class Telephones:
    """Delivers at once and remembers; `faults` are raised first, one a text."""

    kind: str = "SM"
    """What the ids of this network begin with: no two providers give one id twice."""
    sent: list[Outgoing] = field(default_factory=list)
    faults: deque[GatewayError | Exception] = field(default_factory=deque)

    def send(self, outgoing: Outgoing) -> Accepted:
        """Take one text, or raise the next fault."""
        if self.faults:
            raise self.faults.popleft()
        self.sent.append(outgoing)
        return Accepted(f"{self.kind}{len(self.sent):032d}", "queued")

    def to(self, number: str) -> list[str]:
        """The texts one telephone got, oldest first."""
        return [text.body for text in self.sent if text.to == number]

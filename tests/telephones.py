"""The telephone network of the tests: it takes texts, or does what a test told it to, and can be asked afterwards."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pro_service.gateways.outgoing import Accepted, Forgotten, GatewayError, Outgoing, Record, Unavailable

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Telephones:
    """Delivers at once and remembers; `faults` are raised first, one a text."""

    kind: str = "SM"
    """What the ids of this network begin with: no two providers give one id twice."""
    clock: Callable[[], datetime] = lambda: START
    sent: list[Outgoing] = field(default_factory=list)
    faults: deque[GatewayError | Exception] = field(default_factory=deque)
    takes: bool = False
    """Whether a text is taken before its fault is raised: accepted, and then a 500."""
    records: list[Record] = field(default_factory=list)
    """What the network remembers, oldest first."""
    silent: bool = False
    """Whether questions get no answer."""
    questions: int = 0
    keeps: dict[str, GatewayError] = field(default_factory=dict)
    """Ids of texts that it does not forget -> why not."""
    elsewhere: bool = False
    """Whether it stands for a provider on another machine."""

    def send(self, outgoing: Outgoing) -> Accepted:
        """Take one text, or raise the next fault."""
        if self.faults:
            fault = self.faults.popleft()
            if self.takes:
                self._take(outgoing)
            raise fault
        return self._take(outgoing)

    def _take(self, outgoing: Outgoing) -> Accepted:
        self.sent.append(outgoing)
        sid = f"{self.kind}{len(self.sent):032d}"
        self.records.append(
            Record(sid, "queued", "outbound-api", outgoing.to, "+15005550006", outgoing.body, self.clock(), None)
        )
        return Accepted(sid, "queued")

    def write(self, number: str, body: str, at: datetime | None = None) -> str:
        """A person writes; the webhook is not called. Gives the text's id."""
        sid = f"SM{len(self.records):030d}in"
        written = at or self.clock()
        self.records.append(Record(sid, "received", "inbound", "+15005550006", number, body, written, None))
        return sid

    def to(self, number: str) -> list[str]:
        """The texts one telephone got, oldest first."""
        return [text.body for text in self.sent if text.to == number]

    def fetch(self, sid: str) -> Record | None:
        """Read one text back."""
        return next((record for record in self._asked() if record.sid == sid), None)

    def find(self, to: str, body: str, created_after: datetime) -> list[Record]:
        """List what one telephone got since then, and holds this text."""
        return [one for one in self.list_outbound(created_after) if one.to == to and body in one.body]

    def list_outbound(self, created_after: datetime) -> list[Record]:
        """List what was sent since then."""
        return [one for one in self._since(created_after) if not one.inbound]

    def list_inbound(self, created_after: datetime) -> list[Record]:
        """List what people wrote since then."""
        return [one for one in self._since(created_after) if one.inbound]

    def forget(self, sid: str) -> Forgotten:
        """Forget one text, or raise the fault that was meant for it."""
        if sid in self.keeps:
            raise self.keeps[sid]
        if all(record.sid != sid for record in self._asked()):
            return "unknown"
        self.records = [record for record in self.records if record.sid != sid]
        return "deleted"

    def _since(self, created_after: datetime) -> list[Record]:
        return [one for one in self._asked() if one.created_at is None or one.created_at >= created_after]

    def _asked(self) -> list[Record]:
        self.questions += 1
        if self.silent:
            raise Unavailable
        return self.records[::-1]

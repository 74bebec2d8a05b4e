"""The telephone network of the tests: it takes texts, or does what a test told it to, and can be asked afterwards."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pro_service.core.providers import FACTS, Arrival, Facts
from pro_service.gateways.outgoing import Accepted, Forgotten, GatewayError, Outgoing, Record, Unavailable
from pro_service.gateways.twilio.hooks import text_of

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
    """What the network remembers of ours, oldest first."""
    written: list[Arrival] = field(default_factory=list)
    """What people wrote, oldest first."""
    silent: bool = False
    """Whether questions get no answer."""
    questions: int = 0
    keeps: dict[str, GatewayError] = field(default_factory=dict)
    """Ids of texts that it does not forget -> why not."""
    facts: Facts = FACTS["sms"]
    pace: float | None = None
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
        self.records.append(Record(sid, "queued", outgoing.to, outgoing.body, self.clock()))
        return Accepted(sid, "queued")

    def write(self, number: str, body: str, at: datetime | None = None) -> str:
        """A person writes; the webhook is not called. Gives the text's id."""
        sid = f"{self.kind}{len(self.records) + len(self.written):030d}in"
        said = {"MessageSid": sid, "From": number, "To": "+15005550006", "Body": body, "NumMedia": "0"}
        self.written.append(text_of(said, at or self.clock(), self.facts.way))
        return sid

    def to(self, number: str) -> list[str]:
        """The texts one telephone got, oldest first."""
        return [text.body for text in self.sent if text.to == number]

    def fetch(self, sid: str) -> Record | None:
        """Read one text back."""
        self._ask()
        read = [Record(one.provider_id, "received", one.to, one.body, one.at) for one in self.written]
        return next((record for record in (*self.records, *read) if record.sid == sid), None)

    def recall(self, token: str, to: str, body: str, created_after: datetime) -> list[Record]:  # noqa: ARG002
        """List what one telephone got since then, and holds this text."""
        return [one for one in self.list_sent(created_after) if one.to == to and body in one.body]

    def list_sent(self, created_after: datetime) -> list[Record]:
        """List what was sent since then."""
        self._ask()
        return [one for one in self.records[::-1] if one.created_at is None or one.created_at >= created_after]

    def pull(self, created_after: datetime) -> list[Arrival]:
        """List what people wrote since then."""
        self._ask()
        return [one for one in self.written[::-1] if one.at is None or one.at >= created_after]

    def forget(self, sid: str) -> Forgotten:
        """Forget one text, or raise the fault that was meant for it."""
        if sid in self.keeps:
            raise self.keeps[sid]
        if self.fetch(sid) is None:
            return "unknown"
        self.records = [record for record in self.records if record.sid != sid]
        self.written = [arrival for arrival in self.written if arrival.provider_id != sid]
        return "deleted"

    def close(self) -> None:
        """There is nothing to close."""

    def _ask(self) -> None:
        self.questions += 1
        if self.silent:
            raise Unavailable

"""A gateway that sends nothing, for benchmarks and rehearsals: every message is accepted."""

from datetime import datetime
from uuid import uuid4

from pro_service.core.providers import FACTS, Arrival, Facts
from pro_service.gateways.outgoing import Accepted, Forgotten, Outgoing, Record


class NowhereGateway:
    """Accept every message with a made-up sid, and store none."""

    facts: Facts = FACTS["sms"]
    elsewhere = False
    pace: float | None = None

    def send(self, outgoing: Outgoing) -> Accepted:  # noqa: ARG002 (a gateway's shape)
        """Accept a message and drop it."""
        return Accepted(f"SM{uuid4().hex}", "accepted")

    def fetch(self, sid: str) -> Record | None:  # noqa: ARG002
        """Return nothing: no message is stored."""
        return None

    def recall(self, token: str, to: str, body: str, created_after: datetime) -> list[Record]:  # noqa: ARG002
        """Return nothing: no message is stored."""
        return []

    def list_sent(self, created_after: datetime) -> list[Record]:  # noqa: ARG002
        """Return nothing: no message is stored."""
        return []

    def pull(self, created_after: datetime) -> list[Arrival]:  # noqa: ARG002
        """Return nothing: nobody writes."""
        return []

    def forget(self, sid: str) -> Forgotten:  # noqa: ARG002
        """Say that there is no copy: no message is stored."""
        return "unknown"

    def close(self) -> None:
        """There is nothing to close."""

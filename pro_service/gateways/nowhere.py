"""A gateway that sends nothing, for benchmarks and rehearsals: every message is accepted."""

from uuid import uuid4

from pro_service.core.providers import FACTS, Facts
from pro_service.gateways.outgoing import Accepted, CannotTell, Outgoing


class NowhereGateway(CannotTell):
    """Accept every message with a made-up sid, and store none."""

    facts: Facts = FACTS["sms"]
    elsewhere = False
    pace: float | None = None

    def send(self, outgoing: Outgoing) -> Accepted:  # noqa: ARG002 (a gateway's shape)
        """Accept a message and drop it."""
        return Accepted(f"SM{uuid4().hex}", "accepted")

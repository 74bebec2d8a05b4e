"""A way out that leads nowhere, for benches and rehearsals: everything is accepted, nothing is sent."""

from uuid import uuid4

from pro_service.gateways.outgoing import Accepted, Outgoing


class NowhereGateway:
    """Accept every message with a made-up sid."""

    def send(self, outgoing: Outgoing) -> Accepted:  # noqa: ARG002 (a gateway's shape)
        """Say it was taken, and forget it."""
        return Accepted(f"SM{uuid4().hex}", "accepted")

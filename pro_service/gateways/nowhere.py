"""A way out that leads nowhere, for benches and rehearsals: everything is accepted, nothing is sent."""

from datetime import datetime
from uuid import uuid4

from pro_service.gateways.outgoing import Accepted, Outgoing, Record


class NowhereGateway:
    """Accept every message with a made-up sid, and remember none."""

    def send(self, outgoing: Outgoing) -> Accepted:  # noqa: ARG002 (a gateway's shape)
        """Say it was taken, and forget it."""
        return Accepted(f"SM{uuid4().hex}", "accepted")

    def fetch(self, sid: str) -> Record | None:  # noqa: ARG002
        """Know nothing of it."""
        return None

    def find(self, to: str, body: str, created_after: datetime) -> list[Record]:  # noqa: ARG002
        """Know nothing of it."""
        return []

    def list_outbound(self, created_after: datetime) -> list[Record]:  # noqa: ARG002
        """Know nothing of any."""
        return []

    def list_inbound(self, created_after: datetime) -> list[Record]:  # noqa: ARG002
        """Know nothing of any."""
        return []

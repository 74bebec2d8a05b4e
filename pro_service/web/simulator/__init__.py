"""Our own Twilio: the REST part the SDK uses, signed webhooks, the faults of bad days, and telephones to answer on."""

from pro_service.web.simulator.app import create_simulator
from pro_service.web.simulator.carrier import Pace
from pro_service.web.simulator.faults import Faults

__all__ = ["Faults", "Pace", "create_simulator"]

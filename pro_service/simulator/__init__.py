"""A simulated Twilio: the REST part the SDK uses, signed webhooks, faults on demand, and telephones to answer on."""

from pro_service.simulator.app import create_simulator
from pro_service.simulator.carrier import Pace
from pro_service.simulator.faults import Faults

__all__ = ["Faults", "Pace", "create_simulator"]

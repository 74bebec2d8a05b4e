"""Twilio and Verimor played on this machine: their APIs and calls, faults on demand, and telephones to answer on."""

from pro_service.simulator.app import create_simulator
from pro_service.simulator.faults import Faults
from pro_service.simulator.provider import Pace
from pro_service.simulator.verimor import VerimorAccount

__all__ = ["Faults", "Pace", "VerimorAccount", "create_simulator"]

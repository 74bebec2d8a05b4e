"""Twilio and Verimor played on this machine: their APIs and calls, faults on demand, and telephones to answer on."""

from pro_service.simulator.app import create_simulator
from pro_service.simulator.faults import Faults
from pro_service.simulator.provider import Pace
from pro_service.simulator.verimor import VerimorAccount
from pro_service.simulator.whatsapp import Content, contents_of

__all__ = ["Content", "Faults", "Pace", "VerimorAccount", "contents_of", "create_simulator"]

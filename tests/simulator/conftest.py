"""The simulator served for real, and a catcher for its webhooks: those of the gateways' tests."""

from tests.gateways.conftest import _catcher, simulate, webhooks

__all__ = ["_catcher", "simulate", "webhooks"]

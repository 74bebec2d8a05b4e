"""Twilio: texts by its own SDK, the calls it makes to us, and what its codes mean."""

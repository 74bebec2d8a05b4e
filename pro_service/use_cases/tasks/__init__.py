"""Open work: calls, handing over, decisions, the morning's digest."""

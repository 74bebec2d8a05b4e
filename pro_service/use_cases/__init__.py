"""What can be done: each use case reads the clock once and makes one transaction."""

"""How long what is said in a conversation holds, for those who need no more of its rules."""

from datetime import timedelta

CORRECTION = timedelta(minutes=10)
"""Another number this soon after an answer is about that answer."""
PATIENCE = timedelta(hours=2)
"""How long a reply of ours is worth sending."""

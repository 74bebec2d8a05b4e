"""The audit trail proves itself: hash trees over its rows, the chain of seals, and what a check finds."""

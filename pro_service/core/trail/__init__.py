"""Proof that the audit trail is as it was written: hash trees over its rows, the chain of seals, and checks."""

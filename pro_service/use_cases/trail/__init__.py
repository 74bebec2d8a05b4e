"""Seal the audit trail, check it, and prove it to others."""

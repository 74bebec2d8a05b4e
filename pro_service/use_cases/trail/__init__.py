"""The audit trail is sealed, checked, and proved to others."""

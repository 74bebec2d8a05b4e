"""Accounts of staff: sign-in, second factor, roles, mails."""

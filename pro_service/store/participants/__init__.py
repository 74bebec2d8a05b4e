"""Participants' facts: read whole, written in one place, with their contact data sealed."""

"""Rehearsing a study: invented participants go through a protocol in virtual time, in a database of their own."""

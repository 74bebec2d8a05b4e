"""Rehearsing a study: invented participants live through a protocol in virtual time, in a database of their own."""

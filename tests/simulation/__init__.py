"""Trials lived through in seconds: the real rules, store and use cases; only time and telephones are ours."""

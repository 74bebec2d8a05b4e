"""Texts and reports from providers: kept first, then read; and the inbox of what no rule understood."""

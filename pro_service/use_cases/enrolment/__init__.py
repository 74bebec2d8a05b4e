"""Enrolling participants: a row, a file, a form; checked whole and shown before."""

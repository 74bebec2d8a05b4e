"""The data set of a study, read as of an instant, table by table, a few hundred participants at a time.

As of means stored by then: what was entered later is not known yet, also where it happened before. Facts that are
overwritten are taken back with the audit trail (`core.trail.as_of`).
"""

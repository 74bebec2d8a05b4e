"""Verimor, a gateway in Turkey: texts by its HTTP interface, its pushes, what its words mean. Untried so far.

Source: Verimor, "SMS API dökümanı", https://github.com/verimor/SMS-API, read in November 2026.
"""

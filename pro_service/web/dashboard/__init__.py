"""The dashboard of coordinators, investigators and assessors: one module per page."""

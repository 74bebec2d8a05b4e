"""Enrolment files and REDCap exports: bytes to rows, with every fault named."""

"""Participant codes that only capital letters tell apart: a study has room for one of them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from sqlalchemy import select
from sqlalchemy.orm import Session

from pro_service.store.schema import participants

FEW = 256
"""Up to so many spellings are looked for one by one; for more, all codes of the study are read, once."""


class Spellings:
    """How a study writes the codes it has, asked inside one transaction in which nobody else enrols.

    Folded here, not by the database: `lower('I')` is another letter where its locale is Turkish. Codes are ASCII.
    """

    def __init__(self, session: Session, study_id: int) -> None:
        self._session, self._study_id = session, study_id
        self._every: Mapping[str, str] | None = None

    def other(self, codes: Sequence[str]) -> dict[str, str]:
        """Code -> how it is written there, for those that differ from an enrolled one by capital letters alone."""
        if not codes:
            return {}
        known = self._every
        if known is None and sum(1 << sum(map(str.isalpha, code)) for code in codes) <= FEW:
            known = self._written([spelled for code in codes for spelled in _spellings(code)])
        elif known is None:
            known = self._every = self._written()
        found = ((code, known.get(code.casefold(), code)) for code in codes)
        return {code: there for code, there in found if there != code}

    def _written(self, among: Sequence[str] | None = None) -> dict[str, str]:
        """Folded code -> code, of these or of the whole study; both read the index on study and code alone."""
        p = participants.c
        statement = select(p.code).where(p.study_id == self._study_id)
        found = self._session.scalars(statement if among is None else statement.where(p.code.in_(among)))
        return {code.casefold(): code for code in found}


def _spellings(code: str) -> Iterator[str]:
    return map("".join, product(*(sorted({sign.lower(), sign.upper()}) for sign in code)))

"""Cards as releases before the long codes made them."""

import itertools

from pro_service.core import card_code
from pro_service.runtime import Runtime
from pro_service.store.participants import card_codes, cases
from pro_service.store.schema import entry_codes
from pro_service.use_cases.transaction import transaction
from tests.support import SETUP

_numbers = itertools.count(1)


def short_code(number: int) -> str:
    """A code of eight signs that nobody has, or hardly."""
    return card_code.code_of(number * 7_000_003, card_code.SHORT)


def old_card(rt: Runtime, study_id: int, participant: str) -> str:
    """Give a participant without a card one with a code of eight signs; return the code."""
    plain = card_code.code_of(next(_numbers) * 9_999_991, card_code.SHORT)
    with transaction(rt, SETUP, rt.clock()) as tx:
        found = cases.find(tx.session, study_id, participant)
        assert found is not None
        loaded = rt.loader.one(tx.session, found)
        assert loaded.data_key is not None
        key = rt.vault.data_key(loaded.data_key, found)
        code = card_codes.Code(plain, card_codes.index_of(rt.vault, plain))
        row = card_codes.row_of(next(tx.writer.ids), study_id, found, key, code)
        tx.session.execute(entry_codes.insert().values(row))
        tx.writer.change(loaded, {"card_made_at": rt.clock()}, "make_code")
    return plain

"""Words that say that a number corrects an earlier one, per language, in folded form."""

from collections.abc import Mapping
from types import MappingProxyType

from pro_service.core.replies.folding import contains, plain

CORRECTING: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "tr": frozenset({"pardon", "duzeltme", "duzeltiyorum", "olacakti", "yazacaktim"}),
        "en": frozenset({"sorry", "oops", "correction", "i meant", "make that"}),
    }
)
"""An apology for being late ("kusura bakmayın") is none of them: such a number is asked about like a bare one."""
_WORDS = frozenset().union(*CORRECTING.values())


def corrects(text: str) -> bool:
    """Whether the words of a text say that its number corrects an earlier one; both languages are read always."""
    return contains(plain(text), _WORDS)

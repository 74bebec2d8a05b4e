"""Words that reveal the allocation, in Turkish and English: one list for imports, study files, and our own lint."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeAlias

from pro_service.core.problems import Problem, problem
from pro_service.core.protocol import Protocol
from pro_service.core.replies.folding import plain

Passed: TypeAlias = Callable[[], Collection[str]]
"""Asked once a name looks like the allocation: names, in small letters, that were let pass."""

_SURE = ("random", "rastgele", "rasgele", "alloc", "placebo", "plasebo", "verum", "unblind", "studyarm")
"""They reveal it wherever they stand in a word."""
_PARTS = (
    *_SURE,
    *("treatment", "treated", "tedavi", "group", "grup", "grub", "intervention", "mudahale"),
    *("assignment", "atama", "atanan", "trt0"),
)
"""They reveal it anywhere in the name of a column."""
_WORDS = frozenset(
    {
        *("arm", "arms", "armcd", "actarm", "actarmcd", "kol", "kolu", "kollar", "trt", "rx", "rand", "assigned"),
        *("sham", "control", "kontrol"),
    }
)
"""They reveal it as a whole word in the name of a column."""
_PERHAPS = frozenset(
    {
        *("tx", "block", "blok", "blocks", "cohort", "kohort", "drug", "ilac", "ilaci", "medication", "enjeksiyon"),
        *("injection", "inj", "injected", "dose", "doz", "stratum", "strata", "tabaka", "sequence"),
    }
)
"""They may reveal it as a whole word in the name of a column."""
_TELLING = frozenset({"sham", "placebo", "plasebo", "verum"})
"""Words for arms alone: a cell that is such a word, or a code made with it, says which arm somebody is in."""
_MAY_TELL = _WORDS | _PERHAPS | {"active", "aktif", "ctrl", "random", "treatment", "tedavi", "group", "grup"}
LONGEST_CODE = 3
"""A cell of at most so many words may be a code; a longer one is a sentence."""
_SAID = re.compile(
    r"\b(sham|(treatment|control|active|study|tedavi|kontrol|aktif|calisma|deney) "
    r"(arms?|groups?|kol|kolu|kolunda|grup|grubu|grubunda|grubundasiniz))\b"
)
"""What a text to people does not say: `arm` and `kol` alone are where it may hurt, `treatment` what they came for."""


def is_allocation(name: str) -> bool:
    """Whether a name (of a column, a table, a variable) looks like the allocation, however it is written."""
    words = plain(name).split()
    joined = "".join(words)
    return not _WORDS.isdisjoint(words) or any(part in joined for part in _PARTS)


def may_tell(name: str) -> bool:
    """Whether the name of a column may mean the allocation, but may also mean something else."""
    return not _PERHAPS.isdisjoint(_bare(name))


def is_telling(cell: str) -> bool:
    """Whether a cell says which arm somebody is in: `Sham`, `SHAM-9`, `IST placebo 3`."""
    words = _bare(cell)
    return len(words) <= LONGEST_CODE and not _TELLING.isdisjoint(words)


def code_may_tell(code: str) -> bool:
    """Whether a participant's code may say which arm they are in: `TRT-12`, `AKTIF3`, `KOL-B`."""
    return not _MAY_TELL.isdisjoint(_bare(code))


def _bare(text: str) -> list[str]:
    """Return the words of a text, folded, without numbers attached to them."""
    return [bare for word in plain(text.replace("_", " ")).split() if (bare := word.strip("0123456789"))]


def none_passed() -> Collection[str]:
    """Let no name pass."""
    return ()


def spoken(text: str) -> str | None:
    """Return the word or phrase of a text that reveals the allocation; None if there is none."""
    folded = plain(text)
    found = _SAID.search(folded)
    sure = (word for word in folded.split() if any(part in word for part in _SURE))
    return found[0] if found else next(sure, None)


def check_blinding(protocol: Protocol, frames: Mapping[str, Mapping[str, str]]) -> Iterator[Problem]:
    """Yield a fault for everything in a study that reveals the allocation: items, labels, codes, and texts."""
    by_path = {f"{language}/{name}.txt": text for language, texts in frames.items() for name, text in texts.items()}
    for code, item in protocol.items.items():
        by_path |= {f"item.{code}": code} | {f"item.{code}.question.{tongue}": t for tongue, t in item.question.items()}
        by_path |= {f"item.{code}.short.{tongue}": text for tongue, text in item.short.items()}
    for point in protocol.time_points:
        by_path |= {f"time_point.{point.code}": point.code}
        by_path |= {f"time_point.{point.code}.label.{tongue}": text for tongue, text in point.label.items()}
    for path, text in by_path.items():
        if (word := spoken(text)) is not None:
            yield problem("speaks_of_allocation", path, word=word)

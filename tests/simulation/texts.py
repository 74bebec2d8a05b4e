"""How a person reads a text: by its words alone, which frame it is and what it asks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pro_service import paths
from pro_service.core.protocol import Protocol

PLACE = re.compile(r"\{(\w+)\}")
LINK = re.compile(r"/q/([\w-]+)")


@dataclass(frozen=True, slots=True)
class Read:
    """What somebody sees in a text: its frame, the item it asks or speaks of, the value it proposes, its link."""

    frame: str
    item: str | None
    answer: int | None
    link: str | None


def read(body: str, language: str, protocol: Protocol) -> Read:
    """Recognise a text; LookupError if it is none of ours."""
    for frame, pattern in _frames(language).items():
        found = pattern.fullmatch(body)
        if found is not None:
            values = found.groupdict()
            link = LINK.search(body)
            answer = values.get("answer")
            return Read(
                frame,
                _item(values, language, protocol),
                int(answer) if answer and answer.isdecimal() else None,
                None if link is None else link[1],
            )
    raise LookupError(body)


def _item(values: Mapping[str, str | None], language: str, protocol: Protocol) -> str | None:
    """A whole question asks its item; without one, the name of an item says what a text is about."""
    question, named = values.get("question"), values.get("item")
    for item in protocol.items.values():
        if question and item.question[language].splitlines()[0] in question:
            return item.id
    for item in protocol.items.values():
        if not question and named == item.short[language]:
            return item.id
    return None


@cache
def _frames(language: str) -> Mapping[str, re.Pattern[str]]:
    folder = paths.templates() / "sms" / language
    texts = {file.stem: file.read_text(encoding="utf-8").strip() for file in sorted(folder.glob("*.txt"))}
    # A mail's first line is its subject.
    texts |= {name: text.partition("\n\n")[2] for name, text in texts.items() if name.endswith(".email-link")}
    first, card = _pattern(texts.pop("first"), "_first"), _pattern(texts.pop("first.sms-card"), "_card")
    return {name: re.compile(f"{_pattern(text)}(\n({first}|{card}))?", re.DOTALL) for name, text in texts.items()}


def _pattern(text: str, suffix: str = "") -> str:
    seen: set[str] = set()
    parts = []
    for n, part in enumerate(PLACE.split(text)):
        if n % 2 == 0:
            parts.append(re.escape(part))
        else:
            parts.append(f"(?P={part}{suffix})" if part in seen else f"(?P<{part}{suffix}>.*?)")
            seen.add(part)
    # A text that ends with a question loses its last line where there is none left.
    whole = "".join(parts)
    tail = "\\\n(?P<question>.*?)"
    return f"{whole.removesuffix(tail)}(\n(?P<question>.*?))?" if whole.endswith(tail) else whole

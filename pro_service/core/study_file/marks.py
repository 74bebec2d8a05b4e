"""What the comments of a study file say is not settled yet: "to be confirmed", "draft".

The comments are shown to the investigator who confirms the version; they forbid nothing. `draft = true` does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pro_service.core.toml_faults import comments, lines_by_path

_MARK = re.compile(r'(?<!")\b(?:to\s+be\s+confirmed|draft|onaylanacak|taslak)\b', re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Mark:
    """One comment that leaves something open."""

    line: int
    """Its line in the file, from 1."""
    place: str
    """What it is about: the path beside it, or the next one below; empty at the end of the file."""
    words: str
    """What it says."""


def marks(text: str) -> tuple[Mark, ...]:
    """Return every such comment of a study file, in its order."""
    paths = {number: path for path, number in lines_by_path(text).items()}
    last = max(paths, default=0)

    def place(line: int) -> str:
        return next((paths[number] for number in range(line, last + 1) if number in paths), "")

    return tuple(
        Mark(line, place(line), words)
        for paragraph in _paragraphs(comments(text))
        for line, words in _marked(paragraph)
    )


def _paragraphs(found: Iterator[tuple[int, str, bool]]) -> Iterator[list[tuple[int, str]]]:
    """Join consecutive lines that hold nothing but a comment."""
    together: list[tuple[int, str]] = []
    for line, words, alone in found:
        if not any(map(str.isalnum, words)):
            continue
        if together and not (alone and line == together[-1][0] + 1):
            yield together
            together = []
        together.append((line, words))
        if not alone:
            yield together
            together = []
    if together:
        yield together


def _marked(paragraph: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Return each sentence with a mark, and its line; with the sentence before, if it consists of the mark alone."""
    whole = " ".join(words for _, words in paragraph)
    sentences = _SENTENCE.split(whole)
    at = 0
    for number, sentence in enumerate(sentences):
        if mark := _MARK.search(sentence):
            alone = number and _MARK.match(sentence)
            yield _line(paragraph, at + mark.start()), f"{sentences[number - 1]} {sentence}" if alone else sentence
        at += len(sentence) + 1


def _line(paragraph: list[tuple[int, str]], offset: int) -> int:
    for line, words in paragraph:
        if offset <= len(words):
            return line
        offset -= len(words) + 1
    return paragraph[-1][0]

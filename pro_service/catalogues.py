"""Catalogues of translated words (`tr.po`, …), kept as text beside the templates and compiled in memory."""

import io
from functools import lru_cache
from gettext import NullTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

SOURCE = "en"
"""The language in which templates are written: it needs no catalogue."""


def read(folder: Path) -> dict[str, NullTranslations]:
    """Language -> its words, for every catalogue of a folder and for the source language."""
    files = sorted(folder.glob("*.po"))
    return {SOURCE: NullTranslations()} | {file.stem: _compiled(file, file.stat().st_mtime_ns) for file in files}


def _unbroken(words: str) -> str:
    """Return words in which no line ends behind the hyphen of `e-posta`."""
    return words.replace("e-posta", "e\u2011posta").replace("E-posta", "E\u2011posta")


@lru_cache(maxsize=16)
def _compiled(file: Path, _changed: int) -> NullTranslations:
    """The words of one file, as long as it stays as it is."""
    with file.open("rb") as source:
        catalogue = read_po(source, locale=file.stem)
    for message in catalogue:
        said = message.string
        message.string = _unbroken(said) if isinstance(said, str) else tuple(map(_unbroken, said or ()))
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)

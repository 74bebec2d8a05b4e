"""How templates are laid out: one element or sentence a line, so that a change is read line by line."""

from pathlib import Path

import pytest

from pro_service import paths

LONGEST = 160
"""Characters of a line."""

FOLDERS = ("web", "rehearsal", "card")
"""Texts and mails are not pages: there, a line break is part of what is sent."""

FILES = [
    file
    for folder in FOLDERS
    for file in sorted((paths.templates() / folder).rglob("*"))
    if file.suffix in {".html", ".txt"}
]


@pytest.mark.parametrize("file", FILES, ids=[file.relative_to(paths.templates()).as_posix() for file in FILES])
def test_no_line_of_a_template_is_too_long_to_read(file: Path) -> None:
    lines = enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
    assert [number for number, line in lines if len(line) > LONGEST] == []

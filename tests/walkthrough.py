"""A walk through the specification, made from the tests: python -m tests.walkthrough > docs/conversation.md."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.specification import OPEN, ROWS

ROOT = Path(__file__).resolve().parents[1]
PARTS = {
    "never guess": "Reading a reply",
    "conversation: one at a time": "The conversation",
    "stopping: words": "Stopping, wishes, safety",
    "inbox: not understood": "The inbox",
    "reach: confirmed": "The reachability test",
    "form: no script": "The web form",
    "case: after a window": "Turns that a participant's life takes",
}
"""Heading over the part that begins with this row."""
INTRODUCTION = """\
# The conversation, row by row

Each row of the specification with the tests that show it. Made from the tests by
`python -m tests.walkthrough > docs/conversation.md`; a test says what it shows with `@pytest.mark.shows`.
"""


def shown() -> Iterator[tuple[str, str]]:
    """Pairs of (row, `file::test`), in the order of the files."""
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                name = f"{file.relative_to(ROOT).as_posix()}::{node.name}"
                yield from ((row, name) for row in _rows_of(node))


def _rows_of(test: ast.FunctionDef) -> Iterator[str]:
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.shows":
            yield from (ast.literal_eval(row) for row in mark.args)


def page() -> str:
    """The whole page, in Markdown."""
    tests: dict[str, list[str]] = {}
    for row, name in shown():
        tests.setdefault(row, []).append(name)
    lines = [INTRODUCTION.rstrip()]
    for row, title in ROWS.items():
        if row in PARTS:
            lines += ["", f"## {PARTS[row]}", "", "| what must happen | shown by |", "|---|---|"]
        by = "<br>".join(f"`{name}`" for name in tests.get(row, ()))
        missing = f"**Not yet:** {OPEN.get(row, 'nothing shows it')}"
        lines.append(f"| {title} | {by or missing} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())

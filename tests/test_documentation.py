"""The documentation is true: every command and every setting is in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pro_service import settings
from pro_service.cli import main

ROOT = Path(__file__).resolve().parents[1]


def test_the_example_names_every_setting_and_no_other() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", example, re.MULTILINE)) == set(settings.NAMES)


def test_the_readme_names_every_command() -> None:
    assert isinstance(main, click.Group)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [command for command in sorted(commands_of(main)) if command not in readme] == []


def commands_of(group: click.Group, above: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands_of(command, f"{above}{name} ")
        else:
            yield f"{above}{name}"


@pytest.mark.parametrize("command", ["up", "test", "check", "fix", "bench", "simulate", "crash", "migration"])
def test_the_readme_names_what_dev_can_do(command: str) -> None:
    assert f"./dev {command}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tree_for_developers_names_every_room() -> None:
    tree = (ROOT / "docs" / "developers.md").read_text(encoding="utf-8")
    rooms = {file.parent.name for file in (ROOT / "pro_service").rglob("__init__.py")}
    assert [room for room in sorted(rooms) if f" {room}/ " not in tree and f"{room}/\n" not in tree] == []


def test_the_models_for_developers_are_what_the_code_says() -> None:
    page = (ROOT / "docs" / "developers.md").read_text(encoding="utf-8")
    models = re.findall(r"\(`([\w/]+\.py)`\)[.:]?\n\n```python\n(.*?)\n```", page, re.DOTALL)
    assert len(models) == 4
    for path, model in models:
        folder = ROOT if path.startswith("tests/") else ROOT / "pro_service"
        # Without empty lines: the formatter wants two where a function of the code, which lies deeper, has one.
        code = [line.strip() for line in (folder / path).read_text(encoding="utf-8").splitlines() if line.strip()]
        lines = [line.strip() for line in model.splitlines() if line.strip()]
        assert any(code[start : start + len(lines)] == lines for start in range(len(code))), path

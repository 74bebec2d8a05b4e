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

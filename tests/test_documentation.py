"""The documentation is true: every command, setting and role is in it, and every link leads somewhere."""

import inspect
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import click
import pytest
from babel.messages.pofile import read_po

from docs import made_from_code
from pro_service import settings
from pro_service.core.enrolment import file as enrolment_file
from pro_service.core.study_file import file as study_file
from pro_service.web.capabilities import ROLES

ROOT = Path(__file__).resolve().parents[1]


def test_the_example_names_every_setting_and_no_other() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", example, re.MULTILINE)) == set(settings.NAMES)


def test_every_command_has_a_section_that_says_what_it_does() -> None:
    commands = list(made_from_code.all_commands())
    page = made_from_code.filled_in((ROOT / "docs/reference/commands.md").read_text(encoding="utf-8"))
    assert len(commands) > 40
    assert [path for path, _ in commands if f"\n### {' '.join(path)}\n" not in page] == []
    assert [path for path, command in commands if not command.help] == []
    assert [
        path for path, command in commands for it in command.params if isinstance(it, click.Option) and not it.help
    ] == []


def test_every_setting_is_explained() -> None:
    page = made_from_code.filled_in((ROOT / "docs/reference/settings.md").read_text(encoding="utf-8"))
    assert [name for name in settings.NAMES if f"**`{name}`**" not in page] == []


def test_every_key_of_the_study_file_is_explained() -> None:
    page = (ROOT / "docs/reference/study-file.md").read_text(encoding="utf-8")
    page += (ROOT / "pro_service/protocols/nct07326982.toml").read_text(encoding="utf-8")
    read = re.findall(r"""(?:\.[a-z_]+\(|_code\(\w+, )"(\w+)\"""", inspect.getsource(study_file))
    assert len(set(read)) > 50
    assert [key for key in sorted(set(read)) if not re.search(rf"\b{key}\b", page)] == []


def test_every_column_of_the_enrolment_file_is_explained() -> None:
    page = (ROOT / "docs/reference/enrolment-file.md").read_text(encoding="utf-8")
    assert [name for name in enrolment_file.REQUIRED if f"| `{name}` | required" not in page] == []
    assert [name for name in enrolment_file.OPTIONAL if f"| `{name}` | optional" not in page] == []


@pytest.mark.parametrize("language", ["en", "tr"])
def test_the_guide_calls_everything_as_the_pages_do(language: str) -> None:
    with (ROOT / "templates/web/locale/tr.po").open("rb") as file:
        known = {
            text for message in read_po(file) for text in words_of(message.id if language == "en" else message.string)
        }
    named = {
        " ".join(label.split())
        for page in (ROOT / "docs/guide" / language).glob("*.md")
        for label in re.findall(r"(?<![*\w])\*([^*]+)\*(?!\*)", page.read_text(encoding="utf-8"))
    }
    assert len(named) > 50
    assert named - known == {"TR", "EN"}


def words_of(message: str | Iterable[str] | None) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else tuple(message or ())


def test_every_role_is_explained() -> None:
    page = (ROOT / "docs/reference/roles.md").read_text(encoding="utf-8")
    assert [role for role in ROLES if f"| {role} " not in page] == []


def test_the_book_has_no_dead_link_and_no_fault(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("sphinx-build")
    command = (program, "--fail-on-warning", "--keep-going", "--quiet", "-d", tmp_path / "read", ROOT / "docs")
    done = subprocess.run([*command, tmp_path / "html"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_readme_is_short_and_has_no_dead_link() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 120
    links = [link for link in re.findall(r"(?:\]\(|src=\"|srcset=\")([^)#\"]+)", readme) if "://" not in link]
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize(
    "command", ["up", "test", "validation", "check", "fix", "docs", "bench", "simulate", "crash", "migration"]
)
def test_the_documentation_names_what_dev_can_do(command: str) -> None:
    assert f"| `./dev {command}" in (ROOT / "docs/testing.md").read_text(encoding="utf-8")


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

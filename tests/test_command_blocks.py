"""The command blocks of the documentation run, in the order in which somebody reads who sets up a first study."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pro_service import paths
from tests.peers import configuration, places

PAGES = (
    "operation/install.md",
    "operation/accounts.md",
    "study/study-file.md",
    "study/rehearsal.md",
    "study/enrolment.md",
    "operation/backup.md",
    "operation/failures.md",
    "trial-file/audit.md",
    "trial-file/privacy.md",
    "study/end.md",
)
OTHERWISE_TESTED = ("pip install", "postgresql://")
"""What `tests/test_wheel.py` does, for this environment is installed already, and what needs a server."""
CRON, NIGHTLY = "* * * * *", "5 1 * * * "
SHORTER = {"--participants 42 --days 120": "--participants 4 --days 10"}
ANCHOR = re.compile(r"\b\d+:[0-9a-f]{64}\b")
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[str]:
    """Return the blocks of a page without a language, each as it would be typed in a folder of its own."""
    text = (places.ROOT / "docs" / page).read_text(encoding="utf-8")
    found = [words for _, language, words in BLOCK.findall(text) if language in ("", "text")]
    return ["\n".join(line.strip() for line in words.splitlines()) for words in found]


def commands(page: str) -> list[str]:
    """Return the blocks that are commands."""
    known = ("pro-service", "umask", "python3", "/srv/pro", CRON)
    return [block for block in blocks(page) if block.startswith(known)]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Return the folder of somebody who has followed the words between the blocks."""
    (tmp_path / "venv").symlink_to(Path(sys.executable).parents[1])
    (tmp_path / ".env").touch()
    study = (paths.protocols() / "nct07326982.toml").read_text(encoding="utf-8")
    study = re.sub("^draft = true.*\n", "", study, flags=re.MULTILINE).replace(
        'telephone = ""', 'telephone = "+90 212 555 0100"'
    )
    (tmp_path / "study.toml").write_text(study.replace('email = ""', 'email = "study@example.org"'), encoding="utf-8")
    rows = next(block for block in blocks("study/enrolment.md") if block.startswith("participant,site"))
    (tmp_path / "enrol.csv").write_text(rows, encoding="utf-8")
    return tmp_path


def test_every_command_block_runs(desk: Path) -> None:
    environment = {
        **configuration.environment("sqlite:///var/pro-service.db"),
        "PATH": f"{desk}/venv/bin:{os.environ['PATH']}",
        "HOME": str(desk),
    }
    ran, anchor = 0, ""
    for page in PAGES:
        for block in commands(page):
            if any(words in block for words in OTHERWISE_TESTED):
                continue
            script = block.replace("/srv/pro", str(desk)).replace(f"{CRON} ", "").replace(NIGHTLY, "")
            for long, short in SHORTER.items():
                script = script.replace(long, short)
            script = script.replace("N:HEX", anchor)
            done = subprocess.run(
                ("/bin/bash", "-euc", script),
                cwd=desk,
                env=environment,
                input="a sentence only we would think of\n",
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{page}\n{script}\n{done.stdout}\n{done.stderr}"
            anchor = next(iter(ANCHOR.findall(done.stdout)), anchor)
            ran += 1
    assert ran > 10
    assert (desk / "rehearsal.html").is_file()
    assert (desk / "var" / "restored.db").is_file()


def test_no_page_has_a_command_block_that_does_not_run() -> None:
    pages = {file.relative_to(places.ROOT / "docs").as_posix() for file in (places.ROOT / "docs").rglob("*.md")}
    made = {page for page in pages if page.startswith(("_build/", "decisions/"))}
    assert {page for page in pages - made if commands(page)} == set(PAGES)

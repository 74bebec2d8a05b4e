"""./dev up in a fresh copy of the tree: everything starts, texts are sent, Ctrl-C stops all."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import requests

from pro_service import settings
from tests.peers import places, servers

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".dev", ".env", "var", "__pycache__", ".*_cache", ".hypothesis")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder as a clone has it, with the pinned uv at hand."""
    folder = tmp_path / "clone"
    shutil.copytree(places.ROOT, folder, ignore=LEFT_OUT, symlinks=True)
    (folder / ".dev").symlink_to(places.uv().parents[2])
    return folder


@pytest.fixture
def ports() -> tuple[int, int, int]:
    return servers.free_port(), servers.free_port(), servers.free_port()


@pytest.fixture
def up(copy: Path, ports: tuple[int, int, int]) -> Iterator[subprocess.Popen[str]]:
    """Run ./dev up in an environment that names no setting."""
    kept = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in settings.NAMES}
    command = [sys.executable, "dev", "up", "--port", str(ports[0]), "--simulator-port", str(ports[1])]
    command += ["--mail-port", str(ports[2])]
    with subprocess.Popen(
        command, cwd=copy, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        yield process
        process.terminate()


def test_everything_starts_sends_and_stops(up: subprocess.Popen[str], ports: tuple[int, int, int], copy: Path) -> None:
    seen: list[str] = []
    assert up.stdout is not None
    for line in up.stdout:
        seen.append(line)
        if line.startswith("scheduler ") and accepted(line):
            break
    assert answered_by_the_telephone_of_try_it(up.stdout, ports[1])
    output = "".join(seen)
    assert any(accepted(line) for line in seen), output
    assert "Ctrl-C stops everything." in output
    assert all(servers.answers(f"http://127.0.0.1:{port}/") for port in ports[:2])
    up.send_signal(signal.SIGINT)
    up.stdout.read()
    assert up.wait(30) == 0
    assert not any(servers.answers(f"http://127.0.0.1:{port}/") for port in ports[:2])
    assert all(file.stat().st_mode & 0o077 == 0 for file in [copy / ".env", *(copy / "var").iterdir()])


def answered_by_the_telephone_of_try_it(output: Iterable[str], port: int) -> bool:
    """Return whether the telephone that newcomers are told to take can answer, in English, and is asked the next."""
    number = "+12025550139"
    pages = [places.ROOT / page for page in ("README.md", "docs/study/try-it.md")]
    assert all(number in page.read_text(encoding="utf-8") for page in pages)
    with requests.Session() as session:
        session.trust_env = False  # never through a proxy
        thread = f"http://127.0.0.1:{port}/telephones/{number}"
        assert session.post(f"{thread}/reply", {"body": "2"}, timeout=10).ok
        assert any(line.startswith("scheduler ") and accepted(line) for line in output)
        return "The next question" in session.get(thread, timeout=10).text


def accepted(line: str) -> int:
    """Return how many texts the provider took, if this is the scheduler's line about a delivery."""
    _, _, logged = line.partition("{")
    try:
        return int(json.loads("{" + logged).get("accepted", 0))
    except ValueError:
        return 0

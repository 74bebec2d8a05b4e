"""The command line on a fresh database."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pro_service import paths
from pro_service.cli import main
from tests.peers import configuration

NOW = "2026-03-02T12:00:00Z"


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def now(tmp_path: Path) -> Path:
    """Return the file that holds the clock's time."""
    file = tmp_path / "now"
    file.write_text(NOW, encoding="utf-8")
    return file


@pytest.fixture
def run(database_url: str, tmp_path: Path, now: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs `pro-service …` on a migrated database, at a time of ours."""
    env = configuration.environment(database_url, PRO_SERVICE_NOW=str(now))
    file = tmp_path / "service.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in env.items()), encoding="utf-8")
    for name in env:
        monkeypatch.delenv(name, raising=False)

    def ran(*arguments: str | Path, text: str | None = None) -> Said:
        words = ["--env-file", str(file), *map(str, arguments)]
        done = CliRunner().invoke(main, words, input=text, prog_name="pro-service")
        assert "Traceback" not in done.output
        return Said(done.exit_code, done.stdout, done.stderr)

    return ran


@pytest.fixture
def study(run: Run) -> str:
    """Return the code of the demonstration study, loaded."""
    assert run("study", "load", paths.protocols() / "demo.toml").status == 0
    return "DEMO"

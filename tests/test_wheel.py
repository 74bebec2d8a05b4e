"""What is shipped works elsewhere: the wheel in an empty environment migrates a database and serves."""

import base64
import os
import subprocess
import sys
import tarfile
import tomllib
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.peers import places, servers

VERSION = tomllib.loads((places.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def run(*command: str | Path, folder: Path = places.ROOT, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder)
    return folder


@pytest.fixture(scope="module")
def programs(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the programs' folder of an environment that has the wheel, what it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("elsewhere")
    needed = folder / "needed.txt"
    needed.write_text(run(places.uv(), "export", "--frozen", "--no-dev", "--no-emit-project"), encoding="utf-8")
    run(places.uv(), "venv", "--python", sys.executable, folder / "env")
    wheel = next(built.glob("*.whl"))
    install = (places.uv(), "pip", "install", "--python", folder / "env" / "bin" / "python")
    run(*install, "--requirements", needed)
    run(*install, "--no-deps", wheel)
    return folder / "env" / "bin"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a machine that knows nothing of this checkout."""
    return {
        "PATH": os.defpath,
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "SECRET_KEY": "s" * 48,
        "DATA_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'pro.db'}",
        "PUBLIC_BASE_URL": "http://127.0.0.1:8025",
    }


def test_the_wheel_holds_templates_and_migrations_inside_the_package(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = wheel.namelist()
    assert {"pro_service/migrations/alembic.ini", "pro_service/migrations/env.py", "pro_service/py.typed"} <= set(names)
    for kind in (
        "templates/sms/tr/",
        "templates/sms/en/",
        "templates/web/",
        "migrations/versions/0001",
        "protocols/",
        "guide/tr/",
    ):
        assert any(name.startswith(f"pro_service/{kind}") for name in names), kind
    assert {name.split("/")[0] for name in names} == {"pro_service", f"pro_service-{VERSION}.dist-info"}


def test_the_source_distribution_holds_nothing_private(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert ".env.example" in names
    assert not [
        name for name in names if name == ".env" or name.startswith(("var/", ".dev/", ".venv/")) or "/." in name
    ]


def test_the_wheel_elsewhere_says_its_version(programs: Path, environment: dict[str, str], tmp_path: Path) -> None:
    assert VERSION in run(programs / "pro-service", "--version", folder=tmp_path, environment=environment)


def test_the_wheel_elsewhere_migrates_and_serves(programs: Path, environment: dict[str, str], tmp_path: Path) -> None:
    run(programs / "pro-service", "db", "upgrade", folder=tmp_path, environment=environment)
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}/healthz"
    command: list[str | Path] = [programs / "pro-service", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with (
        servers.running(command, url, tmp_path / "log", environment, tmp_path),
        urllib.request.urlopen(url, timeout=10) as answer,
    ):
        assert answer.status == 200

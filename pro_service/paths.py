"""Where templates/, migrations/, protocols/, guide and requirements are, in an installed wheel or in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates() -> Path:
    """Return the folder of every text and page (sms/, web/, email/)."""
    return _beside("templates")


def migrations() -> Path:
    """Return the folder of alembic.ini, env.py and versions/."""
    return _beside("migrations")


def protocols() -> Path:
    """Return the folder of the study protocols that ship with the package."""
    return _PACKAGE / "protocols"


def guide() -> Path:
    """Return the folder of the guide for staff: a folder for each language."""
    return _beside("guide", "docs/guide")


def requirements() -> Path:
    """Return the file of the packages, with their versions, that this release was tested with."""
    return _beside("deploy") / "requirements.txt"


def _beside(name: str, in_checkout: str = "") -> Path:
    """Find a folder inside the package, as a wheel has it, or beside the package, as a checkout has it."""
    for folder in (_PACKAGE / name, _PACKAGE.parent / (in_checkout or name)):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"{name}/ is missing from this installation of PRO Service: install the package again.")

"""The configuration of the tests: one set of keys for every database, since a database opens with its keys alone."""

import base64
from pathlib import Path

from pro_service import settings

PUBLIC_BASE_URL = "http://127.0.0.1:8025"
ACCOUNT_SID = "AC00000000000000000000000000000000"
AUTH_TOKEN = "12345"


def environment(database_url: str, **more: str) -> dict[str, str]:
    """Return the environment of a process on this database, without a provider; `more` adds to it or changes it."""
    return {
        "DATABASE_URL": database_url,
        "SECRET_KEY": "only-for-tests-" * 4,
        "DATA_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
        "PUBLIC_BASE_URL": PUBLIC_BASE_URL,
        **more,
    }


def settings_for(database_url: str, home: Path, **more: str) -> settings.Settings:
    """Return the settings of that environment; relative paths resolve against `home`, where no .env is."""
    env_file = home / "tests.env"
    env_file.touch()
    return settings.load(env_file, environment(database_url, **more))

"""Fresh databases with today's schema: one migration per kind and run, a copy of it for each test."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import pytest
from sqlalchemy import make_url

from pro_service import runtime
from tests.peers.configuration import settings_for
from tests.peers.postgres import Postgres

ON_BOTH = pytest.mark.on_both
"""Mark for a test, or a module of tests, whose outcome depends on the database: it runs on PostgreSQL too."""
_TEMPLATE = "template_pro"


class SqliteDatabases:
    """Databases that are files in a folder."""

    def __init__(self, folder: Path) -> None:
        """Keep them in `folder`, which exists."""
        self._folder = folder

    @cached_property
    def _template(self) -> Path:
        file = self._folder / "template.db"
        migrate(f"sqlite:///{file}", self._folder)
        return file

    @contextmanager
    def fresh(self, like: str | None = None) -> Iterator[str]:
        """Give the address of a migrated and otherwise empty database, or one `like` another; gone after the block."""
        file = self._folder / f"{secrets.token_hex(6)}.db"
        shutil.copy(make_url(like).database or "" if like else self._template, file)
        yield f"sqlite:///{file}"
        for left in self._folder.glob(f"{file.name}*"):
            left.unlink()


class PostgresDatabases:
    """Databases of a running PostgreSQL."""

    def __init__(self, server: Postgres, folder: Path) -> None:
        """Keep them in `server`, and what else a migration needs in `folder`."""
        self._server, self._folder = server, folder

    @cached_property
    def _template(self) -> str:
        migrate(self._server.create(_TEMPLATE), self._folder)
        return _TEMPLATE

    @contextmanager
    def fresh(self, like: str | None = None) -> Iterator[str]:
        """Give the address of a migrated and otherwise empty database, or one `like` another; gone after the block."""
        name = f"test_{secrets.token_hex(6)}"
        yield self._server.create(name, make_url(like).database or "" if like else self._template)
        self._server.drop(name)


def migrate(url: str, home: Path) -> None:
    """Bring a new database to today's schema, marked as one for tests."""
    runtime.upgrade(settings_for(url, home), test=True)

"""A database connection that breaks off, and a process that is killed: at every end of a transaction, before and after.

After a kill nothing of the process is left but what it committed.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

from sqlalchemy import Engine

from pro_service.store.database import Sessions
from pro_service.store.session import Session

Boundary: TypeAlias = Literal["before the commit", "after the commit"]


class KilledError(BaseException):
    """The process is gone. No `except Exception` of the product may catch this."""


class BreakingSessions(Sessions):
    """The sessions of a process that may be killed at every boundary.

    They know how many transactions are open in a thread, since none may be while a provider is called.
    """

    def __init__(self, engine: Engine, boundary: Callable[[Boundary], None]) -> None:
        """Ask `boundary` at every end of a writing transaction; it raises KilledError where the process ends there."""
        super().__init__(engine)
        self._boundary = boundary
        self._mine = threading.local()

    @property
    def open(self) -> int:
        """How many transactions this thread has open."""
        return int(getattr(self._mine, "open", 0))

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction that writes; the process may end right before its commit, or right after."""
        with self._counted(), super().begin() as session:
            yield session
            self._boundary("before the commit")
        self._boundary("after the commit")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent look."""
        with self._counted(), super().reading() as session:
            yield session

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._mine.open = self.open + 1
        try:
            yield
        finally:
            self._mine.open = self.open - 1

"""Why the database did not do what it was asked: full, locked, read only, forbidden, or out of reach."""

from typing import Literal, TypeAlias

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, NotSupportedError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

UNREACHABLE = (OperationalError, InterfaceError, InternalError, NotSupportedError, PoolTimeoutError)
"""What is raised when the database cannot be used just now.

By a standby of PostgreSQL an InternalError; a NotSupportedError where a connection that has only read is to write.
"""

Cause: TypeAlias = Literal["full", "disk", "locked", "read_only", "not_opened", "forbidden", "unreachable"]

_SQLITE: dict[str, Cause] = {
    "SQLITE_FULL": "full",
    "SQLITE_IOERR": "disk",
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "SQLITE_READONLY": "read_only",
    "SQLITE_CANTOPEN": "not_opened",
    "SQLITE_PERM": "forbidden",
    "SQLITE_AUTH": "forbidden",
}
"""By the result code, without what an extended one adds (https://sqlite.org/rescode.html)."""
_POSTGRESQL: dict[str, Cause] = {
    "53100": "full",
    "58030": "disk",
    "55P03": "locked",
    "25006": "read_only",
    "0A000": "read_only",
    "42501": "forbidden",
}
"""By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""


def why_unavailable(fault: BaseException) -> Cause | None:
    """Return why the database could not be used; None if that is not what went wrong."""
    driver = getattr(fault, "orig", None)
    if isinstance(fault, DBAPIError) and driver is not None:
        name = getattr(driver, "sqlite_errorname", None) or ""
        by_sqlite = next(
            (cause for code, cause in _SQLITE.items() if name == code or name.startswith(f"{code}_")), None
        )
        cause = by_sqlite or _POSTGRESQL.get(getattr(driver, "sqlstate", None) or "")
        if cause is not None:
            return cause
    return "unreachable" if isinstance(fault, UNREACHABLE) else None

"""Logs: one JSON object a line on standard error, ids and codes only; never a number, name, score, text or token."""

import errno
import json
import logging
import sys
import traceback
from datetime import UTC, datetime

LOGGER = "pro_service"
QUIET = ("twilio", "urllib3", "apscheduler", "werkzeug", "waitress", "sqlalchemy")
"""Libraries whose own lines can carry numbers or addresses."""


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Instant, level, event, and the ids that were passed."""
        ids = getattr(record, "ids", {})
        line = {"at": datetime.fromtimestamp(record.created, UTC).isoformat(), "level": record.levelname}
        name = record.getMessage() if record.name.startswith(LOGGER) else f"{record.name}.{record.levelname.lower()}"
        return json.dumps(line | {"event": name} | ids, ensure_ascii=False)


def set_up(level: str) -> None:
    """Send this process's log to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(LOGGER).setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def event(name: str, **ids: object) -> None:
    """One line about what happened; `ids` are ids, codes, counts and durations."""
    logging.getLogger(LOGGER).info(name, extra={"ids": ids})


def fault(where: str, error: BaseException, **ids: object) -> None:
    """One line about a fault: the class of the error, its code and the place in our code, never its message."""
    frames = traceback.extract_tb(error.__traceback__)
    place = next((f for f in reversed(frames) if "pro_service" in f.filename), frames[-1] if frames else None)
    at = None if place is None else f"{place.filename.rpartition('pro_service')[2].lstrip('/')}:{place.lineno}"
    said: dict[str, object] = {"error": type(error).__name__, "place": at}
    if (code := _code(error)) is not None:
        said["code"] = code
    logging.getLogger(LOGGER).error(where, extra={"ids": said | ids})


def _code(error: BaseException) -> str | None:
    """Return what tells one fault of a class from another: SQLite's result code, SQLSTATE, or the system's errno."""
    driver = getattr(error, "orig", None) or error
    if isinstance(driver, OSError) and driver.errno is not None:
        return errno.errorcode.get(driver.errno, str(driver.errno))
    code = getattr(driver, "sqlite_errorname", None) or getattr(driver, "sqlstate", None)
    return code if isinstance(code, str) else None

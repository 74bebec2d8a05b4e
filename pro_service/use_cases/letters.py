"""The mails coordinators get, from templates/email/<language>/."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from pro_service import paths
from pro_service.core.commands import Escalate
from pro_service.core.texts import fill
from pro_service.store.cases import Loaded
from pro_service.wording import moment

DEFAULT = "en"
UTC = ZoneInfo("UTC")


def alert(language: str, loaded: Loaded, command: Escalate, escalation_id: int, base_url: str) -> str:
    """The alert about one escalation: subject, blank line, body. Code, window and a link; nothing else."""
    language = language if language in _languages() else DEFAULT
    window = "–" if command.window_id is None else loaded.case.window(command.window_id).code
    return fill(
        _read(language, "alert"),
        {
            "code": loaded.case.participant.code,
            "window": window,
            "task": _words(language, "tasks")[command.level],
            "due": moment(command.due_at, loaded.case.site_zone, language),
            "link": f"{base_url}/escalations/{escalation_id}",
        },
    )


def alarm(language: str, code: str, base_url: str) -> str:
    """The mail about one alarm of the service itself: subject, blank line, body. No participant is named."""
    what, remedy = alarm_words(language, code)
    known = language if language in _languages() else DEFAULT
    return fill(_read(known, "alarm"), {"what": what, "remedy": remedy, "link": base_url})


def alarm_words(language: str, code: str) -> tuple[str, str]:
    """What fails, and what to do."""
    what, _, remedy = _words(language if language in _languages() else DEFAULT, "alarms")[code].partition(" | ")
    return what, remedy


@lru_cache
def _languages() -> frozenset[str]:
    return frozenset(folder.name for folder in (paths.templates() / "email").iterdir())


@lru_cache
def _read(language: str, name: str) -> str:
    return (paths.templates() / "email" / language / f"{name}.txt").read_text(encoding="utf-8")


@lru_cache
def _words(language: str, name: str) -> dict[str, str]:
    lines = [line.partition("=") for line in _read(language, name).splitlines() if "=" in line]
    return {code.strip(): words.strip() for code, _, words in lines}


def link(language: str, name: str, address: str, until: datetime) -> str:
    """The mail with a link that sets a password once: an `invitation` or a `reset`."""
    known = language if language in _languages() else DEFAULT
    return fill(_read(known, name), {"link": address, "until": moment(until, UTC, known) + " (UTC)"})


def notice(language: str, what: str, base_url: str) -> str:
    """The mail that says what was changed about somebody's account."""
    known = language if language in _languages() else DEFAULT
    return fill(_read(known, "notice"), {"what": _words(known, "notices")[what], "link": f"{base_url}/account"})

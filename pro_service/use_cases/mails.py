"""The words of mails and texts to staff, from templates/email/<language>/: work, alarms, accounts, their morning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from pro_service import paths, wording
from pro_service.core.case import EscalationFacts
from pro_service.core.commands import Escalate
from pro_service.core.schedule.digest import Task, hours_left, saves
from pro_service.core.texts import fill
from pro_service.core.trail.seals import Anchor
from pro_service.store.participants.cases import Loaded
from pro_service.wording import moment, place_of

DEFAULT = "en"

UTC = ZoneInfo("UTC")

DAY = {"en": "EEEE d MMMM", "tr": "d MMMM EEEE"}

MINUTE = timedelta(minutes=1)
"""A window that closes at 00:00 is open until 23:59."""


@dataclass(frozen=True, slots=True)
class Morning:
    """What one member of staff has before them on one day."""

    day: date
    now: datetime
    tasks: Sequence[Task] = ()
    more: bool = False
    several_studies: bool = False
    texts: int = 0
    """That wait for a person to read them."""
    cards: int = 0
    """To be printed before a text can point to them."""
    approvals: int = 0
    """Roles that wait for this reader."""
    erasures: int = 0
    """Erasures that wait for this reader."""
    waiting_roles: int = 0
    """Roles that wait for any investigator, for who gave them."""
    alarms: Sequence[str] = ()
    anchor: Anchor | None = None
    """The newest seal of the audit trail, for readers whose mails prove its history; no work."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to say."""
        work = (self.tasks, self.texts, self.cards, self.approvals, self.erasures, self.waiting_roles, self.alarms)
        return not any(work)


def alert(language: str, loaded: Loaded, command: Escalate, escalation_id: int, base_url: str) -> str:
    """The alert about one escalation: subject, blank line, body. Code, window and a link; nothing else."""
    return _about("alert", language, loaded, command, command.due_at, f"{base_url}/escalations/{escalation_id}")


def handed(loaded: Loaded, task: EscalationFacts, due_at: datetime, base_url: str, language: str) -> str:
    """The mail about a task that was handed over, due at `due_at`; as an alert, and by nobody's name."""
    return _about("handed", language, loaded, task, due_at, f"{base_url}/escalations/{task.id}")


def safety_alert(frame: str, loaded: Loaded, task: EscalationFacts, hours: int, base_url: str, language: str) -> str:
    """The mail about a safety task that is still open, `hours` after it was raised; as an alert, with another word."""
    link_to = f"{base_url}/escalations/{task.id}"
    return _about(frame, language, loaded, task, task.due_at, link_to, hours=str(hours))


def text(language: str, frame: str, values: Mapping[str, str]) -> str:
    """The text to a member of staff's telephone; it holds no address, for no route may drop it."""
    return fill(_words(language if language in _languages() else DEFAULT, "texts")[frame], values)


def alarm(language: str, code: str, base_url: str) -> str:
    """The mail about one alarm of the service itself: subject, blank line, body. No participant is named."""
    what, remedy = alarm_words(language, code)
    known = language if language in _languages() else DEFAULT
    return fill(_read(known, "alarm"), {"what": what, "remedy": remedy, "link": base_url})


def alarm_words(language: str, code: str) -> tuple[str, str]:
    """What fails, and what to do."""
    what, _, remedy = _words(language if language in _languages() else DEFAULT, "alarms")[code].partition(" | ")
    return what, remedy


def link(language: str, name: str, address: str, until: datetime) -> str:
    """The mail with a link that sets a password once: an `invitation` or a `reset`."""
    known = language if language in _languages() else DEFAULT
    return fill(_read(known, name), {"link": address, "until": _said(until, UTC, known)})


def notice(language: str, what: str, base_url: str) -> str:
    """The mail that says what was changed about somebody's account."""
    known = language if language in _languages() else DEFAULT
    return fill(_read(known, "notice"), {"what": _words(known, "notices")[what], "link": f"{base_url}/account"})


def approval(language: str, role: str, place: str, base_url: str) -> str:
    """The mail to an investigator about a role that waits for their approval; nobody is named."""
    known = language if language in _languages() else DEFAULT
    named = _words(known, "roles").get(role, role)
    return fill(_read(known, "approval"), {"role": named, "place": place, "link": f"{base_url}/team"})


def digest(language: str, morning: Morning, base_url: str) -> str:
    """The day's work of one member of staff: subject, blank line, body. Codes, windows, hours, links; nothing else."""
    known = language if language in _languages() else DEFAULT
    words, names = _words(known, "digests"), _words(known, "tasks")
    lines = [
        _task(task, morning, words, names, known) + f"\n  {base_url}/escalations/{task.id}" for task in morning.tasks
    ]
    if morning.more:
        lines.append(f"{words['more']}\n  {base_url}/")
    for name, count, page in (
        ("inbox", morning.texts, "inbox"),
        ("cards", morning.cards, "cards"),
        ("approvals", morning.approvals, "team"),
        ("erasures", morning.erasures, "tasks"),
        ("waiting_roles", morning.waiting_roles, "users"),
    ):
        if count:
            lines.append(f"{fill(words[name], {'count': str(count)})}\n  {base_url}/{page}")
    lines += [f"{alarm_words(known, code)[0]}\n  {base_url}/system" for code in morning.alarms]
    values = {"count": f"{len(lines)}", "lines": "\n\n".join(lines), "link": base_url, "account": f"{base_url}/account"}
    values["seal"] = "" if morning.anchor is None else f"\n\n{fill(words['seal'], {'anchor': str(morning.anchor)})}"
    values["day"] = wording.day(morning.day, DAY.get(known, DAY[DEFAULT]), known)
    return fill(_read(known, "digest"), values)


def _about(
    name: str,
    language: str,
    loaded: Loaded,
    task: Escalate | EscalationFacts,
    due_at: datetime,
    link_to: str,
    **more: str,
) -> str:
    language = language if language in _languages() else DEFAULT
    window = "–" if task.window_id is None else loaded.case.window(task.window_id).code
    return fill(
        _read(language, name),
        {
            "code": loaded.case.participant.code,
            "window": window,
            "task": _words(language, "tasks")[task.level],
            "due": _said(due_at, loaded.case.site_zone, language),
            "link": link_to,
            **more,
        },
    )


def _task(task: Task, morning: Morning, words: Mapping[str, str], names: Mapping[str, str], language: str) -> str:
    if saves(task, morning.now) and task.save_by is not None:
        left = hours_left(task.save_by, morning.now)
        moment_of = _said(task.save_by - MINUTE, task.zone, language)
        said = fill(words["left" if left else "under_an_hour"], {"hours": str(left), "closes": moment_of})
    else:
        said = fill(words["due"], {"due": _said(task.due_at, task.zone, language)})
    whose = task.participant or "–"
    code = f"{task.study} {whose}" if morning.several_studies else whose
    return f"{code} · {task.window or '–'}: {names[task.level]}. {said}."


def _said(instant: datetime, zone: ZoneInfo, language: str) -> str:
    """Return an instant with the place of its clock: the reader may be in another zone."""
    return f"{moment(instant, zone, language)} ({place_of(zone, language)})"


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

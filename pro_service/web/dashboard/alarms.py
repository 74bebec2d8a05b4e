"""What fails in silence, said at the top of every page of the dashboard."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint

from pro_service.runtime import Runtime
from pro_service.use_cases.watch import Alarm, alarms
from pro_service.web.i18n import gettext as _

KEPT = timedelta(seconds=20)
"""How long one look serves every page: what is told here has lasted for minutes."""


@dataclass(slots=True)
class _Seen:
    at: datetime
    alarms: tuple[Alarm, ...]


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Teach the pages of one runtime `alarms()`: [(words, since)]."""
    seen: list[_Seen] = []

    def current() -> list[tuple[str, datetime | None]]:
        now = rt.clock()
        if not seen or abs(now - seen[0].at) >= KEPT:
            seen[:] = [_Seen(now, alarms(rt))]
        words = _words()
        return [(words[alarm.code], alarm.since) for alarm in seen[0].alarms]

    pages.app_template_global("alarms")(current)


def _words() -> dict[str, str]:
    return {
        "scheduler": _("The scheduler is silent: no text goes out and no missed window is noticed."),
        "undecided": _("The scheduler does not get through its work: some participants are not looked at."),
        "waiting": _("Texts wait that should have left."),
        "quarantine": _("Texts are kept back until it is known what was sent before."),
        "stopped_sms": _("The text provider refuses this service: no text leaves."),
        "stopped_email": _("The mail provider refuses this service: no alert leaves."),
        "daily_limit": _("The day's limit of texts is reached: the rest waits until midnight UTC."),
        "unread": _("Replies wait to be read."),
        "undelivered": _("Most texts do not arrive."),
        "guessing": _("Somebody tries entry codes of cards: typing is slowed down, scanned cards go on working."),
        "no_receipts": _("The provider does not tell what becomes of the texts."),
    }

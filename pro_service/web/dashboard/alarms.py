"""What fails in silence, said at the top of every page of the dashboard."""

from datetime import datetime, timedelta

from flask import Blueprint

from pro_service.runtime import Runtime
from pro_service.use_cases.delivery.watch import alarms
from pro_service.web.cached_figures import CachedFigures
from pro_service.web.i18n import gettext as _

KEPT_FOR = timedelta(seconds=20)
"""How long one look serves every page: what is said here has lasted for minutes."""


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Teach the pages of one runtime `alarms()`: [(words, since)]."""
    cache = CachedFigures(rt.clock, kept_for=KEPT_FOR)

    def current_alarms() -> list[tuple[str, datetime | None]]:
        words = _words()
        return [(words[alarm.code], alarm.since) for alarm in cache.figures("alarms", lambda _: alarms(rt))]

    pages.app_template_global("alarms")(current_alarms)


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

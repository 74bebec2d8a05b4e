"""The dashboard put together: its pages, one module each, and what all of them show: words, alarms, choice of study."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from flask import Blueprint, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from jinja2 import pass_context
from jinja2.runtime import Context

from pro_service.core.providers import FACTS, MAIL, TEXTS, Facts, ways_of
from pro_service.runtime import Runtime
from pro_service.store.participants.cases import zone_of
from pro_service.use_cases import phone_numbers
from pro_service.use_cases.watch import HELD, SAFETY, UNCONFIRMED, Alarm, alarms, not_writable
from pro_service.web.access import may, needs
from pro_service.web.browsers import secure
from pro_service.web.cached_figures import CachedFigures
from pro_service.web.dashboard import (
    cards,
    change,
    closing,
    columns,
    compliance,
    confirmation,
    data,
    enrol,
    entry,
    erasure,
    formatting,
    grid,
    import_file,
    inbox,
    messages,
    navigation,
    outcomes,
    participant,
    queries,
    revelations,
    search,
    study,
    task,
    today,
    what_if,
    worklist,
)
from pro_service.web.i18n import gettext as _
from pro_service.web.scope import STUDY_COOKIE, chosen_scope

PAGES = (
    today,
    task,
    worklist,
    inbox,
    grid,
    search,
    participant,
    queries,
    cards,
    entry,
    change,
    erasure,
    revelations,
    enrol,
    import_file,
    columns,
    what_if,
    compliance,
    outcomes,
    messages,
    study,
    confirmation,
    closing,
    data,
)
ALARMS_KEPT_FOR = timedelta(seconds=20)
"""How long one look serves every page: what is said here has lasted for minutes."""


def blueprint(rt: Runtime) -> Blueprint:
    """Return the dashboard's pages."""
    pages = Blueprint("dashboard", __name__)
    pages.app_template_filter("word")(_word)
    pages.app_template_filter("short_moment")(formatting.short_moment)
    pages.app_template_filter("short_day")(formatting.short_day)
    pages.app_template_filter("side_by_side")(formatting.side_by_side)
    pages.app_template_filter("from_below")(formatting.from_below)
    pages.app_template_filter("percent_of")(formatting.percent)
    pages.app_template_filter("percent")(formatting.with_percent_sign)
    pages.app_template_filter("why")(formatting.why)
    pages.app_template_filter("grouped")(phone_numbers.grouped)
    pages.app_template_filter("window_shape")(formatting.window_shape)
    pages.app_template_global("zone_of")(zone_of)
    pages.app_template_global("navigation")(lambda scope: navigation.navigation(rt, scope))
    for page in PAGES:
        page.add_routes(pages, rt)
    _add_alarms(pages, rt)
    _add_choice_of_study(pages, rt)
    return pages


@pass_context
def _word(_context: Context, code: str, kind: str) -> str:
    """Return the word of a code. With the context, or a constant would be put into the first reader's language."""
    return formatting.word(kind, code)


def _add_choice_of_study(pages: Blueprint, rt: Runtime) -> None:
    @pages.post("/study", endpoint="study")
    @needs("account")
    def choose_study() -> ResponseReturnValue:
        """Look at another study from now on."""
        chosen = next((s for s in chosen_scope(rt).studies if s == request.form.get("study")), None)
        response = make_response(redirect(url_for("dashboard.today"), 303))
        if chosen is not None:
            response.set_cookie(STUDY_COOKIE, chosen, httponly=True, samesite="Lax", secure=secure(rt))
        return response


def _add_alarms(pages: Blueprint, rt: Runtime) -> None:
    """Teach the templates `alarms()`: [(words, since, whether it is about the service)]."""
    cache = CachedFigures(rt.clock, kept_for=ALARMS_KEPT_FOR)

    def current_alarms() -> list[tuple[str, datetime | None, bool]]:
        words = _alarm_words()
        refused, found = cache.figures("alarms", lambda _now: (not_writable(rt), alarms(rt)))
        first = [] if refused is None else [(f"{_not_writable_words()[refused]} {_on_paper()}", None, True)]
        # Which study's texts wait is said below, to the staff of that study.
        said = (alarm for alarm in found if alarm.code != UNCONFIRMED)
        return first + [(_said(words, alarm), alarm.since, alarm.code != SAFETY) for alarm in said]

    pages.app_template_global("alarms")(current_alarms)


def _said(words: Mapping[str, str], alarm: Alarm) -> str:
    """Return what the top of the page says of an alarm; of work that somebody has, who, and what remains."""
    if alarm.taken_up is None:
        return words[alarm.code]
    # Who does it is for those who might do it themselves.
    who = ", ".join(alarm.taken_up.by) if may("work") or may("tasks") else ""
    if who:
        return _("A safety task is overdue. {who} has taken it up; it is still to be finished.").format(who=who)
    return _("A safety task is overdue. It has been taken up and is still to be finished.")


def _on_paper() -> str:
    """Return how to work while nothing can be saved: who looks at a number must be recorded, so none is shown."""
    return _(
        "Telephone numbers cannot be shown either: take them from the clinic's records, and write the answers on paper."
    )


def _not_writable_words() -> dict[str, str]:
    """Return what the top of every page says where nothing can be saved, by why."""
    return {
        "full": _("Nothing can be saved: the disk of the database is full."),
        "disk": _("Nothing can be saved: the disk of the database is full, or reports a fault."),
        "locked": _("Nothing can be saved: another program holds the database."),
        "read_only": _("Nothing can be saved: the database can only be read."),
        "not_opened": _("Nothing can be saved: the file of the database cannot be opened."),
        "forbidden": _("Nothing can be saved: this service may not write to the database."),
        "unreachable": _("Nothing can be saved: the database cannot be reached."),
    }


def _held_words(way: Facts) -> str:
    """Return what the top of every page says of a way out in quarantine, and how that ends."""
    if not way.lists_sent:
        return _(
            "Texts by {provider} are held: the administrator compares what {provider} has sent "
            "with what pro-service doctor says, and then runs pro-service quarantine lift."
        ).format(provider=way.name)
    if way.medium == "whatsapp":
        return _("WhatsApp messages are held until the provider has said what was sent before.")
    return _("Texts are held until the provider has said what was sent before.")


def _alarm_words() -> dict[str, str]:
    """Return what the top of every page says of what fails in silence."""
    return {
        SAFETY: _("A safety task is overdue and still open. If you may take it up, please do so and finish it now."),
        "trail": _("The audit trail is not as it was written: tell the administrator, and change nothing."),
        "clock": _("The clock of this service may be wrong: nothing is decided or sent until that is clear."),
        "scheduler": _("The scheduler is not working: no message is sent and no missed window is noticed."),
        "undecided": _("The scheduler cannot finish its work: some participants are not checked."),
        "waiting": _("Messages are waiting that should have been sent."),
        **{f"{HELD}_{way}": _held_words(FACTS[way]) for way in TEXTS},
        **{f"stopped_{way}": _("The text provider refuses this service: no text is sent.") for way in ways_of("sms")},
        "stopped_whatsapp": _("WhatsApp refuses this service: no WhatsApp message is sent."),
        f"stopped_{MAIL}": _("The mail provider refuses this service: participants get no mail."),
        "stopped_email": _("The mail provider refuses this service: no alert is sent."),
        "marketing": _("A WhatsApp template counts as advertising: few messages of it arrive."),
        "daily_limit": _("The day's limit of texts is reached: the rest waits until midnight UTC."),
        "unread": _("Replies are waiting to be read."),
        "undelivered": _("Most messages do not arrive."),
        "guessing": _(
            "Somebody tries codes of old cards (eight characters): these can only be scanned. "
            "Print them again under Cards."
        ),
        "no_receipts": _("The provider does not report whether messages arrive."),
        "backup": _("No backup was made for two days: tell the administrator."),
        "disk": _("A disk of this service is nearly full: tell the administrator. Soon nothing can be saved."),
    }

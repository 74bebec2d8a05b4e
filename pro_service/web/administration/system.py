"""The pages of the installation: its sites, and whether it can do its work."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.numbers import format_decimal
from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from pro_service.reports import health
from pro_service.reports.health import Condition
from pro_service.runtime import Runtime
from pro_service.store import manifests
from pro_service.store.disk import MEGABYTE, disks
from pro_service.use_cases.watch import not_writable
from pro_service.web.access import needs
from pro_service.web.dashboard.formatting import time_left
from pro_service.web.i18n import gettext as _
from pro_service.web.i18n import language
from pro_service.web.scope import NoStudy, chosen_scope

LATE = timedelta(minutes=15)
"""A scheduler that was not heard for so long is late; so is a message that waits for longer."""
UNREAD = timedelta(minutes=5)
JUST_NOW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the page: what was looked at, whether it is as it should be, and how it is."""

    good: bool
    what: str
    words: object


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add both pages."""

    @pages.get("/sites")
    @needs("system")
    def sites() -> ResponseReturnValue:
        """Show the sites as the newest protocol has them: they are changed there, not here."""
        scope = chosen_scope(rt)
        known = {} if isinstance(scope, NoStudy) else scope.protocol.sites
        return render_template("administration/sites.html", scope=scope, sites=known)

    @pages.get("/system")
    @needs("system")
    def system() -> ResponseReturnValue:
        now = rt.clock()
        with rt.sessions.reading() as session:
            seen = health.condition(session, "tick", now, leaves=rt.texts_leave)
        return render_template(
            "administration/system.html",
            scope=chosen_scope(rt),
            checks=_checks(rt, seen, now),
            now=now,
        )


def _checks(rt: Runtime, seen: Condition, now: datetime) -> list[Check]:
    """Return what the page says of the installation."""
    beat_good = seen.beat_at is not None and now - seen.beat_at <= LATE
    texts, mails, address = rt.settings.texts, rt.settings.mails, rt.settings.public_base_url
    return [
        Check(beat_good or not seen.studies_in_use, _("Scheduler"), _last_beat(seen.beat_at, now)),
        Check(
            good=not_writable(rt) is None,
            what=_("Database"),
            words=f"{'SQLite' if rt.sessions.sqlite else 'PostgreSQL'}, {_('schema current')}",
        ),
        _newest_backup(rt, now, in_use=seen.studies_in_use),
        *(
            Check(
                not disk.minded,
                _disk_words()[disk.holds],
                f"{format_decimal(disk.free // MEGABYTE, locale=language())} MB",
            )
            for disk in disks(rt.settings.database_url, rt.settings.backup_dir)
        ),
        Check(address.startswith("https:"), _("Address"), address),
        Check(texts, _("Texts"), _("configured") if texts else _("not configured: prompts wait")),
        Check(mails, _("Mail"), _("configured") if mails else _("not configured: nobody is alerted by mail")),
        Check(seen.unread_since is None or now - seen.unread_since < UNREAD, _("Replies not read yet"), seen.unread),
        Check(
            seen.ready_since is None or now - seen.ready_since <= LATE,
            _("Oldest message that waits"),
            time_left(seen.ready_since, now) if seen.ready_since else _("no message that may be sent is waiting"),
        ),
        Check(
            not seen.dead_channels,
            _("Participants who cannot be reached, or are to be confirmed"),
            seen.dead_channels,
        ),
        Check(not seen.faulty, _("Participants not processed because of an error"), seen.faulty),
    ]


def _newest_backup(rt: Runtime, now: datetime, *, in_use: bool) -> Check:
    age = manifests.age(rt.settings.backup_dir, now)
    if age is None:
        return Check(not in_use, _("Newest backup"), _("none in BACKUP_DIR"))
    return Check(not in_use or age <= manifests.OLD, _("Newest backup"), time_left(now - age, now))


def _disk_words() -> Mapping[tuple[str, ...], str]:
    """Return what a disk is called, by what is written on it."""
    return {
        ("database", "backups"): _("Free space for the database and its backups"),
        ("database",): _("Free space for the database"),
        ("backups",): _("Free space for backups"),
    }


def _last_beat(beat_at: datetime | None, now: datetime) -> str:
    if beat_at is None:
        return _("has never run")
    return time_left(beat_at, now) if now - beat_at >= JUST_NOW else _("just now")

"""The pages of the installation: its sites, and whether it can do its work."""

from datetime import timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from pro_service.reports import health
from pro_service.runtime import Runtime
from pro_service.web.access import needs
from pro_service.web.dashboard.formatting import times
from pro_service.web.scope import NoStudy, chosen_scope

LATE = timedelta(minutes=15)
"""A scheduler that was not heard for so long is late."""


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
            seen = health.condition(session, "tick", now)
        return render_template(
            "administration/system.html",
            scope=chosen_scope(rt),
            seen=seen,
            settings=rt.settings,
            sqlite=rt.sessions.sqlite,
            late=LATE,
            **times(now),
        )

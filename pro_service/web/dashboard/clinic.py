"""The assessors' page: what can be entered in the clinic today, and nothing of what anybody answered."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from pro_service.reports import clinic
from pro_service.runtime import Runtime
from pro_service.web.access import needs
from pro_service.web.i18n import of
from pro_service.web.scope import Scope, in_study


def blueprint(rt: Runtime) -> Blueprint:
    """Return the page `/clinic`."""
    pages = Blueprint("clinic", __name__)

    @pages.get("/clinic", endpoint="list")
    @needs("entry")
    @in_study(rt)
    def visits(scope: Scope) -> ResponseReturnValue:
        now = rt.clock()
        points = {point.code: of(point.label) for point in scope.protocol.time_points if not point.prompted}
        with rt.sessions.reading() as session:
            found = clinic.visits(session, scope.study_id, list(points), now, scope.chosen_sites)
        return render_template(
            "dashboard/clinic.html", scope=scope, visits=found, labels=points, done=request.args.get("done")
        )

    return pages

"""One participant to those who read and do not work: windows, answers, and where their role has them, scores."""

from flask import render_template

from pro_service.core.status import status
from pro_service.runtime import Runtime
from pro_service.store import report_story
from pro_service.store.cases import Loaded
from pro_service.web.access import may_at
from pro_service.web.dashboard_scope import Scope
from pro_service.web.dashboard_times import times


def page(rt: Runtime, scope: Scope, loaded: Loaded) -> str:
    """No contact data, no free text, nothing to press."""
    now, case = rt.clock(), loaded.case
    states = {
        facts.id: status(facts, case.participant, case.protocol.primary(facts.point), now) for facts in case.windows
    }
    scores = may_at("scores", loaded.study_id, loaded.site_id)
    return render_template(
        "dashboard/record.html", scope=scope, case=case, person=case.participant, zone=case.site_zone, states=states,
        scores=scores, derived=tuple(report_story.derived_values(case, now)) if scores else (), **times(now),
    )  # fmt: skip

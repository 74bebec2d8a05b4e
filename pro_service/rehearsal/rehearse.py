"""Rehearsing a study: make a temporary database, run through the days, read the figures, delete the database."""

import importlib.metadata
import tempfile
from collections import Counter
from datetime import time
from pathlib import Path

from pro_service.core.protocol import Hours
from pro_service.rehearsal.figures import Facts, cost, facts, kinds, levels, rows, steps, times, traffic, windows
from pro_service.rehearsal.findings import findings
from pro_service.rehearsal.plan import Plan, stage
from pro_service.rehearsal.report import Parameters, Report
from pro_service.rehearsal.run import Rehearsal
from pro_service.rehearsal.threads import threads
from pro_service.rehearsal.virtual_time import Progress
from pro_service.rehearsal.work import desks


def rehearse(plan: Plan, progress: Progress) -> Report:
    """Run a plan in a temporary folder and return the report; nothing else remains."""
    with tempfile.TemporaryDirectory(prefix="pro-service-rehearsal-") as folder:
        return rehearse_in(Path(folder), plan, progress)


def rehearse_in(folder: Path, plan: Plan, progress: Progress) -> Report:
    """Do the same in the caller's folder, where the database remains."""
    with stage(folder, plan.base_url) as rt:
        rehearsal = Rehearsal(rt, plan)
        rehearsal.run(progress)
        return report(rehearsal, facts(rehearsal))


def report(rehearsal: Rehearsal, found: Facts) -> Report:
    """Return everything the report shows."""
    return Report(
        parameters=_parameters(rehearsal.plan),
        findings=findings(rehearsal, found),
        windows=windows(rehearsal, found),
        rows=rows(rehearsal, found),
        steps=steps(rehearsal, found),
        kinds=traffic(rehearsal, found, "kind"),
        languages=traffic(rehearsal, found, "language"),
        channels=traffic(rehearsal, found, "channel"),
        cost=cost((row for row in found.texts if row.accepted_at is not None), rehearsal.plan.prices),
        mails=found.mails,
        replies=found.replies,
        times=times(rehearsal, found),
        levels=levels(rehearsal, found),
        calls=dict(Counter(row.outcome for row in found.calls).most_common()),
        desks=desks(rehearsal, found),
        temperaments=kinds(rehearsal, found),
        threads=threads(rehearsal, found),
    )


def _parameters(plan: Plan) -> Parameters:
    protocol, office = plan.protocol, plan.crowd.office
    return Parameters(
        study=protocol.study,
        title=protocol.title,
        version=plan.version,
        sha256=plan.sha256,
        release=importlib.metadata.version("pro-service"),
        participants=plan.participants,
        days=plan.days,
        seed=plan.seed,
        first=plan.first,
        last=plan.last,
        enrolling=plan.enrolling,
        channels=tuple(dict.fromkeys(plan.channels)),
        price=plan.prices.get("sms"),
        price_whatsapp=plan.prices.get("whatsapp"),
        most_segments=plan.most_segments,
        calls_a_day=office.calls_a_day,
        minutes_a_call=office.minutes_a_call,
        minutes_a_task=office.minutes_a_task,
        clinic_entered=office.clinic_entered,
        rounds=tuple(f"{at:%H:%M}" for at in office.rounds),
        working_hours=_hours(protocol.working_hours),
        contact_hours=_hours(protocol.contact_hours),
        address=plan.base_url,
    )


def _hours(hours: Hours) -> str:
    end = "24:00" if hours.end == time() else f"{hours.end:%H:%M}"
    return f"{hours.start:%H:%M}–{end}"

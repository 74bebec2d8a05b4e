"""For monitoring: is the process alive, and can it do its work."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from pro_service.runtime import Runtime
from pro_service.store import manifests, readiness
from pro_service.store.unavailable import UNREACHABLE
from pro_service.use_cases.watch import alarms, not_writable

BEAT = "tick"
STALE_SECONDS = 15 * 60


def blueprint(rt: Runtime) -> Blueprint:
    """Return `/healthz`, which asks nothing, and `/readyz`, which asks the database."""
    probes = Blueprint("health", __name__)

    @probes.get("/healthz")
    def alive() -> ResponseReturnValue:
        return "ok", 200, {"Content-Type": "text/plain; charset=utf-8"}

    @probes.get("/readyz")
    def ready() -> ResponseReturnValue:
        database = readiness.check_database(rt.sessions, BEAT)
        backup_age = manifests.age(rt.settings.backup_dir, rt.clock())
        refused = not_writable(rt) if database.current else None
        writable = database.current and refused is None
        good = database.reachable and writable
        age = None if database.beat_at is None else int((rt.clock() - database.beat_at).total_seconds())
        found = {
            "ready": good,
            "database": "reachable" if database.reachable else "unreachable",
            "writable": writable,
            "not_writable_because": refused,
            "schema": "current" if database.current else ("behind" if database.reachable else "unknown"),
            # Told, not judged: the web serves on while the scheduler is away.
            "scheduler_age_seconds": age,
            "scheduler_stale": age is None or age > STALE_SECONDS,
            # Of the newest backup in BACKUP_DIR; null: there is none.
            "backup_age_seconds": None if backup_age is None else int(backup_age.total_seconds()),
            "alarms": _alarms(rt) if good else [],
        }
        return jsonify(found), 200 if good else 503

    return probes


def _alarms(rt: Runtime) -> list[str]:
    """Return what fails in silence. It is reported, not judged: the database may go away while it is asked."""
    try:
        return [alarm.code for alarm in alarms(rt)]
    except UNREACHABLE:
        return []

"""For whoever watches this service: is the process alive, and can it do its work."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from pro_service.runtime import Runtime
from pro_service.store import health

BEAT = "tick"
STALE_SECONDS = 15 * 60


def blueprint(rt: Runtime) -> Blueprint:
    """`/healthz` asks nothing; `/readyz` asks the database."""
    probes = Blueprint("health", __name__)

    @probes.get("/healthz")
    def alive() -> ResponseReturnValue:
        return "ok", 200, {"Content-Type": "text/plain; charset=utf-8"}

    @probes.get("/readyz")
    def ready() -> ResponseReturnValue:
        database = health.look(rt.sessions, BEAT)
        good = database.reachable and database.current
        age = None if database.beat_at is None else int((rt.clock() - database.beat_at).total_seconds())
        found = {
            "ready": good,
            "database": "reachable" if database.reachable else "unreachable",
            "schema": "current" if database.current else ("behind" if database.reachable else "unknown"),
            # Told, not judged: the web serves on while the scheduler is away.
            "scheduler_age_seconds": age,
            "scheduler_stale": age is None or age > STALE_SECONDS,
        }
        return jsonify(found), 200 if good else 503

    return probes

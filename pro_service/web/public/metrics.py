"""`/metrics`: figures for Prometheus. No label holds a person, and nobody from outside reads it without the token."""

import hmac
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from math import inf
from urllib.parse import urlsplit

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from werkzeug.wrappers import Response

from pro_service.core.addresses import is_this_machine
from pro_service.reports import metrics
from pro_service.runtime import Runtime
from pro_service.store import manifests
from pro_service.web.cached_figures import CachedFigures

BEAT = "tick"
WORTH = 20
"""How many seconds figures are kept for each second that counting them took: so it takes a twentieth of the time."""
LONGEST = timedelta(minutes=5)


def blueprint(rt: Runtime) -> Blueprint:
    """Return `/metrics`, and time every request from now on."""
    pages = Blueprint("metrics", __name__)
    disable_created_metrics()
    registry = CollectorRegistry()
    registry.register(_Figures(rt))
    took = Histogram("pro_http_request_seconds", "How long this web server's requests took", registry=registry)

    @pages.after_app_request
    def observe(response: Response) -> Response:
        took.observe(time.perf_counter() - g.started)
        return response

    @pages.get("/metrics")
    def shown() -> ResponseReturnValue:
        if not (_from_this_machine() or _shows(rt.settings.metrics_token)):
            said = "Ask directly from this machine, or send METRICS_TOKEN (Authorization: Bearer ...).\n"
            return said, 403, {"Content-Type": "text/plain; charset=utf-8"}
        return generate_latest(registry), 200, {"Content-Type": CONTENT_TYPE_LATEST}

    return pages


def _from_this_machine() -> bool:
    """Whether a program on this machine asks.

    A proxy on this machine asks for somebody else. It adds X-Forwarded-For, or keeps the host name that was asked for.
    """
    asked_for = urlsplit(f"//{request.host}").hostname
    return (
        "X-Forwarded-For" not in request.headers and is_this_machine(request.remote_addr) and is_this_machine(asked_for)
    )


def _shows(token: str) -> bool:
    """Whether the caller sent this token; False where none is set."""
    kind, _, shown = request.headers.get("Authorization", "").partition(" ")
    return bool(token) and kind.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())


class _Figures(Collector):
    """Asks the database whenever somebody reads the figures."""

    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._counted = CachedFigures(rt.clock, kept_for=LONGEST, worth=WORTH)

    def describe(self) -> Iterator[Metric]:
        """Return nothing, so that the database is not asked when the web server starts."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield every figure that all programs of the service share."""
        rt, now = self._rt, self._rt.clock()
        with rt.sessions.reading() as session:
            seen = metrics.standing(session, BEAT, now, leaves=rt.texts_leave)
            counted = self._counted.figures((), lambda at: metrics.counts(session, rt.loader, at, rt.ways))
        yield _gauge("pro_messages", "Texts and mails, by way out and state", ("channel", "state"), counted.messages)
        windows = "Windows that were due, by how they are counted; missed_before_enrolment was not due"
        yield _gauge("pro_windows", windows, ("point", "status"), counted.windows)
        tasks = GaugeMetricFamily("pro_tasks_open", "Open tasks of staff, by level", labels=("level",))
        for level, n in sorted(seen.tasks.items()):
            tasks.add_metric((level,), n)
        yield tasks
        yield _age("pro_oldest_ready_seconds", "How long the oldest message waits that is due", seen.ready_for, 0)
        yield GaugeMetricFamily("pro_inbound_unread", "Texts that came in and were not read yet", seen.unread)
        yield _age("pro_tick_age_seconds", "How long ago the scheduler last finished a tick", seen.tick_age, inf)
        yield _age("pro_tick_seconds", "How long the last tick took", seen.tick_took, 0)
        backup = manifests.age(rt.settings.backup_dir, now)
        yield _age("pro_backup_age_seconds", "How long ago the newest backup in BACKUP_DIR was made", backup, inf)
        refusals = CounterMetricFamily(
            "pro_provider_refusals", "Calls that a provider answered with a no, by class", labels=("channel", "kind")
        )
        for labels, n in sorted(counted.refusals.items()):
            refusals.add_metric(labels, n)
        yield refusals


def _gauge(name: str, what: str, labels: tuple[str, str], figures: Mapping[tuple[str, str], int]) -> Metric:
    family = GaugeMetricFamily(name, what, labels=labels)
    for values, n in sorted(figures.items()):
        family.add_metric(values, n)
    return family


def _age(name: str, what: str, age: timedelta | None, otherwise: float) -> Metric:
    return GaugeMetricFamily(name, what, otherwise if age is None else max(age.total_seconds(), 0))

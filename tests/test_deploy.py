"""The files of deploy/ are what the programs that read them take, and speak of what there is."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import promql_parser
import pytest
import yaml
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from pro_service.core.case import State
from pro_service.core.protocol import LevelCode
from pro_service.gateways.kinds import Kind
from pro_service.runtime import open_runtime
from pro_service.settings import Settings
from pro_service.web.app import create_app
from tests.peers import places

DEPLOY = places.ROOT / "deploy"
VALUES = {"state": get_args(State), "kind": get_args(Kind), "level": get_args(LevelCode), "job": ("pro-service",)}
"""Label -> what may stand for it in an expression."""


# --- Prometheus and Grafana ------------------------------------------------------------------------------------------


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    """Return a browser on a service without a study."""
    rt = open_runtime(settings)
    app = create_app(rt)
    yield app.test_client()
    app.extensions["intake"].close()
    rt.close()


def alerts() -> list[dict[str, Any]]:
    read = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in read["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DEPLOY / "grafana" / "pro-service.json").read_text(encoding="utf-8"))[
        "panels"
    ]
    return found


def test_alerts_and_dashboard_ask_for_what_the_service_shows(client: FlaskClient) -> None:
    families = text_string_to_metric_families(client.get("/metrics").text)
    known = {"up"} | {f"{one.name}_total" if one.type == "counter" else one.name for one in families}
    known.add("pro_http_request_seconds_bucket")
    asked = [rule["expr"] for rule in alerts()] + [target["expr"] for one in panels() for target in one["targets"]]
    assert len(asked) > 20
    for expression in asked:
        promql_parser.parse(expression)
        names = re.sub(r"""\{[^}]*\}|"[^"]*"|\b(?:by|on) \([^)]*\)""", "", expression)
        assert set(re.findall(r"\b(?:up|pro_\w+)", names)) - known == set(), expression
        for label, values in re.findall(r'(\w+)(?:=~?)"([^"]*)"', expression):
            assert label == "status" or set(values.split("|")) <= set(VALUES[label]), expression
    shown = "".join(target["expr"] for one in panels() for target in one["targets"])
    assert {name for name in known if name not in shown} == {"up"}, "every figure has its place on the dashboard"


def test_the_panels_of_the_dashboard_do_not_lie_on_each_other() -> None:
    fields = [
        (column, row)
        for one in panels()
        for at in [one["gridPos"]]
        for column in range(at["x"], at["x"] + at["w"])
        for row in range(at["y"], at["y"] + at["h"])
    ]
    assert len(fields) == len(set(fields))
    assert max(column for column, _ in fields) < 24
    assert len({one["id"] for one in panels()}) == len(panels())


def test_every_alert_has_a_test_for_promtool_and_a_line_in_the_documentation() -> None:
    tests = (DEPLOY / "prometheus" / "alerts.test.yml").read_text(encoding="utf-8")
    page = (places.ROOT / "docs" / "operation" / "monitoring.md").read_text(encoding="utf-8")
    names = [rule["alert"] for rule in alerts()]
    assert [name for name in names if f"`{name}`" not in page] == []
    silent = {"ProServiceSafetyTaskOpen"}  # a day goes by before it fires
    assert {name for name in names if f'alertname="{name}"' not in tests} == silent

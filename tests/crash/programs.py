"""The processes of a run. Each is forked from a parent that has imported everything, so that it starts in milliseconds.

The parent must have no thread and no connection to a SQLite file at that moment: neither survives a fork.
"""

import contextlib
import gc
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests
import twilio.rest.api  # noqa: F401 -- else the SDK imports it with the first text: half a second, in every child
import waitress
from flask import Flask

from pro_service import logs, paths, runtime
from pro_service.core.throttle import Allowance
from pro_service.gateways.verimor.texts import VerimorTexts
from pro_service.runtime import Runtime
from pro_service.simulator import contents_of, create_simulator
from pro_service.simulator.mailbox import listening
from pro_service.store.audit import Actor
from pro_service.use_cases import study
from pro_service.use_cases.delivery import quarantine
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.delivery.reconcile import reconcile
from pro_service.use_cases.enrolment.enrol import enrol_file
from pro_service.use_cases.tick import tick
from pro_service.web.app import create_app
from tests.crash.world import MAIL, MAIL_HOST, SENDER, Plan, enrolment_files
from tests.peers.configuration import ACCOUNT_SID, AUTH_TOKEN

ACTOR = Actor(kind="system", id="crash", source="cli")
STUDY = "DEMO"
THREADS = 16
TOO_LONG = 5.0
"""Seconds within which a page must be there."""
QUESTIONS = Allowance(burst=10, every=timedelta(milliseconds=20))
"""How many Verimor may be asked."""
FILE = 250
"""Participants in one enrolment file."""


def fork(work: Callable[[Plan], None], plan: Plan, log: Path) -> int:
    """Do this in a process of its own, which ends with its parent; return its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        with log.open("ab") as output:
            os.dup2(output.fileno(), sys.stdout.fileno())
            os.dup2(output.fileno(), sys.stderr.fileno())
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to hear
        logs.set_up("ERROR")
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
        work(plan)
        status = 0
    except BaseException:  # noqa: BLE001 -- nothing may return into the parent's code
        traceback.print_exc()
    finally:
        os._exit(status)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def simulate(plan: Plan) -> None:
    """Be the provider."""
    demo = study.check((paths.protocols() / "demo.toml").read_text(encoding="utf-8"))
    app = create_simulator(
        account_sid=ACCOUNT_SID,
        auth_token=AUTH_TOKEN,
        webhook_base=plan.web_url,
        clock=lambda: datetime.now(UTC),
        sender=SENDER,
        faults=plan.faults,
        verimor=plan.account,
        whatsapp=SENDER,
        contents=contents_of(demo.protocol, demo.frames).get,
        keep=plan.messages * 4 + 1_000,
    )
    if plan.provider == MAIL:
        listening(app.extensions["mailboxes"], MAIL_HOST, plan.mail_port)
    _listen(app, host="127.0.0.1", port=plan.simulator_port)


def serve(plan: Plan) -> None:
    """Be a web server, to which the provider reports."""
    _listen(create_app(runtime.open_runtime(plan.settings)), sockets=[plan.listener])


def visit(plan: Plan) -> None:
    """Be somebody who looks at pages, one after another, and writes down whatever goes wrong or takes too long."""
    with requests.Session() as session:
        session.trust_env = False
        while True:
            for path in ("/readyz", "/login", "/q/nobody-has-this-link"):
                status, began = 0, time.monotonic()
                with contextlib.suppress(requests.RequestException):
                    status = session.get(plan.web_url + path, timeout=TOO_LONG).status_code
                if not status or status >= HTTPStatus.INTERNAL_SERVER_ERROR or time.monotonic() - began > TOO_LONG:
                    # 0: no answer in time; 200 and the like: too late.
                    logs.fault(f"visit.{status}", VisitError())
            time.sleep(0.2)


class VisitError(Exception):
    """A page was not there."""


def send(plan: Plan) -> None:
    """Be a scheduler: tick, deliver and reconcile side by side, for ever, at its pace and in this run's proportions."""
    rt = runtime.open_runtime(plan.settings)
    verimor = rt.texts.get("verimor")
    if isinstance(verimor, VerimorTexts):
        # In this run's proportions, as its other times: 20 questions a minute would settle it in an hour.
        verimor.questions = QUESTIONS
    quarantine.on_start(rt)
    for work, pause in ((_deliver, 0.3), (_reconcile, 0.2)):
        threading.Thread(target=_beat, args=(rt, work, pause), daemon=True).start()
    _beat(rt, tick, 0.3)


def _deliver(rt: Runtime) -> None:
    deliver(rt)
    quarantine.beat(rt)


def _reconcile(rt: Runtime) -> None:
    quarantine.settle(rt)
    reconcile(rt)


def enrol(plan: Plan) -> None:
    """Enrol everybody, file by file, over the time in which senders are killed: there is always somebody due."""
    rt = runtime.open_runtime(plan.settings)
    size = min(FILE, max(plan.messages // 10, 1))
    files = list(enrolment_files(plan.messages, size, rt.clock(), channel=plan.channel))
    study_id = study.chosen(rt, STUDY).id
    began, each = time.monotonic(), 0.0 if plan.burst else plan.kills * plan.every * 0.8 / len(files)
    for number, file in enumerate(files):
        time.sleep(max(began + number * each - time.monotonic(), 0))
        enrol_file(rt, ACTOR, study_id, file)


def enrol_one(plan: Plan, number: int) -> None:
    """Enrol one more, who is due at once."""
    rt = runtime.open_runtime(plan.settings)
    [file] = enrolment_files(1, 1, rt.clock(), first=number, channel=plan.channel)
    enrol_file(rt, ACTOR, study.chosen(rt, STUDY).id, file)


def _beat(rt: Runtime, work: Callable[[Runtime], object], pause: float) -> None:
    while True:
        try:
            work(rt)
        except Exception as fault:  # noqa: BLE001 -- as in the scheduler: the next beat tries again
            logs.fault(f"beat.{work.__name__}", fault)
        time.sleep(pause)


def _listen(app: Flask, **where: Any) -> None:
    gc.freeze()
    waitress.serve(app, threads=THREADS, ident=None, _quiet=True, **where)

"""Commands that run the service: web server, scheduler, single beats, simulated providers."""

import gc
import signal
import threading
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from types import FrameType
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import click

from pro_service import logs
from pro_service.cli.clock import say_doubt, say_undone
from pro_service.cli.terminal import State, as_json, opened, show_json, who
from pro_service.core.problems import RejectedError, problem

THREADS = 16
HOST = "127.0.0.1"
LARGEST_BODY = 2 * 1024 * 1024
"""Bytes; more than any page of ours takes, which says so itself."""


@click.command()
@click.option("--host", default=HOST, show_default=True, help="The address to listen on.")
@click.option("--port", default=8025, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option("--trusted-proxy", metavar="ADDRESS", help="The proxy in front, which says who a visitor is.")
@click.pass_obj
def serve(state: State, host: str, port: int, trusted_proxy: str | None) -> None:
    """Run the web server: webhooks, participants' pages, dashboard."""
    from pro_service.scheduler import watch_from_outside  # noqa: PLC0415
    from pro_service.web.app import create_app  # noqa: PLC0415

    with opened(state, serving=True, pool_size=THREADS + 2) as rt:
        app = create_app(rt)
        # What is loaded by now stays: looking for garbage among it would make somebody's page wait.
        gc.collect()
        gc.freeze()
        ended = threading.Event()
        watching = threading.Thread(target=watch_from_outside, args=(rt, ended), name="watch")
        watching.start()
        try:
            _listen(app, host, port, proxy=trusted_proxy)
        finally:
            ended.set()
            app.extensions["intake"].close()
            watching.join()


@click.command()
@click.pass_obj
def scheduler(state: State) -> None:
    """Run until stopped: a tick every 60 seconds, deliveries every 5 seconds, new texts read every second."""
    from pro_service import scheduler as beat  # noqa: PLC0415

    with opened(state, serving=True) as rt:
        beat.run(rt)


@click.command()
@as_json
@click.pass_obj
def tick(state: State) -> None:
    """Do once what time calls for: prompts, tasks, closings, texts not read yet. For cron."""
    from pro_service.use_cases import idle, trusted_time  # noqa: PLC0415

    with opened(state) as rt:
        started, report = rt.monotonic(), idle.TickReport()
        if not idle.is_idle(rt):
            # Most ticks have nothing to do, and are over before this would be imported.
            from pro_service.use_cases import clock_repair  # noqa: PLC0415
            from pro_service.use_cases import tick as use_case  # noqa: PLC0415

            say_undone(asdict(clock_repair.repair_now_and_then(rt)))
            started = rt.monotonic()
            report = use_case.tick(rt)
        trusted_time.beat(rt, "tick", timedelta(seconds=rt.monotonic() - started))
        say_doubt(rt)
        _show_report(state, asdict(report))


@click.command()
@as_json
@click.pass_obj
def deliver(state: State) -> None:
    """Send what waits in the outbox, after asking what became of what is in doubt. For cron, once a minute.

    A paced sender's texts are waited for, for 50 seconds at most; `remaining` says how many wait for the next run.
    """
    from pro_service.use_cases import doctor, safety_alerts, watch  # noqa: PLC0415
    from pro_service.use_cases.delivery import deliver as use_case  # noqa: PLC0415
    from pro_service.use_cases.delivery import quarantine, reconcile  # noqa: PLC0415
    from pro_service.use_cases.inbound import pull  # noqa: PLC0415

    with opened(state) as rt:
        quarantine.on_start(rt)
        quarantine.settle(rt)
        pull.pull_now_and_then(rt)
        reconcile.reconcile(rt)
        safety_alerts.alert(rt)
        report = use_case.deliver(rt, patience=use_case.PATIENCE)
        quarantine.beat(rt)
        watch.watch(rt)
        say_doubt(rt)
        for finding in doctor.confirmations_of(rt):
            if finding.colour == "red":
                click.echo(f"pro-service: {finding.finding}", err=True)
        _say_held(rt)
        _show_report(state, asdict(report))


@click.command()
@as_json
@click.pass_obj
def reconcile(state: State) -> None:
    """Ask the provider now: texts in doubt, replies that no webhook brought, and what a quarantine waits for."""
    from pro_service.use_cases.delivery import quarantine  # noqa: PLC0415
    from pro_service.use_cases.delivery import reconcile as use_case  # noqa: PLC0415
    from pro_service.use_cases.inbound import pull  # noqa: PLC0415

    with opened(state) as rt:
        held = quarantine.settle(rt)
        fetched = pull.pull(rt)
        report = asdict(use_case.reconcile(rt))
        report |= {"replies_fetched": fetched.kept, "quarantine": held.held}
        report |= {"adopted": held.adopted, "unknown_at_provider": held.unknown}
        _say_held(rt)
        _show_report(state, report)


@click.group()
def quarantine() -> None:
    """Hold texts while the database may be older than what was sent."""


@quarantine.command()
@click.pass_obj
def begin(state: State) -> None:
    """Hold every text until all that the provider sent is known. After restoring a backup elsewhere."""
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases.delivery import quarantine as use_case  # noqa: PLC0415

    with opened(state) as rt:
        begun = use_case.begin(rt, use_case.BY_HAND, Actor(kind="staff", id=who(), source="cli"))
        click.echo("Texts are held from now on." if begun else "Texts are held already.")
        _say_held(rt)


@quarantine.command()
@click.option(
    "--reason", required=True, help="Why it may be lifted although not everything is known; saved in the audit trail."
)
@click.pass_obj
def lift(state: State, reason: str) -> None:
    """Send again although the provider has texts that are not known here: you have looked at its log."""
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases.delivery import quarantine as use_case  # noqa: PLC0415

    with opened(state) as rt:
        lifted = use_case.lift(rt, Actor(kind="staff", id=who(), source="cli"), reason)
        click.echo("Texts are sent again." if lifted else "No texts were held.")


def _say_held(rt: Any) -> None:
    """Say which texts are in quarantine, and how that ends."""
    from pro_service.use_cases import doctor  # noqa: PLC0415

    for finding in doctor.held_of(rt):
        click.echo(f"pro-service: {finding.finding}. {finding.remedy}", err=True)


def _listen(app: WSGIApplication, host: str, port: int, *, threads: int = THREADS, proxy: str | None = None) -> None:
    """Serve an application until a signal ends the process; requests under way are finished first."""
    import waitress  # noqa: PLC0415

    # waitress winds down on SystemExit and KeyboardInterrupt; SIGTERM alone would end the process on the spot.
    signal.signal(signal.SIGTERM, _leave)
    logs.event("listening", host=host, port=port)
    believed: dict[str, Any] = {"trusted_proxy": proxy, "trusted_proxy_headers": {"x-forwarded-for"}} if proxy else {}
    try:
        waitress.serve(
            with_whole_address(app) if proxy else app,
            host=host,
            port=port,
            threads=threads,
            ident=None,
            # Without a proxy that is believed, what a header says of a visitor stays, and is believed nowhere: it shows
            # that the call came through one (`/metrics`).
            clear_untrusted_proxy_headers=proxy is not None,
            # waitress keeps a body on disk before we see it, up to a gigabyte if nobody says less.
            max_request_body_size=LARGEST_BODY,
            **believed,
        )
    except OSError as error:
        click.echo(
            f"pro-service: {host}:{port} cannot be listened on ({error.strerror}): choose another --port", err=True
        )
        raise click.exceptions.Exit(1) from None


def with_whole_address(app: WSGIApplication) -> WSGIApplication:
    """Return the application with the visitor's whole address where a proxy writes IPv4 as IPv6 (`::ffff:192.0.2.1`).

    waitress takes what follows the last colon for a port: all visitors would be one, and share the wrong passwords.
    """

    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "." in (port := environ.get("REMOTE_PORT", "")):
            environ["REMOTE_ADDR"] = port
        return app(environ, start_response)

    return called


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _show_report(state: State, counts: dict[str, object]) -> None:
    if state.as_json:
        show_json(counts)
    else:
        click.echo(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()))


@click.command()
@click.option("--port", default=8026, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option("--limits", is_flag=True, help="Keep Verimor's limits of requests a minute.")
@click.pass_obj
def simulate(state: State, port: int, limits: bool) -> None:  # noqa: FBT001 -- click's
    """Run the providers' simulators, with telephones to answer on and mailboxes to read.

    Only the templates of WhatsApp messages are read in the database; without those none is needed.

    Twilio, and Verimor where it is configured, are called at TWILIO_BASE_URL and VERIMOR_BASE_URL. Where SMTP_HOST is
    this machine, mails are taken at SMTP_PORT.
    """
    from pro_service.runtime import clock_of  # noqa: PLC0415
    from pro_service.simulator import VerimorAccount, create_simulator  # noqa: PLC0415
    from pro_service.simulator.app import SENDER  # noqa: PLC0415

    settings = state.settings(serving=True)
    aims = {"TWILIO_BASE_URL": settings.twilio, "VERIMOR_BASE_URL": settings.verimor}
    if unset := [name for name, sends in aims.items() if sends and not settings.simulates]:
        raise RejectedError(tuple(problem("nothing_to_simulate", name) for name in unset))
    key = (settings.twilio_api_key, settings.twilio_api_secret)
    secret = settings.verimor_hook_secret
    app = create_simulator(
        account_sid=settings.twilio_account_sid or "AC" + "0" * 32,
        auth_token=settings.twilio_auth_tokens[0] if settings.twilio_auth_tokens else "simulated",
        webhook_base=settings.public_base_url,
        clock=clock_of(settings),
        api_key=(key[0], key[1]) if key[0] and key[1] else None,
        sender=settings.twilio_from or SENDER,
        verimor=VerimorAccount(
            username=settings.verimor_username or "",
            password=settings.verimor_password or "",
            headers=(settings.verimor_sender or "",),
            hook_url=f"{settings.public_base_url}/hooks/verimor/{secret}" if secret else "",
            reply_to=settings.verimor_reply_to or "",
            keyword=settings.verimor_keyword,
        )
        if settings.verimor
        else None,
        limits=limits,
        whatsapp=settings.twilio_whatsapp_from or "",
        contents=_contents(state),
    )
    _take_mails(app.extensions["mailboxes"], settings.smtp_host, settings.smtp_port)
    _listen(app, HOST, port)


def _take_mails(boxes: Any, host: str | None, port: int) -> None:
    """Play the mail relay, if it is to be on this machine; it ends with the process."""
    from pro_service.core.addresses import is_this_machine  # noqa: PLC0415
    from pro_service.simulator.mailbox import listening  # noqa: PLC0415

    if host is None or not is_this_machine(host):
        return
    try:
        listening(boxes, host, port)
    except OSError as error:
        click.echo(
            f"pro-service: {host}:{port} cannot be listened on ({error.strerror}): no mails are taken here", err=True
        )


def _contents(state: State) -> Any:
    """Return what knows the WhatsApp templates of the studies that are loaded, as if they had been approved."""
    from pro_service.simulator import contents_of  # noqa: PLC0415
    from pro_service.store import studies  # noqa: PLC0415

    known: dict[str, Any] = {}

    def content(content_sid: str) -> Any:
        if content_sid not in known:
            with opened(state) as rt, rt.sessions.reading() as session:
                for study in studies.all_studies(session):
                    version = studies.newest(session, study.id)
                    bundle = None if version is None else rt.bundles.get(session, version.id)
                    known.update({} if bundle is None else contents_of(bundle.protocol, bundle.wording.frames))
        return known.get(content_sid)

    return content


simulate_twilio = click.Command(
    "simulate-twilio", callback=simulate.callback, params=simulate.params, help="The same as `simulate`: its old name."
)

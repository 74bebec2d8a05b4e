"""Commands that run the service: database, web server, scheduler, single beats, simulated Twilio."""

import signal
from dataclasses import asdict
from types import FrameType
from typing import Any
from wsgiref.types import WSGIApplication

import click

from pro_service import logs
from pro_service.cli.terminal import State, as_json, opened, show_json

THREADS = 8
HOST = "127.0.0.1"
LARGEST_BODY = 2 * 1024 * 1024
"""Bytes; more than any page of ours takes, which says so itself."""


@click.group("db")
def database() -> None:
    """The database."""


@database.command()
@click.option("--test", is_flag=True, help="Make a new database whose clock PRO_SERVICE_NOW may set.")
@click.pass_obj
def upgrade(state: State, test: bool) -> None:  # noqa: FBT001 -- click's
    """Bring the database to this release's schema; make it if there is none."""
    from pro_service import runtime  # noqa: PLC0415

    before, after = runtime.upgrade(state.settings(), test=test)
    if before == after:
        click.echo(f"The database is at revision {after} already.")
    else:
        click.echo(f"The database was at revision {before or 'none'}, now it is at {after}.")


@click.command()
@click.option("--host", default=HOST, show_default=True)
@click.option("--port", default=8025, show_default=True, type=click.IntRange(1, 65535))
@click.option("--trusted-proxy", metavar="ADDRESS", help="Believe this proxy's X-Forwarded-For: whose sign-in it is.")
@click.pass_obj
def serve(state: State, host: str, port: int, trusted_proxy: str | None) -> None:
    """Run the web server: webhooks, participants' pages, dashboard."""
    from pro_service.web.app import create_app  # noqa: PLC0415

    with opened(state, serving=True, pool_size=THREADS + 2) as rt:
        _listen(create_app(rt), host, port, proxy=trusted_proxy)


@click.command()
@click.pass_obj
def scheduler(state: State) -> None:
    """Run the beat: a tick every 60 seconds, deliveries every 5."""
    from pro_service import scheduler as beat  # noqa: PLC0415

    with opened(state, serving=True) as rt:
        beat.run(rt)


@click.command()
@as_json
@click.pass_obj
def tick(state: State) -> None:
    """Do once what time calls for: prompts, escalations, closings, texts not read yet. For cron."""
    from pro_service.use_cases import tick as use_case  # noqa: PLC0415

    with opened(state) as rt:
        report = use_case.tick(rt)
        use_case.beat(rt, "tick")
        _show_report(state, asdict(report))


@click.command()
@as_json
@click.pass_obj
def deliver(state: State) -> None:
    """Send once what waits in the outbox. For cron."""
    from pro_service.use_cases import deliver as use_case  # noqa: PLC0415

    with opened(state) as rt:
        _show_report(state, asdict(use_case.deliver(rt)))


def _listen(app: WSGIApplication, host: str, port: int, *, threads: int = THREADS, proxy: str | None = None) -> None:
    """Serve an application until a signal ends the process; requests under way are finished first."""
    import waitress  # noqa: PLC0415

    # waitress winds down on SystemExit and KeyboardInterrupt; SIGTERM alone would end the process on the spot.
    signal.signal(signal.SIGTERM, _leave)
    logs.event("listening", host=host, port=port)
    believed: dict[str, Any] = {"trusted_proxy": proxy, "trusted_proxy_headers": {"x-forwarded-for"}} if proxy else {}
    try:
        waitress.serve(
            app,
            host=host,
            port=port,
            threads=threads,
            ident=None,
            clear_untrusted_proxy_headers=True,
            # waitress keeps a body on disk before we see it, up to a gigabyte if nobody says less.
            max_request_body_size=LARGEST_BODY,
            **believed,
        )
    except OSError as error:
        click.echo(
            f"pro-service: {host}:{port} cannot be listened on ({error.strerror}): choose another --port", err=True
        )
        raise click.exceptions.Exit(1) from None


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _show_report(state: State, counts: dict[str, object]) -> None:
    if state.as_json:
        show_json(counts)
    else:
        click.echo(", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items()))


@click.command("simulate-twilio")
@click.option("--port", default=8026, show_default=True, type=click.IntRange(1, 65535))
@click.pass_obj
def simulate_twilio(state: State, port: int) -> None:
    """Run a Twilio of our own, with telephones to answer on. Needs no database."""
    from pro_service.runtime import system_clock  # noqa: PLC0415
    from pro_service.web.simulator import create_simulator  # noqa: PLC0415
    from pro_service.web.simulator.app import SENDER  # noqa: PLC0415

    told = state.settings(serving=True)
    key = (told.twilio_api_key, told.twilio_api_secret)
    app = create_simulator(
        account_sid=told.twilio_account_sid or "AC" + "0" * 32,
        auth_token=told.twilio_auth_tokens[0] if told.twilio_auth_tokens else "simulated",
        webhook_base=told.public_base_url,
        clock=system_clock,
        api_key=(key[0], key[1]) if key[0] and key[1] else None,
        sender=told.twilio_from or SENDER,
    )
    _listen(app, HOST, port)

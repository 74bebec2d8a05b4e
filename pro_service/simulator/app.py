"""The simulator as a Flask application: the providers' APIs, the telephones, and the host names it answers to."""

from collections.abc import Callable
from datetime import datetime

from flask import Flask, abort, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from pro_service import paths
from pro_service.simulator.carrier import Account, Carrier
from pro_service.simulator.faults import Dice, Faults
from pro_service.simulator.mailbox import Mailboxes, create_mailboxes
from pro_service.simulator.network import Network
from pro_service.simulator.pages import create_pages
from pro_service.simulator.postman import Postman
from pro_service.simulator.provider import Pace, Provider
from pro_service.simulator.rest import create_rest
from pro_service.simulator.telephones import Telephones
from pro_service.simulator.verimor import Verimor, VerimorAccount
from pro_service.simulator.verimor_rest import create_verimor
from pro_service.simulator.whatsapp import Contents, WhatsApp

SENDER = "+15005550006"  # Twilio's own magic number to send from
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
MOST_KEPT = 20_000  # texts in memory
INBOUND_PATH = "/hooks/twilio/inbound"

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_simulator(
    *,
    account_sid: str,
    auth_token: str,
    webhook_base: str,
    clock: Callable[[], datetime],
    api_key: tuple[str, str] | None = None,
    sender: str = SENDER,
    faults: Faults | None = None,
    pace: Pace | None = None,
    advanced_opt_out: bool = False,
    verimor: VerimorAccount | None = None,
    limits: bool = False,
    whatsapp: str = "",
    contents: Contents = lambda _sid: None,
    keep: int = MOST_KEPT,
    hosts: frozenset[str] = LOOPBACK,
) -> Flask:
    """Make a simulated Twilio that answers to one account and sends its webhooks to `webhook_base`.

    With an account of Verimor's it plays that beside it, and with `limits` it keeps Verimor's limits of requests. With
    the number `whatsapp` that account sends WhatsApp messages too; `contents` knows its templates.

    It keeps the newest `keep` texts in memory and answers only under the host names in `hosts`: there is no login.
    Workers run until `app.extensions["carrier"].postman.close()`, or the end of the process.
    """
    root = paths.templates() / "web" / "simulator"
    app = Flask(__name__, template_folder=str(root), static_folder=str(root / "static"))
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    account = Account(
        sid=account_sid,
        auth_token=auth_token,
        inbound_url=webhook_base.rstrip("/") + INBOUND_PATH,
        sender=sender,
        api_key=api_key,
        advanced_opt_out=advanced_opt_out,
    )
    parts = (Network(clock, keep), Postman(auth_token), Dice(faults or Faults()), pace or Pace(), clock)
    carrier = Carrier(account, *parts)
    messenger = WhatsApp(carrier, whatsapp, contents)
    providers: tuple[Provider, ...] = (carrier, messenger) if whatsapp else (carrier,)
    app.extensions["carrier"] = carrier
    app.register_blueprint(create_rest(carrier, messenger))
    if verimor is not None:
        domestic = Verimor(verimor, *parts, limits=limits)
        providers = (carrier, domestic, *providers[1:])
        app.extensions["verimor"] = domestic
        app.register_blueprint(create_verimor(domestic))
    app.register_blueprint(create_pages(Telephones(carrier.network, providers)))
    boxes = app.extensions["mailboxes"] = Mailboxes(clock, carrier.postman, parts[2], keep)
    app.register_blueprint(create_mailboxes(boxes))
    _guard(app, hosts)
    return app


def _guard(app: Flask, hosts: frozenset[str]) -> None:
    @app.before_request
    def only_here() -> None:
        # Another name for this machine would let any web page in the browser talk to it (DNS rebinding).
        name, _, port = request.host.rpartition(":")
        if (name if port.isdecimal() and name else request.host) not in hosts:
            abort(403, "The simulator answers on this machine only.")
        origin = request.headers.get("Origin")
        if request.method == "POST" and origin and origin != request.host_url.rstrip("/"):
            abort(403, "This form belongs to another page.")

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _CSP
        response.headers["X-Content-Type-Options"] = "nosniff"
        # Not "no-referrer": a form would then say its Origin is null.
        response.headers["Referrer-Policy"] = "same-origin"
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.errorhandler(HTTPException)
    def sorry(fault: HTTPException) -> ResponseReturnValue:
        return render_template("sorry.html", fault=fault), fault.code or 500

"""What Twilio calls: texts from telephones, and what became of ours. Every call must be signed."""

from flask import Blueprint, Response, abort, request

from pro_service import logs
from pro_service.gateways.signatures import valid_signature
from pro_service.runtime import Runtime
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.inbound.receive import Intake

EMPTY = "<?xml version='1.0' encoding='UTF-8'?><Response/>"


def blueprint(rt: Runtime, intake: Intake) -> Blueprint:
    """Return the webhooks of one runtime."""
    hooks = Blueprint("webhooks", __name__, url_prefix="/hooks/twilio")

    @hooks.before_request
    def signed() -> None:
        """Answer 403 unless Twilio signed this. Nothing is stored, and nothing is said about why."""
        if not genuine(rt):
            abort(403)

    @hooks.post("/inbound")
    def inbound() -> Response:
        """Answer nothing, once a text is kept: replies go through the outbox like every other text."""
        if not intake.take(request.form.to_dict()):
            abort(400)
        return Response(EMPTY, mimetype="text/xml")

    @hooks.post("/status/<token>")
    def status(token: str) -> Response:
        """Keep what became of one attempt. A token nobody has is answered like any other."""
        if not receive.take_receipt(rt, token, request.form.to_dict()):
            logs.event("receipt.unknown")
        return Response(status=204)

    return hooks


def genuine(rt: Runtime) -> bool:
    """Return whether this request was signed for the configured public address with one of the tokens.

    Werkzeug's own URL is an IRI and would break genuine signatures: the address is put together from the configured
    base, the path as it came, and the raw query string. A body that is no form would be signed by anything: refused.
    """
    if request.mimetype != "application/x-www-form-urlencoded":
        return False
    path = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.full_path.rstrip("?")
    url = rt.settings.public_base_url + path.partition("#")[0]
    signature = request.headers.get("X-Twilio-Signature")
    return valid_signature(rt.settings.twilio_auth_tokens, url, request.form, signature)

"""What providers call: texts from telephones, and what became of ours. Each provider's own module knows its calls."""

from flask import Blueprint, Response, abort, request

from pro_service import logs
from pro_service.core.providers import Arrival
from pro_service.gateways.hooks import HookRequest, NotOursError
from pro_service.runtime import Runtime
from pro_service.use_cases.inbound import receive
from pro_service.use_cases.inbound.receive import Intake


def blueprint(rt: Runtime, intake: Intake) -> Blueprint:
    """Return the webhooks of one runtime."""
    hooks = Blueprint("webhooks", __name__, url_prefix="/hooks")

    @hooks.post("/<provider>/<path:path>")
    def called(provider: str, path: str) -> Response:
        """Answer once everything that a call brings is kept.

        403 unless that provider made it, alike for one that there is not: nothing is stored, and nothing is said about
        why. A receipt under a token that nobody has is answered like any other.
        """
        asked, known = _asked(rt, path), rt.hooks.get(provider)
        if known is None or not known.genuine(asked):
            abort(403)
        try:
            brought = known.read(asked)
        except NotOursError:
            abort(400)
        for one in brought:
            if isinstance(one, Arrival):
                intake.take(one)
            elif not receive.take_receipt(rt, one, provider):
                logs.event("receipt.unknown")
        answer = known.answer(asked)
        return Response(answer.body, answer.status, mimetype=answer.mimetype)

    return hooks


def _asked(rt: Runtime, path: str) -> HookRequest:
    """Return a request as the provider made it.

    Werkzeug's own URL is an IRI and would break genuine signatures: the address is put together from the configured
    base, the path as it came, and the raw query string.
    """
    raw = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.full_path.rstrip("?")
    is_form = request.mimetype == "application/x-www-form-urlencoded"
    # The body first: once Werkzeug has read a form there is none left.
    body = request.get_data()
    return HookRequest(
        url=rt.settings.public_base_url + raw.partition("#")[0],
        path=path,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        form=request.form if is_form else None,
        address=request.remote_addr or "",
    )

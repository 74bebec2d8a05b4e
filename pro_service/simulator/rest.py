"""The part of Twilio's REST API that the SDK uses for messages."""

from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from pro_service.core.texts import segments
from pro_service.simulator.carrier import API_VERSION, Carrier, MessageRequest, address_of
from pro_service.simulator.faults import Fate
from pro_service.simulator.network import Text
from pro_service.simulator.rules import WHATSAPP, Refusal, message_of
from pro_service.simulator.whatsapp import NAME, WhatsApp

_LARGEST_PAGE = 1000
_USUAL_PAGE = 50


def create_rest(carrier: Carrier, whatsapp: WhatsApp) -> Blueprint:
    """Make /2010-04-01/Accounts/<sid>/Messages."""
    rest = Blueprint("rest", __name__, url_prefix=f"/{API_VERSION}/Accounts/<account>")
    _guard(rest, carrier)

    @rest.post("/Messages.json")
    def create(account: str) -> ResponseReturnValue:
        return _create(carrier, whatsapp, account)

    @rest.get("/Messages.json")
    def listing(account: str) -> ResponseReturnValue:
        return jsonify(_page(carrier, account))

    @rest.get("/Messages/<sid>.json")
    def fetch(account: str, sid: str) -> ResponseReturnValue:
        return jsonify(_resource(_found(carrier, sid), account))

    @rest.post("/Messages/<sid>.json")
    def redact(account: str, sid: str) -> ResponseReturnValue:
        _finished(_found(carrier, sid))
        if request.form.get("Body") != "":
            raise Refusal(20001)  # a text can be emptied, never rewritten
        changed = carrier.network.change(sid, body="")
        return jsonify(_resource(changed or _found(carrier, sid), account))

    @rest.delete("/Messages/<sid>.json")
    def delete(account: str, sid: str) -> ResponseReturnValue:  # noqa: ARG001 (the address carries the account)
        _finished(_found(carrier, sid))
        carrier.network.forget(sid)
        return "", 204

    return rest


def _guard(rest: Blueprint, carrier: Carrier) -> None:
    @rest.before_request
    def let_in() -> None:
        auth = request.authorization
        if auth is None or not carrier.account.lets_in(auth.username or "", auth.password or ""):
            raise Refusal(20003, 401)
        if (request.view_args or {}).get("account") != carrier.account.sid:
            raise Refusal(20404, 404)

    @rest.errorhandler(Refusal)
    def refused(refusal: Refusal) -> ResponseReturnValue:
        return _error(refusal.code, refusal.status, refusal.message)


def _create(carrier: Carrier, whatsapp: WhatsApp, account: str) -> ResponseReturnValue:
    """Create a message, or have the fault that was drawn."""
    faults, postman = carrier.dice.faults, carrier.postman
    form = request.form
    wanted = MessageRequest(
        to=form.get("To", "").strip(),
        body=form.get("Body", ""),
        sender=form.get("From", "").strip(),
        service=form.get("MessagingServiceSid", "").strip(),
        callback_url=form.get("StatusCallback", ""),
        content_sid=form.get("ContentSid", ""),
        content_variables=form.get("ContentVariables", ""),
    )
    fate = carrier.dice.fate()
    if fate is Fate.TOO_MANY_REQUESTS:
        response = _error(20429, 429, message_of(20429))
        response.headers["Retry-After"] = str(faults.retry_after)
        return response
    if fate is Fate.UNAVAILABLE:
        return _error(20503, 503, "Service unavailable")
    if fate is Fate.LATE_ACCEPT:
        postman.pause(faults.hang_seconds)
    taken = (whatsapp if wanted.to.startswith(WHATSAPP) else carrier).take(wanted)
    if fate is Fate.ACCEPT_THEN_HANG:
        postman.pause(faults.hang_seconds)
    if fate is Fate.ACCEPT_THEN_500:
        return _error(20500, 500, "Internal server error")
    return jsonify(_resource(taken, account)), 201


def _found(carrier: Carrier, sid: str) -> Text:
    text = carrier.network.get(sid)
    if text is None or text.provider not in (carrier.name, NAME):
        raise Refusal(20404, 404)
    return text


def _finished(text: Text) -> None:
    if not text.final:
        raise Refusal(20009, 409)


def _page(carrier: Carrier, account: str) -> dict[str, Any]:
    """Cut one page out of the list. The token names the text a page starts after, so that new ones shift nothing."""
    asked = request.args
    size = min(max(asked.get("PageSize", _USUAL_PAGE, type=int), 1), _LARGEST_PAGE)
    number = max(asked.get("Page", 0, type=int), 0)
    to, from_ = asked.get("To", ""), asked.get("From", "")
    bare = {"to": to.removeprefix(WHATSAPP), "from_": from_.removeprefix(WHATSAPP)}
    texts = [
        text
        for text in carrier.network.listed(carrier.name, NAME, **bare)
        if _sent_when_asked(text)
        and to in ("", address_of(text, text.to))
        and from_ in ("", address_of(text, text.from_))
    ]
    token = asked.get("PageToken", "").removeprefix("PA")
    after = next((place + 1 for place, text in enumerate(texts) if text.sid == token), number * size)
    chosen = texts[after : after + size]
    path = f"/{API_VERSION}/Accounts/{account}/Messages.json"
    kept = {name: value for name, value in asked.items() if name not in ("Page", "PageToken", "PageSize")}

    def address(page: int, **more: str) -> str:
        return f"{path}?{urlencode({**kept, 'PageSize': size, 'Page': page, **more})}"

    more = len(texts) > after + size
    return {
        "messages": [_resource(text, account) for text in chosen],
        "page": number,
        "page_size": size,
        "start": number * size,
        "end": number * size + len(chosen) - 1,
        "uri": address(number),
        "first_page_uri": address(0),
        "previous_page_uri": address(number - 1) if number else None,
        "next_page_uri": address(number + 1, PageToken=f"PA{chosen[-1].sid}") if more else None,
    }


def _sent_when_asked(text: Text) -> bool:
    """Apply DateSent, DateSent< and DateSent>, which count whole days and never match what is not sent yet."""
    day = f"{text.sent_at:%Y-%m-%d}" if text.sent_at else ""
    exact, before, since = (request.args.get(f"DateSent{sign}", "")[:10] for sign in ("", "<", ">"))
    if (exact or before or since) and not day:
        return False
    return (not exact or day == exact) and (not before or day <= before) and (not since or day >= since)


def _resource(text: Text, account: str) -> dict[str, Any]:
    uri = f"/{API_VERSION}/Accounts/{account}/Messages/{text.sid}"
    return {
        "account_sid": account,
        "api_version": API_VERSION,
        "body": text.body,
        "date_created": format_datetime(text.created_at),
        "date_sent": format_datetime(text.sent_at) if text.sent_at else None,
        "date_updated": format_datetime(text.updated_at),
        "direction": "inbound" if text.inbound else "outbound-api",
        "error_code": text.error_code,
        "error_message": message_of(text.error_code) if isinstance(text.error_code, int) else None,
        "from": address_of(text, text.from_),
        "messaging_service_sid": text.service or None,
        "num_media": "0",
        "num_segments": str(segments(text.body)),
        "price": None,
        "price_unit": "USD",
        "sid": text.sid,
        "status": text.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": address_of(text, text.to),
        "uri": f"{uri}.json",
    }


def _error(code: int, status: int, message: str) -> Response:
    response = jsonify(
        code=code, message=message, more_info=f"https://www.twilio.com/docs/errors/{code}", status=status
    )
    response.status_code = status
    if status == 401:  # noqa: PLR2004
        response.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return response

"""Verimor's HTTP interface, as far as its guide describes what texts need."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from pro_service.simulator.faults import Fate
from pro_service.simulator.verimor import ISTANBUL, CampaignRequest, Refusal, Verimor, inbound, number_of, outbound

_PAGE_SIZE = 100


def create_verimor(verimor: Verimor) -> Blueprint:
    """Make /v2."""
    rest = Blueprint("verimor", __name__, url_prefix="/v2")

    @rest.errorhandler(Refusal)
    def refused(refusal: Refusal) -> ResponseReturnValue:
        return _plain(refusal.words, refusal.status)

    @rest.post("/send.json")
    def send() -> ResponseReturnValue:
        return _take_over(verimor)

    @rest.get("/status")
    def status() -> ResponseReturnValue:
        _let_in(verimor, request.args)
        found = verimor.of_campaign(token=request.args.get("custom_id", ""), number=request.args.get("id", ""))
        if not found:
            raise Refusal("Bu idye sahip kampanya bulunamadı", 404)
        after = request.args.get("greater_than", 0, type=int)
        texts = [text for text in sorted(found, key=number_of) if number_of(text) > after]
        return jsonify([outbound(text, text.status, text.error_code) for text in texts[:_PAGE_SIZE]])

    @rest.get("/inbound_messages")
    def inbound_messages() -> ResponseReturnValue:
        _let_in(verimor, request.args)
        since, until = _instant("from_time"), _instant("to_time")
        after = request.args.get("greater_than", 0, type=int)
        texts = [
            text
            for text in verimor.written()
            if (since is None or since <= text.created_at)
            and (until is None or text.created_at <= until)
            and number_of(text) > after
        ]
        for text in texts[:_PAGE_SIZE]:
            verimor.network.change(text.sid, taken=True)
        return jsonify([inbound(text, verimor.account.keyword) for text in texts[:_PAGE_SIZE]])

    @rest.get("/balance")
    def balance() -> ResponseReturnValue:
        _let_in(verimor, request.args)
        return _plain("100000")

    @rest.get("/headers")
    def headers() -> ResponseReturnValue:
        _let_in(verimor, request.args)
        return jsonify(verimor.account.headers)

    _blacklists(rest, verimor)
    return rest


def _blacklists(rest: Blueprint, verimor: Verimor) -> None:
    @rest.get("/blacklists")
    def listed() -> ResponseReturnValue:
        _let_in(verimor, request.args)
        records = [{"phone": number[1:], "source": "api"} for number in sorted(verimor.blacklist)]
        return jsonify(total=len(records), records=records)

    @rest.post("/blacklists")
    def add() -> ResponseReturnValue:
        _let_in(verimor, request.args)
        verimor.blacklist.update(f"+{number}" for number in request.args.get("phones", "").split(",") if number)
        return _plain("OK")

    @rest.delete("/blacklists/<numbers>")
    def remove(numbers: str) -> ResponseReturnValue:
        _let_in(verimor, request.args)
        verimor.blacklist.difference_update(f"+{number}" for number in numbers.split(","))
        return _plain("OK")


def _let_in(verimor: Verimor, given: Mapping[str, Any], *, sending: bool = False) -> None:
    if verimor.limits is not None:
        (verimor.limits.sending if sending else verimor.limits.asking).take()
    if (given.get("username"), given.get("password")) != (verimor.account.username, verimor.account.password):
        raise Refusal("Geçersiz kullanıcı adı/şifre", 401)


def _take_over(verimor: Verimor) -> ResponseReturnValue:
    """Take a campaign, or have the fault that was drawn."""
    try:
        asked = json.loads(request.get_data())
    except ValueError:
        raise Refusal("INVALID_JSON") from None
    if not isinstance(asked, dict):
        raise Refusal("INVALID_JSON")
    _let_in(verimor, asked, sending=True)
    faults, postman, fate = verimor.dice.faults, verimor.postman, verimor.dice.fate()
    if fate is Fate.TOO_MANY_REQUESTS:
        response = _plain("Too Many Requests", 429)
        response.headers["Retry-After"] = str(faults.retry_after)
        return response
    if fate is Fate.UNAVAILABLE:
        return _plain("Service unavailable", 503)
    if fate is Fate.LATE_ACCEPT:
        postman.pause(faults.hang_seconds)
    number = verimor.take(_campaign(verimor, asked))
    if fate is Fate.ACCEPT_THEN_HANG:
        postman.pause(faults.hang_seconds)
    if fate is Fate.ACCEPT_THEN_500:
        return _plain("Internal server error", 500)
    return _plain(str(number))


def _campaign(verimor: Verimor, asked: Mapping[str, Any]) -> list[CampaignRequest]:
    messages = asked.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refusal("MISSING_MESSAGE")
    found = []
    for message in messages:
        numbers = [one for one in str(message.get("dest") or "").split(",") if one]
        if not numbers:
            raise Refusal("MISSING_DESTINATION_ADDRESS")
        tokens = str(message.get("id") or "").split(",")
        found += [
            CampaignRequest(
                to=f"+{number.removeprefix('00')}",
                body=str(message.get("msg") or ""),
                header=str(asked.get("source_addr") or verimor.account.headers[0]),
                valid_for=str(asked.get("valid_for") or "24:00"),
                datacoding=str(asked.get("datacoding") or ""),
                token=str(asked.get("custom_id") or ""),
                message_token=tokens[place] if len(tokens) == len(numbers) else "",
            )
            for place, number in enumerate(numbers)
        ]
    return found


def _instant(name: str) -> datetime | None:
    """Return an instant of the query, on Istanbul's clock unless it says another; None if it names none."""
    given = request.args.get(name, "")
    if not given:
        return None
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise Refusal("INVALID_DATE") from None
    return found if found.tzinfo else found.replace(tzinfo=ISTANBUL)


def _plain(words: str, status: int = 200) -> Response:
    return Response(words, status, mimetype="text/plain")

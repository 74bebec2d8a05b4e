"""The participants' telephones as chat threads, in which one can answer."""

from dataclasses import dataclass
from itertools import groupby

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.texts import segments
from pro_service.simulator.network import Text
from pro_service.simulator.provider import CannotReply
from pro_service.simulator.rules import LONGEST_BODY, is_telephone
from pro_service.simulator.telephones import Telephones
from pro_service.simulator.verimor import NAME
from pro_service.simulator.whatsapp import NAME as WHATSAPP

_MOST_LISTED = 200
_MOST_BUBBLES = 300


@dataclass(frozen=True, slots=True)
class Thread:
    """One telephone as the page shows it: its texts by day, and why it cannot answer, if it cannot."""

    number: str
    days: list[tuple[str, list[Text]]]
    sender: str
    why_no_reply: str | None
    ways: list[tuple[str, str]]
    """The providers that a reply reaches, and the number it goes to then."""


def create_pages(phones: Telephones) -> Blueprint:
    """Make the page of telephones, its JSON view, and the reply."""
    pages = Blueprint("pages", __name__)

    @pages.get("/")
    def overview() -> ResponseReturnValue:
        return _page(phones, None)

    @pages.get("/telephones")
    def opened() -> ResponseReturnValue:
        return redirect(url_for("pages.telephone", number=_number(request.args.get("number", ""))), 303)

    @pages.get("/telephones/<number>")
    def telephone(number: str) -> ResponseReturnValue:
        phones.network.mark_read(_number(number))
        return _page(phones, number)

    @pages.get("/telephones/<number>/fragment")
    def fragment(number: str) -> ResponseReturnValue:
        return _fragment(phones, _number(number))

    @pages.get("/fragment")
    def list_fragment() -> ResponseReturnValue:
        return _fragment(phones, None)

    @pages.post("/telephones/<number>/reply")
    def reply(number: str) -> ResponseReturnValue:
        return _reply(phones, _number(number))

    @pages.post("/telephones/<number>/press")
    def press(number: str) -> ResponseReturnValue:
        return _press(phones, _number(number))

    @pages.get("/telephones.json")
    def as_json() -> ResponseReturnValue:
        return jsonify(_as_json(phones))

    return pages


def _number(number: str) -> str:
    # A plus in a query arrives as a space when nobody encoded it.
    number = number.strip().replace(" ", "")
    number = number if number.startswith("+") else f"+{number}"
    if not is_telephone(number):
        abort(404, "Not a telephone number in international form, such as +447700900123.")
    return number


def _reply(phones: Telephones, number: str) -> ResponseReturnValue:
    body = request.form.get("body", "").strip()
    if not body or len(body) > LONGEST_BODY:
        abort(400, f"A text has between 1 and {LONGEST_BODY} characters.")
    try:
        text = phones.person_writes(number, body, request.form.get("way", ""))
    except CannotReply as answer:
        abort(409, str(answer))
    phones.network.mark_read(number)
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return jsonify(sid=text.sid), 201
    return redirect(url_for("pages.telephone", number=number), 303)


def _press(phones: Telephones, number: str) -> ResponseReturnValue:
    sid, _, button = request.form.get("button", "").partition(":")
    try:
        phones.press(number, sid, int(button))
    except (LookupError, ValueError):
        abort(404, "There is no such button any more.")
    phones.network.mark_read(number)
    return redirect(url_for("pages.telephone", number=number), 303)


def _page(phones: Telephones, number: str | None) -> str:
    """Show the list and one thread; with none chosen the newest stands beside the list, where there is room."""
    version = phones.network.version
    telephones = phones.network.telephones()
    shown = number or (telephones[0][0].telephone if telephones else None)
    return render_template(
        "telephones.html",
        **_listed(phones, number),
        thread=_thread(phones, shown) if shown else None,
        segments=_segments,
        several=len(phones.providers) > 1,
        version=version,
    )


def _fragment(phones: Telephones, number: str | None) -> ResponseReturnValue:
    """Return the list and the thread as HTML, or 204 if nothing has changed since the version asked about.

    With `beside` the thread only stands beside the list: nobody has chosen it, and it does not become read.
    """
    if request.args.get("since", type=int) == phones.network.version:
        return Response(status=204)
    chosen = None if "beside" in request.args else number
    if chosen:
        phones.network.mark_read(chosen)
    version = phones.network.version
    thread = None
    if number:
        shown = {"thread": _thread(phones, number), "segments": _segments, "several": len(phones.providers) > 1}
        thread = render_template("_thread.html", **shown)
    return jsonify(version=version, telephones=render_template("_list.html", **_listed(phones, chosen)), thread=thread)


def _listed(phones: Telephones, chosen: str | None) -> dict[str, object]:
    telephones = phones.network.telephones()
    hidden = max(0, len(telephones) - _MOST_LISTED)
    return {"telephones": telephones[:_MOST_LISTED], "hidden": hidden, "chosen": chosen}


def _thread(phones: Telephones, number: str) -> Thread:
    texts = phones.network.thread(number)[-_MOST_BUBBLES:]
    days = [
        (day, list(group)) for day, group in groupby(texts, lambda text: f"{text.created_at.astimezone():%A %d %B %Y}")
    ]
    ways = [(one.name, one.answered_at(number)) for one in phones.answerable(number)]
    return Thread(number, days, phones.senders(number), phones.why_no_reply(number), ways)


def _segments(text: Text) -> int:
    """Return how many SMS a text is; 0 where it is none."""
    return 0 if text.provider == WHATSAPP else segments(text.body, "turkish" if text.provider == NAME else "gsm")


def _as_json(phones: Telephones) -> list[dict[str, object]]:
    return [
        {
            "number": last.telephone,
            "unread": unread,
            "can_reply": phones.why_no_reply(last.telephone) is None,
            "texts": [
                {
                    "sid": text.sid,
                    "direction": "inbound" if text.inbound else "outbound",
                    "body": text.body,
                    "status": text.status,
                    "error_code": text.error_code,
                    "taken": text.taken,
                    "provider": text.provider,
                    "campaign": None if text.campaign is None else text.campaign.number,
                    "at": f"{text.created_at:%Y-%m-%dT%H:%M:%SZ}",
                }
                for text in phones.network.thread(last.telephone)
            ],
        }
        for last, unread in phones.network.telephones()
    ]

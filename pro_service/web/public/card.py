"""The door behind the printed card, `/k`: type the code, or scan it, and the open window's form comes.

Looking writes nothing. No login, no script needed; a script only takes a scanned code out of the address's fragment,
which no server gets to see, and puts it into the field.
"""

import math
import re
from collections.abc import Sequence
from http import HTTPStatus

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from pro_service.core.card_code import LONGEST_TYPED, CodeError, code_text, read_code
from pro_service.core.throttle import ThrottledError
from pro_service.runtime import Runtime
from pro_service.use_cases.participants import card_entry
from pro_service.use_cases.participants.card import PATH
from pro_service.use_cases.participants.card_entry import Entry
from pro_service.web import browsers
from pro_service.web.i18n import LANGUAGES

COOKIE = "pro_card"
MOST_MARKS = 4
"""So many cards a telephone remembers: couples share one."""
_MARK = re.compile(r"[A-Z2-7]{16}", re.ASCII)


def blueprint(rt: Runtime) -> Blueprint:
    """Return the door of one runtime."""
    pages = Blueprint("card", __name__)

    @pages.after_request
    def keep_private(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    @pages.get(PATH)
    def door() -> ResponseReturnValue:
        return _page(rt)

    @pages.post(PATH)
    def enter() -> ResponseReturnValue:
        # Other sites must not send codes from their visitors' addresses. Browsers that do not say are let through.
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            abort(HTTPStatus.FORBIDDEN)
        g.page = "card.door"
        return _entered(rt)

    return pages


def _entered(rt: Runtime) -> ResponseReturnValue:
    typed, kept = request.form.get("code", ""), _marks(browsers.cookie_value(rt, COOKIE))
    marks = (*_marks(request.form.get("mark", "")), *kept)
    try:
        found = card_entry.enter(rt, typed, marks, request.remote_addr or "")
    except CodeError as error:
        return _page(rt, error.fault, typed, signs=error.signs), HTTPStatus.UNPROCESSABLE_ENTITY
    except ThrottledError as error:
        seconds = max((error.again_at - rt.clock()).total_seconds(), 1)
        page = _page(rt, "slow", _grouped(typed), minutes=math.ceil(seconds / 60))
        return page, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(math.ceil(seconds))}
    if found is None:
        return _page(rt, "unknown", _grouped(typed)), HTTPStatus.UNPROCESSABLE_ENTITY
    answer = make_response(_led_to(found))
    value = ".".join([found.mark, *(mark for mark in kept if mark != found.mark)][:MOST_MARKS])
    browsers.set_cookie(rt, answer, COOKIE, value, browsers.YEAR)
    return answer


def _led_to(found: Entry) -> ResponseReturnValue:
    """Return the form, or a page that says when there is one: nothing else about the study or the participant."""
    asked = request.args.get("lang")
    if found.state == "form":
        chosen = asked if asked in LANGUAGES else None
        return redirect(url_for("survey.form", token=found.token, lang=chosen), HTTPStatus.SEE_OTHER)
    if asked not in LANGUAGES and found.language in LANGUAGES:
        g.language = found.language
    return render_template("card_later.html", found=found)


def _grouped(typed: str) -> str:
    """Return what was read in groups, as on the card, so that one finds the sign that is wrong."""
    return code_text(read_code(typed))


def _page(rt: Runtime, fault: str = "", typed: str = "", *, signs: int = 0, minutes: int = 0) -> str:
    return render_template(
        "card_door.html",
        fault=fault,
        typed=typed[:LONGEST_TYPED],
        signs=signs,
        minutes=minutes,
        clinics=card_entry.clinics(rt),
    )


def _marks(text: str) -> Sequence[str]:
    return [mark for mark in text.split(".")[:MOST_MARKS] if _MARK.fullmatch(mark)]

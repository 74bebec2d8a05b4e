"""Links from mails: an invitation or a new password, and asking for one. Nobody learns here who has an account."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from pro_service import logs
from pro_service.core.problems import RejectedError
from pro_service.runtime import Runtime
from pro_service.use_cases.staff import passwords
from pro_service.use_cases.throttle import Place
from pro_service.web import browsers
from pro_service.web.account.words import by_field

LONGEST_EMAIL = 254


def blueprint(rt: Runtime) -> Blueprint:
    """`/forgotten` and `/welcome/<token>`."""
    pages = Blueprint("welcome", __name__)

    @pages.route("/forgotten", methods=["GET", "POST"])
    def forgotten() -> ResponseReturnValue:
        if request.method != "POST":
            return _page(rt, "forgotten.html", 200, mails=rt.mail is not None)
        email = request.form.get("email", "")[:LONGEST_EMAIL]
        if not browsers.form_is_ours(rt):
            return _page(rt, "forgotten.html", 400, email=email, stale=True, mails=rt.mail is not None)
        answer = _page(rt, "forgotten.html", 200, asked=True, mails=True)
        place = Place(request.remote_addr or "")
        # After the answer has left: neither its words nor the time it took can tell whether there is such an account.
        answer.call_on_close(lambda: _ask(rt, email, place))
        return answer

    @pages.route("/welcome/<token>", methods=["GET", "POST"])
    def link(token: str) -> ResponseReturnValue:
        """Looking uses nothing up: mail programs open links before people do."""
        found = passwords.ticket(rt, token)
        if found is None:
            return _page(rt, "welcome.html", 410, ticket=None)
        if request.method != "POST":
            return _page(rt, "welcome.html", 200, ticket=found, faults={})
        if not browsers.form_is_ours(rt):
            return _page(rt, "welcome.html", 400, ticket=found, faults={}, stale=True)
        return _set(rt, token, found.email)

    return pages


def _ask(rt: Runtime, email: str, place: Place) -> None:
    try:
        passwords.ask_reset(rt, email, place)
    except Exception as fault:  # noqa: BLE001 -- the answer has left: nobody is there any more to be told
        logs.fault("forgotten", fault)


def _set(rt: Runtime, token: str, email: str) -> ResponseReturnValue:
    password, again = request.form.get("password", ""), request.form.get("again", "")
    try:
        welcome = passwords.set_by_link(rt, token, password, again, browsers.place(rt, email))
    except RejectedError as rejected:
        return _page(rt, "welcome.html", 422, ticket=passwords.ticket(rt, token), faults=by_field(rejected.faults))
    except passwords.LinkOverError:
        return _page(rt, "welcome.html", 410, ticket=None)
    if welcome.token is None:
        return redirect(url_for("auth.sign_in", done="password"), 303)
    answer = redirect(url_for("account.factor"), 303)
    browsers.signed_in(rt, answer, welcome.token, email)
    return answer


def _page(rt: Runtime, name: str, status: int, **words: object) -> Response:
    """A page for somebody who is not signed in; its form belongs to this browser."""
    cookie = browsers.form_cookie(rt)
    answer = Response(
        render_template(name, csrf=browsers.form_token(rt, cookie), **words), status, mimetype="text/html"
    )
    browsers.set_cookie(rt, answer, browsers.FORM_COOKIE, cookie, None)
    return answer

"""Links from mails: an invitation or a new password, and asking for one. Nobody learns here who has an account."""

from collections.abc import Mapping

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from pro_service import logs
from pro_service.core.problems import RejectedError
from pro_service.runtime import Runtime
from pro_service.store.staff.links import Ticket
from pro_service.use_cases.staff import passwords
from pro_service.use_cases.throttle import Place
from pro_service.web import browsers
from pro_service.web.i18n import gettext as _
from pro_service.web.problems import by_field

LONGEST_EMAIL = 254


def blueprint(rt: Runtime) -> Blueprint:
    """Return the pages `/forgotten` and `/welcome/<token>`."""
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
        """Show the form of a link. Looking uses nothing up: mail programs open links before people do."""
        found = passwords.ticket(rt, token)
        if found is None:
            return _link_page(rt, 410, None)
        if request.method != "POST":
            return _link_page(rt, 200, found)
        if not browsers.form_is_ours(rt):
            return _link_page(rt, 400, found, stale=True)
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
        return _link_page(rt, 422, passwords.ticket(rt, token), by_field(rejected.faults))
    except passwords.LinkOverError:
        return _link_page(rt, 410, None)
    if welcome.token is None:
        return redirect(url_for("auth.sign_in", done="password"), 303)
    answer = redirect(url_for("account.factor"), 303)
    browsers.signed_in(rt, answer, welcome.token, email)
    return answer


def _link_page(
    rt: Runtime, status: int, ticket: Ticket | None, faults: Mapping[str, str] | None = None, *, stale: bool = False
) -> Response:
    """Return the page of a link: the form in which a password is set, or that the link works no more."""
    if ticket is None:
        title = _("This link no longer works")
    else:
        title = _("Welcome") if ticket.purpose == "invitation" else _("A new password")
    return _page(rt, "welcome.html", status, title=title, ticket=ticket, faults=faults or {}, stale=stale)


def _page(rt: Runtime, name: str, status: int, **words: object) -> Response:
    """Return a page for somebody who is not signed in; its form belongs to this browser."""
    cookie = browsers.form_cookie(rt)
    answer = Response(
        render_template(name, csrf=browsers.form_token(rt, cookie), **words), status, mimetype="text/html"
    )
    browsers.set_cookie(rt, answer, browsers.FORM_COOKIE, cookie, None)
    return answer

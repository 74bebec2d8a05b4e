"""Signing in and out: password, second factor, the language a member of staff reads; what was typed is not lost."""

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from pro_service.core.throttle import ThrottledError
from pro_service.runtime import Runtime
from pro_service.use_cases.staff import accounts, interrupted_forms, second_factor
from pro_service.web import access, browsers
from pro_service.web.i18n import LANGUAGES, SOURCE

LANGUAGE_COOKIE = "language"


def blueprint(rt: Runtime) -> Blueprint:
    """Return the pages `/login`, `/login/code`, `/logout`, `/language`."""
    auth = Blueprint("auth", __name__)

    @auth.route("/login", methods=["GET", "POST"])
    def sign_in() -> ResponseReturnValue:
        return _try_to_sign_in(rt) if request.method == "POST" else _sign_in_page(rt)

    @auth.route("/login/code", methods=["GET", "POST"])
    @access.needs("account")
    def code() -> ResponseReturnValue:
        """Show the second factor; the session that is signed in so far opens nothing else."""
        if accounts.stage(rt, access.signed_in()) == "whole":
            return redirect(_next_address(), 303)
        return _check_code(rt) if request.method == "POST" else _code_page(rt, 200)

    @auth.post("/logout")
    @access.needs("account")
    def logout() -> ResponseReturnValue:
        accounts.log_out(rt, access.signed_in())
        answer = redirect("/login", 303)
        browsers.forget(rt, answer)
        return answer

    @auth.post("/language")
    @access.needs("account")
    def language() -> ResponseReturnValue:
        chosen = request.form.get("language", "")
        if chosen in LANGUAGES:
            accounts.choose_language(rt, access.signed_in(), chosen)
        return redirect(_next_address(), 303)

    return auth


def ask_to_sign_in(rt: Runtime) -> ResponseReturnValue:
    """Ask somebody who is not signed in to sign in. If they sent a form, they find it as it was."""
    if request.method in access.SAFE:
        return redirect(url_for("auth.sign_in", next=access.current_path()), 303)
    token, csrf = browsers.cookie_value(rt, browsers.COOKIE), request.form.get("csrf", "")
    form = interrupted_forms.seal_form(rt, token, csrf, access.current_path(), access.typed_fields())
    if not form:
        return redirect(url_for("auth.sign_in", next="/"), 303)
    g.page = "auth.sign_in"
    return _form(rt, 403, "ended", form=form)


def _next_address() -> str:
    """Return where the reader wanted to go."""
    return access.local(request.values.get("next", "/"))


def _sign_in_page(rt: Runtime) -> ResponseReturnValue:
    if accounts.current(rt, browsers.cookie_value(rt, browsers.COOKIE)) is not None:
        return redirect(_next_address(), 303)
    return _form(rt, 200)


def _form(rt: Runtime, status: int, fault: str = "", email: str = "", form: str = "") -> ResponseReturnValue:
    """Return the sign-in form. Its token belongs to a signed cookie, so that no other page can send it."""
    cookie = browsers.form_cookie(rt)
    page = render_template(
        "login.html", fault=fault, email=email, next=_next_address(), csrf=browsers.form_token(rt, cookie), kept=form
    )
    answer = Response(page, status, mimetype="text/html")
    browsers.set_cookie(rt, answer, browsers.FORM_COOKIE, cookie, None)
    if request.args.get("lang") in LANGUAGES:
        answer.set_cookie(
            LANGUAGE_COOKIE, g.language, max_age=browsers.YEAR, secure=browsers.secure(rt), samesite="Lax"
        )
    return answer


def _try_to_sign_in(rt: Runtime) -> ResponseReturnValue:
    email, form = request.form.get("email", ""), request.form.get("kept", "")
    if not browsers.form_is_ours(rt):
        return _form(rt, 400, "stale", email, form)
    previous = browsers.cookie_value(rt, browsers.COOKIE)
    try:
        token = accounts.log_in(
            rt, email, request.form.get("password", ""), browsers.place(rt, email), previous=previous
        )
    except ThrottledError:
        return _form(rt, 429, "slow", email, form)
    if token is None:
        return _form(rt, 422, "wrong", email, form)
    return _signed_in(rt, token, form)


def _signed_in(rt: Runtime, token: str, form: str) -> ResponseReturnValue:
    """Lead on: to the second factor, to the form that was kept, or to the page that was asked for."""
    g.login = accounts.current(rt, token)
    if g.login is None:
        return redirect(url_for("auth.sign_in"), 303)
    stage, found = accounts.stage(rt, g.login), interrupted_forms.open_form(rt, form) if form else None
    if stage == "whole" and not g.login.language and g.language != SOURCE:
        # Mails and texts to somebody who never chose would stay English, beside pages in the browser's language.
        accounts.choose_language(rt, g.login, g.language)
    answer = redirect(_next_address(), 303)
    if found is not None and found.user_id == g.login.user_id and stage != "enrol":
        page = _code_page(rt, 200, form=form)[0] if stage == "code" else access.resend(found.path, found.fields)
        answer = Response(page, mimetype="text/html")
    if stage == "whole" or g.login.enrolled_at is None:
        browsers.signed_in(rt, answer, token, g.login.email)
    else:
        # Known is only a browser in which the second factor was shown as well.
        browsers.set_cookie(rt, answer, browsers.COOKIE, token, browsers.LOGIN_KEPT)
    return answer


def _code_page(rt: Runtime, status: int, fault: str = "", form: str = "") -> tuple[str, int]:
    g.page = "auth.code"
    left = second_factor.codes_left(rt, access.signed_in())
    return render_template("code.html", fault=fault, next=_next_address(), kept=form, left=left), status


def _check_code(rt: Runtime) -> ResponseReturnValue:
    login, form = access.signed_in(), request.form.get("kept", "")
    try:
        token = second_factor.show(rt, login, request.form.get("code", ""), browsers.place(rt, login.email))
    except ThrottledError:
        return _code_page(rt, 429, "slow", form)
    return _code_page(rt, 422, "wrong", form) if token is None else _signed_in(rt, token, form)

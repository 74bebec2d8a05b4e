"""Signing in and out, and the language a member of staff reads."""

import hashlib
import hmac
import json
import secrets

from flask import Blueprint, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from pro_service.runtime import Runtime
from pro_service.use_cases import accounts
from pro_service.web import access
from pro_service.web.i18n import LANGUAGES

FORM_COOKIE = "pro_form"
KNOWN_COOKIE = "pro_known"
LANGUAGE_COOKIE = "language"
_YEAR = 365 * 24 * 60 * 60


def blueprint(rt: Runtime) -> Blueprint:
    """`/login`, `/logout`, `/language`."""
    auth = Blueprint("auth", __name__)

    @auth.route("/login", methods=["GET", "POST"])
    def sign_in() -> ResponseReturnValue:
        return _posted(rt) if request.method == "POST" else _shown(rt)

    @auth.post("/logout")
    @access.roles(*access.ROLES)
    def logout() -> ResponseReturnValue:
        accounts.log_out(rt, access.signed_in())
        answer = redirect("/login", 303)
        _forget(rt, answer)
        return answer

    @auth.post("/language")
    @access.roles(*access.ROLES)
    def language() -> ResponseReturnValue:
        chosen = request.form.get("language", "")
        if chosen in LANGUAGES:
            accounts.choose_language(rt, access.signed_in(), chosen)
        return redirect(access.local(request.form.get("next", "/")), 303)

    return auth


def _shown(rt: Runtime) -> ResponseReturnValue:
    if accounts.current(rt, request.cookies.get(access.cookie(rt, access.COOKIE), "")) is not None:
        return redirect(access.local(request.args.get("next", "/")), 303)
    return _form(rt, 200)


def _form(rt: Runtime, status: int, fault: str = "", email: str = "") -> ResponseReturnValue:
    """The sign-in form. Its token belongs to a signed cookie, so that no other page can send it."""
    cookie = request.cookies.get(access.cookie(rt, FORM_COOKIE), "")
    if _token_of(rt, cookie) is None:
        nonce = secrets.token_urlsafe(24)
        cookie = f"{nonce}.{_signed(rt, 'cookie', nonce)}"
    asked = request.values.get("next", "/")
    page = render_template("login.html", fault=fault, email=email, next=access.local(asked), csrf=_token_of(rt, cookie))
    answer = Response(page, status, mimetype="text/html")
    _keep(rt, answer, FORM_COOKIE, cookie, None)
    if request.args.get("lang") in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, g.language, max_age=_YEAR, secure=access.secure(rt), samesite="Lax")
    return answer


def _posted(rt: Runtime) -> ResponseReturnValue:
    expected = _token_of(rt, request.cookies.get(access.cookie(rt, FORM_COOKIE), ""))
    email, password = request.form.get("email", ""), request.form.get("password", "")
    if expected is None or not hmac.compare_digest(expected.encode(), request.form.get("csrf", "").encode()):
        return _form(rt, 400, "stale", email)
    known = request.cookies.get(access.cookie(rt, KNOWN_COOKIE), "")
    browser = _browser_of(rt, known, email)
    cookie = access.cookie(rt, access.COOKIE)
    try:
        token = accounts.log_in(
            rt,
            email,
            password,
            request.remote_addr or "",
            browser=browser,
            previous=request.cookies.get(cookie),
        )
    except accounts.TooManyFailuresError:
        return _form(rt, 429, "slow", email)
    if token is None:
        return _form(rt, 422, "wrong", email)
    answer = redirect(access.local(request.form.get("next", "/")), 303)
    _keep(rt, answer, access.COOKIE, token, int(accounts.LONGEST.total_seconds()))
    if browser is None:
        browser = secrets.token_urlsafe(16)
        known = f"{browser}.{_signed(rt, 'known', browser, accounts.folded(email))}"
    _keep(rt, answer, KNOWN_COOKIE, known, _YEAR)
    return answer


def _token_of(rt: Runtime, cookie: str) -> str | None:
    """The form token that belongs to a form cookie; None if we did not sign it."""
    nonce, _, signature = cookie.partition(".")
    if not nonce or not hmac.compare_digest(signature.encode(), _signed(rt, "cookie", nonce).encode()):
        return None
    return _signed(rt, "form", nonce)


def _browser_of(rt: Runtime, cookie: str, email: str) -> str | None:
    """The name of this browser, if this very account signed in with it before."""
    name, _, signature = cookie.partition(".")
    expected = _signed(rt, "known", name, accounts.folded(email))
    return name if name and hmac.compare_digest(signature.encode(), expected.encode()) else None


def _signed(rt: Runtime, *parts: str) -> str:
    return hmac.digest(rt.settings.secret_key, json.dumps(parts).encode(), hashlib.sha256).hex()


def _keep(rt: Runtime, answer: Response, name: str, value: str, seconds: int | None) -> None:
    answer.set_cookie(
        access.cookie(rt, name),
        value,
        max_age=seconds,
        secure=access.secure(rt),
        httponly=True,
        samesite="Lax",
    )


def _forget(rt: Runtime, answer: Response) -> None:
    answer.delete_cookie(access.cookie(rt, access.COOKIE), secure=access.secure(rt), httponly=True, samesite="Lax")

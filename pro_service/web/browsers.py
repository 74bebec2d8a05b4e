"""What is known of the browser that asks: our cookies in it, whether its owner signed in with it before."""

import hashlib
import hmac
import json
import secrets

from flask import request
from werkzeug.wrappers import Response

from pro_service.runtime import Runtime
from pro_service.use_cases.staff import accounts
from pro_service.use_cases.throttle import Place

COOKIE = "pro_login"
FORM_COOKIE = "pro_form"
KNOWN_COOKIE = "pro_known"
YEAR = 365 * 24 * 60 * 60
LOGIN_KEPT = 24 * 60 * 60
"""Seconds. Longer than a session lasts: its cookie tells whose form it was that came too late."""

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("CriOS", "Chrome"))
_SYSTEMS = (("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iOS"), ("Mac OS", "macOS"))


def cookie(rt: Runtime, name: str) -> str:
    """Return the cookie's name; over https the prefix makes browsers refuse one set by another host or over http."""
    return f"__Host-{name}" if secure(rt) else name


def secure(rt: Runtime) -> bool:
    """Return whether this installation is reached over https."""
    return rt.settings.public_base_url.startswith("https:")


def cookie_value(rt: Runtime, name: str) -> str:
    """Return the value of a cookie of ours; empty if it did not come."""
    return request.cookies.get(cookie(rt, name), "")


def set_cookie(rt: Runtime, answer: Response, name: str, value: str, seconds: int | None) -> None:
    """Set a cookie that no script and no other site's form gets."""
    answer.set_cookie(cookie(rt, name), value, max_age=seconds, secure=secure(rt), httponly=True, samesite="Lax")


def forget(rt: Runtime, answer: Response) -> None:
    """Take the session's cookie away."""
    answer.delete_cookie(cookie(rt, COOKIE), secure=secure(rt), httponly=True, samesite="Lax")


def signed_in(rt: Runtime, answer: Response, token: str, email: str) -> None:
    """Give the session's cookie, and one by which this browser is known to be this account's."""
    set_cookie(rt, answer, COOKIE, token, LOGIN_KEPT)
    known = cookie_value(rt, KNOWN_COOKIE)
    if _browser_of(rt, known, email) is None:
        name = secrets.token_urlsafe(16)
        known = f"{name}.{signed(rt, 'known', name, accounts.folded(email))}"
    set_cookie(rt, answer, KNOWN_COOKIE, known, YEAR)


def place(rt: Runtime, email: str) -> Place:
    """Return where an attempt to sign in to this account comes from."""
    return Place(request.remote_addr or "", _browser_of(rt, cookie_value(rt, KNOWN_COOKIE), email), agent())


def agent() -> str:
    """Return browser and system, as people call them; never the whole header, which tells people apart."""
    told = request.headers.get("User-Agent", "")
    safari = "Safari" if "Safari" in told else "Browser"
    browser = next((name for sign, name in _BROWSERS if sign in told), safari)
    system = next((name for sign, name in _SYSTEMS if sign in told), "Linux" if "Linux" in told else "")
    return f"{browser}, {system}" if system else browser


def form_token(rt: Runtime, value: str) -> str | None:
    """Return the form token that belongs to a form cookie; None if we did not sign it."""
    nonce, _, signature = value.partition(".")
    if not nonce or not hmac.compare_digest(signature.encode(), signed(rt, "cookie", nonce).encode()):
        return None
    return signed(rt, "form", nonce)


def form_cookie(rt: Runtime) -> str:
    """Return the form cookie of this browser, or a new one: forms for people who are not signed in belong to it."""
    value = cookie_value(rt, FORM_COOKIE)
    if form_token(rt, value) is not None:
        return value
    nonce = secrets.token_urlsafe(24)
    return f"{nonce}.{signed(rt, 'cookie', nonce)}"


def form_is_ours(rt: Runtime) -> bool:
    """Return whether the form that came was made by us for this browser."""
    expected = form_token(rt, cookie_value(rt, FORM_COOKIE))
    return expected is not None and hmac.compare_digest(expected.encode(), request.form.get("csrf", "").encode())


def signed(rt: Runtime, *parts: str) -> str:
    """Return a signature over some words, by the installation's secret."""
    return hmac.digest(rt.settings.secret_key, json.dumps(parts).encode(), hashlib.sha256).hex()


def _browser_of(rt: Runtime, value: str, email: str) -> str | None:
    """Return the name of this browser, if this very account signed in with it before."""
    name, _, signature = value.partition(".")
    expected = signed(rt, "known", name, accounts.folded(email))
    return name if name and hmac.compare_digest(signature.encode(), expected.encode()) else None

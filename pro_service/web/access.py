"""Default deny: who may see which page. What is public stands here; every other page says which roles may."""

import hmac
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.protocol import Role
from pro_service.runtime import Runtime
from pro_service.store.accounts import Login
from pro_service.use_cases import accounts

PUBLIC = frozenset({"static", "auth.sign_in", "survey", "card", "webhooks", "health"})
"""Blueprints and endpoints that need no login: each of them checks a secret of its own or tells nothing."""

ROLES: frozenset[Role] = frozenset(
    {"coordinator", "assessor", "investigator", "data-manager", "monitor", "administrator"}
)
COOKIE = "pro_login"

View = TypeVar("View", bound=Callable[..., Any])


class NoAccessYetError(Exception):
    """Signed in, and nothing is open to this role here."""


def roles(*names: Role) -> Callable[[View], View]:
    """State which roles may use a page. A page that states none is closed to everybody."""

    def stated(view: View) -> View:
        view.__dict__["roles"] = frozenset(names)
        return view

    return stated


def roles_of(app: Flask, endpoint: str) -> frozenset[Role]:
    """The roles an endpoint states."""
    found: frozenset[Role] = getattr(app.view_functions.get(endpoint), "roles", frozenset())
    return found


def is_public(endpoint: str) -> bool:
    """Whether an endpoint, or the blueprint it belongs to, needs no login."""
    return endpoint in PUBLIC or endpoint.partition(".")[0] in PUBLIC


def signed_in() -> Login:
    """Who is asking; only inside a page that is not public."""
    login: Login = g.login
    return login


def install(app: Flask, rt: Runtime) -> None:
    """Stand before every request."""

    @app.before_request
    def guard() -> ResponseReturnValue | None:
        g.login = None
        endpoint = request.endpoint
        if endpoint is None or is_public(endpoint):
            return None
        g.login = accounts.current(rt, request.cookies.get(cookie(rt, COOKIE), ""))
        if g.login is None:
            return redirect(url_for("auth.sign_in", next=_here()), 303)
        g.language = g.login.language or g.language
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            _check_csrf(g.login)
        if not roles_of(current_app, endpoint) & {grant.role for grant in g.login.roles}:
            raise NoAccessYetError
        return None


def cookie(rt: Runtime, name: str) -> str:
    """The cookie's name; over https the prefix makes browsers refuse one set by another host or over http."""
    return f"__Host-{name}" if secure(rt) else name


def secure(rt: Runtime) -> bool:
    """Whether this installation is reached over https."""
    return rt.settings.public_base_url.startswith("https:")


def local(path: str) -> str:
    """The path if it leads to a page of ours, else the first page: `next=` must not send people elsewhere."""
    # Browsers read a backslash as a slash and skip control characters.
    good = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if good else "/"


def _check_csrf(login: Login) -> None:
    given = request.form.get("csrf", "") or request.headers.get("X-CSRF-Token", "")
    if not hmac.compare_digest(given.encode(), login.csrf.encode()):
        abort(403)


def _here() -> str:
    return request.full_path.rstrip("?") if request.method == "GET" else "/"

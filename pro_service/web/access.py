"""Default deny: who may see which page. What is public stands here; every other page names the capability it needs."""

import hmac
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.throttle import ThrottledError
from pro_service.runtime import Runtime
from pro_service.store.staff.accounts import Grant, Login
from pro_service.use_cases.staff import accounts, interrupted_forms, passwords
from pro_service.web import browsers, capabilities
from pro_service.web.capabilities import Capability, held

PUBLIC = frozenset({"static", "auth.sign_in", "welcome", "survey", "card", "webhooks", "health", "metrics", "guide"})
"""Blueprints and endpoints that need no login: each of them checks a secret of its own or tells nothing."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SECRET = frozenset({"csrf", "password", "current", "again", "confirm_password"})
"""Fields that are never put into a page again."""
SURE = timedelta(minutes=10)
"""For how long a typed password stands for the person."""

HOME = "dashboard.today"
HOMES: tuple[tuple[Capability, str], ...] = (
    ("progress", "dashboard.compliance"),
    ("entry", "clinic.list"),
    ("users", "administration.users"),
)
"""The first page of roles that may not open the coordinators' page, by a capability they hold."""

ALWAYS = frozenset({"auth.logout", "auth.language"})
UNFINISHED: Mapping[str, tuple[str, ...]] = {
    "code": ("auth.code",),
    "enrol": ("account.factor", "account.set_up"),
}
"""What somebody may open before their sign-in is complete; the first is where they are led."""

View = TypeVar("View", bound=Callable[..., Any])


class NoAccessYetError(Exception):
    """Raised for somebody who is signed in, and none of whose roles holds what this page needs."""


def needs(capability: Capability) -> Callable[[View], View]:
    """State what a page needs. A page that states nothing is closed to everybody."""

    def stated(view: View) -> View:
        view.__dict__["needs"] = capability
        return view

    return stated


def sensitive(view: View) -> View:
    """State that a form asks for the password again, unless it was typed in the last minutes."""
    view.__dict__["sensitive"] = True
    return view


def unattended(view: View) -> View:
    """State that a page asks for this by itself: it keeps no session alive, and is told when there is none."""
    view.__dict__["unattended"] = True
    return view


def needed(app: Flask, endpoint: str) -> Capability | None:
    """Return what an endpoint states that it needs."""
    found: Capability | None = getattr(app.view_functions.get(endpoint), "needs", None)
    return found


def grants(capability: Capability | None = None) -> tuple[Grant, ...]:
    """Return the reader's grants that hold a capability (without one: what this page needs): its studies and sites."""
    asked = capability or needed(current_app, request.endpoint or "")
    return () if asked is None else held(signed_in().roles, asked)


def may(capability: Capability) -> bool:
    """Return whether the reader holds a capability anywhere."""
    return bool(grants(capability))


def may_at(capability: Capability, study_id: int, site_id: int) -> bool:
    """Return whether the reader holds a capability for this site."""
    found = grants(capability)
    return any(grant.study_id in (None, study_id) and grant.site_id in (None, site_id) for grant in found)


def assesses(study_id: int) -> bool:
    """Return whether the reader is an assessor of this study, and must see nothing that was kept."""
    return capabilities.assesses(signed_in().roles, study_id)


def is_public(endpoint: str) -> bool:
    """Return whether an endpoint, or the blueprint it belongs to, needs no login."""
    return endpoint in PUBLIC or endpoint.partition(".")[0] in PUBLIC


def signed_in() -> Login:
    """Return who is asking; only inside a page that is not public."""
    login: Login = g.login
    return login


def install(app: Flask, rt: Runtime, ask_to_sign_in: Callable[[Runtime], ResponseReturnValue]) -> None:
    """Check every request before its page; `ask_to_sign_in` answers where nobody is signed in."""
    app.jinja_env.globals["may"] = may

    @app.before_request
    def guard() -> ResponseReturnValue | None:
        g.login = None
        endpoint = request.endpoint
        if endpoint is None or is_public(endpoint):
            return None
        by_itself = getattr(app.view_functions[endpoint], "unattended", False)
        g.login = accounts.current(rt, browsers.cookie_value(rt, browsers.COOKIE), attended=not by_itself)
        if g.login is None:
            return abort(401) if by_itself else ask_to_sign_in(rt)
        g.language = g.login.language or g.language
        if request.method not in SAFE and not _csrf_fits(g.login):
            return _another_session(rt, g.login)
        unfinished = _unfinished(rt, g.login, endpoint)
        if unfinished is not None:
            return unfinished
        if not grants() and needed(current_app, endpoint) != "account":
            return _first_page_of_role(endpoint)
        return _confirm_password(rt, g.login, endpoint)


def _unfinished(rt: Runtime, login: Login, endpoint: str) -> ResponseReturnValue | None:
    """Lead on somebody who has not shown their second factor, or has to set one up: nothing else is open to them."""
    stage = accounts.stage(rt, login)
    if stage == "whole" or endpoint in ALWAYS or endpoint in UNFINISHED[stage]:
        return None
    return redirect(url_for(UNFINISHED[stage][0], next=_address_to_return_to()), 303)


def _address_to_return_to() -> str:
    return current_path() if request.method in SAFE else "/"


def _first_page_of_role(endpoint: str) -> ResponseReturnValue:
    """Lead from the first page, which is the coordinators', to the first page this role may open."""
    home = next((place for capability, place in HOMES if may(capability)), None)
    if endpoint != HOME or home is None:
        raise NoAccessYetError
    return redirect(url_for(home), 303)


def local(path: str) -> str:
    """Return the path if it leads to a page of ours, else the first page: `next=` must not send people elsewhere."""
    # Browsers read a backslash as a slash and skip control characters.
    good = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if good else "/"


def current_path() -> str:
    """Return the address of this page or form, to come back to."""
    return request.full_path.rstrip("?")


def typed_fields() -> tuple[tuple[str, str], ...]:
    """Return what was typed into the form that came; never its token, nor a password."""
    return tuple((name, value) for name, value in request.form.items(multi=True) if name not in SECRET)


def resend(path: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return a page that sends a kept form again, once its owner says so."""
    g.page = HOME
    return render_template("kept.html", path=local(path), fields=fields)


def _csrf_fits(login: Login) -> bool:
    given = request.form.get("csrf", "") or request.headers.get("X-CSRF-Token", "")
    return hmac.compare_digest(given.encode(), login.csrf.encode())


def _another_session(rt: Runtime, login: Login) -> ResponseReturnValue:
    """Answer a form that was made before somebody signed in again: theirs is kept, a stranger's refused."""
    if not interrupted_forms.of_user(rt, login.user_id, request.form.get("csrf", "")):
        abort(403)
    return resend(current_path(), typed_fields()), 409


def _confirm_password(rt: Runtime, login: Login, endpoint: str) -> ResponseReturnValue | None:
    """Ask for the password again before a sensitive change, unless it was typed a moment ago."""
    if request.method in SAFE or not getattr(current_app.view_functions[endpoint], "sensitive", False):
        return None
    if login.confirmed_at is not None and rt.clock() - login.confirmed_at <= SURE:
        return None
    given, fault = request.form.get("confirm_password"), ""
    if given is not None:
        try:
            if passwords.confirm(rt, login, given, browsers.place(rt, login.email)):
                return None
            fault = "wrong"
        except ThrottledError:
            fault = "slow"
    g.page = HOME
    page = render_template("confirm.html", path=current_path(), fields=typed_fields(), fault=fault)
    return page, {"": 403, "wrong": 422, "slow": 429}[fault]

"""The web application: what every answer carries, who may see which page, and pages for what went wrong."""

import hashlib
import time
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from flask import Flask, abort, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from pro_service import logs, paths
from pro_service.runtime import Runtime
from pro_service.store.unavailable import why_unavailable
from pro_service.store.vault import UnreadableError
from pro_service.use_cases.inbound.receive import Intake
from pro_service.web import access, browsers, compression, i18n, problems, uploads
from pro_service.web.account import own, sign_in, welcome
from pro_service.web.administration import blueprint as administration
from pro_service.web.dashboard import blueprint as dashboard
from pro_service.web.dashboard import clinic
from pro_service.web.i18n import gettext as _
from pro_service.web.public import card, guide, health, metrics, survey, webhooks

LARGEST_REQUEST = 1024 * 1024
LARGEST_FORM = 256 * 1024
MOST_FIELDS = 200
TRY_AGAIN_AFTER = 60
"""Seconds after which a refused request may be made again (`Retry-After`)."""

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_YEAR = 365 * 24 * 60 * 60


def create_app(rt: Runtime) -> Flask:
    """Return the web application of this runtime: webhooks, the participants' form, sign-in, dashboard, health."""
    folder = paths.templates() / "web"
    app = Flask(__name__, template_folder=str(folder), static_folder=str(folder / "static"))
    app.request_class = uploads.InMemoryRequest
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_REQUEST, MAX_FORM_MEMORY_SIZE=LARGEST_FORM, MAX_FORM_PARTS=MOST_FIELDS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    i18n.install(app, folder / "locale")
    _time_and_language(app)
    access.install(app, rt, sign_in.ask_to_sign_in)
    intake = app.extensions["intake"] = Intake(rt)
    app.register_blueprint(webhooks.blueprint(rt, intake))
    for part in (survey, card, sign_in, welcome, own, dashboard, clinic, administration, health, metrics):
        app.register_blueprint(part.blueprint(rt))
    app.register_blueprint(guide.blueprint())
    _words(app, rt, folder / "static")
    compression.install(app)
    _headers(app, rt)
    _faults(app)
    return app


def _time_and_language(app: Flask) -> None:
    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()
        g.language = chosen_language() or request.accept_languages.best_match(i18n.LANGUAGES, i18n.SOURCE)
        # PostgreSQL keeps no NUL, and nothing of ours is named with one.
        if any("\0" in part for part in (request.path, *request.args.values())):
            abort(400)

    @app.after_request
    def record(response: Response) -> Response:
        # Never the path: it may hold a participant's token.
        rule = request.url_rule.rule if request.url_rule is not None else None
        login = g.get("login")
        logs.event(
            "request",
            method=request.method,
            rule=rule,
            status=response.status_code,
            ms=round((time.perf_counter() - g.started) * 1000, 1),
            user=None if login is None else login.user_id,
        )
        return response


def chosen_language() -> str | None:
    """Return the language that somebody who is not signed in chose: in the address, else on an earlier visit."""
    for asked in (request.args.get("lang"), request.cookies.get(sign_in.LANGUAGE_COOKIE)):
        if asked in i18n.LANGUAGES:
            return asked
    return None


def _words(app: Flask, rt: Runtime, static: Path) -> None:
    def in_language(code: str) -> str:
        """Return the address of this page in another language."""
        # Flask takes some names for wishes about the address itself.
        asked = {name: value for name, value in request.args.items() if name != "endpoint" and not name.startswith("_")}
        kept = asked | (request.view_args or {}) | {"lang": code}
        endpoint = g.get("page", request.endpoint)
        return url_for(endpoint, **kept) if endpoint else f"?lang={code}"

    @lru_cache(maxsize=256)
    def address(name: str, changed: int, _below: str) -> str:
        return url_for("static", filename=name, v=_version(static / name, changed))

    def asset(name: str) -> str:
        """Return the address of a file of static/, which a browser may keep until it changes."""
        return address(name, (static / name).stat().st_mtime_ns, request.script_root)

    @app.context_processor
    def words() -> dict[str, object]:
        return {
            "asset": asset,
            "chapter_of_this_page": guide.chapter_of_this_page,
            "here": request.full_path.rstrip("?") if request.method == "GET" else "/",
            "in_language": in_language,
            "language": i18n.language(),
            "languages": tuple(i18n.LANGUAGES.items()),
            "login": g.get("login"),
            "simulated": rt.for_trying_out,
        }


@lru_cache(maxsize=64)
def _version(file: Path, _changed: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def _headers(app: Flask, rt: Runtime) -> None:
    secure = browsers.secure(rt)

    @app.after_request
    def harden(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = _POLICY
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "no-referrer"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if secure:
            # A host below this one could otherwise, over http, set cookies for it and pose as a part of it.
            headers["Strict-Transport-Security"] = f"max-age={_YEAR}; includeSubDomains"
        if request.endpoint == "static":
            kept = f"public, max-age={_YEAR}, immutable" if "v" in request.args else "no-cache"
            headers["Cache-Control"] = kept
        else:
            headers.setdefault("Cache-Control", "no-store")
            headers["Vary"] = "Cookie, Accept-Language"
        return response


def _faults(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def refused(fault: HTTPException) -> ResponseReturnValue:
        if fault.code is None or fault.code < HTTPStatus.BAD_REQUEST:
            return fault.get_response()
        if fault.code == HTTPStatus.METHOD_NOT_ALLOWED and (above := _page_above()) is not None:
            return redirect(above, HTTPStatus.SEE_OTHER)
        page = error_page(fault.code)
        allowed = getattr(fault, "valid_methods", None)
        return (*page, {"Allow": ", ".join(allowed)}) if allowed else page

    @app.errorhandler(access.NoAccessYetError)
    def no_access(_: access.NoAccessYetError) -> ResponseReturnValue:
        return render_template("no_access.html"), 403

    @app.errorhandler(UnreadableError)
    def unreadable(fault: UnreadableError) -> ResponseReturnValue:
        rule = request.url_rule.rule if request.url_rule is not None else None
        logs.fault("request.failed", fault, method=request.method, rule=rule, **fault.problem.values)
        title, advice = problems.words(fault.problem)
        return render_template("error.html", title=title, advice=advice, code=fault.problem.code), 500

    @app.errorhandler(Exception)
    def failed(fault: Exception) -> ResponseReturnValue:
        rule = request.url_rule.rule if request.url_rule is not None else None
        # Flask's own line would name the path.
        logs.fault("request.failed", fault, method=request.method, rule=rule)
        if why_unavailable(fault) is None:
            return error_page(500)
        again = {"Retry-After": str(TRY_AGAIN_AFTER)}
        return (_not_saved_page(), 503, again) if _was_to_be_saved() else (*error_page(503), again)


def _page_above() -> str | None:
    """Return the page that a button is on, for when its address is opened as a page: reloaded, or from a bookmark.

    None if the address belongs to no button.
    """
    adapter = current_app.create_url_adapter(request)
    if adapter is None or request.method not in ("GET", "HEAD"):
        return None
    button, _values = adapter.match(method="POST")
    if button.startswith("webhooks."):
        return None
    path = request.path
    while path.count("/") > 1:
        path = path.rpartition("/")[0]
        try:
            endpoint, _values = adapter.match(path, method="GET")
        except HTTPException:
            continue
        if not getattr(current_app.view_functions[endpoint], "unattended", False):
            return quote(access.local(path))
    return None


def _was_to_be_saved() -> bool:
    """Return whether somebody sent a form whose fields may be put into a page again."""
    blueprint = (request.endpoint or "").partition(".")[0]
    return request.method == "POST" and blueprint not in ("webhooks", "auth", "welcome") and not request.files


def _not_saved_page() -> str:
    """Return the page that says that a form was not saved, and keeps it: it is sent again with one press.

    Nothing is asked of the database: it may be out of reach altogether.
    """
    return render_template("not_saved.html", path=access.current_path(), fields=access.typed_fields())


def error_page(status: int) -> tuple[str, int]:
    """Return the page for a status: what happened and what to do, in the reader's language, and nothing else."""
    words = _error_words()
    server = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    title, advice = words.get(status) or words[500 if server else 400]
    return render_template("error.html", title=title, advice=advice), status


def _error_words() -> dict[int, tuple[str, str]]:
    """Return what happened and what to do, for the statuses that have words of their own."""
    return {
        400: (
            _("This request could not be read"),
            _("Go back, load the page again and try once more."),
        ),
        403: (
            _("This did not go through"),
            _("The page may have been open for too long. Go back, load it again and try once more."),
        ),
        404: (
            _("There is nothing here"),
            _("Please check the address, or use the link that was sent to you."),
        ),
        405: (
            _("This page cannot do that"),
            _("Go back and use the buttons on the page."),
        ),
        413: (
            _("That was too large"),
            _("Send less at once, then try again."),
        ),
        500: (
            _("Something went wrong on our side"),
            _("Nothing you entered was saved in part. Please try again in a few minutes."),
        ),
        503: (
            _("We are not available right now"),
            _("Please try again in a few minutes."),
        ),
    }

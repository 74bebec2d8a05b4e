"""One's own account: password, second factor, recovery codes, sessions, language."""

from collections.abc import Mapping

import segno
from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from pro_service.core.problems import Problem, RejectedError
from pro_service.core.throttle import ThrottledError
from pro_service.runtime import Runtime
from pro_service.use_cases.staff import accounts, administration, away, passwords, second_factor, telephone
from pro_service.use_cases.tasks import digest
from pro_service.web import access, browsers
from pro_service.web.problems import by_field
from pro_service.web.scope import chosen_scope, leave_row, row_id


def blueprint(rt: Runtime) -> Blueprint:
    """Return the pages `/account` and below."""
    pages = Blueprint("account", __name__)
    pages.app_template_global("second_factor_missing")(_second_factor_missing)
    _add_own(pages, rt)
    _add_work(pages, rt)
    _add_texts(pages, rt)
    _add_factor(pages, rt)
    return pages


def _second_factor_missing() -> bool:
    """Return whether to remind the reader, who may do without so far."""
    return access.signed_in().enrolled_at is None


def _add_own(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/account")
    @access.needs("account")
    def own() -> ResponseReturnValue:
        leave_row(rt, None, "account")
        return _account_page(rt)

    @pages.post("/account/password")
    @access.needs("account")
    def password() -> ResponseReturnValue:
        login, given = access.signed_in(), request.form
        current, new, again = (given.get(name, "") for name in ("current", "password", "again"))
        try:
            passwords.change(rt, login, current, new, again, browsers.place(rt, login.email))
        except RejectedError as rejected:
            return _account_page(rt, rejected.faults), 422
        except ThrottledError:
            return _account_page(rt, slow=True), 429
        return redirect(url_for("account.own", done="password"), 303)

    @pages.post("/account/sessions")
    @access.needs("account")
    def sessions() -> ResponseReturnValue:
        """End one other session, or all of them."""
        administration.end_sessions(rt, access.signed_in(), request.form.get("session", type=row_id))
        return redirect(url_for("account.own", done="sessions"), 303)


def _add_work(pages: Blueprint, rt: Runtime) -> None:
    @pages.post("/account/away")
    @access.needs("account")
    def away_until() -> ResponseReturnValue:
        """Keep until when the reader is away, or that they are back."""
        zone = chosen_scope(rt, "account").zone
        try:
            away.leave(rt, access.signed_in(), request.form.get("back", "").strip(), zone)
        except RejectedError as rejected:
            return _account_page(rt, rejected.faults), 422
        return redirect(url_for("account.own", done="away"), 303)

    @pages.post("/account/digest")
    @access.needs("account")
    def daily() -> ResponseReturnValue:
        """Have the morning's digest, or no more."""
        digest.choose_digest(rt, access.signed_in(), wanted=request.form.get("wanted") == "yes")
        return redirect(url_for("account.own", done="digest"), 303)


def _add_texts(pages: Blueprint, rt: Runtime) -> None:
    @pages.post("/account/texts")
    @access.needs("account")
    def texts() -> ResponseReturnValue:
        """Keep the reader's telephone, and that they agree to texts about urgent tasks."""
        typed = {name: request.form.get(name, "").strip() for name in ("number", "hours_from", "hours_until")}
        form = telephone.Form(**typed, agreed=request.form.get("agreed") == "yes")
        try:
            telephone.agree(rt, access.signed_in(), form, chosen_scope(rt, "account").country)
        except RejectedError as rejected:
            return _account_page(rt, rejected.faults, typed=typed), 422
        return redirect(url_for("account.own", done="texts"), 303)

    @pages.post("/account/texts/remove")
    @access.needs("account")
    def no_texts() -> ResponseReturnValue:
        """Delete the reader's telephone."""
        telephone.remove(rt, access.signed_in())
        return redirect(url_for("account.own", done="no_texts"), 303)


def _account_page(
    rt: Runtime, faults: tuple[Problem, ...] = (), *, slow: bool = False, typed: Mapping[str, str] | None = None
) -> str:
    login = access.signed_in()
    known = telephone.of(rt, login)
    hours = None if known is None or known.hours is None else known.hours
    kept = {} if hours is None else {"hours_from": f"{hours.start:%H:%M}", "hours_until": f"{hours.end:%H:%M}"}
    return render_template(
        "account/own.html",
        scope=chosen_scope(rt, "account"),
        faults=by_field(faults),
        slow=slow,
        left=second_factor.codes_left(rt, login),
        seats=administration.seats(rt, login),
        done=request.args.get("done"),
        roles=administration.own_roles(rt, login),
        away=away.until(rt, login),
        digest=digest.wants_digest(rt, login),
        mails=rt.mail is not None,
        telephone=known,
        kept=kept,
        typed=kept if typed is None else typed,
        texting=bool(rt.texts),
    )


def _add_factor(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/account/second-factor")
    @access.needs("account")
    def factor() -> ResponseReturnValue:
        return _factor_page(rt)

    @pages.post("/account/second-factor")
    @access.needs("account")
    @access.sensitive
    def set_up() -> ResponseReturnValue:
        codes = second_factor.set_up(rt, access.signed_in(), request.form.get("code", ""))
        if codes is None:
            return _factor_page(rt, wrong=True), 422
        return render_template("account/codes.html", codes=codes, next=access.local(request.form.get("next", "/")))

    @pages.post("/account/recovery-codes")
    @access.needs("account")
    @access.sensitive
    def recovery_codes() -> ResponseReturnValue:
        login = access.signed_in()
        if login.enrolled_at is None:
            return redirect(url_for("account.factor"), 303)
        return render_template("account/codes.html", codes=second_factor.new_codes(rt, login), next="/account")


def _factor_page(rt: Runtime, *, wrong: bool = False) -> str:
    login = access.signed_in()
    setup = second_factor.setup(rt, login)
    drawn = segno.make(setup.address, error="m").svg_inline(scale=5, dark="#000", light="#fff", omitsize=False)
    return render_template(
        "account/factor.html",
        setup=setup,
        qr=Markup(drawn),  # noqa: S704 -- drawn by us, of no words
        wrong=wrong,
        asked=access.local(request.values.get("next", "/")),
        required=accounts.stage(rt, login) == "enrol",
    )

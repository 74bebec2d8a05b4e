"""The pages of users and of a study's team: invited, given roles, approved, helped back in, shut out."""

from collections.abc import Callable

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.problems import Problem, RejectedError
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.staff import members
from pro_service.store.staff.members import PAGE, Member
from pro_service.use_cases.staff import administration, approvals
from pro_service.web.access import may, needs, sensitive, signed_in
from pro_service.web.capabilities import GRANTED
from pro_service.web.i18n import LANGUAGES
from pro_service.web.i18n import gettext as _
from pro_service.web.problems import by_field
from pro_service.web.scope import LARGEST_ID, NoStudy, actor, chosen_scope, no_study, row_id

LONGEST = 254
EVERYWHERE = "*"
"""In forms: every study, every site."""
DECISIONS = {"approve": True, "refuse": False}


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the pages of users."""
    _add_lists(pages, rt)
    _add_decisions(pages, rt)
    _add_invitation(pages, rt)
    _add_one(pages, rt)
    _add_changes(pages, rt)


def _add_decisions(pages: Blueprint, rt: Runtime) -> None:
    """Add the two decisions about a role that waits."""

    @pages.post("/team/roles/<int:role_id>/<any(approve, refuse):decision>")
    @needs("approve")
    @sensitive
    def decide(role_id: int, decision: str) -> ResponseReturnValue:
        approved, reason = DECISIONS[decision], request.form.get("reason", "")
        try:
            done = approvals.decide(rt, actor(), min(role_id, LARGEST_ID), reason, approved=approved)
        except KeyError:
            abort(404)
        except RejectedError as rejected:
            return _team(rt, about=role_id, faults=rejected.faults), 422
        return redirect(url_for("administration.team", done=decision if done else "unchanged"), 303)


def _team(rt: Runtime, *, about: int | None = None, faults: tuple[Problem, ...] = ()) -> str:
    """Return the page; `about`: the role whose form was sent and did not fit, with what was typed."""
    scope, after = chosen_scope(rt, "team"), request.args.get("after", "")[:LONGEST]
    if isinstance(scope, NoStudy):
        return no_study(scope)
    with rt.sessions.reading() as session:
        found = members.list_members(session, after=after, study_id=scope.study_id)
    waiting = approvals.waiting(rt, signed_in().user_id, scope.study_id)
    return render_template(
        "administration/team.html",
        scope=scope,
        members=found,
        full=len(found) == PAGE,
        waiting=waiting,
        about=about,
        faults=by_field(faults),
        typed=request.form,
        done=request.args.get("done"),
        done_words=_decided().get(request.args.get("done", "")),
        may_approve=may("approve"),
        own=signed_in().user_id,
    )


def _add_lists(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/team")
    @needs("team")
    def team() -> ResponseReturnValue:
        """Show who has which role in this study, to those who answer for it."""
        return _team(rt)

    @pages.get("/users")
    @needs("users")
    def users() -> ResponseReturnValue:
        after, search = (request.args.get(name, "").strip()[:LONGEST] for name in ("after", "search"))
        with rt.sessions.reading() as session:
            found = members.list_members(session, after=after, search=search.casefold())
        return render_template(
            "administration/users.html",
            scope=chosen_scope(rt),
            members=found,
            search=search,
            after=after,
            full=len(found) == PAGE,
            done=request.args.get("done"),
        )


def _add_invitation(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/users/invite")
    @needs("users")
    def invitation() -> ResponseReturnValue:
        return _invitation(rt)

    @pages.post("/users/invite")
    @needs("users")
    @sensitive
    def invite() -> ResponseReturnValue:
        given = request.form
        language = given.get("language", "")
        try:
            made = administration.invite(
                rt,
                actor(),
                given.get("email", ""),
                given.get("role", ""),
                *_place(given.get("place", "")),
                language=language if language in LANGUAGES else "tr",
                by_hand=True,
            )
        except RejectedError as rejected:
            return _invitation(rt, rejected.faults), 422
        if not made.mailed:
            return _link(rt, made)
        return redirect(url_for("administration.user", user_id=made.user_id, done="invited"), 303)


def _invitation(rt: Runtime, faults: tuple[Problem, ...] = ()) -> str:
    return render_template(
        "administration/invite.html",
        scope=chosen_scope(rt),
        faults=by_field(faults),
        typed=request.form,
        roles=GRANTED,
        places=places(rt),
        mails=rt.mail is not None,
    )


def _link(rt: Runtime, made: administration.Link) -> str:
    """Return the page that shows an invitation's link, this once: no mail can be sent, so it is handed over."""
    return render_template(
        "administration/link.html", scope=chosen_scope(rt), member=_member(rt, made.user_id), address=made.address
    )


def _place(given: str) -> tuple[str | None, str | None]:
    """Return (study, site) of a choice `STUDY/SITE`; None = every one."""
    study, _, site = given.partition("/")
    return (None if study == EVERYWHERE else study), (None if site in (EVERYWHERE, "") else site)


def places(rt: Runtime) -> list[tuple[str, str, str]]:
    """Return what a role may hold for: (what the form says, study, site)."""
    with rt.sessions.reading() as session:
        known = [(study.code, sorted(studies.site_ids(session, study.id))) for study in studies.all_studies(session)]
    of_sites = [(f"{study}/{site}", study, site) for study, codes in known for site in (EVERYWHERE, *codes)]
    return [*of_sites, (f"{EVERYWHERE}/{EVERYWHERE}", EVERYWHERE, EVERYWHERE)]


def _add_one(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/users/<int:user_id>")
    @needs("users")
    def user(user_id: int) -> ResponseReturnValue:
        return _user(rt, user_id)


def _member(rt: Runtime, user_id: int) -> Member:
    with rt.sessions.reading() as session:
        found = members.one(session, user_id) if user_id <= LARGEST_ID else None
    if found is None:
        abort(404)
    return found


def _user(rt: Runtime, user_id: int, faults: tuple[Problem, ...] = ()) -> str:
    return render_template(
        "administration/user.html",
        scope=chosen_scope(rt),
        member=_member(rt, user_id),
        faults=by_field(faults),
        roles=GRANTED,
        places=places(rt),
        typed=request.form,
        done=request.args.get("done"),
        done_words=_changed().get(request.args.get("done", "")),
        may_audit=may("audit"),
        mails=rt.mail is not None,
    )


def _add_changes(pages: Blueprint, rt: Runtime) -> None:
    @pages.post("/users/<int:user_id>/send-link", endpoint="send-link")
    @needs("users")
    @sensitive
    def send_link(user_id: int) -> ResponseReturnValue:
        # A link to an account that somebody uses already goes to its owner alone, or it could be taken over.
        by_hand = not _member(rt, user_id).has_password
        try:
            made = administration.send_link(rt, actor(), user_id, by_hand=by_hand)
        except RejectedError as rejected:
            return _user(rt, user_id, rejected.faults), 422
        if not made.mailed:
            return _link(rt, made)
        return redirect(url_for("administration.user", user_id=user_id, done="send-link"), 303)

    def add_change(name: str, change: Callable[[int], bool]) -> None:
        def changed(user_id: int) -> ResponseReturnValue:
            _member(rt, user_id)
            try:
                done = name if change(user_id) else "unchanged"
            except RejectedError as rejected:
                return _user(rt, user_id, rejected.faults), 422
            return redirect(url_for("administration.user", user_id=user_id, done=done), 303)

        pages.post(f"/users/<int:user_id>/{name}", endpoint=name)(needs("users")(sensitive(changed)))

    def granted(user_id: int) -> bool:
        return administration.grant(
            rt, actor(), user_id, request.form.get("role", ""), *_place(request.form.get("place", ""))
        )

    def revoked(user_id: int) -> bool:
        return administration.revoke(rt, actor(), user_id, request.form.get("of", 0, type=row_id))

    add_change("disable", lambda user_id: administration.disable(rt, actor(), user_id))
    add_change("enable", lambda user_id: administration.enable(rt, actor(), user_id))
    add_change("reset-factor", lambda user_id: administration.reset_factor(rt, actor(), user_id))
    add_change("grant", granted)
    add_change("revoke", revoked)


def _decided() -> dict[str, str]:
    """Return what was decided about a role that waits."""
    return {
        "approve": _("Approved: the role holds from now on."),
        "refuse": _("Refused: the role gives nothing."),
        "unchanged": _("That was decided before; nothing was changed."),
    }


def _changed() -> dict[str, str]:
    """Return what was changed about an account."""
    return {
        "invited": _("The invitation is on its way."),
        "disable": _("Disabled: their sessions have ended."),
        "enable": _("Enabled again."),
        "reset-factor": _("Reset: another second factor is set up at the next login."),
        "send-link": _("The mail is on its way."),
        "grant": _("The role is given. Where it is marked as waiting, an investigator of the study approves it first."),
        "revoke": _("The role has ended."),
        "unchanged": _("Everything was as before; nothing was changed."),
    }

"""Administration: users, sites, audit trail, system health."""

from datetime import date, datetime, time, timedelta

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from pro_service.core.problems import Fault
from pro_service.reports import audit as report_audit
from pro_service.reports import health
from pro_service.reports.audit import AuditQuery, Reach
from pro_service.runtime import Runtime
from pro_service.store.database import Session
from pro_service.store.participants import cases
from pro_service.store.staff import members
from pro_service.use_cases.staff.accounts import folded
from pro_service.web.access import grants, needs
from pro_service.web.account.words import by_field
from pro_service.web.administration import audit_words, users
from pro_service.web.dashboard.formatting import times
from pro_service.web.i18n import language
from pro_service.web.scope import Scope, row_id, scope_of

LONGEST = 254


def blueprint(rt: Runtime) -> Blueprint:
    """`/users…`, `/sites`, `/audit`, `/system`."""
    pages = Blueprint("administration", __name__)
    users.add_routes(pages, rt)
    _add_sites(pages, rt)
    _add_system(pages, rt)
    _add_audit(pages, rt)
    return pages


def _add_sites(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/sites")
    @needs("system")
    def sites() -> ResponseReturnValue:
        """The sites as the newest protocol has them: they are changed there, not here."""
        scope = scope_of(rt)
        known = {} if scope.protocol is None else scope.protocol.sites
        return render_template("administration/sites.html", scope=scope, sites=known)


def _add_system(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/system")
    @needs("system")
    def system() -> ResponseReturnValue:
        now = rt.clock()
        with rt.sessions.reading() as session:
            seen = health.condition(session, "tick", now)
        return render_template(
            "administration/system.html", scope=scope_of(rt), seen=seen, settings=rt.settings,
            sqlite=rt.sessions.sqlite, late=timedelta(minutes=15), **times(now),
        )  # fmt: skip


def _add_audit(pages: Blueprint, rt: Runtime) -> None:
    @pages.get("/audit")
    @needs("audit")
    def audit() -> ResponseReturnValue:
        scope = scope_of(rt)
        reach = _reach(scope)
        with rt.sessions.reading() as session:
            faults: list[Fault] = []
            asked = _Question(rt, scope, reach, faults).read(session)
            lines, after = ((), None) if faults else report_audit.page(session, reach, asked)
            known = report_audit.actions(session, reach)
        kept = {name: value for name in FIELDS if (value := request.args.get(name, ""))}
        return render_template(
            "administration/audit.html", scope=scope, lines=lines, after=after, actions=known, kept=kept,
            faults=by_field(faults), first=asked.before is None, fields=audit_words.fields(language()),
            records=audit_words.records(language()),
        ), 422 if faults else 200  # fmt: skip


FIELDS = ("who", "action", "participant", "from", "to")


def _reach(scope: Scope) -> Reach:
    """What the reader may read of the study they look at: of two roles there, the one that sees less decides."""
    here = [grant for grant in grants("audit") if grant.study_id in (None, scope.study_id)]
    of_study = [grant for grant in here if grant.role != "administrator"]
    sites = {grant.site_id for grant in of_study}
    return Reach(
        study_id=scope.study_id if of_study else None,
        sites=None if None in sites else frozenset(site for site in sites if site is not None),
        system=len(of_study) < len(here),
        values=bool(of_study) and set(of_study) <= set(grants("audit_values")),
        free_text=bool(of_study) and set(of_study) <= set(grants("free_text")),
    )


class _Question:
    """Reads the filters of the address; every fault beside its field."""

    def __init__(self, rt: Runtime, scope: Scope, reach: Reach, faults: list[Fault]) -> None:
        self.rt, self.scope, self.reach, self.faults = rt, scope, reach, faults

    def read(self, session: Session) -> AuditQuery:
        begin, end = self._day("from"), self._day("to")
        if begin is not None and end is not None and end < begin:
            self._fault("to", "ends before it begins")
        return AuditQuery(
            actor=self._actor(session),
            action=request.args.get("action", "")[:40] or None,
            participant_id=self._participant(session),
            begin=None if begin is None else self._start(begin),
            end=None if end is None else self._start(end + timedelta(days=1)),
            before=request.args.get("before", type=row_id),
        )

    def _fault(self, field: str, fault: str) -> None:
        self.faults.append(Fault(field, None, fault, ""))

    def _actor(self, session: Session) -> str | None:
        named = request.args.get("who", "").strip()[:LONGEST]
        if not named or "@" not in named:
            return named or None
        found = members.by_email(session, folded(named))
        if found is None:
            self._fault("who", "is nobody's address")
            return named
        return f"user:{found.id}"

    def _participant(self, session: Session) -> int | None:
        code = request.args.get("participant", "").strip()[:40]
        if not code:
            return None
        found = None
        if self.reach.study_id is not None:
            found = cases.load_by_code(session, self.rt.loader, self.reach.study_id, code, self.reach.sites)
        if found is None:
            self._fault("participant", "is no participant you may see")
            return None
        return found.case.participant.id

    def _day(self, field: str) -> date | None:
        given = request.args.get(field, "").strip()[:10]
        try:
            return date.fromisoformat(given) if given else None
        except ValueError:
            self._fault(field, "is not a day")
            return None

    def _start(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.scope.zone)

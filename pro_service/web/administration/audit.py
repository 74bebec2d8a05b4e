"""The audit trail as each role may read it: its filters, and its fields, records and values in words.

The trail itself and its exports keep the names that the database has: a page shows them where one points at the word.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from pro_service.core.problems import Problem, problem
from pro_service.core.replies.folding import visible
from pro_service.reports import audit
from pro_service.reports.audit import AuditQuery, Reach
from pro_service.runtime import Runtime
from pro_service.store import seals
from pro_service.store.participants import cases
from pro_service.store.session import Session
from pro_service.store.staff import members
from pro_service.use_cases.staff.accounts import folded
from pro_service.web.access import grants, needs
from pro_service.web.dashboard.change_words import ladder_facts
from pro_service.web.dashboard.formatting import trail_value, words
from pro_service.web.i18n import gettext as _
from pro_service.web.i18n import language
from pro_service.web.problems import by_field
from pro_service.web.scope import NoStudy, Scope, chosen_scope, leave_row, row_id

LONGEST = 254
FIELDS = ("who", "action", "participant", "from", "to")
"""The filters, as the address names them."""


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page."""

    @pages.get("/audit", endpoint="audit")
    @needs("audit")
    def audit_page() -> ResponseReturnValue:
        scope = chosen_scope(rt)
        reach = _reach(scope)
        with rt.sessions.reading() as session:
            faults: list[Problem] = []
            query = _QueryReader(rt, scope, reach, faults).read(session)
            lines, after = ((), None) if faults else audit.page(session, reach, query, rt.vault)
            known = audit.actions(session, reach)
            checked = seals.last_checks(session).get("full")
        kept = {name: value for name in FIELDS if (value := request.args.get(name, ""))}
        if reach.values and reach.study_id is not None:
            # The values of answers stand there.
            leave_row(rt, reach.study_id, "audit", None if query.participant_id is None else _code())
        return render_template(
            "administration/audit.html",
            scope=scope,
            lines=lines,
            checked=checked,
            after=after,
            actions=known,
            kept=kept,
            faults=by_field(faults),
            first=query.before is None,
            fields=fields(language()),
            records=records(language()),
            doors=doors(language()),
            in_words=trail_value,
            given_reason=given_reason,
        ), 422 if faults else 200


def _reach(scope: Scope | NoStudy) -> Reach:
    """Return what the reader may read of the study they look at: of two roles there, the one that sees less decides."""
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


def _code() -> str:
    """Return the participant's code that the address names."""
    return visible(request.args.get("participant", ""))[:40]


class _QueryReader:
    """Reads the filters of the address; every fault beside its field."""

    def __init__(self, rt: Runtime, scope: Scope | NoStudy, reach: Reach, faults: list[Problem]) -> None:
        self.rt, self.scope, self.reach, self.faults = rt, scope, reach, faults

    def read(self, session: Session) -> AuditQuery:
        begin, end = self._day("from"), self._day("to")
        if begin is not None and end is not None and end < begin:
            self.faults.append(problem("ends_before_begin", "to"))
        return AuditQuery(
            actor=self._actor(session),
            action=request.args.get("action", "")[:40] or None,
            participant_id=self._participant(session),
            begin=None if begin is None else self._start(begin),
            end=None if end is None else self._start(end + timedelta(days=1)),
            before=request.args.get("before", type=row_id),
        )

    def _actor(self, session: Session) -> str | None:
        named = request.args.get("who", "").strip()[:LONGEST]
        if named.casefold() == _("Scheduler").casefold():
            return "scheduler"
        if not named or "@" not in named:
            return named or None
        found = members.by_email(session, folded(named))
        if found is None:
            self.faults.append(problem("nobodys_address", "who"))
            return named
        return f"user:{found.id}"

    def _participant(self, session: Session) -> int | None:
        code = _code()
        if not code:
            return None
        found = None
        if self.reach.study_id is not None:
            found = cases.load_by_code(session, self.rt.loader, self.reach.study_id, code, self.reach.sites)
        if found is None:
            self.faults.append(problem("no_participant_here", "participant"))
            return None
        return found.case.participant.id

    def _day(self, field: str) -> date | None:
        given = request.args.get(field, "").strip()[:10]
        try:
            return date.fromisoformat(given) if given else None
        except ValueError:
            self.faults.append(problem("day_unreadable", field))
            return None

    def _start(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.scope.zone)


# --- words ------------------------------------------------------------------------------------------------------------


def given_reason(reason: str) -> str:
    """Return the word of a reason that a program gave; what was typed in quotes."""
    known = {**words("missing"), **words("reason")}.get(reason)
    return known or f"“{reason}”"


@lru_cache(maxsize=8)
def doors(_language: str) -> Mapping[str, str]:
    """Return through which door somebody acted."""
    return {
        "sms": _("by text"),
        "web": _("on the web page"),
        "whatsapp": _("on WhatsApp"),
        "dashboard": _("on the dashboard"),
        "cli": _("by command"),
        "scheduler": _("by itself"),
        "webhook": _("told by the provider"),
    }


@lru_cache(maxsize=8)
def fields(_language: str) -> Mapping[str, str]:
    """Return what each field is called."""
    return _of_participants() | _of_work() | _of_texts() | _of_accounts()


@lru_cache(maxsize=8)
def records(_language: str) -> Mapping[str, str]:
    """Return what each kind of record is called."""
    return {
        "call": _("Call"),
        "channel": _("Sending of messages"),
        "clock": _("Clock"),
        "confirmation": _("Confirmation of a version"),
        "data_keys": _("Keys of the settings"),
        "entry_code": _("Printed card"),
        "erasure_request": _("Request for erasure"),
        "escalation": _("Task"),
        "inbound": _("Received message"),
        "link": _("Link to a form"),
        "login": _("Session"),
        "message": _("Sent message"),
        "page": _("Page"),
        "participant": _("Participant"),
        "protocol_version": _("Version of the protocol"),
        "query": _("Query"),
        "study": _("Study"),
        "reach_test": _("Contact test"),
        "response": _("Answer"),
        "revelation": _("Revealed treatment"),
        "role": _("Role"),
        "user": _("Account"),
        "window": _("Window"),
    }


def _of_participants() -> dict[str, str]:
    return {
        "answers": _("Answers that came with the enrolment"),
        "baseline": _("Baseline answers"),
        "channel": _("How they are asked"),
        "column": _("Column"),
        "code": _("Code"),
        "closed_at": _("Study closed"),
        "locked_at": _("Data locked"),
        "erase_after": _("Contact data erased after"),
        "cancelled_at": _("Ended uncounted"),
        "confirmed_at": _("Procedure confirmed"),
        "consented_at": _("Consent to texts"),
        "died_at": _("Died"),
        "email": _("E-mail address"),
        "email_seal": _("Checksum of the e-mail address as stored"),
        "enrolled_at": _("Enrolled"),
        "first_text_at": _("First message"),
        "language": _("Language"),
        "opted_out_at": _("Stopped by a stop word"),
        "paused_at": _("Paused"),
        "paused_until": _("Paused until"),
        "phone": _("Telephone"),
        "phone_country": _("Country of the telephone"),
        "phone_seal": _("Checksum of the telephone as stored"),
        "procedure_date": _("Procedure date"),
        "procedure_end": _("End of the procedure"),
        "protocol_version": _("Version of the protocol"),
        "protocol_version_id": _("Version of the protocol"),
        "schedule": _("Schedule of the windows"),
        "site": _("Site"),
        "site_id": _("Site"),
        "snoozed_until": _("Asked for a later message"),
        "texts_held_until": _("Messages held until"),
        "unreachable_at": _("Not reachable by text"),
        **ladder_facts(),
        "windows": _("Windows"),
        "windows_kept": _("Windows that keep the earlier version"),
        "withdrawn_at": _("Withdrawn"),
        "erased_at": _("Erased"),
        "zone": _("Time zone"),
    }


def _of_work() -> dict[str, str]:
    return {
        "acknowledged_at": _("Taken up"),
        "card_handed_at": _("Card handed over on"),
        "card_made_at": _("Card made on"),
        "carried_from": _("Copied from answer"),
        "cleared": _("Taken back"),
        "detail": _("Details"),
        "due_at": _("To be done by"),
        "entered_by": _("Entered by account"),
        "handed_to": _("Handed to"),
        "in_window": _("In time"),
        "item": _("Question of the form"),
        "level": _("Level"),
        "look_again_at": _("Postponed until"),
        "missing_reason": _("Why it stayed empty"),
        "mode": _("How it was asked"),
        "outcome": _("Outcome"),
        "part_of_day": _("Part of the day"),
        "reason": _("Reason"),
        "received_at": _("Received"),
        "settled": _("Counted as"),
        "source": _("Where it came from"),
        "version": _("Version"),
        "window": _("Window"),
    }


def _of_texts() -> dict[str, str]:
    return {
        "alarm": _("Alarm"),
        "as_of": _("Data set as of"),
        "cause": _("Cause"),
        "confirmed_by": _("Confirmed by"),
        "error": _("Fault"),
        "expires_at": _("Expires"),
        "failure": _("Why it failed"),
        "files": _("Files and their checksums"),
        "formats": _("Formats"),
        "frame": _("Wording"),
        "inbound": _("Received message"),
        "key": _("Key"),
        "kind": _("Kind"),
        "last_alive": _("Last sign of life before"),
        "marks": _("Points to be confirmed"),
        "reading": _("How it was read"),
        "page": _("Page"),
        "seconds": _("Seconds"),
        "session": _("Session"),
        "state": _("State"),
        "useful_until": _("Not sent after"),
        "values": _("Keys that were to be wrapped anew"),
    }


def _of_accounts() -> dict[str, str]:
    return {
        "address_tried": _("Address tried (hashed)"),
        "approval": _("Approval"),
        "away_until": _("Away until"),
        "digest": _("Mail with the day's work"),
        "mailed": _("Mail sent"),
        "mails_ended": _("Mails and texts withdrawn"),
        "texts_ended": _("Texts withdrawn"),
        "hours": _("Hours for texts"),
        "role": _("Role"),
        "second_factor": _("Second factor"),
        "sessions_ended": _("Sessions ended"),
        "sha256": _("Checksum (SHA-256)"),
        "sites": _("Sites"),
        "user": _("Account"),
    }

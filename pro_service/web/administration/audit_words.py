"""The audit trail in the reader's language: what its fields and records are called.

The trail itself and its exports keep the names that the database has; a name without a word here is shown as it is.
"""

from collections.abc import Mapping
from functools import lru_cache

from pro_service.web.i18n import gettext as _


@lru_cache(maxsize=8)
def fields(_language: str) -> Mapping[str, str]:
    """Field -> what it is called."""
    return _of_participants() | _of_work() | _of_texts() | _of_accounts()


@lru_cache(maxsize=8)
def records(_language: str) -> Mapping[str, str]:
    """Kind of record -> what it is called."""
    return {
        "call": _("Call"),
        "channel": _("Sending of texts"),
        "clock": _("Clock"),
        "entry_code": _("Printed card"),
        "escalation": _("Task"),
        "inbound": _("Received text"),
        "link": _("Link to a form"),
        "login": _("Session"),
        "message": _("Sent text or mail"),
        "participant": _("Participant"),
        "protocol_version": _("Version of the protocol"),
        "reach_test": _("Test of reachability"),
        "response": _("Answer"),
        "revelation": _("Revealed treatment"),
        "role": _("Role"),
        "user": _("Account"),
        "window": _("Window"),
    }


def _of_participants() -> dict[str, str]:
    return {
        "baseline": _("Baseline answers"),
        "channel": _("How they are asked"),
        "code": _("Code"),
        "confirmed_at": _("Procedure confirmed"),
        "consented_at": _("Consent to messages"),
        "died_at": _("Died"),
        "email": _("E-mail address"),
        "enrolled_at": _("Enrolled"),
        "first_text_at": _("First text"),
        "language": _("Language"),
        "opted_out_at": _("Stopped by a stop word"),
        "paused_at": _("Paused"),
        "paused_until": _("Paused until"),
        "phone": _("Telephone"),
        "phone_country": _("Country of the telephone"),
        "procedure_date": _("Procedure date"),
        "procedure_end": _("End of the procedure"),
        "protocol_version": _("Version of the protocol"),
        "protocol_version_id": _("Version of the protocol"),
        "schedule": _("Laying out of the windows"),
        "site": _("Site"),
        "site_id": _("Site"),
        "snoozed_until": _("Asked to be written to later"),
        "texts_held_until": _("Texts held until"),
        "unreachable_at": _("Not reachable by text"),
        "withdrawn_at": _("Withdrawn"),
        "zone": _("Time zone"),
    }


def _of_work() -> dict[str, str]:
    return {
        "acknowledged_at": _("Taken up"),
        "detail": _("Details"),
        "due_at": _("To be done by"),
        "handed_to": _("Handed to"),
        "level": _("Level"),
        "look_again_at": _("Postponed until"),
        "missing_reason": _("Why it stayed empty"),
        "mode": _("How it was asked"),
        "outcome": _("Outcome"),
        "reason": _("Reason"),
        "settled": _("Counted as"),
        "source": _("Where it came from"),
        "version": _("Version"),
        "window": _("Window"),
    }


def _of_texts() -> dict[str, str]:
    return {
        "alarm": _("Alarm"),
        "cause": _("Cause"),
        "confirmed_by": _("Confirmed by"),
        "error": _("Fault"),
        "expires_at": _("Expires"),
        "failure": _("Why it failed"),
        "frame": _("Wording"),
        "inbound": _("Received text"),
        "kind": _("Kind"),
        "reading": _("How it was read"),
        "seconds": _("Seconds"),
        "state": _("State"),
    }


def _of_accounts() -> dict[str, str]:
    return {
        "approval": _("Approval"),
        "away_until": _("Away until"),
        "digest": _("Mail with the day's work"),
        "mailed": _("Mail sent"),
        "mails_ended": _("Mails withdrawn"),
        "role": _("Role"),
        "second_factor": _("Second factor"),
        "sessions_ended": _("Sessions ended"),
        "sha256": _("Checksum (SHA-256)"),
        "sites": _("Sites"),
        "user": _("Account"),
    }

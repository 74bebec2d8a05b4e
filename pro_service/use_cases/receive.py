"""What providers bring: texts from telephones, and what became of ours. Kept first, in a transaction of its own."""

from collections.abc import Mapping

from pro_service.core.schedule.agenda import on_failure
from pro_service.gateways.codes import kind_of
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.messages import inbox, receipts
from pro_service.store.participants.cases import Loaded
from pro_service.store.schema import AnyRow
from pro_service.use_cases.carrying import Work, work
from pro_service.use_cases.interpret import interpret

PROVIDER = Actor(kind="provider", id="twilio", source="webhook")
LONGEST = 64


def receive(rt: Runtime, parameters: Mapping[str, str]) -> bool:
    """Keep a text, then read it. A repeated one changes nothing. False: it carries no id and cannot be kept.

    The web server does the same through `intake`, where nobody waits for the reading. A fault in reading it is not the
    provider's business: it is kept, and read again by the next tick.
    """
    provider_id = id_of(parameters)
    if provider_id is None:
        return False
    now = rt.clock()
    with rt.sessions.begin() as session:
        inbound_id = inbox.keep_text(session, rt.vault, provider_id, parameters, now)
    if inbound_id is not None:
        interpret(rt, inbound_id)
    return True


def id_of(parameters: Mapping[str, str]) -> str | None:
    """The provider's id of a text; None: it has none, or one that we cannot keep."""
    provider_id = parameters.get("MessageSid", "")
    return provider_id if 0 < len(provider_id) <= LONGEST else None


def take_receipt(rt: Runtime, token: str, parameters: Mapping[str, str]) -> bool:
    """Keep what became of a message, and act on a failure while the window can still be saved.

    `token` is the attempt's own, from the callback's address; a restored database may know the provider's id alone.
    False: it is about no message of ours.
    """
    now = rt.clock()
    said = {
        "provider_id": parameters.get("MessageSid", "")[:LONGEST],
        "status": parameters.get("MessageStatus", "").lower()[:20],
        "error": parameters.get("ErrorCode", "")[:10],
    }
    with work(rt, PROVIDER, now) as unit:
        meant = receipts.by_token(unit.session, token) or receipts.by_provider_id(unit.session, said["provider_id"])
        if meant is None or not said["provider_id"] or not said["status"]:
            return meant is not None
        if receipts.said_before(unit.session, said):
            return True
        # The participant first, as everywhere, so that two use cases never wait for each other.
        loaded = None if meant.participant_id is None else rt.loader.one(unit.session, meant.participant_id)
        told(unit, receipts.by_id(unit.session, meant.id), said, loaded)
    return True


def told(unit: Work, row: AnyRow, said: Mapping[str, str], loaded: Loaded | None = None) -> None:
    """Keep what a provider said of a message (`provider_id`, `status`, `error`), move it forward, act on a failure."""
    moved = receipts.keep(unit.session, row, said, unit.now)
    if moved is None or row.participant_id is None:
        return
    loaded = loaded or unit.rt.loader.one(unit.session, row.participant_id)
    error = said.get("error") or ""
    changes = {"state": (row.state, moved)} | ({"error": (None, error)} if error else {})
    unit.writer.note(loaded, "receipt", "message", row.id, changes)
    if moved in ("undelivered", "failed"):
        code = int(error) if error.isascii() and error.isdecimal() else None
        unit.carry_out(loaded, on_failure(loaded.case, row.window_id, kind_of(code), unit.now))
    elif row.accepted_at is None:
        # What was accepted before stays accepted for the rules, however far it got.
        unit.writer.look_anew(loaded)

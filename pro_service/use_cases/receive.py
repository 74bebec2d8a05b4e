"""What providers bring: texts from telephones, and what became of ours. Kept first, in a transaction of its own."""

from collections.abc import Mapping

from pro_service.core.failures import on_failure
from pro_service.gateways.codes import kind_of
from pro_service.runtime import Runtime
from pro_service.store import inbox, receipts
from pro_service.store.audit import Actor
from pro_service.use_cases.carrying import work
from pro_service.use_cases.interpret import interpret

PROVIDER = Actor(kind="provider", id="twilio", source="webhook")
LONGEST = 64


def receive(rt: Runtime, parameters: Mapping[str, str]) -> bool:
    """Keep a text, then read it. A repeated one changes nothing. False: it carries no id and cannot be kept.

    A fault in reading it is not the provider's business: it is kept, and read again by the next tick.
    """
    provider_id = parameters.get("MessageSid", "")
    if not provider_id or len(provider_id) > LONGEST:
        return False
    now = rt.clock()
    with rt.sessions.begin() as session:
        inbound_id = inbox.keep(session, rt.vault, provider_id, parameters, now)
    if inbound_id is not None:
        interpret(rt, inbound_id)
    return True


def take_receipt(rt: Runtime, token: str, parameters: Mapping[str, str]) -> bool:
    """Keep what became of a message, and act on a failure while the window can still be saved.

    `token` is the attempt's own, from the callback's address. False: no attempt of ours has it.
    """
    now = rt.clock()
    said = {
        "provider_id": parameters.get("MessageSid", "")[:LONGEST],
        "status": parameters.get("MessageStatus", "").lower()[:20],
        "error": parameters.get("ErrorCode", "")[:10],
    }
    with work(rt, PROVIDER, now) as unit:
        row = receipts.by_token(unit.session, token)
        if row is None or not said["provider_id"] or not said["status"]:
            return row is not None
        moved = receipts.keep(unit.session, row, said, now)
        if moved is None or row.participant_id is None:
            return True
        loaded = rt.loader.one(unit.session, row.participant_id)
        changes = {"state": (row.state, moved)} | ({"error": (None, said["error"])} if said["error"] else {})
        unit.writer.note(loaded, "receipt", "message", row.id, changes)
        if moved in ("undelivered", "failed"):
            code = int(said["error"]) if said["error"].isascii() and said["error"].isdecimal() else None
            unit.carry_out(loaded, on_failure(loaded.case, row.window_id, kind_of(code), now))
        else:
            unit.writer.look_anew(loaded)
    return True

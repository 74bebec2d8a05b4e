"""Prove to somebody else what the audit trail says of one participant."""

from pro_service.core.enrolment.cells import quoted
from pro_service.core.problems import RejectedError, problem
from pro_service.core.trail import merkle
from pro_service.core.trail.proof import Proof, Proved
from pro_service.runtime import Runtime
from pro_service.store import audit, seals
from pro_service.store.participants import cases
from pro_service.store.schema import AnyRow


def prove(rt: Runtime, study_id: int, code: str) -> Proof:
    """Return the proof of a participant's sealed rows.

    RejectedError: there is no such participant, or none of their rows is sealed yet.
    """
    with rt.sessions.reading() as session:
        participant_id = cases.find(session, study_id, code)
        if participant_id is None:
            raise RejectedError((problem("no_participant", "CODE", code=quoted(code)),))
        rows = {row.id: row for row in seals.rows_about(session, participant_id)}
        proved: list[Proved] = []
        for stored in seals.stored(session, rt.vault):
            number, ids = stored.seal.header.number, stored.seal.ids
            if not rows.keys().isdisjoint(ids):
                leaves = [merkle.leaf(seals.data(row)) for row in seals.rows_of(session, ids)]
                proved += [_proved(rows[one], number, leaves, place) for place, one in enumerate(ids) if one in rows]
        if not proved:
            raise RejectedError((problem("nothing_sealed", "CODE", code=quoted(code)),))
        return Proof(code, tuple(proved), tuple(seals.headers(session, first=proved[0].seal)))


def _proved(row: AnyRow, number: int, leaves: list[bytes], place: int) -> Proved:
    payload = audit.payload(seals.said_by(row)).decode()
    return Proved(payload, bytes(row.hmac), number, merkle.path(leaves, place))

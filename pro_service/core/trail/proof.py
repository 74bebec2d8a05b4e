"""A proof that one participant's rows stand in the sealed trail; checked with neither database nor key.

It holds each row as it was written, the hashes that lead from it to the root of its seal, and the chain of seals up to
the newest one. An anchor from outside (a mail, the log) shows that this is still the history of that time. That no row
was left out cannot be seen from a proof: for that, somebody who has the database makes a new one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pro_service.core.problems import RejectedError, problem
from pro_service.core.trail import merkle
from pro_service.core.trail.merkle import Step
from pro_service.core.trail.seals import Anchor, Header, anchor_of, as_json, from_json

FORMAT = "pro-service audit proof, version 1"
_SIDES = ("left", "right")


@dataclass(frozen=True, slots=True)
class Proved:
    """One row, and how its seal is reached from it."""

    payload: str
    hmac: bytes
    seal: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """The rows of one participant, and the seals from the first one of them to the newest."""

    participant: str
    """The participant's code."""
    rows: tuple[Proved, ...]
    seals: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A proof that holds."""

    participant: str
    rows: tuple[Mapping[str, Any], ...]
    """What each row says: column -> value, in the order of their ids."""
    newest: Anchor
    anchored: bool
    """Whether it was compared with an anchor from outside."""


def to_json(proof: Proof) -> str:
    """Return a proof as the text of a file."""
    said = {
        "format": FORMAT,
        "participant": proof.participant,
        "rows": [
            {
                "payload": row.payload,
                "hmac": row.hmac.hex(),
                "seal": row.seal,
                "path": [[side, sibling.hex()] for side, sibling in row.steps],
            }
            for row in proof.rows
        ],
        "seals": [as_json(header) | {"hash": header.hash.hex()} for header in proof.seals],
    }
    return json.dumps(said, ensure_ascii=False, indent=1) + "\n"


def from_text(text: str) -> Proof:
    """Read a proof; RejectedError if it is not one, or is cut short."""
    try:
        said = json.loads(text)
        proof = _proof(said) if said["format"] == FORMAT else None
    except (ValueError, KeyError, TypeError):
        proof = None
    if proof is None:
        raise RejectedError((problem("not_a_proof"),))
    return proof


def held(proof: Proof, anchor: Anchor | None) -> Held:
    """Return what a proof proves; RejectedError, with the first part that does not fit, if it proves nothing."""
    if not proof.seals:
        raise _refused("it holds no seal")
    for before, header in zip(proof.seals, proof.seals[1:], strict=False):
        if header.number != before.number + 1 or header.previous != before.hash:
            raise _refused(f"seal {header.number} does not follow seal {before.number}")
    if anchor is not None:
        kept = next((header for header in proof.seals if header.number == anchor.number), None)
        if kept is None or kept.hash != anchor.hash:
            raise _refused(f"seal {anchor.number} is not the one of the anchor")
    roots = {header.number: header.root for header in proof.seals}
    for row in proof.rows:
        found = merkle.root_of(merkle.leaf(row.payload.encode() + row.hmac), row.steps)
        if roots.get(row.seal) != found:
            raise _refused(f"row {_said(row.payload).get('id', '?')} is not in seal {row.seal}")
    said = tuple(_said(row.payload) for row in proof.rows)
    _check_participant(proof.participant, said)
    return Held(proof.participant, said, anchor_of(proof.seals[-1]), anchor is not None)


def _check_participant(code: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse rows that are not of this participant, or occur twice.

    The code at the head of a proof is sealed nowhere: the row of the enrolment says whose the rows are.
    """
    enrolments = [row for row in rows if (row.get("entity"), row.get("action")) == ("participant", "enrol")]
    if len(enrolments) != 1 or _said(enrolments[0].get("changes", "")).get("code") != [None, code]:
        raise _refused("no row says that they were enrolled under this code")
    known: set[object] = set()
    for row in rows:
        if row.get("participant_id") != enrolments[0].get("participant_id"):
            raise _refused(f"row {row.get('id', '?')} is about somebody else")
        if row.get("id") in known:
            raise _refused(f"row {row.get('id', '?')} occurs twice")
        known.add(row.get("id"))


def _proof(said: Mapping[str, Any]) -> Proof:
    rows = (
        Proved(str(row["payload"]), bytes.fromhex(row["hmac"]), int(row["seal"]), tuple(_steps(row["path"])))
        for row in said["rows"]
    )
    return Proof(str(said["participant"]), tuple(rows), tuple(from_json(header) for header in said["seals"]))


def _steps(path: Iterable[Sequence[str]]) -> Iterable[Step]:
    for side, sibling in path:
        if side not in _SIDES:
            raise ValueError(side)
        yield ("left" if side == "left" else "right", bytes.fromhex(sibling))


def _said(payload: str) -> dict[str, Any]:
    try:
        return dict(json.loads(payload))
    except (ValueError, TypeError):
        raise _refused("a row cannot be read") from None


def _refused(part: str) -> RejectedError:
    return RejectedError((problem("proof_differs", part=part),))

"""An enrolment file between its dry run and its confirmation: held by the browser, sealed, and nowhere else.

What is confirmed is what was looked at, byte for byte: nobody chooses the file a second time, and nothing of it is
kept here that would have to be deleted again.
"""

import base64
import binascii
import hashlib
import json
import zlib
from dataclasses import dataclass, field

from pro_service.core.problems import RejectedError, problem
from pro_service.runtime import Runtime
from pro_service.store.vault import UnreadableError, opened, sealed

PLACE = "held|enrolment"
LARGEST = 512 * 1024
"""Bytes of a file that a browser may send; larger ones are imported on the command line."""
MOST_HELD = 200_000
"""Characters of what the browser holds: a form is bounded."""


@dataclass(frozen=True, slots=True)
class Held:
    """A file as it was looked at, and its column mapping as TOML, if it has one."""

    data: bytes = field(repr=False)
    mapping: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of the file, in hexadecimal: what the dry run showed is what is confirmed."""
        return hashlib.sha256(self.data).hexdigest()


def hold(rt: Runtime, user_id: int, study_id: int, held: Held) -> str:
    """Seal a file for the browser of its owner. RejectedError if it is too large."""
    parts = {"user": user_id, "study": study_id, "mapping": held.mapping}
    head = json.dumps(parts).encode()
    packed = zlib.compress(len(head).to_bytes(4, "big") + head + held.data, 9)
    blob = base64.urlsafe_b64encode(sealed(rt.vault.system_key, packed, PLACE)).decode()
    if len(held.data) > LARGEST or len(blob) > MOST_HELD:
        raise RejectedError((problem("too_large_for_page"),))
    return blob


def open_held(rt: Runtime, user_id: int, study_id: int, blob: str) -> Held | None:
    """What `hold` sealed for this user and this study; None for anything else."""
    try:
        whole = zlib.decompress(opened(rt.vault.system_key, base64.urlsafe_b64decode(blob.encode()), PLACE))
    except (UnreadableError, binascii.Error, ValueError, zlib.error):
        return None
    end = 4 + int.from_bytes(whole[:4], "big")
    parts = json.loads(whole[4:end])
    if (parts["user"], parts["study"]) != (user_id, study_id):
        return None
    return Held(whole[end:], parts["mapping"])

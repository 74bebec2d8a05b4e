"""A seal says exactly which rows stood in the audit trail at a moment, and contains the hash of the seal before it.

Ids of rows come from one sequence that all tables share, and transactions end in another order than they began: ids
alone do not tell a deleted row from one that never existed. So a seal lists the ids of its rows one by one. It also
says below which id everything is settled: an id that was handed out over an hour ago and has no row never gets one.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pro_service.core.problems import RejectedError, problem

SETTLED_AFTER = timedelta(hours=1)
"""No transaction of this product takes longer: an id without a row by then will never have one."""
MOST_ROWS = 10_000
"""Rows that one seal covers at most; a check holds so many in memory."""
MARK = 2
"""Bytes of each leaf that a seal keeps, to name the row that has changed."""
FIRST_PREVIOUS = bytes(32)
"""What stands in the first seal in place of an earlier hash."""


@dataclass(frozen=True, slots=True)
class Header:
    """All of a seal but the ids of its rows: enough to check the chain."""

    number: int
    """1, 2, 3 … without a gap."""
    sealed_at: datetime
    rows: int
    root: bytes
    """Of the hash tree over its rows, in the order of their ids."""
    settled_below: int
    """Every row with a smaller id is in this seal or in an earlier one."""
    last_id: int
    """The highest id that had been handed out."""
    covers: bytes
    """SHA-256 of the ids of its rows and their marks, as they are stored."""
    previous: bytes
    """The hash of the seal before."""
    version: str
    """Of the product that made the seal."""

    @property
    def hash(self) -> bytes:
        """The seal's own hash: SHA-256 of its header as JSON, names sorted; checked without a key."""
        return hashlib.sha256(json.dumps(as_json(self), sort_keys=True, separators=(",", ":")).encode()).digest()


@dataclass(frozen=True, slots=True)
class Seal:
    """One seal, and the rows it covers."""

    header: Header
    ids: tuple[int, ...]
    marks: bytes
    """The first two bytes of the leaf of each row, in the order of `ids`."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Number and hash of a seal, kept out of reach of those who can change the database: `12:9f86d0…`."""

    number: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.hash.hex()}"


_ANCHOR = re.compile("([1-9][0-9]{0,17}):([0-9a-fA-F]{64})")


def anchor(text: str) -> Anchor:
    """Read an anchor as it stands in a mail or the log; RejectedError if it is not one."""
    found = _ANCHOR.fullmatch(text.strip())
    if found is None:
        raise RejectedError((problem("not_an_anchor", "anchor", given=text[:80]),))
    return Anchor(int(found[1]), bytes.fromhex(found[2]))


def anchor_of(header: Header) -> Anchor:
    """Return the anchor of a seal."""
    return Anchor(header.number, header.hash)


def packed(ids: Sequence[int], marks: bytes) -> bytes:
    """Return the ids of a seal's rows and their marks as they are stored: the distance from id to id, compressed."""
    distances = " ".join(str(here - before) for before, here in zip((0, *ids), ids, strict=False))
    return zlib.compress(distances.encode() + b"\n" + marks, 9)


def unpacked(stored: bytes) -> tuple[tuple[int, ...], bytes]:
    """Return ids and marks from what is stored; ValueError if it is damaged."""
    try:
        distances, _, marks = zlib.decompress(stored).partition(b"\n")
    except zlib.error as damage:
        raise ValueError("damaged ids of a seal") from damage
    ids, here = [], 0
    for distance in distances.split():
        here += int(distance)
        ids.append(here)
    return tuple(ids), marks


def covers(ids: Sequence[int], marks: bytes) -> bytes:
    """Return the hash of what a seal covers; it does not depend on the compression."""
    return hashlib.sha256(" ".join(map(str, ids)).encode() + b"\n" + marks).digest()


def as_json(header: Header) -> dict[str, Any]:
    """Return a header as JSON holds it: hashes in hexadecimal, the instant in UTC."""
    return {
        "number": header.number,
        "sealed_at": header.sealed_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
        "rows": header.rows,
        "root": header.root.hex(),
        "settled_below": header.settled_below,
        "last_id": header.last_id,
        "covers": header.covers.hex(),
        "previous": header.previous.hex(),
        "version": header.version,
    }


def from_json(said: Any) -> Header:
    """Return the header that JSON holds; ValueError, KeyError or TypeError if it holds none."""
    return Header(
        number=int(said["number"]),
        sealed_at=datetime.fromisoformat(said["sealed_at"]),
        rows=int(said["rows"]),
        root=bytes.fromhex(said["root"]),
        settled_below=int(said["settled_below"]),
        last_id=int(said["last_id"]),
        covers=bytes.fromhex(said["covers"]),
        previous=bytes.fromhex(said["previous"]),
        version=str(said["version"]),
    )

"""The hash tree of RFC 6962 (section 2.1): one hash for many rows, and a short proof that a row is among them."""

import hashlib
from collections.abc import Sequence
from typing import Literal, TypeAlias

Step: TypeAlias = tuple[Literal["left", "right"], bytes]
"""One step from a leaf up to the root: on which side the sibling stands, and its hash."""

EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf(data: bytes) -> bytes:
    """Return the hash of one row: SHA-256 of 00 and its bytes, so that no leaf can pass for a node."""
    return hashlib.sha256(b"\x00" + data).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over these leaves, in their order."""
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0] if level else EMPTY


def path(leaves: Sequence[bytes], place: int) -> tuple[Step, ...]:
    """Return the siblings from the leaf at `place` up to the root; IndexError if there is no such leaf."""
    level, steps = list(leaves), list[Step]()
    level[place]
    while len(level) > 1:
        sibling = place ^ 1
        if sibling < len(level):
            steps.append(("left" if sibling < place else "right", level[sibling]))
        level, place = _above(level), place // 2
    return tuple(steps)


def root_of(found: bytes, steps: Sequence[Step]) -> bytes:
    """Return the root that a leaf and its siblings lead to."""
    for side, sibling in steps:
        found = _node(sibling, found) if side == "left" else _node(found, sibling)
    return found


def _above(level: Sequence[bytes]) -> list[bytes]:
    """Return the level above; a hash without a sibling moves up as it is, as in the tree of the RFC."""
    pairs = [_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()

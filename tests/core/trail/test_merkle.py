"""The hash tree is that of RFC 6962, and a short path proves a row."""

import hashlib

import pytest

from pro_service.core.trail import merkle

EIGHT = [
    *(b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43"),
    *(b"\x50\x51\x52\x53\x54\x55\x56\x57", b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"),
]
"""The leaves that implementations of RFC 6962 are commonly compared with."""


@pytest.mark.parametrize(
    "size, root",
    [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ],
)
def test_roots_are_those_of_the_rfc(size: int, root: str) -> None:
    assert merkle.root([merkle.leaf(data) for data in EIGHT[:size]]).hex() == root


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13, 64, 65])
def test_each_row_is_proved_by_its_path_alone(size: int) -> None:
    leaves = [merkle.leaf(bytes([n])) for n in range(size)]
    root = merkle.root(leaves)
    for place, leaf in enumerate(leaves):
        steps = merkle.path(leaves, place)
        assert merkle.root_of(leaf, steps) == root
        assert len(steps) <= size.bit_length()
        assert merkle.root_of(merkle.leaf(b"another"), steps) != root
    with pytest.raises(IndexError):
        merkle.path(leaves, size)


def test_no_leaf_passes_for_a_node() -> None:
    left, right = merkle.leaf(b"a"), merkle.leaf(b"b")
    assert merkle.root([left, right]) == hashlib.sha256(b"\x01" + left + right).digest()
    assert merkle.leaf(b"\x01" + left + right) != merkle.root([left, right])

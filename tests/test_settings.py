"""Settings that decide how safe an installation is, as they are read."""

from pathlib import Path
from typing import get_args

import pytest

from pro_service.core.protocol import Role
from pro_service.settings import SettingsError
from tests.peers.configuration import settings_for

EVERY_ROLE = frozenset(get_args(Role))
HTTP, HTTPS = "http://127.0.0.1:8025", "https://pro.example.org"


@pytest.mark.parametrize(
    "address, given, roles",
    [
        (HTTPS, "", EVERY_ROLE),
        ("HTTPS://pro.example.org", "", EVERY_ROLE),
        (HTTPS, "none", frozenset()),
        (HTTPS, "monitor", {"monitor"}),
        (HTTP, "", frozenset()),
        (HTTP, "all", EVERY_ROLE),
    ],
)
def test_over_https_everybody_needs_a_second_factor_unless_told_otherwise(
    tmp_path: Path, address: str, given: str, roles: frozenset[str]
) -> None:
    read = settings_for("sqlite:///:memory:", tmp_path, PUBLIC_BASE_URL=address, SECOND_FACTOR_ROLES=given)
    assert read.second_factor_roles == roles


@pytest.mark.parametrize("given", ["none, monitor", "nobody", "all none"])
def test_a_slip_in_the_roles_leaves_nobody_without_one(tmp_path: Path, given: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_for("sqlite:///:memory:", tmp_path, SECOND_FACTOR_ROLES=given)
    assert [fault.code for fault in caught.value.faults] == ["setting_no_role"]

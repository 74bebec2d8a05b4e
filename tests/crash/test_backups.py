"""The short version of `python -m tests.crash.backups`: what is killed leaves the old whole, and nothing half there."""

import json
import subprocess
import sys

import pytest

from tests.peers import places


@pytest.mark.parametrize(
    "database, works", [("sqlite", "backup restore upgrade copy"), ("postgresql", "restore upgrade")]
)
def test_a_backup_restore_upgrade_or_copy_that_is_killed_leaves_nothing_half_there(database: str, works: str) -> None:
    command = [sys.executable, "-m", "tests.crash.backups", "--database", database, "--kills", "3"]
    asked = [*command, "--works", *works.split()]
    done = subprocess.run(asked, cwd=places.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    found = json.loads(done.stdout)
    assert {work: (one["broken"], one["kills"]) for work, one in found.items()} == dict.fromkeys(works.split(), ([], 3))

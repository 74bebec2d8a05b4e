"""Short versions of `python -m tests.crash.keys` and `.reseal`: what is killed while it changes keys loses none."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.peers import databases, places


def killed(database_url: str, program: str, rows: int) -> dict[str, Any]:
    """Kill a program again and again in a process of its own; return its figures."""
    command = [sys.executable, "-m", f"tests.crash.{program}", "--database", database_url]
    more = ["--rows", str(rows), "--kills", "5"]
    done = subprocess.run([*command, *more], cwd=places.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


@databases.ON_BOTH
@pytest.mark.parametrize("program, rows, whole", [("keys", 6_000, {"k1_may_go": True}), ("reseal", 3_000, {"left": 0})])
def test_a_change_of_keys_that_is_killed_again_and_again_loses_nothing(
    database_url: str, program: str, rows: int, whole: dict[str, object]
) -> None:
    found = killed(database_url, program, rows)
    assert found | whole | {"unreadable": 0, "kills": 5} == found
    assert found["ended_before_the_kill"] < found["kills"]

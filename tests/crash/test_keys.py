"""The short version of `python -m tests.crash.keys`: a rotation of keys that is killed loses nothing."""

import json
import subprocess
import sys

from tests.peers import databases, places


@databases.ON_BOTH
def test_a_rotation_that_is_killed_again_and_again_loses_no_key(database_url: str) -> None:
    command = [sys.executable, "-m", "tests.crash.keys", "--database", database_url, "--rows", "6000", "--kills", "5"]
    done = subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    found = json.loads(done.stdout)
    assert (found["unreadable"], found["kills"], found["k1_may_go"]) == (0, 5, True)
    assert found["ended_before_the_kill"] < found["kills"]

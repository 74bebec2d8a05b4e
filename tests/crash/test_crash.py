"""The short version of `./dev crash`: texts through a faulty provider, while the senders are killed at random."""

import json
import subprocess
import sys

from tests.peers import places

SEED = "8"
"""One with which the web server is among the victims."""


def test_nothing_is_lost_and_nothing_is_sent_twice(database_url: str) -> None:
    # In a process of its own: it forks, and only a process without threads may.
    command = [sys.executable, "-m", "tests.crash", "--messages", "300", "--kills", "30", "--every", "0.2"]
    done = subprocess.run(
        [*command, "--seed", SEED, "--database", database_url, "--json"],
        cwd=places.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    found = json.loads(done.stdout)
    assert found["accepted"] + found["task"] == found["messages"] == 300
    assert (found["lost"], found["duplicated"], found["unsettled"]) == (0, 0, 0)
    assert (found["kills"], found["died"]) == (30, 0)
    assert found["web_kills"]
    # It was a bad day indeed: some attempts did not live to be written down, and some nobody could tell the fate of.
    assert found["attempts"]["-"] > 0
    assert any(what.startswith("uncertain") for what in found["attempts"])

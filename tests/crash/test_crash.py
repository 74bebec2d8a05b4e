"""The short version of `./dev crash`: texts through a faulty provider, while the senders are killed at random."""

import json
import subprocess
import sys
from typing import Any

from tests.peers import databases, places

pytestmark = databases.ON_BOTH

SEED = "8"
"""One with which the web server is among the victims."""


def crashed(database_url: str, *more: str) -> dict[str, Any]:
    """Run it in a process of its own: it forks, and only a process without threads may. Gives the figures."""
    command = [sys.executable, "-m", "tests.crash", "--database", database_url, "--json", *more]
    done = subprocess.run(command, cwd=places.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def test_nothing_is_lost_and_nothing_is_sent_twice(database_url: str) -> None:
    found = crashed(database_url, "--messages", "300", "--kills", "30", "--every", "0.2", "--seed", SEED)
    assert found["accepted"] == found["messages"] >= 300
    assert (found["lost"], found["duplicated"], found["unsettled"], found["needless"]) == (0, 0, 0, 0)
    assert (found["kills"], found["died"]) == (30, 0)
    assert found["web_kills"]
    # It was a bad day indeed: some attempts did not live to be written down, and some nobody could tell the fate of.
    assert found["attempts"]["-"] > 0
    assert any(what.startswith("uncertain") for what in found["attempts"])


def test_five_schedulers_and_three_web_servers_share_one_database(database_url: str) -> None:
    found = crashed(database_url, "--messages", "200", "--kills", "0", "--burst", "--senders", "5", "--webs", "3")
    # Each text was claimed once, and nobody saw a lock: neither in a log nor as a page that was not there.
    assert found["attempts"] == {"accepted": 200}
    assert (found["accepted"], found["duplicated"], found["unsettled"], found["died"]) == (200, 0, 0, 0)
    assert set(found["logged"]) <= {f"visit.{slow} VisitError None" for slow in ("0", "200", "404")}

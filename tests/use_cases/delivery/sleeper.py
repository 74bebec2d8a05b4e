"""A sender that is stopped between its claim and its call: `python -m tests.use_cases.delivery.sleeper HOME`.

It stops itself with SIGSTOP, as a machine that goes to sleep does; whoever goes on with it may have set the clock.
"""

import json
import os
import signal
import sys
import threading
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

from pro_service import settings
from pro_service.gateways.outgoing import Accepted, Outgoing
from pro_service.runtime import open_runtime
from pro_service.store.messages.outbox import Claimed, Outcome
from pro_service.use_cases.delivery.attempt import Sending
from pro_service.use_cases.delivery.deliver import deliver
from tests.telephones import Telephones


class Telling(Telephones):
    """Prints that a text has left."""

    def send(self, outgoing: Outgoing) -> Accepted:
        """Take it."""
        sys.stdout.write("left\n")
        return super().send(outgoing)


def main(home: Path) -> None:
    """Claim, stop, and go on when somebody lets it."""
    one = Sending.one

    def asleep(self: Sending, claimed: Claimed, now: datetime, started: float) -> Outcome:
        # To this thread: a signal to the process may stop another one first, and this one too late.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        return one(self, claimed, now, started)

    Sending.one = asleep  # type: ignore[method-assign]
    opened = open_runtime(settings.load(home / "sleeper.env", os.environ))
    rt = replace(opened, texts={"sms": Telling()})
    sys.stdout.write(json.dumps(asdict(deliver(rt))) + "\n")
    opened.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

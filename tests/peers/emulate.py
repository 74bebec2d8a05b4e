"""A Twilio that we did not write: npm's emulate, which keeps messages and sends signed webhooks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers import places, servers


@dataclass(frozen=True, slots=True)
class Emulate:
    """A running emulator: what a client needs to use it."""

    url: str
    account_sid: str = "AC00000000000000000000000000000000"
    auth_token: str = "12345"
    number: str = "+15551234567"


@contextmanager
def running(folder: Path, inbound_url: str = "") -> Iterator[Emulate]:
    """Run an emulator while the block runs.

    Texts to its number are posted to `inbound_url`. Its helpers take POST: /_twilio/simulate/inbound-message (To, From,
    Body) and /_twilio/simulate/message-status.
    """
    port = servers.free_port()
    emulator = Emulate(f"http://127.0.0.1:{port}")
    seed = folder / f"emulate-{port}.json"
    number = {"phone_number": emulator.number, **({"sms_url": inbound_url} if inbound_url else {})}
    account = {"sid": emulator.account_sid, "auth_token": emulator.auth_token}
    numbers = [number, {**number, "phone_number": f"whatsapp:{emulator.number}"}]
    seed.write_text(json.dumps({"twilio": {"account": account, "phone_numbers": numbers}}), encoding="utf-8")
    program = places.npm_package("emulate") / "dist" / "index.js"
    command: list[str | Path] = [
        places.node(),
        program,
        "start",
        "--service",
        "twilio",
        "--port",
        str(port),
        "--seed",
        seed,
    ]
    with servers.running(command, emulator.url, folder / f"emulate-{port}.log"):
        yield emulator

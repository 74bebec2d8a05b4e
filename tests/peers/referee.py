"""A referee between a client and its Twilio: Prism, which holds both to Twilio's own OpenAPI description."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers import places, servers

HEADER = "sl-violations"


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One breach of the description: where (`response.body.uri`) and which of its rules; a status has no rule."""

    where: str
    rule: str
    says: str


@contextmanager
def running(folder: Path, upstream: str) -> Iterator[str]:
    """Pass every request on to `upstream` while the block runs, and say where to send them."""
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}"
    program = places.npm_package("@stoplight/prism-cli") / "dist" / "index.js"
    command: list[str | Path] = [places.node(), program, "proxy", "--port", str(port), "--host", "127.0.0.1"]
    # It answers with what came from upstream, whatever it thinks of it, and says in a header what it thinks.
    command += ["--verboseLevel", "warn", places.openapi(), upstream]
    with servers.running(command, url, folder / f"referee-{port}.log"):
        yield url


def violations(headers: Mapping[str, str]) -> list[Violation]:
    """Read what the referee says of one request and its answer."""
    return [
        Violation(".".join(said["location"]), said.get("code", ""), said["message"])
        for said in json.loads(headers.get(HEADER, "[]"))
    ]

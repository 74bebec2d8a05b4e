"""A time-stamping authority of our own: openssl's, behind an HTTP server on the loopback."""

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.peers.places import PeerMissingError

_CONFIGURATION = """\
[tsa]
default_tsa = here
[here]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[stamping]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
"""


@dataclass(slots=True)
class Authority:
    """A running authority.

    `mood`: signs, refuses (no grant), fails (HTTP 500), says nonsense, is slow, sends elsewhere, breaks off in the
    middle of what it says, or drips.
    """

    folder: Path
    url: str = ""
    mood: str = "signs"
    asked: int = 0
    slow_for: float = 3.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def certificate(self) -> Path:
        """The certificate of the authority behind it, as its users keep it."""
        return self.folder / "ca.pem"

    def answer(self, query: bytes) -> bytes:
        """Return what it answers to a query."""
        with self._lock:
            if self.mood == "refuses":
                query = b"no query"
            (self.folder / "query").write_bytes(query)
            openssl(self.folder, "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
            return (self.folder / "reply").read_bytes()


@contextmanager
def running(folder: Path) -> Iterator[Authority]:
    """Make the authority's keys, and let it answer for the length of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tsa.cnf").write_text(_CONFIGURATION, encoding="ascii")
    (folder / "serial").write_text("01", encoding="ascii")
    name, key = ("-subj", "/CN=Authority of the tests"), ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    with_key = ("req", "-config", "tsa.cnf", *key, "-nodes")
    (folder / "tsa.cnf").write_text(f"{_CONFIGURATION}[req]\ndistinguished_name = dn\n[dn]\n", encoding="ascii")
    openssl(
        folder, *with_key, "-x509", "-extensions", "ca", *name, "-days", "30", "-keyout", "ca.key", "-out", "ca.pem"
    )
    openssl(folder, *with_key, "-subj", "/CN=Clock of the tests", "-keyout", "tsa.key", "-out", "tsa.csr")
    signed = ("-extfile", "tsa.cnf", "-extensions", "stamping", "-days", "30", "-out", "tsa.pem")
    openssl(folder, "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", *signed)
    authority = Authority(folder)

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            authority.asked += 1
            if authority.mood == "slow":
                time.sleep(authority.slow_for)
            reply = b"nonsense" if authority.mood == "nonsense" else authority.answer(query)
            self.send_response({"fails": 500, "elsewhere": 307}.get(authority.mood, 200))
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(reply) + (authority.mood == "breaks off")))
            self.send_header("Location", authority.url)
            with suppress(ConnectionError):  # whoever asked did not wait
                self.end_headers()
                pieces = [bytes([byte]) for byte in reply[:100]] if authority.mood == "drips" else [reply]
                for piece in pieces:
                    self.wfile.write(piece)
                    time.sleep(0.1 if authority.mood == "drips" else 0)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    authority.url = f"http://127.0.0.1:{server.server_port}/tsr"
    try:
        yield authority
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def openssl(folder: Path, *arguments: str) -> None:
    """Run openssl in a folder; CalledProcessError if it says no."""
    program = shutil.which("openssl")
    if program is None:
        raise PeerMissingError("openssl")
    subprocess.run([program, *arguments], cwd=folder, check=True, capture_output=True)

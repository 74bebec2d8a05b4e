"""A real pgbouncer in transaction mode before a PostgreSQL, for trials by hand: it is in no package index."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.peers import places, servers
from tests.peers.postgres import Postgres

_WITHIN = 10.0  # seconds


@contextmanager
def before(server: Postgres, database: str) -> Iterator[str]:
    """Give the address of a database through pgbouncer while the block runs. PeerMissingError if there is none."""
    program = shutil.which("pgbouncer")
    if program is None:
        raise places.PeerMissingError("pgbouncer is not installed. Debian: apt install pgbouncer")
    port = servers.free_port()
    with tempfile.TemporaryDirectory(prefix="pro-pgbouncer-") as name:
        folder, nobody = Path(name), pwd.getpwnam("nobody")
        user = nobody.pw_uid if os.geteuid() == 0 else None  # it refuses to run as root
        if user is not None:
            folder.chmod(0o755)
            server.sockets.chmod(0o755)
        told = folder / "pgbouncer.ini"
        told.write_text(
            f"[databases]\n* = host={server.sockets} user=postgres\n[pgbouncer]\nlisten_addr=127.0.0.1\n"
            f"listen_port={port}\nauth_type=any\npool_mode=transaction\nunix_socket_dir=\nmax_client_conn=500\n"
            "default_pool_size=12\nignore_startup_parameters=options\n",
            encoding="utf-8",
        )
        process = subprocess.Popen((program, "-q", told), user=user, cwd="/", stderr=subprocess.DEVNULL)
        url = f"postgresql://postgres@127.0.0.1:{port}/{database}"
        try:
            _wait(url)
            yield url
        finally:
            process.terminate()
            process.wait(_WITHIN)


def _wait(url: str) -> None:
    deadline = time.monotonic() + _WITHIN
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError as fault:
            if time.monotonic() > deadline:
                raise places.PeerMissingError("pgbouncer did not start") from fault
            time.sleep(0.05)
        else:
            return

"""What the machine is: a ratio says little without its cores, its disk and who else is at work."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from pro_service.store.database import make_engine, sqlite_module
from tests.bench.places import Places
from tests.bench.rounds import typical

SYNCS = 100
PAGE = bytes(4096)
CPU = Path("/proc/cpuinfo")

Machine = dict[str, str | int | float]


def seen(places: Places, databases: Sequence[str]) -> Machine:
    """Look at this machine, before anything is measured."""
    load = os.getloadavg()[0]
    found: Machine = {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": round(load, 2),
        "fsync ms": round(_fsync(places.folder) * 1e3, 2),
        "sqlite": str(sqlite_module().sqlite_version),
    }
    return found | ({"postgresql": _postgresql(places)} if "postgresql" in databases else {})


def told(machine: Machine) -> str:
    """Say it in one line."""
    return ", ".join(f"{name} {value}" for name, value in machine.items())


def _processor() -> str:
    rows = CPU.read_text(encoding="utf-8").splitlines() if CPU.exists() else []
    return next((row.partition(":")[2].strip() for row in rows if row.startswith("model name")), platform.machine())


def _fsync(folder: Path) -> float:
    """How long a page takes to reach the disk that the databases lie on, in seconds."""
    file = folder / "fsync"
    with file.open("wb", buffering=0) as out:

        def keep() -> None:
            out.write(PAGE)
            os.fsync(out.fileno())

        took = typical(keep, SYNCS)
    file.unlink()
    return took


def _postgresql(places: Places) -> str:
    url = places.url("postgresql")
    engine = make_engine(url)
    with engine.connect() as connection:
        version = str(connection.exec_driver_sql("SHOW server_version").scalar_one())
    engine.dispose()
    places.gone(url)
    return version

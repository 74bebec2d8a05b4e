"""`./dev bench`: measure, print the table, write JSON."""

import argparse
import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from tests.bench import (
    beside,
    dashboard,
    drain,
    enrolment,
    export,
    footprint,
    idle,
    inbound,
    machine,
    send,
    sheet,
    trail,
)
from tests.bench.places import KINDS, Kind, Places, places
from tests.bench.rounds import Line, Plan, with_slopes
from tests.bench.stories import Story, lived

Measure: TypeAlias = Callable[[Places, Plan, Kind, tuple[Story, ...]], Iterator[Line]]

MEASURES: Mapping[str, Measure] = {
    "H1": drain.measure,
    "H2": idle.measure,
    "H3": send.measure,
    "H4": inbound.measure,
    "H5": enrolment.measure,
    "H6": dashboard.measure,
    "H7": export.measure,
    "H8": footprint.measure,
    "H9": trail.measure,
    "BESIDE": beside.measure,
}
ROUNDS, QUICK_ROUNDS = 5, 2


def main() -> int:
    """Measure what was asked for; 1 if work that was timed was not done right (it raises)."""
    options = parser().parse_args()
    chosen = [name for name in MEASURES if not options.only or name in options.only]
    quick: bool = options.quick
    plan = Plan(
        rounds=QUICK_ROUNDS if quick else ROUNDS,
        sizes=options.sizes or ((1_000, 10_000) if quick else (1_000, 10_000, 100_000)),
        ahead=options.ahead or ((0, 10_000) if quick else (0, 100_000)),
        due=options.due or (500 if quick else 2_000),
        calls=600 if quick else 3_000,
        databases=options.databases,
        quick=quick,
    )
    lines: list[Line] = []
    with places() as folder:
        here = machine.seen(folder, plan.databases)
        say(machine.told(here))
        say("Running through the stories that crowds are copied from")
        stories = lived(folder)
        for name in chosen:
            for kind in KINDS:
                if kind not in plan.databases:
                    continue
                say(f"{name} on {kind}")
                # As the scheduler does: what is loaded now stays, and need not be looked through for garbage.
                gc.collect()
                gc.freeze()
                for line in MEASURES[name](folder, plan, kind, stories):
                    say(sheet.table([line]).splitlines()[-1])
                    lines.append(line)
    lines = with_slopes(lines)
    sys.stdout.write(f"{machine.told(here)}\n{sheet.table(lines)}\n")
    if options.json:
        sheet.write(options.json, here, lines)
    return 0


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    top.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes")
    top.add_argument("--only", type=lambda text: text.upper().split(","), help=f"some of {','.join(MEASURES)}")
    top.add_argument("--sizes", type=numbers, help="participants, for instance 1e3,1e4,1e5")
    top.add_argument("--ahead", type=numbers, help="H1: windows in the future, for instance 0,1e6")
    top.add_argument("--due", type=lambda text: numbers(text)[0], help="H1: participants due at once")
    top.add_argument("--databases", type=lambda text: tuple(text.split(",")), default=KINDS, help=",".join(KINDS))
    top.add_argument("--json", type=Path, help="write the figures there as well")
    return top


def numbers(text: str) -> tuple[int, ...]:
    """Read `1e3,1e4`."""
    return tuple(int(float(part)) for part in text.split(","))


def say(text: str) -> None:
    """Tell how far it is, beside the table."""
    sys.stderr.write(f"— {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())

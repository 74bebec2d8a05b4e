"""`./dev simulate`: live through years of a trial, and say what was broken and how to see it again."""

import argparse
import json
import logging
import sys
import time
from pathlib import Path

from tests.simulation import plants
from tests.simulation.ledger import Ledger
from tests.simulation.life import MOST, Life
from tests.simulation.places import Kind, Places, places

SHOWN = 40
"""Lines of the ledger that are printed before a broken promise."""


def main() -> int:
    """Live through as many runs as are asked for; 1 if a promise was broken."""
    options = parser().parse_args()
    logging.getLogger("pro_service").setLevel(logging.CRITICAL)
    seeds = [options.seed] if options.seed is not None else list(range(options.first, options.first + options.seeds))
    kind: Kind = options.database
    more = "".join(
        f" --{name} {value}"
        for name, value in (("database", kind), ("people", options.people), ("plant", options.plant))
        if value != parser().get_default(name)
    )
    broken: dict[int, Ledger] = {}
    began = time.perf_counter()
    with places(kind) as here:
        for done, seed in enumerate(seeds, 1):
            ledger = run(here, seed, options.plant, options.people)
            if ledger.violations:
                broken[seed] = ledger
                say(f"\n{report(seed, ledger, more)}")
            say(f"\r{done}/{len(seeds)} runs, {len(broken)} broken, {time.perf_counter() - began:.0f} s ", end="")
    say("")
    if options.json:
        write(options.json, seeds, broken, time.perf_counter() - began)
    return 1 if broken else 0


def run(here: Places, seed: int, plant: str | None = None, most: int = MOST) -> Ledger:
    """Live through one run on a fresh database."""
    life = Life(seed, here.made, most)
    with here.fresh(life.boundary) as rt:
        life.open(rt)
        if plant is not None:
            plants.PLANTS[plant](life)
        return life.live()


def report(seed: int, ledger: Ledger, more: str = "") -> str:
    """What was broken, the last that happened before it, and how to see it again."""
    again = f"./dev simulate --seed {seed}{more}"
    return "\n".join([f"Seed {seed}:", *map(str, ledger.violations), "", *ledger.last(SHOWN), "", again])


def write(file: Path, seeds: list[int], broken: dict[int, Ledger], seconds: float) -> None:
    """Write the result as JSON."""
    found = {str(seed): [str(violation) for violation in ledger.violations] for seed, ledger in broken.items()}
    result = {"runs": len(seeds), "first": seeds[0], "seconds": round(seconds, 1), "broken": found}
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(prog="./dev simulate", description=__doc__)
    top.add_argument("--seeds", type=int, default=100, help="how many runs (100)")
    top.add_argument("--first", type=int, default=1, help="the first seed (1)")
    top.add_argument("--seed", type=int, help="this run alone")
    top.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    top.add_argument("--people", type=int, default=MOST, help=f"how many participants a run has at most ({MOST})")
    top.add_argument("--plant", choices=sorted(plants.PLANTS), help="with a fault that must be found")
    top.add_argument("--json", type=Path, help="write the result there as well")
    return top


def say(text: str, end: str = "\n") -> None:
    """Tell how far it is."""
    sys.stderr.write(text + end)
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())

"""Work that is done in batches, in a process that is killed again and again."""

import argparse
import os
import random
import signal
import time
from collections.abc import Callable
from typing import TypeAlias

Work: TypeAlias = Callable[[Callable[[], None]], object]
"""Called in a process of its own, with what it must call after each batch."""


def asked(program: str, description: str | None, rows: tuple[int, str], work: str) -> argparse.Namespace:
    """Read the command line of a program that kills `work`; `rows`: how many there are, and of what."""
    top = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    many, what = rows
    top.add_argument("--rows", type=int, default=many, help=f"{what} (default %(default)s)")
    top.add_argument("--kills", type=int, default=50, help=f"how often {work} is killed (default %(default)s)")
    top.add_argument("--database", default="sqlite", help="sqlite, postgresql, or the address of an empty one")
    top.add_argument("--seed", type=int, default=7, help="of the moments of the kills (default %(default)s)")
    return top.parse_args()


def killed(work: Work, batches: float, kills: int, seed: int) -> int:
    """Start the work and kill it, so often; return how many processes had ended before.

    Not after a time but after a random number of batches: each kill hits a process that is at work. Together they do
    three fifths of all `batches`, on average.
    """
    dice = random.Random(seed)  # noqa: S311 -- the same run again, as far as the machine allows
    each, ended = batches * 3 / (5 * kills), 0
    for _ in range(kills):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            _do(work, writing)
        os.close(writing)
        wanted, seen = dice.uniform(0, 2 * each), 0
        while seen < wanted and (told := os.read(reading, 4096)):
            seen += len(told)
        time.sleep(dice.random() * 0.02)
        os.kill(child, signal.SIGKILL)
        ended += os.WIFEXITED(os.waitpid(child, 0)[1])
        os.close(reading)
    return ended


def _do(work: Work, writing: int) -> None:
    def told() -> None:
        os.write(writing, b".")

    try:
        work(told)
    finally:
        os._exit(0)

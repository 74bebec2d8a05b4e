"""Work that is done in batches, in a process that is killed again and again."""

import os
import random
import signal
import time
from collections.abc import Callable
from typing import TypeAlias

Work: TypeAlias = Callable[[Callable[[], None]], object]
"""Called in a process of its own, with what it must call after each batch."""


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

"""One run: start the programs, kill them at random until it is enough, wait until everything is settled, judge."""

import contextlib
import gc
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from pro_service import paths, runtime
from pro_service.store.database import Sessions, make_engine
from pro_service.use_cases import study
from tests.crash import programs, verdict
from tests.crash.verdict import Verdict
from tests.crash.world import LAGS, Plan
from tests.peers import servers

WEB_SHARE = 0.05
"""So many kills hit the web server rather than a sender."""
LOOK_EVERY = 1.0
STEP = 1.0
"""By so many times the usual pause two kills may be further apart for the messages to keep step."""
SAY_EVERY = 5.0
START_WITHIN = 30.0
COUNTRY = "TR"
"""Where everybody's site is."""
OPEN = ("ready", "sending", "uncertain")


@dataclass(slots=True)
class Crash:
    """A run, and what it came to."""

    plan: Plan
    senders: list[int] = field(default_factory=list)
    webs: list[int] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    kills: int = 0
    web_kills: int = 0
    later: int = 0
    """Participants who were enrolled while the last texts were in doubt."""
    died: int = 0
    """Programs that ended although nobody had killed them."""
    states: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    looked_at: float = 0.0
    said_at: float = 0.0

    def run(self) -> Verdict:
        """Do it all; gives what became of the messages."""
        self._prepare()
        gc.collect()
        gc.freeze()  # what is imported by now is shared with every child, unless the collector writes into it
        began = time.monotonic()
        try:
            self._start()
            self._kill_at_random()
            self._until_settled()
            self.seconds = time.monotonic() - began
            time.sleep(LAGS + 0.5)  # the provider's list shows everything
            return verdict.judge(self.plan, self.plan.messages + self.later)
        finally:
            for pid in (*self.senders, *self.webs, *self.others):
                self._kill(pid)
            self.plan.listener.close()

    def _prepare(self) -> None:
        settings = self.plan.settings
        runtime.upgrade(settings, test=True)
        runtime.holidays_of(COUNTRY)  # kept for the life of a process: children need not work them out again
        rt = runtime.open_runtime(settings)
        try:
            study.load(rt, programs.ACTOR, (paths.protocols() / "demo.toml").read_text(encoding="utf-8"))
        finally:
            rt.close()

    def _start(self) -> None:
        self.others.append(self._fork(programs.simulate))
        self.webs = [self._fork(programs.serve) for _ in range(self.plan.webs)]
        for url in (self.plan.simulator_url, self.plan.web_url):
            _wait_for(url)
        enrolling = self._fork(programs.enrol)
        if self.plan.burst:
            os.waitpid(enrolling, 0)
            self.others.append(self._fork(programs.visit))
        else:
            self.others.append(enrolling)
        self.senders = [self._fork(programs.send) for _ in range(self.plan.senders)]

    def _fork(self, work: Callable[[Plan], None]) -> int:
        return programs.fork(work, self.plan, self.plan.folder / f"{work.__name__}.log")

    def _kill_at_random(self) -> None:
        dice = random.Random(self.plan.seed)  # noqa: S311 -- the same run again, as far as two cores allow
        while self.kills < self.plan.kills:
            self._wait(dice.expovariate(1 / self.plan.every))
            self._keep_step()
            if dice.random() < WEB_SHARE:
                number = dice.randrange(len(self.webs))
                self._kill(self.webs[number])
                self.webs[number] = self._fork(programs.serve)
                self.web_kills += 1
            else:
                number = dice.randrange(len(self.senders))
                self._kill(self.senders[number])
                self.senders[number] = self._fork(programs.send)
                self.kills += 1

    def _keep_step(self) -> None:
        """On a slow machine wait a little for the messages, or all kills would hit senders that have sent nothing."""
        until = time.monotonic() + STEP * self.plan.every
        wanted = self.plan.messages * self.kills / self.plan.kills
        while time.monotonic() < until and self.through < wanted:
            self._wait(self.plan.every / 5)

    @property
    def through(self) -> int:
        """How many messages were settled when somebody looked last."""
        return self.states.total() - sum(self.states[state] for state in OPEN)

    def _until_settled(self) -> None:
        """All messages are there and none is open; or patience is over, and the verdict will say so.

        In a study there is always a next text, which shows whether the provider's list works: while only texts in doubt
        are left, somebody else is enrolled now and then.
        """
        until = time.monotonic() + self.plan.patience
        while time.monotonic() < until:
            self._wait(LOOK_EVERY)
            if self.states.total() < self.plan.messages + self.later:
                continue
            if not any(self.states[state] for state in OPEN):
                return
            if not self.states["ready"] and not self.states["sending"]:
                self.others.append(
                    programs.fork(
                        partial(programs.enrol_one, number=self.plan.messages + self.later),
                        self.plan,
                        self.plan.folder / "enrol_one.log",
                    )
                )
                self.later += 1

    def _wait(self, seconds: float) -> None:
        """Let time pass; look, now and then, how far it is, and restart what ended by itself."""
        until = time.monotonic() + seconds
        if time.monotonic() - self.looked_at >= LOOK_EVERY:
            self._look()
            self._restart()
        time.sleep(max(until - time.monotonic(), 0))

    def _look(self) -> None:
        self.looked_at = time.monotonic()
        sessions = Sessions(make_engine(self.plan.settings.database_url, pool_size=1))
        try:
            with sessions.reading() as session:
                self.states = verdict.states(session)
        finally:
            sessions.close()  # before the next fork
        if self.looked_at - self.said_at >= SAY_EVERY:
            self.said_at = self.looked_at
            counts = ", ".join(f"{state} {count}" for state, count in sorted(self.states.items()))
            restarts = self.kills + self.web_kills + self.died
            say(f"{self.kills} kills, {restarts} restarts; of {self.plan.messages} messages {counts or 'none yet'}")

    def _restart(self) -> None:
        for programs_there, work in ((self.senders, programs.send), (self.webs, programs.serve)):
            for number, pid in enumerate(programs_there):
                if _ended(pid):
                    self.died += 1
                    programs_there[number] = self._fork(work)

    def _kill(self, pid: int) -> None:
        if pid:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _ended(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def _wait_for(url: str) -> None:
    until = time.monotonic() + START_WITHIN
    while not servers.answers(url):
        if time.monotonic() > until:
            raise SystemExit(f"{url} did not answer")
        time.sleep(0.05)


def say(text: str) -> None:
    """Tell how far it is, beside the table."""
    sys.stderr.write(f"— {text}\n")
    sys.stderr.flush()

"""`./dev crash`: kill senders at random, then count what participants did not get, or got twice; 1 if anything was."""

import argparse
import json
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.crash.run import Crash, say
from tests.crash.verdict import Verdict, faults_logged
from tests.crash.world import PROVIDERS, planned
from tests.peers import pgbouncer, postgres

MOST_TOLD = 20


def main() -> int:
    """Run, print the figures and the verdict.

    1 if a message was lost, doubled, left open or misjudged, if an open task is about a text that arrived, or if a
    program died by itself.
    """
    options = parser().parse_args()
    with ExitStack() as stack:
        # A process that is killed loses nothing it has handed to the system: what the disk would add is time alone.
        memory = postgres.memory()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pro-crash-", dir=memory)))
        plan = planned(
            messages=options.messages,
            kills=options.kills,
            every=options.every,
            seed=options.seed,
            senders=options.senders,
            webs=options.webs,
            burst=options.burst,
            provider=options.channel,
            folder=folder,
            url=address(options.database, folder, stack),
        )
        crash = Crash(plan)
        found = crash.run()
        logged = sum((faults_logged(log) for log in sorted(folder.glob("*.log"))), Counter[str]())
    figures = {
        **found.as_dict(),
        "kills": crash.kills,
        "web_kills": crash.web_kills,
        "died": crash.died,
        "seconds": round(crash.seconds, 1),
        "texts_per_second": round(found.accepted / crash.seconds, 1),
        "logged": dict(logged.most_common()),
    }
    sys.stdout.write(json.dumps(figures) + "\n" if options.json else table(figures))
    tell(found)
    good = found.good and not crash.died
    if not options.json:
        sys.stdout.write(f"{'GOOD' if good else 'BROKEN'}: {verdict_of(found)}\n")
    return 0 if good else 1


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(prog="./dev crash", description=__doc__)
    top.add_argument("--messages", type=int, default=10_000, help="texts to be sent (default %(default)s)")
    top.add_argument("--kills", type=int, default=500, help="how often a sender is killed (default %(default)s)")
    top.add_argument("--every", type=float, default=0.5, help="seconds between two kills (default %(default)s)")
    top.add_argument("--senders", type=int, default=3, help="how many send side by side (default %(default)s)")
    top.add_argument("--webs", type=int, default=1, help="how many web servers (default %(default)s)")
    top.add_argument(
        "--burst", action="store_true", help="all are due before the first sender starts; the provider makes no fault"
    )
    top.add_argument(
        "--channel", choices=PROVIDERS, default="twilio", help="who carries the texts (default %(default)s)"
    )
    top.add_argument(
        "--database", default="sqlite", help="sqlite, postgresql, pgbouncer before one, or the address of an empty one"
    )
    top.add_argument("--seed", type=int, default=7, help="of faults and kills (default %(default)s)")
    top.add_argument("--json", action="store_true", help="print the figures as JSON")
    return top


def address(database: str, folder: Path, stack: ExitStack) -> str:
    """The address of the database to use."""
    if database == "sqlite":
        return f"sqlite:///{folder / 'crash.db'}"
    if database == "postgresql":
        return stack.enter_context(postgres.running()).create("crash")
    if database == "pgbouncer":
        server = stack.enter_context(postgres.running())
        server.create("crash")
        return stack.enter_context(pgbouncer.before(server, "crash"))
    return database


def table(figures: dict[str, object]) -> str:
    """Lay the figures out, one a line."""
    lines = []
    for name, value in figures.items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {count:>8}  {what}" for what, count in value.items())]
        else:
            lines.append(f"{name.replace('_', ' '):<18}{value:>10}")
    return "\n".join(lines) + "\n"


def verdict_of(found: Verdict) -> str:
    """Say in one line what it came to."""
    counts = f"{found.lost} lost, {found.duplicated} doubled, {found.needless} open tasks about texts that arrived"
    return f"{counts}, {found.unsettled} unsettled, {found.mistaken} misjudged"


def tell(found: Verdict) -> None:
    """Tell the stories of the messages that are at fault."""
    for story in found.stories[:MOST_TOLD]:
        say(story)
    if len(found.stories) > MOST_TOLD:
        say(f"and {len(found.stories) - MOST_TOLD} more")


if __name__ == "__main__":
    raise SystemExit(main())

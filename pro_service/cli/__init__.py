"""The command line: `pro-service …`. Heavy imports are inside the commands, so that the first word comes at once."""

import gc
import importlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import click

from pro_service.cli.terminal import USUAL_COLLECTING, Guarded, State

__all__ = ["main"]

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "db": "database.database",
        "backup": "backup.backup",
        "restore": "backup.restore",
        "study": "study.study",
        "participant": "participant.participant",
        "user": "user.user",
        "inbox": "inbox.inbox",
        "serve": "service.serve",
        "scheduler": "service.scheduler",
        "tick": "service.tick",
        "deliver": "service.deliver",
        "reconcile": "service.reconcile",
        "quarantine": "service.quarantine",
        "clock": "clock.clock",
        "simulate": "service.simulate",
        "simulate-twilio": "service.simulate_twilio",
        "report": "report.report",
        "export": "export.export",
        "audit": "audit.audit",
        "keys": "keys.keys",
        "rehearse": "rehearse.rehearse",
        "doctor": "doctor.doctor",
        "demo": "demo.demo",
    }
)
"""Command -> module and name in it. A module is imported for its command alone, or for the help on all."""
BEFORE_COLLECTING = 100_000
"""How many objects are made before the garbage collector looks at them: imports make no garbage, and so many objects
that it would look through them for a seventh of a short command's time."""


class _Commands(Guarded):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's
        module, _, name = COMMANDS.get(cmd_name, "").partition(".")
        found = getattr(importlib.import_module(f"pro_service.cli.{module}"), name) if module else None
        return found if isinstance(found, click.Command) else None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Read the settings from this file instead of ./.env.",
)
@click.version_option(package_name="pro-service", prog_name="pro-service")
@click.pass_context
def main(context: click.Context, env_file: Path | None) -> None:
    """Ask participants of a clinical trial by text message, and follow up who does not answer.

    Exit status: 0 good, 1 a fault in what was given (every fault is named), 2 wrong usage.
    """
    gc.set_threshold(BEFORE_COLLECTING)
    context.call_on_close(lambda: gc.set_threshold(*USUAL_COLLECTING))
    context.obj = State(env_file)

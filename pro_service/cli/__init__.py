"""The command line: `pro-service …`. Heavy imports are inside the commands, so that the first word comes at once."""

import importlib.metadata
from pathlib import Path

import click

from pro_service.cli import (
    audit,
    backup,
    clock,
    contact_test,
    demo,
    doctor,
    export,
    inbox,
    keys,
    participant,
    rehearse,
    report,
    service,
    study,
    user,
)
from pro_service.cli.terminal import Guarded, State

__all__ = ["main"]


@click.group(cls=Guarded, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Read the settings from this file instead of ./.env.",
)
@click.version_option(importlib.metadata.version("pro-service"), prog_name="pro-service")
@click.pass_context
def main(context: click.Context, env_file: Path | None) -> None:
    """Ask participants of a clinical trial by text message, and follow up who does not answer.

    Exit status: 0 good, 1 a fault in what was given (every fault is named), 2 wrong usage.
    """
    context.obj = State(env_file)


main.add_command(service.database)
service.database.add_command(backup.copy)
main.add_command(backup.backup)
main.add_command(backup.restore)
main.add_command(study.study)
main.add_command(participant.participant)
main.add_command(user.user)
participant.participant.add_command(contact_test.reach)
main.add_command(inbox.inbox)
main.add_command(service.serve)
main.add_command(service.scheduler)
main.add_command(service.tick)
main.add_command(service.deliver)
main.add_command(service.reconcile)
main.add_command(service.quarantine)
main.add_command(clock.clock)
main.add_command(service.simulate)
main.add_command(service.simulate_twilio)
main.add_command(report.report)
main.add_command(export.export)
main.add_command(audit.audit)
main.add_command(keys.keys)
main.add_command(rehearse.rehearse)
main.add_command(doctor.doctor)
main.add_command(demo.demo)

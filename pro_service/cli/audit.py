"""`pro-service audit …`: seal the trail, check it, prove it."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from pro_service.cli.terminal import (
    State,
    as_json,
    given_file,
    of_study,
    opened,
    progress_bar,
    refuse_unwritable,
    show_json,
    text_of,
    write_private,
)
from pro_service.core.problems import words

BIG = 20_000
"""A check of this many rows or more shows a progress bar."""
MOST_SHOWN = 50

anchored = click.option(
    "--anchor", "anchor_text", metavar="N:HEX", help="A seal's number and hash, kept from an earlier mail or log."
)


@click.group()
def audit() -> None:
    """Whether the audit trail is as it was written."""


@audit.command()
@as_json
@click.pass_obj
def seal(state: State) -> None:
    """Seal what is new. The scheduler does this every minute; without a scheduler, run it by cron.

    Where TIMESTAMP_URL is set, the newest seal is time-stamped once a day.
    """
    from pro_service.cli.clock import say_doubt  # noqa: PLC0415
    from pro_service.use_cases.trail.seal import seal as sealing  # noqa: PLC0415
    from pro_service.use_cases.trail.time_stamp import stamp_now_and_then  # noqa: PLC0415

    with opened(state) as rt:
        done = sealing(rt)
        stamp_now_and_then(rt)
        say_doubt(rt)
    if state.as_json:
        show_json(done)
    else:
        click.echo(f"{done.rows} {'row' if done.rows == 1 else 'rows'} sealed.")


@audit.command()
@click.option("--full", is_flag=True, help="Check everything, not only what is new since the last check.")
@anchored
@as_json
@click.pass_obj
def verify(state: State, anchor_text: str | None, *, full: bool) -> None:
    """Check the trail against its seals and its key, the facts against the trail, and the database's triggers.

    Exit status 1 if anything is found. Only an anchor from outside shows that the whole history was replaced.
    """
    from pro_service.core.trail.seals import anchor  # noqa: PLC0415
    from pro_service.use_cases.trail.verify import verify as check  # noqa: PLC0415

    kept = None if anchor_text is None else anchor(anchor_text)
    with opened(state) as rt, ExitStack() as shown:
        progress = progress_bar(shown, "Checking", least=BIG)
        found = check(rt, full=full, anchor=kept, progress=progress)
    if state.as_json:
        show_json(_as_json(found))
    else:
        _show(found, full=full)
    if found.findings:
        raise click.exceptions.Exit(1)


@audit.command()
@click.argument("code", metavar="PARTICIPANT")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the proof to this file, which only you can read.",
)
@of_study
@click.pass_obj
def proof(state: State, code: str, out: Path, study_code: str | None) -> None:
    """Write everything in the trail about one participant, with a proof that is checked without this database."""
    from pro_service.core.trail.proof import to_json  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.trail.prove import prove  # noqa: PLC0415

    refuse_unwritable(out)
    with opened(state) as rt:
        proved = prove(rt, study.chosen(rt, study_code).id, code)
    write_private(out, to_json(proved))
    click.echo(f"{out}: {len(proved.rows)} rows, up to seal {proved.seals[-1].number}.")


@audit.command("check-proof")
@given_file
@anchored
@as_json
@click.pass_obj
def check_proof(state: State, file: Path, anchor_text: str | None) -> None:
    """Check a proof that `audit proof` has written; needs neither the database nor a key."""
    from pro_service.core.trail.proof import from_text, held  # noqa: PLC0415
    from pro_service.core.trail.seals import anchor  # noqa: PLC0415

    found = held(from_text(text_of(file)), None if anchor_text is None else anchor(anchor_text))
    if state.as_json:
        show_json(
            {
                "participant": found.participant,
                "rows": found.rows,
                "newest_seal": str(found.newest),
                "anchor": "checked" if found.anchored else "none",
            }
        )
        return
    click.echo(f"{found.participant}: all {len(found.rows)} rows stand in the trail whose newest seal is")
    click.echo(f"  {found.newest}")
    if not found.anchored:
        click.echo(_WITHOUT_ANCHOR)


_WITHOUT_ANCHOR = (
    "Not compared with an anchor. To see that the whole history was not replaced, give one "
    "from an earlier mail or log (--anchor N:HEX)."
)


def _show(found: Any, *, full: bool) -> None:
    scope = "everything" if full else "what is new since the last check"
    click.echo(f"Checked {scope}: {found.verified_rows} rows; {found.seals} seals in all.")
    if found.newest_seal is not None:
        click.echo(f"Newest seal: {found.newest_seal}")
    if found.not_covered:
        click.echo(f"Not in the trail in full, because an earlier release wrote them: {found.not_covered}.")
    if found.stamped is not None:
        click.echo(f"Time stamps checked: {found.stamps}; the newest is of {found.stamped_at:%Y-%m-%dT%H:%M:%SZ}:")
        click.echo(f"  {found.stamped}")
    if found.unchecked_stamps:
        click.echo(f"Time stamps not checked, because TIMESTAMP_CERTIFICATE is not set: {found.unchecked_stamps}.")
    for finding in found.findings[:MOST_SHOWN]:
        what, remedy = words(finding.problem)
        place = finding.entity if finding.id is None else f"{finding.entity} {finding.id}"
        code = found.codes.get(finding.participant)
        about = "" if code is None else f" ({code})"
        click.echo(f"{click.style(finding.kind, fg='red', bold=True)}  {place}{about}: {what}")
        click.echo(f"    → {remedy}")
    if len(found.findings) > MOST_SHOWN:
        click.echo(f"… and {len(found.findings) - MOST_SHOWN} more: --json lists them.")
    if not found.findings:
        click.echo("Nothing found: the trail is as it was written.")
    if not found.anchored:
        click.echo(_WITHOUT_ANCHOR)


def _as_json(found: Any) -> dict[str, object]:
    return {
        "verified_rows": found.verified_rows,
        "not_covered": found.not_covered,
        "seals": found.seals,
        "newest_seal": None if found.newest_seal is None else str(found.newest_seal),
        "anchor": "checked" if found.anchored else "none",
        "time_stamps": found.stamps,
        "time_stamps_not_checked": found.unchecked_stamps,
        "stamped": None if found.stamped is None else str(found.stamped),
        "stamped_at": found.stamped_at,
        "findings": [
            {
                "kind": finding.kind,
                "entity": finding.entity,
                "id": finding.id,
                "participant": found.codes.get(finding.participant),
                "what": words(finding.problem)[0],
            }
            for finding in found.findings
        ],
    }

"""`pro-service participant erase`, `erased`, `erase-again`: erase a participant, list erasures, repeat them."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pro_service.cli.terminal import (
    State,
    as_json,
    given_file,
    of_study,
    opened,
    refuse_unwritable,
    show_fault,
    show_json,
    show_table,
    text_of,
    who,
    write_private,
)
from pro_service.core.problems import words

EMPTIED = {
    "inbound": "texts received",
    "messages": "texts sent, and mails about the participant",
    "calls": "notes of calls",
    "former_telephones": "earlier telephone numbers",
    "links": "links to forms",
    "entry_codes": "codes of cards",
    "reach_tests": "links of contact tests",
    "responses": "reasons of answers",
    "schedule_changes": "reasons of changed dates",
    "typed_reasons": "reasons that people typed",
    "telephone_keys": "keys of telephones",
    "escalations": "tasks that hold a trace of the number",
}


@click.command()
@click.argument("code")
@click.option("--reason", metavar="T", required=True, help="Why. It stays readable in the audit trail: write no name.")
@click.option("--dry-run", is_flag=True, help="Show what would go and what would stay, change nothing.")
@of_study
@as_json
@click.pass_obj
def erase(state: State, code: str, reason: str, study_code: str | None, *, dry_run: bool) -> None:
    """Erase a participant: contact data, texts, notes, links and the card's code, for good.

    Code, dates and answers stay. The participant leaves the study, and is never asked again. The provider's copies of
    the texts are deleted as well; the scheduler goes on with those that cannot be deleted yet.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.store.erasures import CHANGED  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.participants import erase as use_case  # noqa: PLC0415

    use_case.refuse_reason(reason)
    with opened(state) as rt:
        found = study.chosen(rt, study_code)
        if dry_run:
            done = use_case.preview(rt, found.id, code)
        else:
            actor = Actor(kind="staff", id=who(), source="cli")
            done = use_case.finish(rt, use_case.erase(rt, actor, found.id, code, reason), found.id)
    notes = use_case.problems_of(done)
    if state.as_json:
        described = [{"code": note.code, "what": words(note)[0], "remedy": words(note)[1]} for note in notes]
        show_json(asdict(done) | {"notes": described, "dry_run": dry_run})
        return
    for note in notes:
        show_fault(note, "yellow", err=True)
    rows = [(EMPTIED[table], count) for table, count in done.emptied.items()]
    rows += [("open tasks that end", done.open_tasks), ("waiting texts that are cancelled", done.waiting_texts)]
    show_table(("what goes", "rows"), [row for row in rows if row[1]])
    _show_copies(done.copies)
    if dry_run:
        click.echo(f"\n{done.participant}: this is what would go. Nothing was changed.")
        return
    if not done.scrubbed:
        click.echo("The database's files could not be overwritten just now: the scheduler tries again every minute.")
        tables = ", ".join(table.name for table in CHANGED)
        click.echo(f"On PostgreSQL the owner of the tables can do it: VACUUM (FULL) {tables}")
    click.echo(f"\n{done.participant}: erased.")


def _show_copies(copies: Any) -> None:
    counts = (
        ("deleted", copies.deleted),
        ("emptied, as they may not be deleted", copies.redacted),
        ("gone already", copies.unknown),
        ("still to be deleted", copies.waiting),
        ("that could not be deleted", len(copies.kept)),
    )
    for what, count in counts:
        if count:
            click.echo(f"Copies at the provider {what}: {count}.")
    for copy in copies.kept:
        click.echo(f"    {copy['provider_id']}  error {copy['error']}")


@click.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the list to this file, for `erase-again`. Keep it with the backups.",
)
@of_study
@as_json
@click.pass_obj
def erased(state: State, out: Path | None, study_code: str | None) -> None:
    """List who was erased, and what became of the provider's copies of their texts.

    The list holds codes, row ids and fingerprints of keys, and no contact data or texts.
    """
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.participants import erase as use_case  # noqa: PLC0415

    if out is not None:
        refuse_unwritable(out)
    with opened(state) as rt:
        found = None if study_code is None else study.chosen(rt, study_code).id
        listed = use_case.listed(rt, found)
        with rt.sessions.reading() as session:
            copies = {one["participant_id"]: use_case.copies_of(session, one["participant_id"]) for one in listed}
    if out is not None:
        write_private(out, use_case.as_text(listed))
        click.echo(f"{out}: {len(listed)} erasures.", err=state.as_json)
    if state.as_json:
        show_json([one | {"copies": asdict(copies[one["participant_id"]])} for one in listed])
    elif out is None:
        columns = ("study", "participant", "erased at", "copies gone", "still there")
        rows = []
        for one in listed:
            made = copies[one["participant_id"]]
            left = made.waiting + len(made.kept)
            rows.append((one["study"], one["participant"], one["erased_at"], made.gone, left))
        show_table(columns, rows)


@click.command("erase-again")
@given_file
@as_json
@click.pass_obj
def erase_again(state: State, file: Path) -> None:
    """Erase the participants in FILE again, after an older copy of the database was put back.

    FILE is a list that `erased --out` has written. Run this command before the service starts.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases.participants import erase as use_case  # noqa: PLC0415

    with opened(state) as rt:
        done = use_case.erase_again(rt, Actor(kind="staff", id=who(), source="cli"), text_of(file))
    if state.as_json:
        show_json(done)
        return
    show_again(done)
    if not (done.erased or done.already or done.absent or done.unproven):
        click.echo("The list is empty: nobody was erased.")


def show_again(done: Any) -> None:
    """Print what became of each erasure of a list."""
    for what, codes in (("erased again", done.erased), ("erased already", done.already), ("not there", done.absent)):
        if codes:
            click.echo(f"{what}: {', '.join(codes)}")
    if done.unproven:
        click.echo(f"not erased: {', '.join(done.unproven)}", err=True)
        click.echo(
            "Their keys are damaged, so nothing shows that the list means these people. "
            "If it does, erase each of them: pro-service participant erase CODE",
            err=True,
        )

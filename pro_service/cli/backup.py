"""`pro-service backup`, `restore`, `db copy`: the database as a folder of files, and into an empty place."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

from pro_service.cli.erase import show_again
from pro_service.cli.terminal import State, as_json, progress_bar, show_json, text_of, who
from pro_service.core.problems import RejectedError, problem
from pro_service.settings import at

STEPS = {
    "check": "Checking",
    "load": "Loading",
    "upgrade": "Bringing it to this release's schema",
    "erase": "Erasing again who was erased",
    "copy": "Copying",
    "compare": "Comparing every row",
}


def _step(name: str) -> None:
    click.echo(f"{STEPS[name]} …", err=True)


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--keep",
    metavar="N",
    type=click.IntRange(min=1),
    help="Afterwards remove all but the N newest backups in BACKUP_DIR.",
)
@as_json
@click.pass_obj
def backup(state: State, folder: Path | None, keep: int | None) -> None:
    """Back the database up in DIR, or in a new folder of BACKUP_DIR, while the service runs.

    DIR is not there yet, or is empty. The keys (DATA_KEYS) are not in a backup: keep them apart from it.
    """
    from pro_service.store.disk import MEGABYTE  # noqa: PLC0415
    from pro_service.use_cases import backup as use_case  # noqa: PLC0415

    if folder is not None and keep is not None:
        raise RejectedError((problem("keep_without_folder", "--keep"),))
    settings = state.settings()
    made = use_case.make(settings, folder)
    removed = 0 if keep is None else use_case.remove_older(settings, keep)
    if state.as_json:
        told = {"folder": str(made.folder), "bytes": made.size, "removed": removed}
        show_json(told | {name: value for name, value in asdict(made.manifest).items() if name != "erased"})
        return
    click.echo(f"{made.folder}: {made.size / MEGABYTE:,.1f} MB, revision {made.manifest.schema_revision}")
    if removed:
        click.echo(f"Older backups removed: {removed}")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--into", metavar="URL", help="The empty database; DATABASE_URL unless it is given.")
@click.option(
    "--erased",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="A newer list of erasures: the manifest.json of the newest backup, or what `participant erased --out` wrote.",
)
@as_json
@click.pass_obj
def restore(state: State, folder: Path, into: str | None, erased: Path | None) -> None:
    """Restore the backup in DIR into an empty database, and bring it to this release's schema.

    Texts are held there until it is known what was sent since. Who was erased since is erased again. Whatever fails
    leaves nothing.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import restore as use_case  # noqa: PLC0415

    settings = state.settings() if into is None else at(state.settings(), into, "--into")
    actor = Actor(kind="staff", id=who(), source="cli")
    done = use_case.restore(settings, folder, actor, erased=None if erased is None else text_of(erased), step=_step)
    manifest = done.backup.manifest
    if state.as_json:
        show_json({"made_at": manifest.made_at, "schema_revision": done.revision, "erased": asdict(done.again)})
        return
    if done.again.erased or done.again.absent or done.again.unproven:
        show_again(done.again)
    click.echo(f"Restored: the database as of {manifest.made_at:%Y-%m-%d %H:%MZ}, now at revision {done.revision}.")
    _say_what_follows()


@click.command("copy")
@click.option("--from", "source", metavar="URL", help="The database to copy; DATABASE_URL unless it is given.")
@click.option("--into", metavar="URL", required=True, help="The empty database, of the other engine.")
@as_json
@click.pass_obj
def copy(state: State, source: str | None, into: str) -> None:
    """Copy a database from SQLite to PostgreSQL, or back, into an empty one.

    Stop the programs before. Every row is compared afterwards, and the audit trail checked. The old database stays as
    it is.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import restore as use_case  # noqa: PLC0415

    settings = state.settings()
    actor = Actor(kind="staff", id=who(), source="cli")
    with ExitStack() as shown:
        done = use_case.copy(
            settings if source is None else at(settings, source, "--from"),
            at(settings, into, "--into"),
            actor,
            step=_step,
            progress=progress_bar(shown, "Rows"),
        )
    trail = done.verification
    if state.as_json:
        show_json({"tables": done.tables, "trail_rows": trail.verified_rows, "trail_findings": len(trail.findings)})
        return
    click.echo(f"Copied: {done.tables} tables, every row the same.")
    if trail.findings:
        click.echo(f"The audit trail is not as it was written: {len(trail.findings)} findings, copied as they were.")
        click.echo("`pro-service audit verify --full` names them.")
    else:
        click.echo(f"The audit trail is as it was written: {trail.verified_rows} rows.")
    _say_what_follows()


def _say_what_follows() -> None:
    click.echo("Texts are held until it is known what was sent before: see `pro-service reconcile`.")
    click.echo("Set DATABASE_URL to this database, run `pro-service doctor`, then start the programs.")

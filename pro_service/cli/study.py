"""`pro-service study …`: check, load, show and confirm a study; move participants to its newest version."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from pro_service.cli.closing import close, erase_contacts, lock, unlock
from pro_service.cli.terminal import (
    State,
    as_json,
    given_file,
    of_study,
    opened,
    show_fault,
    show_json,
    show_table,
    text_of,
    who,
)
from pro_service.core.iso8601 import offset_text
from pro_service.core.problems import words
from pro_service.core.protocol import Protocol
from pro_service.core.routes import Carriers
from pro_service.core.study_file.costs import LIMIT, Cost, long_questions
from pro_service.core.study_file.differences import Difference
from pro_service.core.study_file.marks import Mark

MOST_SHOWN = 40
SHORT = 60
"""Two values stand on one line if together they are no longer than this."""


@click.group()
def study() -> None:
    """The protocol and its texts."""


@study.command()
@given_file
@as_json
@click.pass_obj
def check(state: State, file: Path) -> None:
    """Name every fault of a protocol file and of the texts it needs. Needs no database."""
    from pro_service.use_cases import study as use_case  # noqa: PLC0415

    checked = use_case.check(text_of(file))
    settings = state.settings_if_complete()
    carriers = Carriers() if settings is None else settings.carriers
    if state.as_json:
        show_json([])
    else:
        _show_costs(checked.protocol, use_case.costs(checked))
        click.echo()
        _show_marks(checked.protocol.draft, checked.marks)
        points = ", ".join(point.code for point in checked.protocol.time_points)
        click.echo(f"{checked.protocol.study}: no faults ({points}; {', '.join(checked.protocol.languages)}).")
    # Last, where the eye is when the command has ended.
    sender = use_case.check_sender(checked.protocol, carriers)
    known = settings is not None
    channels = use_case.check_channels(checked.protocol, checked.frames, carriers) if known else ()
    for fault in (*sender, *channels, *checked.contacts, *checked.remarks):
        show_fault(fault, "yellow", err=True)
    if checked.contacts:
        click.echo("`study load` refuses a site without a contact; everything else is in order.", err=True)


@study.command()
@given_file
@as_json
@click.pass_obj
def load(state: State, file: Path) -> None:
    """Store a protocol and its texts as the version that new participants get."""
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study as use_case  # noqa: PLC0415

    text = text_of(file)
    with opened(state) as rt:
        done = use_case.load(rt, Actor(kind="staff", id=who(), source="cli"), text)
    if state.as_json:
        version = {"number": done.version.number, "sha256": done.version.sha256, "loaded_at": done.version.loaded_at}
        show_json({"study": done.study.code, "version": version, "unchanged": done.unchanged, "sites": done.new_sites})
    elif done.unchanged:
        click.echo(f"{done.study.code}: unchanged, version {done.version.number}.")
    else:
        sites = f" New sites: {', '.join(done.new_sites)}." if done.new_sites else ""
        click.echo(f"{done.study.code}: version {done.version.number} loaded; new participants get it.{sites}")


@study.command()
@of_study
@as_json
@click.pass_obj
def show(state: State, study_code: str | None) -> None:
    """Show the study as new participants get it."""
    from pro_service.use_cases import study as use_case  # noqa: PLC0415

    with opened(state) as rt:
        shown = use_case.show(rt, use_case.chosen(rt, study_code))
    version = shown.version
    stored = {"version": version.number, "sha256": version.sha256, "loaded_at": version.loaded_at}
    stored |= {"confirmed_at": version.confirmed_at, "confirmed_by": version.confirmed_by}
    found = _described(shown.protocol) | stored | {"participants": shown.participants}
    if state.as_json:
        show_json(found)
    else:
        _show(found)


@study.command()
@click.option("--by", "email", metavar="EMAIL", required=True, help="The investigator who confirms.")
@click.option("--reason", metavar="T", required=True, help="Why; saved with the confirmation and in the audit trail.")
@click.option("--sha256", metavar="HEX", help="The version that was read: another one is not confirmed.")
@click.option("--dry-run", is_flag=True, help="Show what would be confirmed, change nothing.")
@of_study
@as_json
@click.pass_obj
def confirm(
    state: State,
    email: str,
    reason: str,
    sha256: str | None,
    dry_run: bool,  # noqa: FBT001 -- click's
    study_code: str | None,
) -> None:
    """Confirm the newest version in an investigator's name, so that its texts may leave this machine.

    Shows first what has changed since the last confirmed version, and what the file leaves open.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import confirmation, study  # noqa: PLC0415

    with opened(state) as rt:
        found = study.chosen(rt, study_code)
        user_id = confirmation.user_of(rt, email)
        review = confirmation.review(rt, found.id)
        if not state.as_json:
            _show_review(found.code, review)
        if not dry_run:
            if sys.stdin.isatty() and not state.as_json:
                click.confirm("Confirm this version?", abort=True)
            actor = Actor(kind="staff", id=who(), source="cli", on_behalf_of=f"user:{user_id}")
            confirmation.confirm(rt, actor, found.id, user_id, reason, sha256 or review.version.sha256)
    version = review.version
    if state.as_json:
        told = {"number": version.number, "sha256": version.sha256, "confirmed": not dry_run, "draft": review.draft}
        base = None if review.base is None else review.base.number
        more = {"compared_with": base, "differences": review.differences, "marks": review.marks}
        show_json({"study": found.code, "version": told} | more)
    elif dry_run:
        click.echo("Nothing was changed.")
    else:
        click.echo(f"{found.code}: version {version.number} is confirmed by {email}.")


@click.command()
@click.option("--participant", "codes", metavar="CODE", multiple=True, help="Only this one; may be given again.")
@click.option("--reason", metavar="T", required=True, help="Why; saved in the audit trail.")
@click.option("--dry-run", is_flag=True, help="Show what it means for each participant, change nothing.")
@of_study
@as_json
@click.pass_obj
def migrate(state: State, codes: tuple[str, ...], reason: str, dry_run: bool, study_code: str | None) -> None:  # noqa: FBT001 -- click's
    """Move participants to the newest version of the protocol: windows not yet closed are calculated from it.

    Answers are kept and assessed again; windows that have closed stay as they are. Participants
    on the newest version are left alone, so the command can be run again after an interruption.
    """
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.participants import migrate  # noqa: PLC0415

    with opened(state) as rt, _bar(dry_run=dry_run) as progress:
        found = study.chosen(rt, study_code)
        actor = Actor(kind="staff", id=who(), source="cli")
        done = migrate.migrate(rt, actor, found.id, reason, codes=codes, dry_run=dry_run, progress=progress)
    if state.as_json:
        migrants = [
            {"participant": one.participant, "windows": one.windows, "notes": [words(n)[0] for n in one.notes]}
            for one in done.migrants
        ]
        counts = {"version": done.version, "unchanged": done.unchanged, "dry_run": dry_run}
        show_json(counts | {"migrated": migrants})
        return
    _show_migrated(done)
    verb = "would be moved" if dry_run else "moved"
    nothing = " Nothing was changed." if dry_run else ""
    click.echo(f"{found.code}: {len(done.migrants)} {verb} to version {done.version}.{nothing}")


@study.command("let-column-pass")
@click.argument("name")
@click.option("--by", "email", metavar="ADDRESS", required=True, help="The investigator or administrator who decided.")
@click.option("--reason", metavar="T", required=True, help="Why it says nothing about the allocation.")
@of_study
@click.pass_obj
def let_column_pass(state: State, name: str, email: str, reason: str, study_code: str | None) -> None:
    """Let exports with a column of this NAME pass although it sounds like the allocation; saved in the audit trail."""
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.enrolment import columns  # noqa: PLC0415

    with opened(state) as rt:
        found = study.chosen(rt, study_code)
        by = f"user:{columns.deciding(rt, found.id, email)}"
        actor = Actor(kind="staff", id=who(), source="cli", on_behalf_of=by)
        done = columns.let_pass(rt, actor, found.id, name, reason)
    click.echo(f"{found.code}: the column passes." if done else f"{found.code}: the column passes already.")


study.add_command(migrate)
study.add_command(close)
study.add_command(erase_contacts)
study.add_command(lock)
study.add_command(unlock)


def _show_review(code: str, review: Any) -> None:
    """What is read before a version is confirmed."""
    version, base = review.version, review.base
    click.echo(f"{code}: version {version.number}, loaded {version.loaded_at:%Y-%m-%d %H:%M}Z")
    click.echo(f"sha256 {version.sha256}\n")
    if base is None:
        click.echo("No version was confirmed before: read all of it, `pro-service study show` and every text.\n")
    else:
        how = f"confirmed by {base.confirmed_by}" if base.confirmed_at else "never confirmed, but in use"
        click.secho(f"Changed since version {base.number} ({how}):", bold=True)
        for one in review.differences:
            _show_difference(one)
        if not review.differences:
            click.echo("  nothing but the order of what stands in the file")
        click.echo()
    if review.marks is None:
        click.echo("What its file leaves open was not stored at that time: `pro-service study check FILE` lists it.\n")
    _show_marks(review.draft, review.marks or ())


def _show_difference(one: Difference) -> None:
    if one.old is not None and one.new is not None and len(one.old + one.new) < SHORT and "\n" not in one.old + one.new:
        click.echo(f"  {one.place}: {one.old} → {one.new}")
        return
    click.echo(f"  {one.place}")
    for sign, text in (("-", one.old), ("+", one.new)):
        for line in () if text is None else text.splitlines():
            click.echo(f"    {sign} {line}")


def _show_marks(draft: bool, marks: Sequence[Mark]) -> None:  # noqa: FBT001
    """What the file leaves open."""
    if draft:
        click.secho("draft = true: no investigator can confirm it before that line is taken out.", fg="yellow")
    if marks:
        click.secho(f"To be confirmed, as comments of the file say ({len(marks)}):", bold=True)
        for mark in marks:
            click.echo(f"  line {mark.line}: {mark.place}: {mark.words}")
    if draft or marks:
        click.echo()


def _show_costs(protocol: Protocol, costs: Sequence[Cost]) -> None:
    """Every text that is UCS-2 or too long, and a line for each language."""
    dear = [one for one in costs if one.beyond_gsm or one.too_long]
    rows = [(f"{c.language}/{c.name}", c.units, c.segments, c.segments_in_gsm, _letters(c)) for c in dear]
    if rows:
        show_table(("text, as long as it can become", "characters", "segments", "in GSM-7", "UCS-2 because of"), rows)
        click.echo()
    for language in protocol.languages:
        its = [one for one in costs if one.language == language]
        long = sum(one.too_long for one in its)
        asked = long_questions(protocol, its)
        alone = "; ".join(f"the question {item} alone has {length} characters" for item, length in asked.items())
        click.echo(
            f"{language}: {len(its)} texts, at most {max((c.segments for c in its), default=0)} segments, "
            f"{sum(bool(c.beyond_gsm) for c in its)} in UCS-2; {long} of more than {LIMIT} segments"
            + (f" ({alone})." if alone else ".")
        )


def _letters(text: Cost) -> str:
    return "; ".join(f"{' '.join(letters)} in {place or 'the text itself'}" for letters, place in text.beyond_gsm)


def _described(protocol: Protocol) -> dict[str, Any]:
    return {
        "study": protocol.study,
        "title": protocol.title,
        "demo": protocol.demo,
        "languages": list(protocol.languages),
        "windows": [
            {
                "code": point.code,
                "label": dict(point.label),
                "mode": point.mode,
                "target": offset_text(point.target) if point.minutes is None else f"PT{point.minutes[0]}M",
                "items": list(point.items),
                "prompts": [step.name for step in point.steps],
            }
            for point in protocol.time_points
        ],
        "sites": [
            {
                "code": site.code,
                "name": dict(site.name),
                "short_name": dict(site.short_name),
                "zone": site.zone,
                "country": site.country,
                "telephone": site.telephone,
            }
            for site in protocol.sites.values()
        ],
    }


def _show(found: dict[str, Any]) -> None:
    click.echo(f"{found['study']}  {found['title']}")
    loaded = f"{found['loaded_at']:%Y-%m-%d %H:%M}Z"
    click.echo(f"version {found['version']} of {loaded}, {found['participants']} participants")
    at = found["confirmed_at"]
    click.echo(f"{'not confirmed' if at is None else f'confirmed {at:%Y-%m-%d %H:%M}Z by ' + found['confirmed_by']}\n")
    language = found["languages"][-1]
    windows = [
        (w["code"], w["label"][language], w["mode"], w["target"], " ".join(w["items"]), len(w["prompts"]))
        for w in found["windows"]
    ]
    show_table(("window", "label", "asked by", "target", "items", "prompts"), windows)
    click.echo()
    sites = [
        (s["code"], s["name"][language], s["short_name"][language], s["zone"], s["country"], s["telephone"])
        for s in found["sites"]
    ]
    show_table(("site", "name", "in texts", "zone", "country", "telephone"), sites)


def _show_migrated(done: Any) -> None:
    rows = [
        (one.participant, window.code, window.old_closes_at, window.opens_at, window.closes_at, window.status)
        for one in done.migrants
        for window in one.windows
    ]
    if rows:
        show_table(("participant", "window", "closed", "opens", "closes", "will be"), rows[:MOST_SHOWN])
    if len(rows) > MOST_SHOWN:
        click.echo(f"… and {len(rows) - MOST_SHOWN} more windows: --json lists them.")
    for one in done.migrants[:MOST_SHOWN]:
        for note in one.notes:
            show_fault(note, "yellow", err=True)


@contextmanager
def _bar(*, dry_run: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on standard error, where a person looks."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label="Looking at" if dry_run else "Moving", file=sys.stderr) as bar:

        def reached(number: int, of: int) -> None:
            bar.length = of
            bar.update(number - bar.pos)

        yield reached

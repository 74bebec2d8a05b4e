"""`pro-service inbox …`: texts that wait for a person; never a telephone number."""

from typing import Any

import click

from pro_service.cli.terminal import State, as_json, of_study, opened, show_json, show_table, who
from pro_service.core.problems import RejectedError, problem


@click.group()
def inbox() -> None:
    """Texts that no rule understood."""


@inbox.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that were dealt with, too.")
@of_study
@as_json
@click.pass_obj
def list_all(state: State, everything: bool, study_code: str | None) -> None:  # noqa: FBT001 -- click's
    """List what waits for a person, oldest first; what the texts say is shown by `show`."""
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.inbound import inbox as use_case  # noqa: PLC0415

    with opened(state) as rt:
        found = use_case.waiting(rt, study.chosen(rt, study_code).id, everything=everything)
    rows = [_told(item) for item in found]
    if state.as_json:
        show_json(rows)
        return
    columns = ("id", "received_at", "participant", "why", "handled_at")
    cells = [[row[name] if name != "participant" else _whose(row) for name in columns] for row in rows]
    show_table([name.replace("_", " ") for name in columns], cells)


@inbox.command()
@click.argument("text_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@of_study
@as_json
@click.pass_obj
def show(state: State, text_id: int, study_code: str | None) -> None:
    """Show one text with the conversation around it. What reveals the treatment stays hidden."""
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.inbound import inbox as use_case  # noqa: PLC0415

    with opened(state) as rt:
        found = use_case.one(rt, study.chosen(rt, study_code).id, text_id)
    if found is None:
        raise _unknown()
    item, thread, done = found
    bubbles = [{"at": one.at, "from": "us" if one.ours else "them", "text": _words(one)} for one in thread]
    deeds = [{"action": one.action, "at": one.at, "who": one.who, "reason": one.reason} for one in done]
    if state.as_json:
        show_json(_told(item) | {"text": item.text, "thread": bubbles, "done": deeds})
        return
    click.echo(f"{_whose(_told(item))}  {item.why}")
    for one in thread:
        click.echo(f"{one.at:%Y-%m-%d %H:%MZ}  {'us' if one.ours else 'them':<4}  {_words(one)}")
    if deeds:
        click.echo("\ndone")
        show_table(["action", "at", "who", "reason"], [list(deed.values()) for deed in deeds])


@inbox.command()
@click.argument("text_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@click.option("--reason", required=True, help="Why nothing more is to be done; saved in the audit trail.")
@of_study
@as_json
@click.pass_obj
def resolve(state: State, text_id: int, reason: str, study_code: str | None) -> None:
    """Say that nothing more is to be done about a text."""
    from pro_service.reports.inbox import Reader  # noqa: PLC0415
    from pro_service.store.audit import Actor  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415
    from pro_service.use_cases.inbound import inbox as use_case  # noqa: PLC0415

    if not reason.strip():
        raise RejectedError((problem("reason_missing", "--reason"),))
    with opened(state) as rt:
        actor = Actor(kind="staff", id=who(), source="cli")
        reader = Reader(study.chosen(rt, study_code).id, None, strangers=True)
        try:
            use_case.done(rt, actor, use_case.About(text_id, reader), reason)
        except KeyError:
            raise _unknown() from None
        except use_case.DoneAlreadyError as before:
            raise RejectedError((problem("done_already", "ID", at=before.done.at),)) from None
    if state.as_json:
        show_json({"id": text_id, "resolved": True})
    else:
        click.echo(f"{text_id}: done.")


def _told(item: Any) -> dict[str, Any]:
    """What may be told of a text without its words: no telephone number, no score."""
    return {
        "id": item.id,
        "received_at": item.received_at,
        "participant": item.participant,
        "owners": list(item.owners),
        "why": item.why,
        "reveals_treatment": item.reveals,
        "media": item.media,
        "handled_at": item.handled_at,
    }


def _whose(row: dict[str, Any]) -> str:
    return row["participant"] or " / ".join(row["owners"]) or "unknown number"


def _words(bubble: Any) -> str:
    if bubble.text is not None:
        return str(bubble.text)
    return "(hidden: it reveals the treatment)" if bubble.reveals else "(cannot be read)"


def _unknown() -> RejectedError:
    return RejectedError((problem("not_in_inbox", "ID"),))

"""`pro-service rehearse`: a study lived through in virtual time, before anybody is asked."""

import os
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from pro_service.cli.terminal import State, as_json, of_study, opened, progress_bar, show_json, show_table, text_of
from pro_service.core.ladder import CALLS, read
from pro_service.core.problems import RejectedError, problem, words

FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


class _Price(click.ParamType[Decimal]):
    """A price, of zero or more."""

    name = "price"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """The price of a segment; fails for anything else."""
        try:
            price = Decimal(str(value))
        except InvalidOperation:
            self.fail("is not a number: write it as 0.0079", param, ctx)
        if not price.is_finite() or price < 0:
            self.fail("is less than nothing: write it as 0.0079", param, ctx)
        return price


class _Ladder(click.ParamType[str]):
    """A ladder of channels as an enrolment file has it, or `calls`."""

    name = "channel"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return what was given; fail with every fault of it."""
        faults = () if value == CALLS else read(str(value))[1]
        if faults:
            self.fail("; ".join(" - ".join(words(fault)) for fault in faults), param, ctx)
        return str(value)


@click.command()
@of_study
@click.option("--file", type=FILE, help="A protocol file, instead of a study that is loaded; needs no database.")
@click.option("--participants", type=click.IntRange(1, 2000), default=42, show_default=True, help="How many there are.")
@click.option("--days", type=click.IntRange(1, 1000), default=120, show_default=True, help="How long, in virtual days.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed gives the same report.")
@click.option("--starts", type=click.DateTime(["%Y-%m-%d"]), help="The first day; else the study's own.")
@click.option("--enrolment-days", type=click.IntRange(1, 1000), help="Over how many days participants come.")
@click.option(
    "--channel",
    "channels",
    multiple=True,
    type=_Ladder(),
    help="How participants are asked: a channel, a ladder of them (whatsapp>sms-reply>email-link), or calls; several "
    "share evenly. Else three in four by text, one by link.",
)
@click.option("--temperaments", type=FILE, help="What is assumed of people, instead of what comes with the program.")
@click.option("--calls-a-day", type=click.IntRange(0, 1000), help="How many calls a site can make on one day.")
@click.option("--price-per-segment", "price", type=_Price(), help="Adds what the texts cost.")
@click.option("--price-per-whatsapp", "price_whatsapp", type=_Price(), help="Adds what each WhatsApp message costs.")
@click.option(
    "--most-segments", type=click.IntRange(1, 20), default=3, show_default=True, help="A longer text is named."
)
@click.option("--language", type=click.Choice(["en", "tr"]), default="en", show_default=True, help="Of the report.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the report here, as one HTML file.")
@as_json
@click.pass_obj
def rehearse(
    state: State, /, study_code: str | None, file: Path | None, out: Path | None, language: str, **asked: Any
) -> None:
    """Run a whole study in virtual time with invented participants, in a database that is deleted; nothing is sent."""
    if study_code and file:
        raise click.UsageError("--study and --file exclude each other: name one of them.")
    if out is not None and not os.access(out.absolute().parent, os.W_OK):
        raise RejectedError((problem("not_writable", "--out"),))
    from pro_service.rehearsal.rehearse import rehearse as use_case  # noqa: PLC0415
    from pro_service.rehearsal.report import page  # noqa: PLC0415

    plan = _plan(state, study_code, file, asked)
    with ExitStack() as shown:
        lived = (lambda _done, _days: None) if state.as_json else progress_bar(shown, f"Running {plan.days} days")
        report = use_case(plan, lived)
    if out is not None:
        out.write_text(page(report, language), encoding="utf-8")
    if state.as_json:
        show_json(asdict(report))
    else:
        _show(report, out)


def _plan(state: State, study_code: str | None, file: Path | None, asked: dict[str, Any]) -> Any:
    from pro_service.rehearsal import temperaments  # noqa: PLC0415
    from pro_service.rehearsal.plan import USUAL_CHANNELS, Plan  # noqa: PLC0415
    from pro_service.use_cases import study  # noqa: PLC0415

    given, calls, starts = asked.pop("temperaments"), asked.pop("calls_a_day"), asked.pop("starts")
    people = temperaments.shipped_temperaments() if given is None else temperaments.read_temperaments(text_of(given))
    if calls is not None:
        people = replace(people, office=replace(people.office, calls_a_day=calls))
    asked["channels"] = asked["channels"] or USUAL_CHANNELS
    plan = Plan(checked=study.check(text_of(file)), crowd=people) if file else None
    if plan is None:
        with opened(state) as rt:
            checked, version = study.stored(rt, study.chosen(rt, study_code))
            plan = Plan(checked, people, version=version.number, base_url=rt.settings.public_base_url)
    else:
        # The length of links depends on the address of this installation, if there is one.
        settings = state.settings_if_complete()
        plan = plan if settings is None else replace(plan, base_url=settings.public_base_url or plan.base_url)
    return replace(plan, **asked, starts=_day(starts))


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _show(report: Any, out: Path | None) -> None:
    head = ("", "in window", "%", "late", "partial", "declined", "missed", "not closed")
    rows = [
        (w.code, f"{w.in_window}/{w.due}", _percent(w.rate), w.late, w.partial, w.declined, w.missed, w.not_closed)
        for w in report.windows
    ]
    show_table(head, rows)
    reached = [step for step in report.steps if step.expected]
    if reached:
        click.echo()
        show_table(
            ("prompt", "", "expected", "sent", "delivered", "failed", "answered", "segments"),
            [(s.window, s.kind, s.expected, s.sent, s.delivered, s.failed, s.answered, s.segments) for s in reached],
        )
    cost = "" if report.cost is None else f", cost {report.cost}"
    calls, tasks = sum(report.calls.values()), sum(level.raised for level in report.levels)
    click.echo(f"\n{report.texts} texts in {report.segments} segments{cost}; {calls} calls, {tasks} tasks.")
    attention = sum(finding.severity == "attention" for finding in report.findings)
    said = "1 finding needs attention" if attention == 1 else f"{attention} findings need attention"
    click.echo(f"{said}{'' if out else ': write the report with --out to read more'}.")
    if out is not None:
        click.echo(f"Report: {out}")


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.0f}"

"""The tables of a study's data set: their columns come from its protocol versions, never from the data."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from pro_service.core.case import CONSENTED
from pro_service.core.problems import Problem, problem
from pro_service.core.protocol import Item, Protocol, TimePoint
from pro_service.exports.tables import Code, Column, Kind, Table, Words
from pro_service.exports.words import codes, column, word

T = TypeVar("T")
REPLACED = {"reminder-1": "reminder1", "reminder-2": "reminder2", "reminder-3": "reminder3"}
"""Kinds of prompts as the data set calls them."""


@dataclass(frozen=True)
class Shape:
    """What a study's protocol versions have in common: the union of their visits and items, newest version first."""

    study: str
    versions: tuple[Protocol, ...]
    """Newest first; at least one."""

    @property
    def newest(self) -> Protocol:
        """The protocol that new participants get."""
        return self.versions[0]

    @cached_property
    def points(self) -> dict[str, TimePoint]:
        """Code -> time point, in the order of the visits."""
        return _union((point.code, point) for version in self.versions for point in version.time_points)

    @cached_property
    def items(self) -> dict[str, Item]:
        """Id -> item, in the order of the columns."""
        return _union((key, item) for version in self.versions for key, item in version.items.items())

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages in which participants are asked."""
        return tuple(_union((language, None) for version in self.versions for language in version.languages))

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Code -> number of the visit, from 1."""
        return {code: number for number, code in enumerate(self.points, start=1)}

    @cached_property
    def compared(self) -> frozenset[str]:
        """Items that are compared with their value at the baseline."""
        return frozenset(item for version in self.versions if version.baseline for item in version.baseline.items)

    def label(self, texts: Words) -> str:
        """Return a text in English, or in the study's first language if it has no English."""
        return texts.get("en") or texts[next(iter(texts))]


def _union(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def data_tables(shape: Shape) -> tuple[Table, ...]:
    """Return every table under `data/`."""
    return (
        visits(shape),
        answers(shape),
        _participants(),
        _messages(shape),
        _calls(shape),
        _tasks(shape),
        _changes(),
        _queries(shape),
        _revelations(),
    )


@dataclass(frozen=True)
class _Of:
    """Makes the columns of one table."""

    table: str

    def __call__(
        self,
        name: str,
        kind: Kind,
        *,
        coded: str | Sequence[Code] = (),
        missing: str = "",
        unit: str = "",
        least: int | None = None,
        from_: tuple[str, ...] = (),
        formula: str = "",
    ) -> Column:
        return Column(
            name,
            kind,
            column(self.table, name),
            codes(coded) if isinstance(coded, str) else tuple(coded),
            unit=unit,
            minimum=least,
            missing=word("missing", missing) if missing else {},
            derived_from=from_,
            formula=formula,
        )

    def table_of(self, key: tuple[str, ...], *columns: Column) -> Table:
        """Return the table."""
        return Table(self.table, word("tables", self.table), columns, key)


def visits(shape: Shape) -> Table:
    """Return the analysis file: one row for each participant and planned visit."""
    of = _Of("visits")
    return of.table_of(
        ("participant", "visit"),
        of("study", "text"),
        of("site", "text"),
        of("participant", "text"),
        of("visit_number", "integer", least=1),
        of("visit", "code", coded=visit_codes(shape)),
        of("visit_label", "text"),
        *(_visit_label(language) for language in shape.languages),
        of("schedule", "integer", least=1),
        of("protocol_version", "integer", least=1),
        of("status", "code", coded="status"),
        of("due", "boolean", coded="yes", from_=("status", "closes_at"), formula=_DUE),
        of("missing_reason", "code", coded="missing_reason", missing="not_missing"),
        of("target_date", "date", missing="no_window"),
        of("opens_at", "instant", missing="no_window"),
        of("closes_at", "instant", missing="no_window"),
        of("late_until", "instant", missing="no_window"),
        of("answered_at", "instant", missing="imported"),
        of("recorded_at", "instant", missing="no_answer"),
        of("study_day", "integer", missing="no_answer", unit="day", from_=("answered_at",), formula=_STUDY_DAY),
        of("days_from_target", "integer", missing="no_answer", unit="day", from_=("answered_at", "target_date")),
        of("in_window", "boolean", coded="yes", missing="no_answer"),
        of("mode", "code", coded="mode", missing="no_answer"),
        of("language", "text"),
        of("entered_by_role", "code", coded="role", missing="by_participant"),
        of("prompts_sent", "integer", least=0),
        of("reminders_sent", "integer", least=0),
        of("delivered", "integer", least=0),
        of("first_prompt_at", "instant", missing="never"),
        of("calls_made", "integer", least=0),
        of("answered_after", "code", coded="answered_after", missing="no_prompt"),
        *(column for item in shape.items.values() for column in _answered(shape, item)),
        *(column for item in shape.items.values() for column in _derived(shape, item)),
        of("formula_version", "text"),
    )


_DUE = "1 if the window has closed and counts: enrolled before the close, and neither left nor died before it opened"
_STUDY_DAY = "day of the answer at the site - procedure_date, + 1 from the day of the procedure on"


def visit_codes(shape: Shape) -> list[Code]:
    """Return the visits, in their order."""
    return [Code(code, dict(point.label)) for code, point in shape.points.items()]


def site_codes(shape: Shape) -> list[Code]:
    """Return the sites, by code."""
    sites = _union(pair for version in shape.versions for pair in version.sites.items())
    return [Code(code, dict(sites[code].name)) for code in sorted(sites)]


def _visit_label(language: str) -> Column:
    both = column("visits", "visit_label")
    return Column(f"visit_label_{language}", "text", {name: f"{said} ({language})" for name, said in both.items()})


def _named(shape: Shape, item: Item, part: str) -> Words:
    """Return what a column about an item is called, with the item's short name of each language."""
    short = shape.label(item.short)
    return {
        language: template.format(item=item.short.get(language, short))
        for language, template in word("columns", "item", part, item="{item}").items()
    }


def _answered(shape: Shape, item: Item) -> list[Column]:
    missing, slug = word("missing", "not_asked"), item.slug
    return [
        Column(
            slug,
            "integer",
            _named(shape, item, "value"),
            _choices(item),
            questions=dict(item.question),
            minimum=item.minimum,
            maximum=item.maximum,
            missing=missing,
        ),
        Column(f"{slug}_declined", "boolean", _named(shape, item, "declined"), codes("yes"), missing=missing),
        Column(f"{slug}_versions", "integer", _named(shape, item, "versions"), minimum=0, missing=missing),
    ]


def _choices(item: Item) -> tuple[Code, ...]:
    """Return a label for every value of an item, or none."""
    return tuple(
        Code(value, {language: labels[place] for language, labels in item.choices.items()})
        for place, value in enumerate(range(item.minimum, item.maximum + 1))
        if item.choices
    )


def _derived(shape: Shape, item: Item) -> list[Column]:
    slug, missing = item.slug, word("missing", "not_compared")

    def made(suffix: str, kind: Kind, formula: str = "", coded: str = "", unit: str = "") -> Column:
        from_ = (f"{slug}_base", slug) if item.id in shape.compared else (slug,)
        return Column(
            f"{slug}_{suffix}",
            kind,
            _named(shape, item, suffix),
            codes(coded) if coded else (),
            missing=word("missing", "compared") if suffix == "why" else missing,
            derived_from=() if suffix == "base" else from_,
            formula=formula,
            unit=unit,
        )

    if item.id not in shape.compared:
        return [made("resp", "boolean", f"{slug} <= 2", "yes")]
    base = f"{slug}_base"
    return [
        made("base", "integer"),
        made("change", "integer", f"{base} - {slug}"),
        made("pct", "decimal", f"round(({base} - {slug}) / {base} * 100, 2), half to even", unit="%"),
        made("resp30", "boolean", f"({base} - {slug}) * 100 >= 30 * {base}", "yes"),
        made("resp50", "boolean", f"({base} - {slug}) * 100 >= 50 * {base}", "yes"),
        made("why", "code", coded="why"),
    ]


def answers(shape: Shape) -> Table:
    """Return the table of every version of every answer."""
    of = _Of("answers")
    return of.table_of(
        ("participant", "visit", "schedule", "item", "version"),
        of("answer_id", "integer"),
        of("participant", "text"),
        of("site", "text"),
        of("visit", "code", coded=visit_codes(shape)),
        of("schedule", "integer", least=1),
        of("item", "code", coded=[Code(item.slug, dict(item.short)) for item in shape.items.values()]),
        of("version", "integer", least=1),
        of("current", "boolean", coded="yes"),
        of("value", "integer", missing="declined_or_cleared"),
        of("label", "text", missing="no_label"),
        of("declined", "boolean", coded="yes"),
        of("cleared", "boolean", coded="yes"),
        of("mode", "code", coded="mode"),
        of("received_at", "instant", missing="imported"),
        of("recorded_at", "instant"),
        of("first_recorded_at", "instant", missing="not_carried"),
        of("in_window", "boolean", coded="yes"),
        of("entered_by", "text", missing="not_entered"),
        of("reason_given", "boolean", coded="yes"),
        of("text_id", "integer", missing="not_from_text"),
    )


_RUNGS = (("channel", ""), ("channel_2", "no_further_channel"), ("channel_3", "no_further_channel"))


def _participants() -> Table:
    of = _Of("participants")
    happened = (*CONSENTED.values(), "opted_out_at", "paused_at", "withdrawn_at", "died_at")
    return of.table_of(
        ("participant",),
        of("participant", "text"),
        of("site", "text"),
        of("language", "text"),
        of("zone", "text"),
        *(of(name, "code", coded="channel", missing=missing) for name, missing in _RUNGS),
        of("country", "text"),
        of("procedure_date", "date"),
        of("procedure_end", "instant", missing="never"),
        of("confirmed_at", "instant", missing="never"),
        of("enrolled_at", "instant"),
        *(of(name, "instant", missing="never") for name in happened),
        of("contact_test", "code", coded="contact_test"),
        of("schedule", "integer", least=1),
        of("protocol_version", "integer", least=1),
        of("erased", "boolean", coded="yes"),
    )


def _messages(shape: Shape) -> Table:
    of = _Of("messages")
    return of.table_of(
        ("message_id",),
        of("message_id", "integer"),
        of("participant", "text"),
        of("visit", "code", coded=visit_codes(shape), missing="no_visit"),
        of("kind", "text"),
        of("channel", "code", coded="way"),
        of("provider", "text"),
        of("segments", "integer", least=1),
        of("state", "code", coded="state"),
        of("queued_at", "instant"),
        *(of(name, "instant", missing="never") for name in ("accepted_at", "sent_at", "ended_at")),
        of("attempts", "integer", least=0),
        of("error", "text", missing="no_error"),
        of("error_class", "text", missing="no_error"),
    )


def _calls(shape: Shape) -> Table:
    of = _Of("calls")
    return of.table_of(
        ("call_id",),
        of("call_id", "integer"),
        of("participant", "text"),
        of("visit", "code", coded=visit_codes(shape), missing="no_visit"),
        of("called_at", "instant"),
        of("caller", "text"),
        of("outcome", "text"),
        of("call_back_at", "instant", missing="never"),
    )


def _tasks(shape: Shape) -> Table:
    of = _Of("tasks")
    return of.table_of(
        ("task_id",),
        of("task_id", "integer"),
        of("participant", "text", missing="unknown_sender"),
        of("visit", "code", coded=visit_codes(shape), missing="no_visit"),
        of("level", "code", coded="level"),
        of("reason", "text"),
        of("raised_at", "instant"),
        of("due_at", "instant"),
        of("acknowledged_at", "instant", missing="never"),
        of("resolved_at", "instant", missing="never"),
        of("outcome", "text", missing="never"),
    )


def _changes() -> Table:
    of = _Of("changes")
    return of.table_of(
        ("change_id",),
        of("change_id", "integer"),
        of("changed_at", "instant"),
        of("participant", "text"),
        of("cause", "code", coded="cause"),
        of("old_procedure_date", "date"),
        of("new_procedure_date", "date"),
        of("old_version", "integer", least=1),
        of("new_version", "integer", least=1),
        of("actor", "text"),
    )


def _queries(shape: Shape) -> Table:
    of = _Of("queries")
    return of.table_of(
        ("query_id",),
        of("query_id", "integer"),
        of("participant", "text"),
        of("visit", "code", coded=visit_codes(shape)),
        of(
            "item",
            "code",
            coded=[Code(item.slug, dict(item.short)) for item in shape.items.values()],
            missing="whole_visit",
        ),
        of("state", "code", coded="query_state"),
        of("opened_at", "instant"),
        of("answered_at", "instant", missing="never"),
        of("closed_at", "instant", missing="never"),
        of("opened_by", "text"),
        of("answered_by", "text", missing="never"),
    )


def _revelations() -> Table:
    of = _Of("revelations")
    return of.table_of(
        ("revelation_id",),
        of("revelation_id", "integer"),
        of("participant", "text", missing="unknown_sender"),
        of("noted_at", "instant"),
        of("where", "code", coded="where"),
    )


LONGEST = 17
"""Signs that an item's name may have, so that `_declined` and `_versions` fit behind it."""
_NAME = re.compile(rf"[a-z][a-z0-9_]{{0,{LONGEST - 1}}}", re.ASCII)
_RESERVED = re.compile(
    # Stata
    r"byte|double|float|if|in|int|long|str\d+|strl|using|with|"
    # SPSS
    r"all|and|by|eq|ge|gt|le|lt|ne|not|or|to|"
    # R
    r"break|else|for|function|next|repeat|while"
)
"""Words that programs for statistics keep for themselves."""


def name_faults(protocol: Protocol) -> tuple[Problem, ...]:
    """Return why items cannot be columns of a data set: no name for SAS, Stata and SPSS, or the name of another one."""
    faults = []
    taken = Counter(one.name for one in visits(Shape(protocol.study, (protocol,))).columns)
    for place, item in enumerate(protocol.items.values()):
        if not _NAME.fullmatch(item.slug) or _RESERVED.fullmatch(item.slug):
            faults.append(problem("item_no_column", f"item[{place}].id", given=item.slug, most=LONGEST))
        elif any(taken[name] > 1 for name in (item.slug, f"{item.slug}_declined", f"{item.slug}_versions")):
            faults.append(problem("item_column_taken", f"item[{place}].id", given=item.slug))
    return tuple(faults)


def labels(shape: Shape) -> dict[tuple[str, int], str]:
    """Return (item, value) -> what the value is called, for items whose values have names."""
    return {
        (key, int(code.value)): shape.label(code.labels) for key, item in shape.items.items() for code in _choices(item)
    }

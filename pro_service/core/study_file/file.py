"""Reads a study protocol from TOML and reports every fault at once.

The file is written by people who run a study; `rules` holds what must fit together in it.
"""

import re
import tomllib
from datetime import time, timedelta
from typing import TypeVar, get_args

from pro_service.core.problems import Problem, problem
from pro_service.core.protocol import (
    LADDER_ROLES,
    Channel,
    Item,
    Language,
    Level,
    LevelCode,
    MessageTemplate,
    Offset,
    Protocol,
    Role,
    RouteOverride,
    Site,
    Step,
    TimePoint,
)
from pro_service.core.study_file.rules import check_rules
from pro_service.core.study_file.toml_table import Table
from pro_service.core.toml_faults import Faults, line_of

Value = TypeVar("Value")

_CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,22}[A-Z0-9])?", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2}", re.ASCII)
_CONTENT = re.compile(r"HX[0-9a-fA-F]{32}", re.ASCII)
_DAYS = 3660
_MINUTES = 3 * 24 * 60


def check(text: str) -> tuple[Protocol | None, tuple[Problem, ...]]:
    """Return the protocol in a TOML text, and every fault in it; the protocol is None exactly if there are faults."""
    faults = Faults(text)
    try:
        values = tomllib.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        return None, (problem("not_toml", "", line_of(error, text), error=str(error)),)
    root = Table(values, "", faults)
    protocol = _protocol(root)
    root.close()
    check_rules(protocol, faults)
    return (None if faults.all() else protocol), faults.all()


def _protocol(root: Table) -> Protocol:
    languages = _languages(root)
    prompts, calls = root.table("prompts"), root.table("calls")
    starts, ends = root.day("starts"), root.day("ends")
    protocol = Protocol(
        study=_code(root, "study"),
        title=root.text("title"),
        registry=root.text("registry", "", empty=True),
        demo=root.flag("demo", default=False),
        draft=root.flag("draft", default=False),
        starts=starts,
        ends=ends,
        planned_participants=root.integer("planned_participants", 1, 10_000_000)
        if root.has("planned_participants")
        else None,
        languages=languages,
        contact_hours=prompts.hours("contact_hours"),
        working_hours=calls.hours("working_hours"),
        useful_for=prompts.span("useful_for", timedelta(hours=24)),
        useless_before_close=prompts.span("useless_before_close", timedelta(hours=6)),
        failed_calls=calls.integer("failed_calls", 1, 100, 3),
        missed_in_a_row=calls.integer("missed_in_a_row", 1, 100, 2),
        items=_items(root, languages),
        time_points=tuple(_time_point(table, languages) for table in root.tables("time_point")),
        ladder=_ladder(root),
        sites=_sites(root, languages),
        safety_words=_safety_words(root, languages),
        routes=tuple(_route(table) for table in root.tables("route", required=False)),
        whatsapp_templates=tuple(_template(table) for table in root.tables("whatsapp_template", required=False)),
    )
    prompts.close()
    calls.close()
    return protocol


def _languages(root: Table) -> tuple[Language, ...]:
    languages = root.words("languages")
    for index, language in enumerate(languages):
        if not _LANGUAGE.fullmatch(language):
            root.fault(f"languages[{index}]", "no_language_code", given=language)
    return languages


def _items(root: Table, languages: tuple[Language, ...]) -> dict[str, Item]:
    items: dict[str, Item] = {}
    for table in root.tables("item"):
        item = _item(table, languages)
        _add(items, item.id, item, table, "id")
    return items


def _item(table: Table, languages: tuple[Language, ...]) -> Item:
    low, high = table.integer("minimum", 0, 99), table.integer("maximum", 1, 100)
    choices = {}
    if table.has("choices"):
        labels = table.table("choices")
        choices = {language: labels.words(language) for language in languages}
        labels.close()
    item = Item(
        id=_code(table, "id"),
        minimum=low,
        maximum=high,
        primary=table.flag("primary", default=False),
        question=table.texts("question", languages),
        short=table.texts("short", languages),
        low=table.texts("low", languages),
        high=table.texts("high", languages),
        choices=choices,
        review_at=table.integer("review_at", 0, 100) if table.has("review_at") else None,
        review_rise=table.integer("review_rise", 1, 100) if table.has("review_rise") else None,
    )
    table.close()
    return item


def _time_point(table: Table, languages: tuple[Language, ...]) -> TimePoint:
    instants = table.has("after_procedure")
    nothing = 0 if instants else None
    call = table.table("call", required=False)
    called = table.has("call")
    point = TimePoint(
        code=_code(table, "code"),
        label=table.texts("label", languages),
        mode=table.choice("mode", ("message", "clinic")),
        items=table.words("items"),
        target=table.offset("target", Offset() if instants else None),
        before=-table.days("first_day", nothing),
        after=table.days("last_day", nothing),
        planned_day=table.integer("planned_day", -_DAYS, _DAYS),
        steps=_steps(table),
        call_after=call.days("after") if called else None,
        call_at=call.clock("at", time(9)),
        lead_before=call.span("lead_before", timedelta(hours=48)),
        call_due_working_days=call.integer("due_working_days", 0, 30, 1),
        late=table.offset("late_until") if table.has("late_until") else None,
        minutes=_minutes(table) if instants else None,
    )
    call.close()
    table.close()
    return point


def _steps(table: Table) -> tuple[Step, ...]:
    named = [("invitation", table.table("invitation"))] if table.has("invitation") else []
    reminders = table.tables("reminder", required=False)
    named += [(f"reminder-{number}", reminder) for number, reminder in enumerate(reminders, start=1)]
    steps = []
    for name, step in named:
        steps.append(Step(name, step.days("after"), step.clock("at")))
        step.close()
    return tuple(steps)


def _minutes(table: Table) -> tuple[int, int, int]:
    span = table.table("after_procedure")
    target, opens, closes = (span.span(key) // timedelta(minutes=1) for key in ("target", "from", "to"))
    span.close()
    if closes > _MINUTES:
        table.fault("after_procedure.to", "too_many_minutes")
    return target, opens, closes


def _ladder(root: Table) -> dict[LevelCode, Level]:
    table = root.table("ladder")
    levels = {}
    codes: tuple[LevelCode, ...] = get_args(LevelCode)
    for code in codes:
        level = table.table(code)
        roles = level.words("roles")
        for index, role in enumerate(roles):
            if role not in get_args(Role):
                level.fault(f"roles[{index}]", "no_role", given=role, known=LADDER_ROLES)
            elif role not in LADDER_ROLES:
                level.fault(f"roles[{index}]", "role_without_tasks", given=role, known=LADDER_ROLES)
        levels[code] = Level(
            code=code,
            roles=tuple(role for role in LADDER_ROLES if role in roles),
            due_working_days=level.integer("due_working_days", 0, 60) if level.has("due_working_days") else None,
            due_hours=level.integer("due_hours", 1, 1000) if level.has("due_hours") else None,
            next=level.choice("next", codes) if level.has("next") else None,
        )
        level.close()
    table.close()
    return levels


def _sites(root: Table, languages: tuple[Language, ...]) -> dict[str, Site]:
    sites: dict[str, Site] = {}
    for table in root.tables("site"):
        name = table.text_or_texts("name", languages)
        site = Site(
            code=_code(table, "code"),
            name=name,
            short_name=table.text_or_texts("short_name", languages) if table.has("short_name") else name,
            zone=table.text("zone"),
            country=table.text("country"),
            telephone=table.text("telephone", "", empty=True),
            email=table.text("email", "", empty=True),
            emergency=table.text("emergency") if table.has("emergency") else "",
            provider=table.text("provider") if table.has("provider") else "",
        )
        table.close()
        _add(sites, site.code, site, table, "code")
    return sites


def _safety_words(root: Table, languages: tuple[Language, ...]) -> dict[Language, tuple[str, ...]]:
    table = root.table("safety_words")
    words = {language: table.words(language) for language in languages}
    table.close()
    return words


def _route(table: Table) -> RouteOverride:
    channels: tuple[Channel, ...] = get_args(Channel)
    route = RouteOverride(table.text("country"), table.choice("channel", channels), table.text("reason"))
    table.close()
    return route


def _template(table: Table) -> MessageTemplate:
    template = MessageTemplate(
        frame=table.text("frame"),
        language=table.text("language"),
        content_sid=table.text("content_sid"),
        variables=table.words("variables"),
        buttons=table.words("buttons", required=False),
    )
    if template.content_sid and not _CONTENT.fullmatch(template.content_sid):
        table.fault("content_sid", "content_sid_unfit", given=template.content_sid)
    table.close()
    return template


def _code(table: Table, key: str) -> str:
    code = table.text(key)
    if code and not _CODE.fullmatch(code):
        table.fault(key, "code_unfit", given=code)
    return code


def _add(found: dict[str, Value], code: str, value: Value, table: Table, key: str) -> None:
    if code in found and code:
        table.fault(key, "code_twice", given=code)
    # Kept all the same, so that later paths count as the file does; with a fault the whole is dropped in the end.
    found[code if code not in found else f"{code} {len(found)}"] = value

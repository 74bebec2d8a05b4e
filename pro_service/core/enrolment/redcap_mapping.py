"""A column mapping, as data: which column of a REDCap export fills which of our columns, and how its values are read.

TOML, one table for each of our columns. `from` names the export's column, or `always` gives the same value to all;
`values` turns codes into words, `format` says how dates are written, `when` is a checkbox that must be ticked, `event`
the event whose row holds it, if that is not the procedure's. `instance = "last"`, at the top for all columns or below
one: of several rows of a record the newest counts, where they must otherwise agree. `empty`, at the top, lists the
codes that stand for "nothing known"; `when_is` says what a yes/no question must be, in place of a box; `replace` makes
codes of record ids that hold blanks or slashes.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pro_service.core.enrolment.blinding import Passed, is_allocation, is_telling, none_passed
from pro_service.core.enrolment.file import CONSENTS, OPTIONAL, REQUIRED, columns_of, one_line
from pro_service.core.problems import Problem, nearest, problem
from pro_service.core.replies.folding import visible
from pro_service.core.toml_faults import Faults, line_of

NEEDED = ("participant", "site", "procedure_date", "language")
DATES = frozenset({"procedure_date", *CONSENTS.values()})
CONTACT = frozenset({"phone", "email"})
FORMATS = (*("YYYY-MM-DD", "DD-MM-YYYY", "MM-DD-YYYY", "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "YYYY/MM/DD"),)
"""How a date may be written; a time may follow it, as in REDCap's own date-times."""

SYSTEM = frozenset(
    {
        *("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "redcap_data_access_group"),
        *("redcap_survey_identifier", "event name", "repeat instrument", "repeat instance", "data access group"),
        "survey identifier",
    }
)
"""REDCap's own columns, raw and labelled: a data access group is a site, an event a visit, neither an allocation."""

HEAD = """\
# How a REDCap export is read as an enrolment: a table for each of our columns, `from` names the export's.
# Used by: pro-service participant import EXPORT.csv --mapping THIS.toml
"""
LAST = "last"
_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Column:
    """Where one of our columns comes from."""

    source: str = ""
    """Theirs, as its first line names it; empty with `always`."""
    always: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    """Theirs -> ours; empty: as they are."""
    format: str = ""
    when: str = ""
    event: str = ""
    instance: str = ""
    """`LAST`: the newest of several rows; empty: they must agree."""
    when_is: str = ""
    """What `when` must be; empty: it is a checkbox."""
    replace: Mapping[str, str] = field(default_factory=dict)
    """Of the participant's code: sign -> what stands for it."""


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A whole mapping."""

    columns: Mapping[str, Column]
    event: str = ""
    """The event whose row holds the procedure; empty for a project without events."""
    instance: str = ""
    """As of a column, for those that do not say it themselves."""
    empty: tuple[str, ...] = ()
    """Codes that mean an empty cell."""

    def theirs(self, column: str) -> str:
        """Return what one of our columns is called in the export; empty if it comes from none."""
        return self.columns[column].source if column in self.columns else ""

    def named(self) -> Iterator[str]:
        """Return every column of the export that is read."""
        for column in self.columns.values():
            yield from (name for name in (column.source, column.when) if name)


def parse(
    text: str, baseline: Sequence[str], passed: Passed = none_passed
) -> tuple[ColumnMapping | None, tuple[Problem, ...]]:
    """Return the mapping in this TOML, or every fault in it. `baseline`: the items of the baseline."""
    try:
        root = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, (problem("mapping_not_toml", "", line_of(error, text)),)
    faults, known = Faults(text), {"event", "instance", "empty", "column"}
    for name in root.keys() - known:
        faults.add(
            name,
            "mapping_key_unknown",
            near=nearest(name, known),
            known=("event", "instance", "empty", "[column.NAME]"),
        )
    tables = root.get("column", {})
    event = _text(faults, "event", root.get("event", ""))
    if not isinstance(tables, dict):
        faults.add("column", "mapping_no_columns")
        tables = {}
    columns = {name: _column(faults, name, table) for name, table in tables.items()}
    found = ColumnMapping(
        columns, event, _text(faults, "instance", root.get("instance", "")), _codes(faults, root.get("empty", []))
    )
    for fault in check(found, baseline, passed):
        faults.add(fault.path, fault.code, **fault.values)
    every = faults.all()
    return (None if every else found), every


def _column(faults: Faults, name: str, table: object) -> Column:
    path = f"column.{name}"
    if not isinstance(table, dict):
        faults.add(path, "mapping_no_table", column=name)
        return Column()
    keys = ("from", "always", "values", "format", "when", "event", "instance", "when_is", "replace")
    for key in table.keys() - set(keys):
        faults.add(f"{path}.{key}", "mapping_key_unknown", near=nearest(key, keys), known=keys)
    values, signs = _pairs(faults, f"{path}.values", table), _pairs(faults, f"{path}.replace", table)
    given = {
        key: _text(faults, f"{path}.{key}", table.get(key, "")) for key in keys if key not in {"values", "replace"}
    }
    mapped = {visible(key): value for key, value in values.items()}
    return Column(
        one_line(given["from"]),
        given["always"],
        mapped,
        given["format"],
        one_line(given["when"]),
        given["event"],
        given["instance"],
        given["when_is"],
        signs,
    )


def _pairs(faults: Faults, path: str, table: Mapping[str, object]) -> dict[str, str]:
    pairs = table.get(path.rpartition(".")[2], {})
    if not isinstance(pairs, dict):
        faults.add(path, "mapping_no_values")
        return {}
    return {str(key): _text(faults, f"{path}.{key}", value) for key, value in pairs.items()}


def _codes(faults: Faults, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        faults.add("empty", "mapping_no_list")
        return ()
    return tuple(_text(faults, "empty", one) for one in value)


def _text(faults: Faults, path: str, value: object) -> str:
    if not isinstance(value, str):
        faults.add(path, "mapping_no_text")
        return ""
    return visible(value)


def check(mapping: ColumnMapping, baseline: Sequence[str], passed: Passed = none_passed) -> Iterator[Problem]:
    """Return every fault of a mapping; paths as in its TOML."""
    known = (*REQUIRED, *OPTIONAL, *columns_of(baseline))
    for name in NEEDED:
        if name not in mapping.columns:
            yield problem("mapping_column_missing", f"column.{name}", column=name)
    if mapping.instance not in {"", LAST}:
        yield problem("mapping_instance", "instance")
    for name, column in mapping.columns.items():
        path = f"column.{name}"
        if column.instance not in {"", LAST}:
            yield problem("mapping_instance", f"{path}.instance")
        if (column.when_is and not column.when) or (column.replace and name != "participant"):
            yield problem("mapping_out_of_place", path)
        if name not in known:
            yield problem("mapping_column_unknown", path, near=nearest(name, known), known=known)
        yield from _origin_faults(path, name, column, passed)
        if column.values and name in CONTACT:
            yield problem("mapping_contact", f"{path}.values")
        if column.format and (name not in {*DATES, "procedure_time"} or column.format not in FORMATS):
            yield problem("mapping_format", f"{path}.format", known=FORMATS)


def _origin_faults(path: str, name: str, column: Column, passed: Passed) -> Iterator[Problem]:
    """Return the faults in a column's source and values."""
    if bool(column.source) == bool(column.always):
        yield problem("mapping_one_origin", path)
    elif column.always and name in CONTACT | {"participant"}:
        yield problem("mapping_same_for_all", f"{path}.always")
    for theirs in (column.source, column.when):
        if looks_like_allocation(theirs, passed):
            yield problem("mapping_allocation", f"{path}.from", column=theirs)
    if any(map(is_telling, (*column.values, *column.values.values(), column.when_is))):
        yield problem("mapping_names_arm", f"{path}.values")


def looks_like_allocation(name: str, passed: Passed = none_passed) -> bool:
    """Whether a column of an export looks like the allocation; REDCap's own do not, nor one that was let pass."""
    own = name.strip().casefold()
    return bool(name) and own not in SYSTEM and is_allocation(name) and own not in passed()


def mapping_toml(mapping: ColumnMapping) -> str:
    """Return the mapping as TOML, to be stored for the next time; `parse` reads it back."""
    lines = [HEAD]
    if mapping.event:
        lines.append(f"event = {_quoted(mapping.event)}\n")
    if mapping.instance:
        lines.append(f"instance = {_quoted(mapping.instance)}\n")
    if mapping.empty:
        lines.append(f"empty = [{', '.join(map(_quoted, mapping.empty))}]\n")
    for name, column in mapping.columns.items():
        lines.append(f"[column.{_key(name)}]")
        given = {
            "from": column.source,
            "always": column.always,
            "format": column.format,
            "when": column.when,
            "event": column.event,
            "instance": column.instance,
            "when_is": column.when_is,
        }
        lines += [f"{key} = {_quoted(value)}" for key, value in given.items() if value]
        for key, table in (("values", column.values), ("replace", column.replace)):
            pairs = ", ".join(f"{_quoted(theirs)} = {_quoted(ours)}" for theirs, ours in table.items())
            lines += [f"{key} = {{ {pairs} }}"] if pairs else []
        lines.append("")
    return "\n".join(lines)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    # JSON's escapes are TOML's, but for a lone DEL, which TOML wants escaped too.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

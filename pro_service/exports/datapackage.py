"""`datapackage.json`: the data set as a Frictionless Data Package (version 1), each file with its Table Schema.

Programs read from it what the codebook tells people: types, which cells may be empty, limits, codes, and keys.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pro_service.exports import codebook
from pro_service.exports.csv_files import WrittenFile
from pro_service.exports.tables import Column, Kind, Table, Words

FILE = "datapackage.json"

_TYPES: Mapping[Kind, Mapping[str, object]] = {
    "text": {"type": "string"},
    "code": {"type": "string"},
    "integer": {"type": "integer"},
    "decimal": {"type": "number"},
    "boolean": {"type": "boolean", "trueValues": ["1"], "falseValues": ["0"]},
    "date": {"type": "date"},
    "instant": {"type": "datetime"},
}


def as_json(
    tables: Sequence[Table],
    written: Iterable[WrittenFile],
    *,
    name: str,
    title: str,
    languages: Sequence[str],
    separator: str = codebook.SEPARATOR,
) -> str:
    """Return the whole package.

    `written` holds the file of each table, and the codebook if it is to be described; `name` identifies the set:
    it is put into small letters. KeyError if the file of a table was not written.
    """
    files = {file.path: file for file in written}
    dialect = _dialect(separator)
    resources = [_resource(table, files[table.path], dialect, tables) for table in tables]
    if codebook.FILE in files:
        resources.append(_codebook(files[codebook.FILE], dialect, languages))
    package = {"profile": "tabular-data-package", "name": _legal(name), "title": title, "resources": resources}
    return json.dumps(package, ensure_ascii=False, indent=2) + "\n"


def _resource(
    table: Table, file: WrittenFile, dialect: Mapping[str, object], tables: Sequence[Table]
) -> dict[str, object]:
    schema: dict[str, object] = {
        "fields": [_field(column, dialect) for column in table.columns],
        "missingValues": [""],
        "primaryKey": list(table.key),
    }
    if links := list(_links(table, tables)):
        schema["foreignKeys"] = links
    return _described(table.name, _english(table.labels), file, dialect, schema)


def _codebook(file: WrittenFile, dialect: Mapping[str, object], languages: Sequence[str]) -> dict[str, object]:
    fields: list[dict[str, object]] = [{"name": name, "type": "string"} for name in codebook.header(languages)]
    schema: dict[str, object] = {"fields": fields, "missingValues": [""]}
    return _described("codebook", "Every column, and every code of it", file, dialect, schema)


def _described(
    name: str, title: str, file: WrittenFile, dialect: Mapping[str, object], schema: Mapping[str, object]
) -> dict[str, object]:
    return {
        "profile": "tabular-data-resource",
        "name": name,
        "title": title,
        "path": file.path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
        "dialect": dialect,
        "schema": schema,
    }


def _field(column: Column, dialect: Mapping[str, object]) -> dict[str, object]:
    field: dict[str, object] = {"name": column.name, "title": _english(column.labels), **_TYPES[column.kind]}
    if column.kind == "decimal" and dialect["delimiter"] == codebook.FOR_EXCEL:
        field["decimalChar"] = codebook.EXCEL_MARK
    values = [code.value for code in column.codes]
    if column.kind == "code" and all(isinstance(value, int) for value in values):
        field["type"] = "integer"
    if said := " · ".join(filter(None, (_english(column.questions), _empty(column)))):
        field["description"] = said
    if limits := dict(_constraints(column, values)):
        field["constraints"] = limits
    return field


def _constraints(column: Column, values: Sequence[str | int]) -> Iterator[tuple[str, object]]:
    if not column.missing:
        yield "required", True
    if column.kind in ("integer", "decimal"):
        yield from (("minimum", column.minimum),) if column.minimum is not None else ()
        yield from (("maximum", column.maximum),) if column.maximum is not None else ()
    if values and column.kind in ("code", "integer"):
        yield "enum", list(values)


def _links(table: Table, tables: Sequence[Table]) -> Iterator[dict[str, object]]:
    """Yield the foreign keys: the participant and the visit of a row are rows of their own tables."""
    own = {column.name: column for column in table.columns}
    for other, fields in (("participants", ("participant",)), ("visits", ("participant", "visit"))):
        known = any(one.name == other and set(fields) <= {column.name for column in one.columns} for one in tables)
        # A program compares whole keys: one of which a part may be empty would be missed.
        sure = all(name in own and not own[name].missing for name in fields)
        if known and sure and table.name != other:
            yield {"fields": list(fields), "reference": {"resource": other, "fields": list(fields)}}


def _dialect(separator: str) -> dict[str, object]:
    return {"delimiter": separator, "lineTerminator": "\n", "quoteChar": '"', "doubleQuote": True, "header": True}


def _empty(column: Column) -> str:
    said = _english(column.missing)
    return f"Empty: {said}" if said else ""


def _english(words: Words) -> str:
    return words.get("en") or next(iter(words.values()), "")


def _legal(name: str) -> str:
    """Return a name of a package: small letters, digits and signs that are safe in an address."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())

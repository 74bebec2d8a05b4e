"""What a script reads a column as."""

from typing import Literal, TypeAlias

from pro_service.exports.formats.finished import numbers
from pro_service.exports.tables import Column

ReadAs: TypeAlias = Literal["text", "words", "integer", "decimal", "date", "instant"]


def read_as(column: Column) -> ReadAs:
    """Return what a column is read as: words are those that have labels, and yes and no are whole numbers."""
    match column.kind:
        case "date" | "instant" | "decimal":
            return column.kind
        case "integer" | "boolean":
            return "integer"
        case "code" if column.codes:
            return "words" if numbers(column) else "integer"
        case _:
            return "text"

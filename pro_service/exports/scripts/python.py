"""The script for Python: data frames of pandas, with categories, labels and instants in UTC."""

import json

from pro_service.exports.formats.finished import Finished, with_codes
from pro_service.exports.scripts.kinds import read_as
from pro_service.exports.tables import Column

_SCRIPT = '''\
"""Reads data/*.csv into data frames of pandas.

Needs pandas. `python -i scripts/read.py` gives visits, answers and so on; or `import read`, then `read.tables()`.
A column of words is a category with its words in order, a whole number Int64, a day and an instant a datetime (instants
in UTC). Labels stand in `frame.attrs`: "label" of the table, "labels" of columns, "value_labels" of codes.
"""

from pathlib import Path

import pandas as pd

SET = Path(__file__).resolve().parents[1]


def tables(folder=SET):
    """Return every table of the data set in this folder: name -> data frame."""
    return {name: table(name, folder) for name in TABLES}


def table(name, folder=SET):
    """Return one table as a data frame."""
    known = TABLES[name]
    path = Path(folder) / known["path"]
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8")
    if list(frame.columns) != [column["name"] for column in known["columns"]]:
        raise ValueError(f"{path} is of another version than this script")
    frame = pd.DataFrame({column["name"]: typed(frame[column["name"]], column) for column in known["columns"]})
    frame.attrs["label"] = known["label"]
    frame.attrs["labels"] = {column["name"]: column["label"] for column in known["columns"]}
    coded = [column for column in known["columns"] if column["codes"]]
    frame.attrs["value_labels"] = {column["name"]: dict(column["codes"]) for column in coded}
    return frame


def typed(texts, column):
    """Return a column of texts as what it holds."""
    match column["kind"]:
        case "words":
            return pd.Series(pd.Categorical(texts, categories=[word for word, _ in column["codes"]]), index=texts.index)
        case "integer":
            return pd.to_numeric(texts).astype("Int64")
        case "decimal":
            return pd.to_numeric(texts).astype("float64")
        case "date":
            return pd.to_datetime(texts, format="%Y-%m-%d")
        case "instant":
            return pd.to_datetime(texts, format="%Y-%m-%dT%H:%M:%S%z", utc=True)
    return texts


TABLES = {tables}

if __name__ == "__main__":
    globals().update(tables())
'''


def script(finished: Finished) -> str:
    """Return read.py."""
    known = {
        table.name: {
            "path": table.path,
            "label": finished.said(table.labels),
            "columns": [_described(finished, with_codes(column)) for column in table.columns],
        }
        for table in finished.tables
    }
    # Of texts, numbers, lists and dictionaries alone, JSON is Python too.
    return _SCRIPT.replace("{tables}", json.dumps(known, ensure_ascii=False, indent=4))


def _described(finished: Finished, column: Column) -> dict[str, object]:
    return {
        "name": column.name,
        "kind": read_as(column),
        "label": finished.said(column.labels),
        "codes": [[code.value, finished.said(code.labels)] for code in column.codes],
    }

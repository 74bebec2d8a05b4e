"""The codebook says of every column what the tables say, and is read back as it was written."""

import csv

from pro_service.exports import codebook
from pro_service.exports.data_tables import data_tables
from pro_service.exports.tables import Code, Column, Table
from tests.exports.made_set import SHAPE

TABLES = data_tables(SHAPE)


def read(text: str, separator: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines(keepends=True), delimiter=separator))


def test_every_column_has_a_row_and_each_of_its_codes_one_below_it() -> None:
    rows = read(codebook.as_csv(TABLES, SHAPE.languages))
    expected = [
        (table.path, column.name, str(position), code)
        for table in TABLES
        for position, column in enumerate(table.columns, start=1)
        for code in ("", *(str(one.value) for one in column.codes))
    ]
    assert [(row["file"], row["column"], row["position"], row["code"]) for row in rows] == expected


def test_an_item_has_its_question_its_limits_and_the_names_of_its_values() -> None:
    rows = read(codebook.as_csv(TABLES, SHAPE.languages))
    first, *codes = [row for row in rows if (row["file"], row["column"]) == ("data/visits.csv", "pgic")]
    assert (first["type"], first["minimum"], first["maximum"]) == ("integer", "1", "7")
    assert first["question_tr"].startswith("İşlemden bu yana genel durumum:\n")
    assert first["missing_means"] == "The item is not asked at this visit, or has no answer"
    assert [row["code"] for row in codes] == list("1234567")
    assert (codes[0]["label_en"], codes[0]["label_tr"]) == ("very much improved", "çok fazla iyileşti")
    assert {row["question_en"] + row["missing_means"] + row["minimum"] for row in codes} == {""}


def test_a_derived_column_says_what_it_is_made_of() -> None:
    rows = read(codebook.as_csv(TABLES, SHAPE.languages))
    (change,) = [row for row in rows if row["column"] == "nrs_avg_change"]
    assert (change["derived_from"], change["formula"]) == ("nrs_avg_base nrs_avg", "nrs_avg_base - nrs_avg")


def test_a_study_in_a_third_language_has_its_labels_too_and_english_where_there_are_none() -> None:
    words = {"en": "Pain", "de": "Schmerz"}
    column = Column("pain", "integer", words, (Code(1, {"en": "mild"}),), questions={"de": "Wie stark?"})
    text = codebook.as_csv([Table("visits", {"en": "Visits"}, (column,), ("pain",))], ["de"], separator=";")
    row, code = read(text, ";")
    assert (row["label_en"], row["label_tr"], row["label_de"]) == ("Pain", "Pain", "Schmerz")
    assert (row["question_de"], code["label_de"]) == ("Wie stark?", "mild")

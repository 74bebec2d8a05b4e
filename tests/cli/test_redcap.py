"""`participant import --mapping`: a REDCap export becomes an enrolment, or every fault in it is said."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.core.enrolment import redcap as sample


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Return an export of two records, and its mapping."""
    export, mapping = tmp_path / "export.csv", tmp_path / "redcap.toml"
    rows = [sample.screening(1), sample.procedure(1), sample.repeated(1), sample.screening(2), sample.screening(3)]
    export.write_bytes(sample.export([*rows, sample.procedure(2, lang="2", consent="0")]))
    mapping.write_text(sample.MAPPING.replace('"sms-link"', '"sms-reply"'), encoding="utf-8")
    return export, mapping


def test_an_export_enrols_says_what_was_left_out_and_changes_nothing_again(
    run: Run, study: str, files: tuple[Path, Path]
) -> None:
    export, mapping = files
    done = run("participant", "import", export, "--mapping", mapping)
    assert (done.status, f"{study}: 2 enrolled, 0 unchanged." in done.out) == (0, True)
    assert "Columns that were not read: surname" in done.err
    assert "left for later: 1." in done.err
    again = run("participant", "import", export, "--mapping", mapping, "--json").json
    assert (again["enrolled"], again["unchanged"], again["waiting"], again["repeated"]) == (0, 2, 1, 1)


def test_faults_name_the_exports_column_beside_ours(run: Run, study: str, files: tuple[Path, Path]) -> None:
    assert study
    export, mapping = files
    export.write_bytes(sample.export([sample.screening(1), sample.procedure(1, nrs="17")]))
    done = run("participant", "import", export, "--mapping", mapping)
    assert (done.status, "baseline_nrs_avg (nrs_avg)" in done.out) == (1, True)


def test_a_name_that_only_sounds_like_the_allocation_passes_once_an_investigator_said_so(
    run: Run, study: str, files: tuple[Path, Path]
) -> None:
    assert study
    export, mapping = files
    name = "survey_after_intervention_complete"
    export.write_bytes(
        sample.export([f"{sample.screening(1)},2", f"{sample.procedure(1)},2"], f"{sample.HEADER},{name}")
    )
    imported = ("participant", "import", export, "--mapping", mapping, "--dry-run")
    assert "let-column-pass" in run(*imported).out
    for role in ("coordinator", "investigator"):
        run(
            "user", "add", f"{role}@clinic.example", "--role", role, "--study", study, text="a quiet morning in April\n"
        )
    passing = ("study", "let-column-pass", name.upper(), "--reason", "a form's state", "--by")
    assert run(*passing, "coordinator@clinic.example").status == 1
    assert run(*imported).status == 1
    assert run(*passing, "investigator@clinic.example").status == 0
    assert "passes already" in run(*passing, "investigator@clinic.example").out
    nameless = run("study", "let-column-pass", " ", *passing[3:], "investigator@clinic.example")
    assert (nameless.status, "is empty" in nameless.out) == (1, True)
    assert (run(*imported).status, run("study", "let-column-pass", "age", "--reason", "x", "--by", "i").status) == (
        0,
        1,
    )
    mapping.write_text(sample.MAPPING.replace('"lang"', f'"{name}"'), encoding="utf-8")
    assert "allocation" not in run(*imported).out


def test_a_faulty_mapping_is_refused_with_its_lines(run: Run, study: str, files: tuple[Path, Path]) -> None:
    assert study
    export, mapping = files
    mapping.write_text(sample.MAPPING.replace('"proc_datetime"', '"treatment_group"', 1), encoding="utf-8")
    done = run("participant", "import", export, "--mapping", mapping)
    assert (done.status, "treatment_group" in done.out, "allocation" in done.out) == (1, True, True)

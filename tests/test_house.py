"""The rules of the house, kept by counting. Where a rule has to bend, the exception stands here with its reason."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = sorted((ROOT / "pro_service").rglob("*.py"))
TESTS = sorted(file for file in (ROOT / "tests").rglob("*.py"))
MIGRATIONS = sorted((ROOT / "migrations" / "versions").glob("*.py"))


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imported_by(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def each(files: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("file", files, ids=[name_of(file) for file in files])


# --- code ------------------------------------------------------------------------------------------------------------


def test_every_import_is_one_that_the_layers_allow() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@each(sorted((ROOT / "pro_service" / "core").rglob("*.py")))
def test_the_core_knows_the_standard_library_alone(file: Path) -> None:
    known = set(imported_by(tree_of(file)))
    foreign = {name for name in known if name.split(".")[0] not in sys.stdlib_module_names}
    assert {name for name in foreign if not name.startswith("pro_service.core")} == set()


@each([*PACKAGE, *TESTS])
def test_a_module_says_in_one_line_what_it_is(file: Path) -> None:
    text = ast.get_docstring(tree_of(file))
    assert text
    assert text.splitlines()[0].endswith((".", ":"))


@each(PACKAGE)
def test_a_module_is_named_for_its_subject(file: Path) -> None:
    assert file.stem not in {"utils", "util", "helpers", "helper", "misc", "common", "base", "manager"}


@each([*PACKAGE, *TESTS])
def test_imports_are_real_and_nothing_is_patched_or_skipped(file: Path) -> None:
    names = {node.id for node in ast.walk(tree_of(file)) if isinstance(node, ast.Name)}
    attributes = {ast.unparse(node) for node in ast.walk(tree_of(file)) if isinstance(node, ast.Attribute)}
    assert "TYPE_CHECKING" not in names
    assert not {"pytest.skip", "pytest.importorskip", "pytest.mark.skip", "pytest.mark.skipif"} & attributes
    assert not [name for name in imported_by(tree_of(file)) if name.startswith("unittest")]


@each([file for file in PACKAGE if name_of(file) != "pro_service/settings.py"])
def test_the_environment_is_read_by_the_settings_alone(file: Path) -> None:
    attributes = {ast.unparse(node) for node in ast.walk(tree_of(file)) if isinstance(node, ast.Attribute)}
    assert not {"os.environ", "os.environb", "os.getenv"} & attributes
    assert not {"print"} & {node.id for node in ast.walk(tree_of(file)) if isinstance(node, ast.Name)}


@each([file for file in PACKAGE if name_of(file) != "pro_service/use_cases/transaction.py"])
def test_rows_and_their_audit_trail_are_written_by_the_end_of_a_transaction_alone(file: Path) -> None:
    # Whoever builds a Writer of their own can forget to flush it, and with it the audit trail.
    calls = [node.func for node in ast.walk(tree_of(file)) if isinstance(node, ast.Call)]
    assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "Writer"]
    assert not [call for call in calls if isinstance(call, ast.Attribute) and call.attr in {"Writer", "flush"}]


WITHOUT_AUDIT = {
    "store/migrate.py": "a heartbeat that asks whether the database takes a write",
    "use_cases/delivery/deliver.py": "states of the outbox: each message's own row tells them",
    "use_cases/delivery/outcomes.py": "states of the outbox",
    "use_cases/delivery/quarantine.py": "the state of a channel, and of the outbox",
    "use_cases/delivery/reconcile.py": "states of the outbox",
    "use_cases/inbound/interpret.py": "how often reading a text failed, and when the provider says it came",
    "use_cases/inbound/pull.py": "texts kept raw, before anybody knows whose they are",
    "use_cases/inbound/receive.py": "texts kept raw, before anybody knows whose they are",
    "use_cases/staff/accounts.py": "when a session was last used",
    "use_cases/tick.py": "when to try a participant again whose case failed, and the heartbeat",
    "use_cases/transaction.py": "the one transaction",
}


def test_what_is_written_without_an_audit_trail_is_named_here() -> None:
    found = {
        name_of(file).removeprefix("pro_service/")
        for file in PACKAGE
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("sessions.begin")
    }
    assert found == WITHOUT_AUDIT.keys()


# --- migrations -------------------------------------------------------------------------------------------------------


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [file.name[:5] for file in MIGRATIONS] == [f"{number:04}_" for number in range(1, len(MIGRATIONS) + 1)]


def test_a_migration_imports_nothing_of_ours() -> None:
    # What a migration does must not change when our code does.
    imported = {name for file in MIGRATIONS for name in imported_by(tree_of(file))}
    assert [name for name in imported if name.startswith("pro_service")] == []

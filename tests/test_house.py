"""The rules of the house, kept by counting. Where a rule has to bend, the exception stands here with its reason."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = sorted((ROOT / "pro_service").rglob("*.py"))
TESTS = sorted(file for file in (ROOT / "tests").rglob("*.py"))
MIGRATIONS = sorted((ROOT / "migrations" / "versions").glob("*.py"))


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def imported_by(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@cache
def names_in(file: Path) -> set[str]:
    return {node.id for node in ast.walk(tree_of(file)) if isinstance(node, ast.Name)}


@cache
def attributes_in(file: Path) -> set[str]:
    return {ast.unparse(node) for node in ast.walk(tree_of(file)) if isinstance(node, ast.Attribute)}


# --- code ------------------------------------------------------------------------------------------------------------


def test_every_import_is_one_that_the_layers_allow() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_core_knows_the_standard_library_alone() -> None:
    core = [file for file in PACKAGE if name_of(file).startswith("pro_service/core/")]
    known = {(name_of(file), name) for file in core for name in imported_by(tree_of(file))}
    foreign = {(file, name) for file, name in known if name.split(".")[0] not in sys.stdlib_module_names}
    assert core
    assert {(file, name) for file, name in foreign if not name.startswith("pro_service.core")} == set()


PROVIDERS = ("twilio", "verimor")
KNOWN_TO = (
    "pro_service/gateways/",  # each in its own package, and the table of codes; a contract keeps them apart
    "pro_service/simulator/",
    "pro_service/core/routes.py",  # what each carries where
    "pro_service/core/providers.py",  # what each is
    "pro_service/settings.py",
    "pro_service/runtime.py",  # the one place where they are chosen
    "pro_service/cli/",  # the command that plays one
    "pro_service/logs.py",  # libraries that are kept quiet
)


def test_a_providers_name_stands_where_it_is_chosen_and_nowhere_else() -> None:
    """Its settings have its name, and are named in what people are told to do."""
    found = set()
    for file in PACKAGE:
        if name_of(file).startswith(KNOWN_TO):
            continue
        told = {id(node.value) for node in ast.walk(tree_of(file)) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree_of(file)):
            words = ""
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
                words = " ".join(word for word in node.value.split() if not word.strip("(:).,").isupper())
            elif isinstance(node, ast.Name | ast.Attribute | ast.alias):
                words = ast.unparse(node)
            if any(name in words.lower() for name in PROVIDERS):
                found.add((name_of(file), words))
    assert found == set()


def test_a_module_says_in_one_line_what_it_is() -> None:
    said = {name_of(file): ast.get_docstring(tree_of(file)) or "" for file in (*PACKAGE, *TESTS)}
    assert [name for name, text in said.items() if not text.partition("\n")[0].endswith((".", ":"))] == []


def test_a_module_is_named_for_its_subject() -> None:
    empty = {"utils", "util", "helpers", "helper", "misc", "common", "base", "manager"}
    assert [name_of(file) for file in PACKAGE if file.stem in empty] == []


def test_imports_are_real_and_nothing_is_patched_or_skipped() -> None:
    skipping = {"pytest.skip", "pytest.importorskip", "pytest.mark.skip", "pytest.mark.skipif"}
    files = (*PACKAGE, *TESTS)
    assert [name_of(file) for file in files if "TYPE_CHECKING" in names_in(file)] == []
    assert [name_of(file) for file in files if skipping & attributes_in(file)] == []
    patching = [file for file in files if any(name.startswith("unittest") for name in imported_by(tree_of(file)))]
    assert [name_of(file) for file in patching] == []


def test_the_environment_is_read_by_the_settings_alone() -> None:
    others = [file for file in PACKAGE if name_of(file) != "pro_service/settings.py"]
    environment = {"os.environ", "os.environb", "os.getenv"}
    assert [name_of(file) for file in others if environment & attributes_in(file)] == []
    assert [name_of(file) for file in others if "print" in names_in(file)] == []


def test_rows_and_their_audit_trail_are_written_by_the_end_of_a_transaction_alone() -> None:
    # A Writer built elsewhere can be forgotten to be flushed, and with it the audit trail.
    others = [file for file in PACKAGE if name_of(file) != "pro_service/use_cases/transaction.py"]
    calls = [(file, node.func) for file in others for node in ast.walk(tree_of(file)) if isinstance(node, ast.Call)]
    by_name = {name_of(file) for file, call in calls if isinstance(call, ast.Name) and call.id == "Writer"}
    by_attribute = {
        name_of(file)
        for file, call in calls
        # zlib flushes what it has packed.
        if isinstance(call, ast.Attribute) and call.attr in {"Writer", "flush"} and ast.unparse(call) != "packer.flush"
    }
    assert by_name | by_attribute == set()


WITHOUT_AUDIT = {
    "store/readiness.py": "a heartbeat that asks whether the database takes a write",
    "use_cases/delivery/deliver.py": "states of the outbox: each message's own row tells them",
    "use_cases/delivery/outcomes.py": "states of the outbox",
    "use_cases/delivery/quarantine.py": "the state of a channel, and of the outbox",
    "use_cases/delivery/reconcile.py": "states of the outbox",
    "use_cases/inbound/interpret.py": "how often reading a text failed, and when the provider says it came",
    "use_cases/inbound/pull.py": "texts kept raw, before anybody knows whose they are",
    "use_cases/inbound/receive.py": "texts kept raw, before anybody knows whose they are",
    "use_cases/inbound/reseal.py": "texts kept raw, sealed with another key",
    "use_cases/keys.py": "keys in another wrapping: one row for all of them stands in the trail before",
    "use_cases/participants/erase.py": "what became of the provider's copies; the erasure itself stands in the trail",
    "use_cases/staff/accounts.py": "when a session was last used",
    "use_cases/tick.py": "when to try a participant again whose case failed",
    "use_cases/trail/seal.py": "seals over the trail itself",
    "use_cases/trail/time_stamp.py": "what an authority outside said of a seal",
    "use_cases/trail/verify.py": "what the last check of the trail found",
    "use_cases/transaction.py": "the one transaction",
    "use_cases/trusted_time.py": "a heartbeat",
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

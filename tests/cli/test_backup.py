"""A backup by hand, a restore, a move to another database: what the commands say and leave."""

import json
from pathlib import Path

from pro_service.store.manifests import MANIFEST
from tests.cli.conftest import Run


def test_a_backup_is_made_restored_and_moved_by_commands(run: Run, study: str, now: Path, tmp_path: Path) -> None:
    made = run("backup", "--json")
    assert (made.status, made.json["data_key_ids"], made.json["removed"]) == (0, ["k1"], 0)
    folder = Path(made.json["folder"])
    assert (folder.parent, sorted(file.name for file in folder.iterdir())) == (
        tmp_path / "var" / "backups",
        ["database.db", MANIFEST],
    )
    now.write_text("2026-03-03T12:00:00Z")
    again = run("backup", "--keep", "1")
    assert again.out.endswith("Older backups removed: 1\n")
    assert (folder.exists(), len(list(folder.parent.iterdir()))) == (False, 1)
    [newest] = folder.parent.iterdir()
    assert run("backup", newest).status == 1
    assert run("backup", tmp_path / "another odd %41 #name").status == 0
    assert run("backup", tmp_path / "by-hand", "--keep", "1").status == 1
    assert not (tmp_path / "by-hand").exists()

    back = f"sqlite:///{tmp_path / 'odd %41 #name' / 'back.db'}"
    done = run("restore", newest, "--into", back, "--erased", newest / MANIFEST)
    assert (done.status, "Restored: the database as of 2026-03-03 12:00Z" in done.out) == (0, True)
    assert "there is a database already" in run("restore", newest).err
    wrong = run("restore", newest, "--into", "mysql://somewhere", "--json")
    assert [fault["code"] for fault in wrong.json] == ["no_database_address"]

    moved = run("db", "copy", "--from", back, "--into", f"sqlite:///{tmp_path / 'moved.db'}", "--json")
    assert (moved.status, moved.json["trail_findings"]) == (0, 0)
    assert json.loads((newest / MANIFEST).read_text())["schema_revision"] in run("db", "upgrade").out
    assert study == "DEMO"

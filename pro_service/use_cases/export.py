"""Write a study's data set as of an instant: whole or not at all, with its audit row.

The same instant gives the same bytes again: of every text file but the manifest, which says when it was made.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pro_service.core.enrolment.cells import quoted
from pro_service.core.iso8601 import instant_text
from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.core.scores import FORMULA_VERSION
from pro_service.exports import codebook, csv_files, datapackage, formats, readme, scripts
from pro_service.exports.csv_files import WrittenFile
from pro_service.exports.data_tables import data_tables, site_codes, visit_codes
from pro_service.exports.formats.excel import rewrite_for_excel
from pro_service.exports.formats.finished import Finished
from pro_service.exports.paper import completeness, flow, methods
from pro_service.exports.tables import Cell, Table
from pro_service.exports.words import LANGUAGES
from pro_service.reports.data_set import frame as frames
from pro_service.reports.data_set import tables as data_set
from pro_service.reports.data_set.frame import Frame
from pro_service.runtime import Runtime
from pro_service.store import readiness, studies
from pro_service.store.audit import Actor, Entry
from pro_service.store.disk import part_of
from pro_service.store.participants.cases import zone_of
from pro_service.store.session import Session
from pro_service.store.studies import Study
from pro_service.use_cases.transaction import transaction

SETTLED_AFTER = timedelta(seconds=15)
"""What began before an instant is stored by this long after it: no wait for the database is longer."""
Progress = Callable[[int, int], None]
"""(tables written, of how many)"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which data set is to be written."""

    study: Study
    as_of: datetime | None = None
    """None = now."""
    site: str | None = None
    formats: Sequence[str] = ("csv",)
    excel: bool = False
    """CSV files as Excel opens them: semicolons and a mark, texts that it would run as a formula made harmless."""
    language: str = "en"
    """Of labels in the formats that have them."""


@dataclass(frozen=True, slots=True)
class Made:
    """A data set that was written."""

    as_of: datetime
    files: tuple[WrittenFile, ...]
    """With the manifest, which comes last."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A data set that was taken out, as its row in the trail says."""

    at: datetime
    who: str
    """E-mail of a member of staff, or what else acted."""
    as_of: str
    """ISO 8601."""
    site: str | None
    formats: str
    files: Mapping[str, str]
    """Path -> SHA-256."""


def earlier_sets(rt: Runtime, study_id: int, most: int = 50) -> list[Earlier]:
    """Return the data sets of a study that were taken out, newest first."""
    with rt.sessions.reading() as session:
        found = data_set.taken_out(session, study_id, most)
    return [
        Earlier(at, who, changes["as_of"][1], changes["site"][1], changes["formats"][1], changes["files"][1])
        for at, who, changes in found
    ]


def contents(rt: Runtime, study: Study) -> tuple[Table, ...]:
    """Return the tables that a data set of this study has now; none before a version of it is loaded."""
    with rt.sessions.reading() as session:
        try:
            frame = frames.frame_of(session, rt.loader, study.id, study.code, rt.clock().astimezone(UTC), None)
        except LookupError:
            return ()
    return data_tables(frame.shape)


@dataclass(frozen=True, slots=True)
class Paper:
    """What a paper says of completeness, flow and methods, as things stand."""

    completeness: tuple[Table, Sequence[Sequence[Cell]]]
    flow: tuple[Table, Sequence[Sequence[Cell]]]
    methods: Mapping[str, str]
    """Language -> text."""


def paper(rt: Runtime, study: Study, site: str | None, now: datetime) -> Paper | None:
    """Return the paper's figures and words, of a site or of all; None before a version of the study is loaded."""
    with rt.sessions.reading() as session:
        try:
            frame = frames.frame_of(session, rt.loader, study.id, study.code, now.astimezone(UTC), site)
        except LookupError:
            return None
        sources = list(data_set.tables_with_rows(session, rt.loader, frame))
        counting = _Counting(frame, [table for table, _ in sources])
        for table, rows in sources:
            if table.name in ("visits", "participants"):
                for _row in counting.seen(table.name, rows):
                    pass
    whole, boxes = ((table, list(rows)) for table, rows in counting.tables())
    newest, number = frame.shape.newest, max(frame.version_numbers.values())
    words = {one: methods.in_language(newest, number, one, simulated=rt.for_trying_out) for one in LANGUAGES}
    return Paper(whole, boxes, words)


def read_instant(text: str) -> datetime:
    """Read an instant with its time zone, `2026-06-30T23:59:59Z`; RejectedError if it is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):  # at the ends of the calendar there is no such instant in UTC
        pass
    raise RejectedError((problem("not_an_instant", "--as-of", given=quoted(text)),))


def export(
    rt: Runtime, actor: Actor, wanted: Wanted, target: Path, progress: Progress = lambda _done, _all: None
) -> Made:
    """Write a data set into a new or empty folder, or into a new file that ends in `.zip`.

    RejectedError, with nothing left behind: an instant in the future or before the study, an unknown format or site, a
    target that is not free, a disk that is full or lets nothing be written.
    """
    faults = (*_target_faults(target), *formats.faults_of(wanted.formats))
    if faults:
        raise RejectedError(faults)
    with _refused_by_disk(), part_of(target) as part:
        folder, packed = part / "set", part / "set.zip"
        folder.mkdir(0o700)
        made = make(rt, actor, wanted, folder, progress)
        if target.suffix == ".zip":
            zip_set(folder, packed, made)
            packed.rename(target)
        else:
            folder.rename(target)
    return made


def make(
    rt: Runtime, actor: Actor, wanted: Wanted, folder: Path, progress: Progress = lambda _done, _all: None
) -> Made:
    """Write a data set into an empty folder, and its audit row; for the errors see `export`."""
    now = rt.clock()
    as_of = _instant(rt, wanted, now)
    with rt.sessions.reading() as session:
        try:
            frame = frames.frame_of(
                session, rt.loader, wanted.study.id, wanted.study.code, as_of.astimezone(UTC), wanted.site
            )
        except LookupError:
            raise RejectedError((problem("export_before_study", "--as-of"),)) from None
        if wanted.site is not None and wanted.site not in studies.site_ids(session, wanted.study.id):
            known = tuple(studies.site_ids(session, wanted.study.id))
            raise RejectedError((problem("not_a_site", "--site", given=quoted(wanted.site), known=known),))
        writing = _Writing(wanted, frame, folder, progress)
        with _refused_by_disk():
            writing.from_database(rt, session)
    # What is made of the files needs no look at the database, which would keep its old pages for it.
    with _refused_by_disk():
        writing.from_files()
        manifest = writing.manifest(actor, now)
    files = (*writing.files.values(), manifest)
    changes: dict[str, tuple[object, object]] = {
        "as_of": (None, frame.as_of),
        "site": (None, wanted.site),
        "formats": (None, ", ".join(wanted.formats)),
        "files": (None, {one.path: one.sha256 for one in files}),
    }
    with transaction(rt, actor, rt.clock()) as tx:
        tx.writer.audit(Entry("export", "study", wanted.study.id, changes, wanted.study.id), zone_of("UTC"))
    return Made(frame.as_of, files)


def zip_set(folder: Path, target: Path, made: Made) -> None:
    """Put a written set into one file, readable by its owner alone."""
    with csv_files.private(target) as file, ZipFile(file, "w", ZIP_DEFLATED) as packed:
        for one in made.files:
            entry = ZipInfo(one.path, made.as_of.timetuple()[:6])
            entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o600 << 16
            with (folder / one.path).open("rb") as source, packed.open(entry, "w", force_zip64=True) as copy:
                shutil.copyfileobj(source, copy)


def _instant(rt: Runtime, wanted: Wanted, now: datetime) -> datetime:
    """Return the instant of a set, once nothing that began before it can still be under way."""
    if wanted.as_of is not None and wanted.as_of > now:
        raise RejectedError((problem("export_future", "--as-of", given=instant_text(wanted.as_of)),))
    if rt.settings.now is not None:
        # A clock that stands still: nothing is under way, and the moment does not pass.
        return wanted.as_of or now
    if wanted.as_of is None:
        return (now - SETTLED_AFTER).replace(microsecond=0)
    time.sleep(max(0.0, (wanted.as_of + SETTLED_AFTER - now).total_seconds()))
    return wanted.as_of


def _target_faults(target: Path) -> tuple[Problem, ...]:
    if not target.parent.is_dir():
        return (problem("export_no_folder", "--to"),)
    free = not target.exists() or (target.suffix != ".zip" and target.is_dir() and not any(target.iterdir()))
    return () if free else (problem("export_not_empty", "--to"),)


@contextmanager
def _refused_by_disk() -> Iterator[None]:
    """Say that the files cannot be written, in place of the system's error."""
    try:
        yield
    except OSError as error:
        raise RejectedError((problem("export_not_written", "--to"),)) from error


class _Counting:
    """Counts visits and participants while their rows go by."""

    def __init__(self, frame: Frame, tables: Sequence[Table]) -> None:
        self.shape, self._site = frame.shape, frame.site
        names = {table.name: [column.name for column in table.columns] for table in tables}
        self.visits = completeness.Visits(names["visits"])
        self.people = flow.Participants(names["participants"])
        self._confirmed = names["participants"].index("confirmed_at")

    def seen(self, name: str, rows: data_set.Rows) -> data_set.Rows:
        """Yield the rows of a table, counted if they are to be."""
        for row in rows:
            if name == "visits":
                self.visits.add(row)
            elif name == "participants":
                self.people.add(row, confirmed=row[self._confirmed] is not None)
            yield row

    def tables(self) -> list[tuple[Table, data_set.Rows]]:
        """Return what was counted: completeness and flow."""
        # Of a site that is not in the set, no row: zeros would say that nothing was planned there.
        places = [code for code in site_codes(self.shape) if self._site in (None, code.value)]
        points = visit_codes(self.shape)
        of_visits, of_people = completeness.table(points, places), flow.table(points, places)
        return [
            (of_visits, completeness.rows(self.visits, of_visits)),
            (of_people, flow.rows(self.people, self.visits, of_people)),
        ]


@dataclass(slots=True)
class _Writing:
    """One set while it is written, from one look at the database."""

    wanted: Wanted
    frame: Frame
    folder: Path
    progress: Progress
    files: dict[str, WrittenFile] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """What the manifest says of the database."""

    def from_database(self, rt: Runtime, session: Session) -> None:
        """Write the tables, what is counted while they go by, and the protocol versions."""
        sources = list(data_set.tables_with_rows(session, rt.loader, self.frame))
        counting = _Counting(self.frame, [table for table, _ in sources])
        for table, rows in sources:
            self._table(table, counting.seen(table.name, rows), len(sources))
        for table, rows in counting.tables():
            self._table(table, rows, len(sources))
        versions = data_set.versions(session, self.frame)
        for stored in versions:
            path = f"protocol/version-{stored.facts['number']}"
            self._text(f"{path}.protocol.json", stored.protocol)
            self._text(f"{path}.wording.json", stored.wording)
            if stored.file is not None:
                self._text(f"{path}.toml", stored.file)
        self.facts = {
            "schema_revision": readiness.head(),
            "protocol_versions": [one.facts for one in versions],
            "test_database": readiness.is_test(session),
            "simulated_telephones": rt.for_trying_out,
            "newest_seal": data_set.seal_by(session, self.frame.as_of),
        }

    def from_files(self) -> None:
        """Write what describes the tables, and every other format."""
        self._codebook(codebook.SEPARATOR)
        self._formats()
        self._described()

    def _table(self, table: Table, rows: data_set.Rows, of: int) -> None:
        self.progress(len(self.tables), of)
        self.tables.append(table)
        self._add(csv_files.write_table(self.folder, table, rows))

    def _formats(self) -> None:
        """Make every format that is wanted from the CSV files, and these as Excel opens them, if that is wanted."""
        shape, separator = self.frame.shape, codebook.SEPARATOR
        facts = {"study": shape.study, "as_of": instant_text(self.frame.as_of)}
        finished = Finished(self.folder, tuple(self.tables), self.wanted.language, facts)
        for name in dict.fromkeys(self.wanted.formats):
            if name != formats.CSV:
                self._add(*formats.write(name, finished, self.folder))
        if self.wanted.excel:
            separator = codebook.FOR_EXCEL
            self._add(*rewrite_for_excel(finished))
            (self.folder / codebook.FILE).unlink()
            self._codebook(separator)
        else:
            # They read the CSV files as programs have them.
            self._add(*scripts.write(finished, self.folder))
        described = datapackage.as_json(
            self.tables,
            self.files.values(),
            name=shape.study,
            title=shape.newest.title,
            languages=shape.languages,
            separator=separator,
        )
        self._text(datapackage.FILE, described)

    def _codebook(self, separator: str) -> None:
        languages = self.frame.shape.languages
        count = sum(1 for _row in codebook.rows(self.tables, languages))
        text = codebook.as_csv(self.tables, languages, separator=separator)
        self._add(csv_files.write_text(self.folder, codebook.FILE, text)._replace(rows=count))

    def _described(self) -> None:
        shape, simulated = self.frame.shape, self.facts["simulated_telephones"]
        text = readme.readme(
            study=shape.study,
            title=shape.newest.title,
            as_of=self.frame.as_of,
            tables=self.tables,
            site=self.wanted.site or "",
            formats=self.wanted.formats,
            excel=self.wanted.excel,
            demo=shape.newest.demo,
            simulated=simulated,
        )
        self._text(readme.FILE, text)
        self._text(
            methods.FILE, methods.methods(shape.newest, max(self.frame.version_numbers.values()), simulated=simulated)
        )

    def _text(self, path: str, text: str) -> None:
        self._add(csv_files.write_text(self.folder, path, text))

    def _add(self, *files: WrittenFile) -> None:
        self.files |= {one.path: one for one in files}

    def manifest(self, actor: Actor, now: datetime) -> WrittenFile:
        """Write the manifest: what this set is, where it comes from, and the hash of every file."""
        said: dict[str, Any] = {
            "study": self.frame.shape.study,
            "as_of": instant_text(self.frame.as_of),
            "made_at": instant_text(now),
            "made_by": actor.id.replace("user:", "U"),
            "filter": {"site": self.wanted.site},
            "formats": list(self.wanted.formats),
            "product_version": version("pro-service"),
            "formula_version": FORMULA_VERSION,
            **self.facts,
            "files": [
                {"path": one.path, "rows": one.rows, "sha256": one.sha256}
                for one in sorted(self.files.values(), key=lambda one: one.path)
            ],
        }
        text = json.dumps(said, ensure_ascii=False, indent=1) + "\n"
        return csv_files.write_text(self.folder, "manifest.json", text)

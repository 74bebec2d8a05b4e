"""The data set of a study: what is in it, taken out as files for analysis or as a spreadsheet, and who took it before.

A set is made for the one who asks, streamed and gone: nothing is kept on the server. Its row in the trail holds the
hash of every file.
"""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from tempfile import mkdtemp

from flask import Blueprint, render_template, request, send_file
from flask.typing import ResponseReturnValue

from pro_service.core.iso8601 import instant_text
from pro_service.core.problems import RejectedError, problem
from pro_service.exports import formats
from pro_service.exports.paper.completeness import ALL
from pro_service.runtime import Runtime
from pro_service.store.studies import Study
from pro_service.use_cases import export
from pro_service.use_cases.export import Wanted
from pro_service.web.access import needs
from pro_service.web.cached_figures import CachedFigures
from pro_service.web.csv_export import file_name
from pro_service.web.i18n import language
from pro_service.web.problems import words
from pro_service.web.scope import Scope, actor, in_study, leaves_row, not_found

FOR_PROGRAMS = ("dta", "sav", "xpt")
SPREADSHEET = "xlsx"
HEADING = re.compile(r"\d+\. [^\n]+|[^\na-z]+")
"""A numbered line that stands alone, or one in capitals."""
WORTH = 100
"""The figures of a paper that took a second to count are shown for a hundred seconds,"""
LONGEST = timedelta(minutes=15)
"""but not for longer than this."""


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page and its two buttons."""

    @pages.get("/data", endpoint="data")
    @needs("export")
    @in_study(rt, named=True)
    def shown(scope: Scope) -> ResponseReturnValue:
        return _page(rt, scope)

    cache = CachedFigures(rt.clock, kept_for=LONGEST, worth=WORTH)

    @pages.get("/data/paper", endpoint="paper")
    @needs("export")
    @in_study(rt, named=True)
    @leaves_row(rt, "paper")
    def paper(scope: Scope) -> ResponseReturnValue:
        site = scope.site if scope.site or scope.sites is None else next(iter(scope.site_codes.values()), None)
        study = Study(scope.study_id, scope.study)
        at, found = cache.figures((study, site), lambda now: (now, export.paper(rt, study, site, now)))
        return _paper_page(scope, at, site, found)

    @pages.post("/data", endpoint="take_data")
    @needs("export")
    @in_study(rt, named=True, otherwise=not_found)
    def take(scope: Scope) -> ResponseReturnValue:
        try:
            wanted = _wanted(scope, spreadsheet=request.form.get("what") == "spreadsheet")
            return _streamed(rt, wanted)
        except RejectedError as rejected:
            return _page(rt, scope, rejected), 422


def _paper_page(scope: Scope, at: datetime, site: str | None, found: export.Paper | None) -> str:
    """Return the page to print: a row for each visit of the site, or of all; boxes of the flow; the methods."""
    place, words_of = site or ALL, language()
    visits, boxes = [], []
    if found is not None:
        table, rows = found.completeness
        names = [column.name for column in table.columns]
        told = [dict(zip(names, row, strict=True)) for row in rows]
        labels = {str(code.value): code.labels for code in table.columns[1].codes}
        visits = [
            one | {"label": labels[str(one["visit"])].get(words_of) or next(iter(labels[str(one["visit"])].values()))}
            for one in told
            if (one["site"], one["mode"]) == (place, ALL)
        ]
        table, rows = found.flow
        called = {code.value: code.labels[words_of] for code in table.columns[2].codes}
        boxes = [(called[str(box)], count) for where, visit, box, count in rows if (where, visit) == (place, ALL)]
    return render_template(
        "dashboard/paper.html",
        scope=scope,
        language=words_of,
        site=site,
        sites=_sites(scope),
        at=at,
        visits=visits,
        boxes=boxes,
        methods=[] if found is None else list(_blocks(found.methods[words_of])),
    )


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the parts of a text: `title`, `heading`, `list` or `text`, each with its lines."""
    for part in text.split("\n\n"):
        lines = part.split("\n")
        if HEADING.fullmatch(part):
            yield "heading", lines
            continue
        for kind, some in groupby(lines, key=lambda line: "list" if line.startswith("- ") else "text"):
            yield kind, [line.removeprefix("- ") for line in some]


def _wanted(scope: Scope, *, spreadsheet: bool) -> Wanted:
    """Return the set that the form asks for; RejectedError if it cannot be had."""
    site = request.form.get("site") or None
    if site not in _sites(scope):
        known = tuple(one for one in _sites(scope) if one is not None)
        raise RejectedError((problem("not_a_site", "site", given=site or "", known=known),))
    as_of = None
    if typed := request.form.get("as_of", "").strip():
        try:
            as_of = datetime.fromisoformat(typed).replace(tzinfo=scope.zone).astimezone(UTC)
        except (ValueError, OverflowError):  # at the ends of the calendar there is no such instant in UTC
            raise RejectedError((problem("not_an_instant", "as_of", given=typed),)) from None
    excel = spreadsheet and bool(formats.faults_of((SPREADSHEET,)))
    extra = (SPREADSHEET,) if spreadsheet else FOR_PROGRAMS
    made = ("csv", *(name for name in extra if not formats.faults_of((name,))))
    return Wanted(Study(scope.study_id, scope.study), as_of, site, made, excel, language())


def _sites(scope: Scope) -> tuple[str | None, ...]:
    """Return the sites that the reader may choose; None, all together, for those who may see every site."""
    return (*(() if scope.sites is not None else (None,)), *scope.site_codes.values())


def _streamed(rt: Runtime, wanted: Wanted) -> ResponseReturnValue:
    """Make the set, and send it from a file that has no name any more."""
    place = Path(mkdtemp(prefix="pro-service-"))
    try:
        if SPREADSHEET in wanted.formats:
            made = export.make(rt, actor(), wanted, place)
            file = place / SPREADSHEET / "data.xlsx"
        else:
            file = place / "set.zip"
            made = export.export(rt, actor(), wanted, file)
        name = f"{wanted.study.code}-{instant_text(made.as_of).replace(':', '')}{file.suffix}"
        return send_file(file.open("rb"), as_attachment=True, download_name=file_name(rt, name), max_age=0)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _page(rt: Runtime, scope: Scope, rejected: RejectedError | None = None) -> str:
    faults = () if rejected is None else rejected.faults
    return render_template(
        "dashboard/data.html",
        scope=scope,
        tables=export.contents(rt, Study(scope.study_id, scope.study)),
        language=language(),
        sites=_sites(scope),
        for_programs=not formats.faults_of(FOR_PROGRAMS),
        with_excel=not formats.faults_of((SPREADSHEET,)),
        before=export.earlier_sets(rt, scope.study_id),
        faults={fault.path.removeprefix("--").replace("-", "_"): words(fault) for fault in faults},
        typed=request.form,
        read_instant=export.read_instant,
    )

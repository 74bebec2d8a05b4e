"""The data set of a study: what is in it, taken out as files for analysis or as a spreadsheet, and who took it before.

A set is made for the one who asks, streamed and gone: nothing is kept on the server. Its row in the trail holds the
hash of every file.
"""

import shutil
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from flask import Blueprint, render_template, request, send_file
from flask.typing import ResponseReturnValue

from pro_service.core.iso8601 import instant_text
from pro_service.core.problems import RejectedError, problem
from pro_service.exports import formats
from pro_service.runtime import Runtime
from pro_service.store.studies import Study
from pro_service.use_cases import export
from pro_service.use_cases.export import Wanted
from pro_service.web.access import needs
from pro_service.web.i18n import language
from pro_service.web.problems import words
from pro_service.web.scope import Scope, actor, in_study, not_found

FOR_PROGRAMS = ("dta", "sav", "xpt")
SPREADSHEET = "xlsx"


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page and its two buttons."""

    @pages.get("/data", endpoint="data")
    @needs("export")
    @in_study(rt, named=True)
    def shown(scope: Scope) -> ResponseReturnValue:
        return _page(rt, scope)

    @pages.post("/data", endpoint="take_data")
    @needs("export")
    @in_study(rt, named=True, otherwise=not_found)
    def take(scope: Scope) -> ResponseReturnValue:
        try:
            wanted = _wanted(scope, spreadsheet=request.form.get("what") == "spreadsheet")
            return _streamed(rt, wanted)
        except RejectedError as rejected:
            return _page(rt, scope, rejected), 422


def _wanted(scope: Scope, *, spreadsheet: bool) -> Wanted:
    """Return the set that the form asks for; RejectedError if it cannot be had."""
    site = request.form.get("site") or None
    if site not in _sites(scope):
        known = tuple(one for one in _sites(scope) if one is not None)
        raise RejectedError((problem("not_a_site", "site", given=site or "", known=known),))
    as_of = None
    if typed := request.form.get("as_of", "").strip():
        try:
            as_of = datetime.fromisoformat(typed).replace(tzinfo=scope.zone)
        except ValueError:
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
        return send_file(file.open("rb"), as_attachment=True, download_name=name, max_age=0)
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

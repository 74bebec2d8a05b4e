"""Enrol from a file: send it, see what every row would bring, confirm; all or nothing. Also an export of REDCap."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.enrolment import redcap, redcap_mapping
from pro_service.core.enrolment.redcap_mapping import ColumnMapping
from pro_service.core.problems import Fault, RejectedError
from pro_service.core.protocol import Protocol
from pro_service.runtime import Runtime
from pro_service.use_cases.enrolment import enrol, held_file
from pro_service.use_cases.enrolment.enrol import Enrolled
from pro_service.use_cases.enrolment.held_file import Held
from pro_service.web.access import needs, signed_in
from pro_service.web.dashboard import enrol_form as words
from pro_service.web.dashboard import import_redcap
from pro_service.web.dashboard.enrol import allowed
from pro_service.web.dashboard.formatting import times
from pro_service.web.scope import Scope, actor, scope_here

MAKE, CHOOSE, CHOSEN, KEEP = "make", "choose", "chosen", "keep"
"""What the buttons ask for: enrol; choose columns; columns were chosen; the mapping as a file. Else: a dry run."""
MOST_SHOWN = 50
"""So many faults and warnings are listed; the rest is counted."""
NO_FILE = Fault("file", None, "no file was chosen", "choose a CSV file")
NOT_OURS = Fault("file", None, "the file that was looked at did not come back as it was", "choose it again")


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a page says about a file."""

    held: Held = field(default_factory=lambda: Held(b""))
    blob: str = ""
    done: Enrolled | None = None
    """Of the dry run that found no fault."""
    faults: tuple[Fault, ...] = ()


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page and what its buttons do."""

    @pages.get("/enrol/import")
    @needs("work")
    def import_form() -> ResponseReturnValue:
        scope = scope_here(rt)
        if scope.study_id is None or scope.protocol is None:
            return render_template("dashboard/no_study.html", scope=scope)
        return _page(rt, scope, _Shown())

    @pages.post("/enrol/import")
    @needs("work")
    def import_file() -> ResponseReturnValue:
        scope = scope_here(rt)
        if scope.study_id is None or scope.protocol is None:
            abort(404)
        held, step = Held(b""), request.form.get("step", "")
        try:
            held = _held(rt, scope.study_id)
            if step in {CHOOSE, CHOSEN}:
                return _columns(rt, scope, scope.protocol, held, chosen=step == CHOSEN)
            if step == KEEP:
                return _mapping_file(held)
            return _make(rt, scope, held) if step == MAKE else _look(rt, scope, held)
        except RejectedError as rejected:
            return _page(rt, scope, _shown(rt, scope, held, rejected.faults)), 422


def _held(rt: Runtime, study_id: int) -> Held:
    """The file that was sent, or the one that was looked at. RejectedError where there is none."""
    if blob := request.form.get("held", ""):
        held = held_file.open_held(rt, signed_in().user_id, study_id, blob)
        if held is None:
            raise RejectedError((NOT_OURS,))
        return held
    sent, mapping = request.files.get("file"), request.files.get("mapping")
    data = sent.read() if sent is not None else b""
    if not data:
        raise RejectedError((NO_FILE,))
    text = mapping.read() if mapping is not None else b""
    if text:
        return Held(data, redcap_mapping.mapping_toml(enrol.mapping_of(rt, study_id, text)))
    return Held(data)


def _mapped(rt: Runtime, study_id: int, held: Held) -> ColumnMapping | None:
    return enrol.mapping_of(rt, study_id, held.mapping.encode()) if held.mapping else None


def _run(rt: Runtime, scope: Scope, held: Held, *, dry_run: bool) -> Enrolled:
    study_id = scope.study_id or 0
    mapping = _mapped(rt, study_id, held)
    return enrol.enrol_file(rt, actor(), study_id, held.data, dry_run=dry_run, sites=allowed(scope), mapping=mapping)


def _look(rt: Runtime, scope: Scope, held: Held) -> str:
    blob = held_file.hold(rt, signed_in().user_id, scope.study_id or 0, held)
    return _page(rt, scope, _Shown(held, blob, _run(rt, scope, held, dry_run=True)))


def _make(rt: Runtime, scope: Scope, held: Held) -> ResponseReturnValue:
    """Enrol everybody in the very file that was looked at; a second time, everybody is there already."""
    if request.form.get("digest") != held.digest:
        raise RejectedError((NOT_OURS,))
    done = _run(rt, scope, held, dry_run=False)
    return redirect(
        url_for(
            "dashboard.import_form", study=scope.named, enrolled=done.enrolled, unchanged=done.unchanged,
            digest=held.digest[:12],
        ),
        303,
    )  # fmt: skip


def _shown(rt: Runtime, scope: Scope, held: Held, faults: tuple[Fault, ...]) -> _Shown:
    """A file with faults goes along, so that its columns can still be chosen; one too large does not."""
    try:
        blob = held_file.hold(rt, signed_in().user_id, scope.study_id or 0, held) if held.data else ""
    except RejectedError:
        blob = ""
    return _Shown(held, blob, faults=faults)


def _mapping_file(held: Held) -> Response:
    head = {"Content-Disposition": 'attachment; filename="redcap-mapping.toml"'}
    return Response(held.mapping, mimetype="application/toml", headers=head)


def _columns(rt: Runtime, scope: Scope, protocol: Protocol, held: Held, *, chosen: bool) -> ResponseReturnValue:
    """Choose which column of the export is which of ours; once that is done, the dry run."""
    export, faults = redcap.open_export(held.data)
    if export is None:
        raise RejectedError(faults)
    asked = import_redcap.asked(protocol, export)
    typed = dict(request.form.items()) if chosen else import_redcap.guessed(asked, export)
    beside: Mapping[str, list[tuple[str, str]]] = {}
    if chosen:
        mapping, found = import_redcap.filled(asked, typed, protocol)
        if mapping is not None:
            whole = Held(held.data, redcap_mapping.mapping_toml(mapping))
            try:
                return _look(rt, scope, whole)
            except RejectedError as rejected:
                return _page(rt, scope, _shown(rt, scope, whole, rejected.faults)), 422
        beside = found
    blob = held_file.hold(rt, signed_in().user_id, scope.study_id or 0, Held(held.data))
    page = render_template(
        "dashboard/enrol_columns.html", scope=scope, export=export, asked=asked, typed=typed, faults=beside,
        blob=blob, formats=redcap_mapping.FORMATS, named=words.column, **times(rt.clock()),
    )  # fmt: skip
    return page, 422 if beside else 200


def _page(rt: Runtime, scope: Scope, shown: _Shown) -> str:
    done, given = shown.done, request.args
    warnings = () if done is None else done.warnings
    return render_template(
        "dashboard/enrol_import.html", scope=scope, shown=shown, most=MOST_SHOWN, limit=held_file.LARGEST // 1024,
        faults=[(one, *words.in_words(one)) for one in shown.faults[:MOST_SHOWN]],
        warnings=[(one, *words.in_words(one)) for one in warnings[:MOST_SHOWN]], named=words.both,
        enrolled=given.get("enrolled", type=int), unchanged=given.get("unchanged", type=int),
        digest=given.get("digest", ""), **times(rt.clock()),
    )  # fmt: skip

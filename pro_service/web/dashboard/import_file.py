"""Enrol from a file: send it, see what every row would bring, confirm; all or nothing. Also an export of REDCap."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from pro_service.core.enrolment import redcap, redcap_mapping
from pro_service.core.enrolment.blinding import Passed, none_passed
from pro_service.core.enrolment.file import CONSENTS, OPTIONAL, REQUIRED, columns_of, one_line
from pro_service.core.enrolment.redcap import Export
from pro_service.core.enrolment.redcap_mapping import CONTACT, DATES, NEEDED, Column, ColumnMapping, check
from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.core.protocol import Protocol
from pro_service.core.replies.folding import visible
from pro_service.core.routes import CHANNELS
from pro_service.runtime import Runtime
from pro_service.use_cases.enrolment import enrol, held_file
from pro_service.use_cases.enrolment.columns import passed_columns
from pro_service.use_cases.enrolment.enrol import Enrolled
from pro_service.use_cases.enrolment.held_file import Held
from pro_service.web import problems
from pro_service.web.access import needs, signed_in
from pro_service.web.dashboard.enrol import allowed_sites
from pro_service.web.dashboard.formatting import times
from pro_service.web.problems import words
from pro_service.web.scope import Scope, actor, in_study, not_found

MAKE, CHOOSE, CHOSEN, KEEP = "make", "choose", "chosen", "keep"
"""What the buttons ask for: enrol; choose columns; columns were chosen; the mapping as a file. Else: a dry run."""
MOST_SHOWN = 50
"""So many faults and warnings are listed; the rest is counted."""
ALIASES: Mapping[str, tuple[str, ...]] = {
    "participant": ("participant", "record_id", "Record ID", "study_id"),
    "site": ("site", "redcap_data_access_group", "Data Access Group"),
    "procedure_date": ("procedure_date", "proc_date", "islem_tarihi"),
    "procedure_time": ("procedure_time", "proc_time", "islem_saati"),
    "language": ("language", "lang", "dil"),
    "messaging_consent": ("messaging_consent", "consent_date", "onay_tarihi"),
    "email_consent": ("email_consent", "email_onay_tarihi"),
    "whatsapp_consent": ("whatsapp_consent", "whatsapp_onay_tarihi"),
    "email": ("email", "e_mail", "mail", "eposta"),
    "phone": ("phone", "mobile", "telephone", "telefon"),
}
"""What such columns are often called; a guess that a person looks at."""
_PAIR = re.compile(r"\s*([^=,;\n]+?)\s*=\s*([^=,;\n]*?)\s*(?:[,;\n]|$)")


@dataclass(frozen=True, slots=True)
class _File:
    """What a page says about a file."""

    held: Held = field(default_factory=lambda: Held(b""))
    blob: str = ""
    done: Enrolled | None = None
    """Of the dry run that found no fault."""
    faults: tuple[Problem, ...] = ()


def add_routes(pages: Blueprint, rt: Runtime) -> None:
    """Add the page and what its buttons do."""

    @pages.get("/enrol/import")
    @needs("work")
    @in_study(rt, named=True)
    def import_form(scope: Scope) -> ResponseReturnValue:
        return _import_page(rt, scope, _File())

    @pages.post("/enrol/import")
    @needs("work")
    @in_study(rt, named=True, otherwise=not_found)
    def import_file(scope: Scope) -> ResponseReturnValue:
        held, step = Held(b""), request.form.get("step", "")
        try:
            held = _sent_file(rt, scope.study_id)
            if step in {CHOOSE, CHOSEN}:
                return _columns_page(rt, scope, held, chosen=step == CHOSEN)
            if step == KEEP:
                return _mapping_file(held)
            return _enrol(rt, scope, held) if step == MAKE else _dry_run(rt, scope, held)
        except RejectedError as rejected:
            return _import_page(rt, scope, _faulty_file(rt, scope, held, rejected.faults)), 422


def _sent_file(rt: Runtime, study_id: int) -> Held:
    """Return the file that was sent, or the one that was looked at. Raise RejectedError where there is none."""
    if blob := request.form.get("held", ""):
        held = held_file.open_held(rt, signed_in().user_id, study_id, blob)
        if held is None:
            raise RejectedError((problem("not_the_file", "file"),))
        return held
    sent, mapping = request.files.get("file"), request.files.get("mapping")
    data = sent.read() if sent is not None else b""
    if not data:
        raise RejectedError((problem("no_file", "file"),))
    text = mapping.read() if mapping is not None else b""
    if text:
        return Held(data, redcap_mapping.mapping_toml(enrol.mapping_of(rt, study_id, text)))
    return Held(data)


def _mapping_of(rt: Runtime, study_id: int, held: Held) -> ColumnMapping | None:
    return enrol.mapping_of(rt, study_id, held.mapping.encode()) if held.mapping else None


def _enrol_file(rt: Runtime, scope: Scope, held: Held, *, dry_run: bool) -> Enrolled:
    study_id, mapping = scope.study_id, _mapping_of(rt, scope.study_id, held)
    return enrol.enrol_file(
        rt, actor(), study_id, held.data, dry_run=dry_run, sites=allowed_sites(scope), mapping=mapping
    )


def _dry_run(rt: Runtime, scope: Scope, held: Held) -> str:
    blob = held_file.hold(rt, signed_in().user_id, scope.study_id, held)
    return _import_page(rt, scope, _File(held, blob, _enrol_file(rt, scope, held, dry_run=True)))


def _enrol(rt: Runtime, scope: Scope, held: Held) -> ResponseReturnValue:
    """Enrol everybody in the very file that was looked at; a second time, everybody is there already."""
    if request.form.get("digest") != held.digest:
        raise RejectedError((problem("not_the_file", "file"),))
    done = _enrol_file(rt, scope, held, dry_run=False)
    return redirect(
        url_for(
            "dashboard.import_form",
            study=scope.named,
            enrolled=done.enrolled,
            unchanged=done.unchanged,
            cards=done.cards or None,
            digest=held.digest[:12],
        ),
        303,
    )


def _faulty_file(rt: Runtime, scope: Scope, held: Held, faults: tuple[Problem, ...]) -> _File:
    """Return the file to be sent along, so that its columns can still be chosen; one too large is not."""
    try:
        blob = held_file.hold(rt, signed_in().user_id, scope.study_id, held) if held.data else ""
    except RejectedError:
        blob = ""
    return _File(held, blob, faults=faults)


def _mapping_file(held: Held) -> Response:
    head = {"Content-Disposition": 'attachment; filename="redcap-mapping.toml"'}
    return Response(held.mapping, mimetype="application/toml", headers=head)


def _columns_page(rt: Runtime, scope: Scope, held: Held, *, chosen: bool) -> ResponseReturnValue:
    """Choose which column of the export is which of ours; once that is done, the dry run."""
    export, faults = redcap.open_export(held.data, partial(passed_columns, rt, scope.study_id))
    if export is None:
        raise RejectedError(faults)
    questions = column_questions(scope.protocol)
    typed = dict(request.form.items()) if chosen else guessed_columns(questions, export)
    beside: Mapping[str, list[tuple[str, str]]] = {}
    if chosen:
        mapping, found = mapping_of_form(questions, typed, scope.protocol, partial(passed_columns, rt, scope.study_id))
        if mapping is not None:
            whole = Held(held.data, redcap_mapping.mapping_toml(mapping))
            try:
                return _dry_run(rt, scope, whole)
            except RejectedError as rejected:
                return _import_page(rt, scope, _faulty_file(rt, scope, whole, rejected.faults)), 422
        beside = found
    blob = held_file.hold(rt, signed_in().user_id, scope.study_id, Held(held.data))
    page = render_template(
        "dashboard/enrol_columns.html",
        scope=scope,
        export=export,
        asked=questions,
        typed=typed,
        faults=beside,
        blob=blob,
        formats=redcap_mapping.FORMATS,
        named=problems.column,
        **times(rt.clock()),
    )
    return page, 422 if beside else 200


def _import_page(rt: Runtime, scope: Scope, file: _File) -> str:
    done, given = file.done, request.args
    warnings = () if done is None else done.warnings
    return render_template(
        "dashboard/enrol_import.html",
        scope=scope,
        shown=file,
        most=MOST_SHOWN,
        limit=held_file.LARGEST // 1024,
        faults=[(one, *words(one, of_file=True)) for one in file.faults[:MOST_SHOWN]],
        warnings=[(one, *words(one, of_file=True)) for one in warnings[:MOST_SHOWN]],
        named=problems.column_of_export,
        enrolled=given.get("enrolled", type=int),
        unchanged=given.get("unchanged", type=int),
        to_print=given.get("cards", type=int),
        digest=given.get("digest", ""),
        **times(rt.clock()),
    )


# --- the form in which the columns of a REDCap export are chosen ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ColumnQuestion:
    """What is asked about one of our columns."""

    name: str
    needed: bool
    dated: bool
    coded: bool
    """Its values may be codes."""
    ticked: bool
    """A checkbox may stand before it."""
    always: tuple[str, ...] = ()
    """What it may be for everybody."""


def column_questions(protocol: Protocol) -> tuple[ColumnQuestion, ...]:
    """Return what is asked about our columns, those that must be there first."""
    baseline = tuple(columns_of(protocol.baseline.items if protocol.baseline else ()))
    same: Mapping[str, tuple[str, ...]] = {
        "site": tuple(protocol.sites),
        "language": protocol.languages,
        "channel": CHANNELS,
    }
    return tuple(
        ColumnQuestion(
            name,
            needed=name in NEEDED,
            dated=name in DATES or name == "procedure_time",
            coded=name not in {*CONTACT, *DATES, "participant", "procedure_time"},
            ticked=name in CONSENTS.values(),
            always=same.get(name, ()),
        )
        for name in (*REQUIRED, *OPTIONAL, *baseline)
    )


def guessed_columns(every: tuple[ColumnQuestion, ...], export: Export) -> dict[str, str]:
    """Return what the form begins with."""
    typed = {}
    for one in every:
        names = ALIASES.get(one.name, (one.name,))
        typed[f"from-{one.name}"] = next((name for name in names if name in export.columns), "")
    return typed


def mapping_of_form(
    every: tuple[ColumnQuestion, ...], typed: Mapping[str, str], protocol: Protocol, passed: Passed = none_passed
) -> tuple[ColumnMapping | None, dict[str, list[tuple[str, str]]]]:
    """Return the mapping that was chosen, or what is wrong with it, by our column."""
    columns = {one.name: column for one in every if (column := _column(one, typed)) is not None}
    empty = tuple(filter(None, map(visible, typed.get("empty", "").split(","))))
    mapping = ColumnMapping(columns, typed.get("event", ""), empty=empty)
    found: dict[str, list[tuple[str, str]]] = {}
    for fault in check(mapping, protocol.baseline.items if protocol.baseline else (), passed):
        found.setdefault(_column_of(fault), []).append(words(fault))
    for one in every:
        text = typed.get(f"values-{one.name}", "").strip()
        if text and _PAIR.sub("", text).strip(" ,;\n"):
            found.setdefault(one.name, []).append(words(problem("mapping_values")))
    return (None if found else mapping), found


def _column_of(fault: Problem) -> str:
    return fault.path.removeprefix("column.").partition(".")[0]


def _column(one: ColumnQuestion, typed: Mapping[str, str]) -> Column | None:
    """Return what was chosen for one column; None for nothing."""

    def text(kind: str) -> str:
        return typed.get(f"{kind}-{one.name}", "").strip()

    source, always = one_line(text("from")), text("always")
    if not source and not always:
        return None
    if not source:
        return Column(always=always)
    pairs = dict(_PAIR.findall(text("values"))) if one.coded else {}
    # What it is for everybody counts where nothing is read; both at once is said as a fault.
    return Column(
        source,
        always,
        pairs,
        text("format") if one.dated else "",
        one_line(text("when")) if one.ticked else "",
        text("event"),
        text("instance"),
        visible(text("when_is")) if one.ticked else "",
    )

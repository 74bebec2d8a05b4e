"""Enrolment, from a file or one participant at a time: everything is checked, every fault is said, all or nothing."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from itertools import islice
from types import MappingProxyType
from zoneinfo import ZoneInfo

from pro_service.core import ladder as ladders
from pro_service.core.case import RUNG
from pro_service.core.enrolment import redcap
from pro_service.core.enrolment.cells import alike
from pro_service.core.enrolment.file import CONSENTS, REQUIRED, Record, Sheet, decode, read
from pro_service.core.enrolment.redcap_mapping import ColumnMapping, parse
from pro_service.core.problems import Column, Problem, RejectedError, problem
from pro_service.core.protocol import Medium
from pro_service.core.replies.folding import visible
from pro_service.core.routes import CARD
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.audit import Actor, as_written
from pro_service.store.participants.enrolment import (
    Enroller,
    Enrolment,
    Holder,
    Spellings,
    Stored,
    earlier_values,
    existing,
    holders,
)
from pro_service.store.session import Session
from pro_service.use_cases.enrolment.columns import passed_columns
from pro_service.use_cases.enrolment.rows import Read, RowReader
from pro_service.use_cases.transaction import transaction

BATCH = 500
MOST_WARNINGS = 10_000
"""So many are kept: nobody reads more."""


Progress = Callable[[int], None]
"""Called with the number of the line reached."""


@dataclass(slots=True)
class Enrolled:
    """What came of an enrolment: everything in it, or nothing and the faults."""

    enrolled: int = 0
    unchanged: int = 0
    warnings: list[Problem] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)
    ignored: tuple[str, ...] = ()
    """Of a REDCap export: columns that nothing was read from; see `redcap.Found`."""
    waiting: int = 0
    repeated: int = 0
    cards: int = 0
    """Of those enrolled: who answers with a card, which is to be printed before a text can point to it."""


def enrol_file(
    rt: Runtime,
    actor: Actor,
    study_id: int,
    data: bytes,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    sites: Collection[str] | None = None,
    mapping: ColumnMapping | None = None,
) -> Enrolled:
    """Enrol everyone in a CSV file who is not enrolled yet; RejectedError with every fault at once, nothing written.

    Somebody enrolled with an identical row is unchanged, and so is one whose row says what stood here before a change;
    with any other row, a fault. `dry_run` writes nothing at all.
    `sites`: codes of those the actor may enrol at; None = all of the study. `mapping`: the file is a REDCap export.
    """
    now = rt.clock()
    with rt.sessions.reading() as session:
        version = newest_of(session, study_id)
        protocol = rt.bundles.get(session, version.id).protocol
    if mapping is not None:
        return _enrol_export(rt, actor, study_id, data, mapping, now, dry_run=dry_run, progress=progress, allowed=sites)
    sheet, faults = read(data, protocol.baseline.items if protocol.baseline else ())
    if sheet is None:
        raise RejectedError(faults)
    return _enrol(rt, actor, study_id, sheet, now, dry_run=dry_run, progress=progress, allowed=sites)


def _enrol_export(
    rt: Runtime,
    actor: Actor,
    study_id: int,
    data: bytes,
    mapping: ColumnMapping,
    now: datetime,
    *,
    dry_run: bool,
    progress: Progress | None,
    allowed: Collection[str] | None,
) -> Enrolled:
    """Enrol from a REDCap export; faults and warnings name the export's column beside ours."""

    def both(fault: Problem) -> Problem:
        theirs = mapping.theirs(fault.path)
        return replace(fault, path=f"{fault.path} ({theirs})") if theirs else fault

    found, faults = redcap.read_rows(data, mapping, partial(passed_columns, rt, study_id))
    if found is None:
        raise RejectedError(faults)
    try:
        done = _enrol(
            rt, actor, study_id, list(found.records), now, dry_run=dry_run, progress=progress, allowed=allowed
        )
    except RejectedError as rejected:
        raise RejectedError(tuple(map(both, rejected.faults))) from None
    done.warnings = [*found.concerns, *map(both, done.warnings)][:MOST_WARNINGS]
    done.ignored, done.waiting, done.repeated = found.ignored, found.waiting, found.repeated
    return done


def mapping_of(rt: Runtime, study_id: int, data: bytes) -> ColumnMapping:
    """The column mapping in a TOML file, for this study. RejectedError with every fault in it."""
    text, faults = decode(data)
    if not faults:
        with rt.sessions.reading() as session:
            baseline = rt.bundles.get(session, newest_of(session, study_id).id).protocol.baseline
        found, faults = parse(text, baseline.items if baseline else (), partial(passed_columns, rt, study_id))
        if found is not None:
            return found
    raise RejectedError(faults)


def enrol_one(
    rt: Runtime,
    actor: Actor,
    study_id: int,
    cells: Mapping[str, str],
    *,
    dry_run: bool = False,
    sites: Collection[str] | None = None,
) -> Enrolled:
    """Enrol one participant by the same rules; `cells` are named as the file's columns. RejectedError as there."""
    return _enrol(rt, actor, study_id, [record_of(cells)], rt.clock(), dry_run=dry_run, allowed=sites)


def record_of(cells: Mapping[str, str]) -> Record:
    """One participant as the only row of a file."""
    return Record(1, {name: visible(cells.get(name, "")) for name in (*REQUIRED, *cells)})


def _enrol(
    rt: Runtime,
    actor: Actor,
    study_id: int,
    records: Sheet | list[Record],
    now: datetime,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    allowed: Collection[str] | None = None,
) -> Enrolled:
    # One pass in one transaction: a file of any size is never held twice, and one fault takes everything back.
    if dry_run:
        with rt.sessions.reading() as session:
            return _Pass(rt, session, study_id, now, allowed).through(records, None, progress)
    with transaction(rt, actor, now) as tx:
        studies.lock_study(tx.session, study_id)
        enrolling = _Pass(rt, tx.session, study_id, now, allowed)
        enroller = Enroller(tx.writer, study_id=study_id, version_id=enrolling.version.id, sites=enrolling.sites)
        return enrolling.through(records, enroller, progress)


class _Pass:
    """One pass through the rows of an enrolment, against what the study has."""

    def __init__(
        self, rt: Runtime, session: Session, study_id: int, now: datetime, allowed: Collection[str] | None
    ) -> None:
        self.rt, self.session, self.study_id, self.allowed = rt, session, study_id, allowed
        self.version = newest_of(session, study_id)
        if studies.standing(session, study_id).closed_at is not None:
            raise RejectedError((problem("study_closed", ""),))
        self.sites = studies.site_ids(session, study_id)
        bundle = rt.bundles.get(session, self.version.id)
        self.reader = RowReader(bundle.protocol, bundle.wording.frames, now, allowed, carriers=rt.carriers)
        self.spellings = Spellings(session, study_id)
        self.holders: dict[str, tuple[int, str, date]] = {}
        """Telephone -> line, site and day of the first row with it."""

    def through(self, records: Sheet | list[Record], enroller: Enroller | None, progress: Progress | None) -> Enrolled:
        """Check every row and enrol those who are new; without an `enroller` they are counted only. RejectedError."""
        outcome = Enrolled()
        for batch in _batches(_rows(self.reader, records, outcome)):
            new = self._new_in(batch, outcome)
            outcome.enrolled += len(new)
            outcome.cards += sum(CARD in one.ladder and None not in (one.consents["sms"], one.phone) for one in new)
            if enroller is not None and not outcome.faults:
                enroller.write(new)
            if progress is not None:
                progress(batch[-1].line)
        if outcome.faults:
            raise RejectedError(tuple(sorted(outcome.faults, key=lambda fault: fault.line or 0)))
        return outcome

    def _new_in(self, batch: Sequence[Read], outcome: Enrolled) -> list[Enrolment]:
        """Return who in a batch is to be enrolled; compare the others with what is stored."""
        sound = {row.enrolment.code: row for row in batch if row.enrolment is not None}
        stored = existing(self.session, self.rt.vault, self.study_id, tuple(sound))
        self._compare({code: (sound[code], there) for code, there in stored.items()}, outcome)
        unknown = [code for code in sound if code not in stored]
        mistakable = self.spellings.other(unknown)
        outcome.faults += [_mistakable(sound[code], code, there) for code, there in mistakable.items()]
        new = [sound[code] for code in unknown if code not in mistakable]
        _mind(outcome, self._people_met_before(new))
        return [row.enrolment for row in new if row.enrolment is not None]

    def _compare(self, known: Mapping[str, tuple[Read, Stored]], outcome: Enrolled) -> None:
        """An identical row changes nothing, nor does one that is only older than a change here; another is a fault."""
        differing = {code: self._differing(row, there) for code, (row, there) in known.items()}
        ids = [known[code][1].id for code, columns in differing.items() if columns]
        earlier = earlier_values(self.session, ids) if ids else {}
        for code, columns in differing.items():
            row, there = known[code]
            if row.enrolment is None:
                continue
            written = self._written(row.enrolment)
            changed = {name: earlier.get(there.id, {}).get(name, {}).get(written.get(name)) for name in columns}
            new = [name for name, at in changed.items() if at is None]
            faults = [_different(name, row.enrolment, there).at(name, row.line) for name in new]
            if faults and not self._may_see(there):
                # Not what differs: somebody who may not see this participant could try telephones until one fits.
                faults = [problem("enrolled_elsewhere", "participant", row.line, code=code)]
            outcome.faults += faults
            outcome.unchanged += not faults
            zone = row.enrolment.site_zone
            _mind(outcome, [_changed_here(code, row.line, name, at, zone) for name, at in changed.items() if at])

    def _may_see(self, there: Stored) -> bool:
        return self.allowed is None or there.facts["site"] in {self.sites[code] for code in self.allowed}

    def _differing(self, row: Read, stored: Stored) -> list[str]:
        """Return the columns in which a row and what is stored differ; of somebody at another site that alone."""
        given = row.enrolment
        if given is None:
            return []
        if not self._may_see(stored):
            return ["site"]
        facts = _facts(given, self.sites)
        different = [column for column, value in facts.items() if value != stored.facts[column]]
        if "channel" in different and not given.channel_chosen:
            different.remove("channel")
        if "procedure_date" in different and "procedure_time" in different:
            different.remove("procedure_time")
        return different + [
            f"baseline_{item.lower().replace('-', '_')}"
            for item, value in given.baseline.items()
            if value not in stored.baseline.get(item, frozenset())
        ]

    def _written(self, given: Enrolment) -> Mapping[str, object]:
        """Return what a row says as the trail would write it; a telephone as its blind index, an address as nothing."""
        phone = None if given.phone is None else self.rt.vault.index("phone", given.phone)
        facts = _facts(given, self.sites) | {"site": given.site, "phone": phone, "email": None}
        return {name: value if name == "phone" else as_written(value) for name, value in facts.items()}

    def _people_met_before(self, rows: Sequence[Read]) -> list[Problem]:
        """Name whose telephone is somebody's already, enrolled or in the file: the same person, or a shared one."""
        phones = {row.enrolment.phone for row in rows if row.enrolment is not None} - {None}
        enrolled = holders(self.session, self.rt.vault, self.study_id, [phone for phone in phones if phone])
        return [found for row in rows if (found := self._met_before(row, enrolled)) is not None]

    def _met_before(self, row: Read, enrolled: Mapping[str, Sequence[Holder]]) -> Problem | None:
        given = row.enrolment
        if given is None or given.phone is None:
            return None
        # Nobody may find out whose telephone it is at a site that they do not see.
        seen = [one for one in enrolled.get(given.phone, ()) if self.allowed is None or one.site in self.allowed]
        person = (given.site, given.procedure_date)
        if seen:
            same = [one.code for one in seen if (one.site, one.procedure_date) == person]
            found = problem(
                "person_enrolled" if same else "phone_enrolled", code=given.code, there=(same or [seen[0].code])[0]
            )
            return found.at("phone", row.line)
        line, *other = self.holders.setdefault(given.phone, (row.line, *person))
        if line == row.line:
            return None
        return problem("person_again" if tuple(other) == person else "phone_again", "phone", row.line, line=line)


def newest_of(session: Session, study_id: int) -> studies.Version:
    """The version that new participants get. RejectedError for a study without a protocol."""
    version = studies.newest(session, study_id)
    if version is None:
        raise RejectedError((problem("no_protocol", "--study"),))
    return version


def _rows(reader: RowReader, records: Sheet | list[Record], outcome: Enrolled) -> Iterator[Read]:
    """Read row after row and keep what was found; a code that came before is a fault, and so is a file without rows."""
    codes: dict[str, int] = {}
    row = None
    for record in records.records() if isinstance(records, Sheet) else records:
        row = reader.read(record)
        outcome.faults.extend(row.faults)
        outcome.warnings.extend(row.warnings[: MOST_WARNINGS - len(outcome.warnings)])
        code = record.cells.get("participant", "")
        line = codes.setdefault(alike(code), row.line) if code else row.line
        if line == row.line:
            yield row
            continue
        outcome.faults.append(problem("code_again", "participant", row.line, line=line))
        yield Read(row.line, None, (), ())
    if row is None:
        outcome.faults.append(problem("no_rows"))


def _batches(rows: Iterator[Read]) -> Iterator[list[Read]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _mind(outcome: Enrolled, found: Sequence[Problem]) -> None:
    outcome.warnings += found[: MOST_WARNINGS - len(outcome.warnings)]


def _changed_here(code: str, line: int, column: str, at: datetime, zone: ZoneInfo) -> Problem:
    found = "email_changed_here" if column == "email" else "changed_here"
    return problem(found, column, line, code=code, column=Column(column), day=at.astimezone(zone).date())


def _mistakable(row: Read, code: str, there: str) -> Problem:
    """Somebody who types one of two such codes may mean the other; so may a text from a shared telephone."""
    return problem("code_nearly_taken", "participant", row.line, code=code, there=there)


def _facts(given: Enrolment, sites: Mapping[str, int]) -> dict[str, object]:
    return {
        "site": sites[given.site],
        "procedure_date": given.procedure_date,
        "language": given.language,
        **{column: given.consents[medium] for medium, column in CONSENTS.items()},
        "phone": given.phone,
        "email": given.email,
        "timezone": given.zone,
        "channel": ladders.written(given.ladder),
        "procedure_time": given.procedure_end,
    }


COMMANDS = {
    "procedure_date": "reschedule {code} --procedure-date {day}",
    "procedure_time": "reschedule {code} --procedure-date {day} --procedure-time HH:MM",
    "site": "move {code} --site {site}",
    "language": "language {code} --language {language}",
    "timezone": "zone {code} --zone {zone}",
    "channel": "channel {code} --channel {channel}",
    "phone": "phone {code}",
    "email": "email {code}",
    "messaging_consent": "consent {code} --given DAY",
    "email_consent": "consent {code} --medium email --given DAY",
    "whatsapp_consent": "consent {code} --medium whatsapp --given DAY",
}
"""Column -> the command that changes what it says of somebody who is enrolled."""
MEDIUM_OF: Mapping[str, Medium] = MappingProxyType({column: medium for medium, column in CONSENTS.items()})


def _different(column: str, given: Enrolment, there: Stored) -> Problem:
    """What is different and how it is changed: never by an import."""
    medium = MEDIUM_OF.get(column)
    if medium is not None and there.died and given.consents[medium] is not None:
        return problem("consent_of_dead_row", code=given.code)
    if column not in COMMANDS:
        return problem("enrolled_otherwise_for_good", code=given.code, column=Column(column))
    named = {"code": given.code, "day": given.procedure_date, "site": given.site, "language": given.language}
    ladder = ladders.written(given.ladder)
    channel = f'"{ladder}"' if RUNG in ladder else ladder
    command = COMMANDS[column].format(**named, zone=given.zone, channel=channel)
    return problem("enrolled_otherwise", code=given.code, column=Column(column), command=command)

"""A study's protocol: checked with its texts, stored as one immutable version, shown; and which study is meant."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pro_service import paths
from pro_service.core.enrolment.blinding import check_blinding
from pro_service.core.problems import Problem, RejectedError, nearest, problem
from pro_service.core.protocol import Protocol
from pro_service.core.routes import OTHERWISE, Carriers, usual_channel
from pro_service.core.study_file.costs import Cost
from pro_service.core.study_file.file import check as check_protocol
from pro_service.core.study_file.frames import Frames, check_blanks, check_emergency, check_frames, lacks_texts
from pro_service.core.study_file.marks import Mark, marks
from pro_service.core.study_file.protocol_json import to_json
from pro_service.core.study_file.rules import contacts_missing
from pro_service.core.toml_faults import Faults
from pro_service.exports.data_tables import name_faults
from pro_service.runtime import Runtime
from pro_service.store import confirmations, studies
from pro_service.store.audit import Actor, Entry
from pro_service.store.messages import digests
from pro_service.store.participants.cases import zone_of
from pro_service.store.studies import Study, Version
from pro_service.use_cases.enrolment.enrol import newest_of
from pro_service.use_cases.transaction import Transaction, transaction
from pro_service.wording import costs_of

FRAME = ".txt"


@dataclass(frozen=True, slots=True)
class Checked:
    """A protocol without faults, its texts, and what is still missing before it can be loaded."""

    protocol: Protocol
    frames: Mapping[str, Mapping[str, str]]
    contacts: tuple[Problem, ...]
    """Sites without a contact: allowed in a file, refused by `load` outside a demo."""
    remarks: tuple[Problem, ...] = ()
    """Warnings: nothing is refused for them."""
    marks: tuple[Mark, ...] = ()
    """What its comments leave open."""
    file: str | None = None
    """The file that was checked; None for a version that is stored already."""


@dataclass(frozen=True, slots=True)
class Loading:
    """What `load` did: nothing (`unchanged`), or a new version."""

    study: Study
    version: Version
    unchanged: bool
    new_sites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A study as it stands."""

    study: Study
    version: Version
    protocol: Protocol
    participants: int


def check(text: str, folder: Path | None = None) -> Checked:
    """Check a protocol file together with the texts it needs; RejectedError with every fault at once.

    `folder` holds the texts (default: `templates/sms`).
    """
    protocol, faults = check_protocol(text)
    if protocol is None:
        raise RejectedError(faults)
    frames = read_frames(folder or paths.templates() / "sms", protocol)
    templates = (one.at(one.path, Faults(text).line(one.path)) for one in check_blanks(protocol, frames))
    found = (*check_frames(protocol, frames), *check_blinding(protocol, frames))
    faults = (*found, *templates, *name_faults(protocol))
    if faults:
        raise RejectedError(faults)
    missing = () if protocol.demo else contacts_missing(protocol, text)
    return Checked(protocol, frames, missing, tuple(check_emergency(protocol, frames)), marks(text), text)


def check_sender(protocol: Protocol, carriers: Carriers) -> tuple[Problem, ...]:
    """Return which wanted providers are missing, and where people are to reply to a sender that is a name."""
    replying, lacking = [], [lack for site in protocol.sites.values() for lack in carriers.lacking(site)]
    for site in protocol.sites.values():
        provider = carriers.to(site.country, site.provider)
        if provider in carriers.named and usual_channel(provider, site.country, protocol.routes) == "sms-reply":
            replying.append(site.code)
    return (*lacking, *((problem("reply_to_name", sites=tuple(replying)),) if replying else ()))


def check_channels(protocol: Protocol, frames: Frames, carriers: Carriers) -> Iterator[Problem]:
    """Yield what is missing for each channel that goes by no text, before anybody is to be asked by it."""
    for channel in OTHERWISE:
        for lack in carriers.lacking_for(channel):
            yield problem("way_not_configured", channel, settings=lack.values["settings"])
        if any(lacks_texts(protocol, frames[language], channel) for language in protocol.languages):
            yield problem("way_without_texts", channel)


def costs(checked: Checked) -> tuple[Cost, ...]:
    """Return what every text of a checked study costs, in its dearest form."""
    return costs_of(checked.protocol, checked.frames)


def read_frames(folder: Path, protocol: Protocol) -> Mapping[str, Mapping[str, str]]:
    """The frames of a protocol's languages; those in `<folder>/<study>/<language>` stand in for the shared ones."""
    return {
        language: {
            file.name.removesuffix(FRAME): _text(file)
            for part in (folder / language, folder / protocol.study / language)
            for file in sorted(part.glob(f"*{FRAME}"))
        }
        for language in protocol.languages
    }


def load(rt: Runtime, actor: Actor, text: str, folder: Path | None = None) -> Loading:
    """Store a protocol and its texts as one version; the same again changes nothing.

    New participants get it, those enrolled keep theirs. RejectedError with every fault at once.
    """
    checked = check(text, folder)
    if checked.contacts:
        raise RejectedError(checked.contacts)
    return store_version(rt, actor, checked)


def store_version(rt: Runtime, actor: Actor, checked: Checked) -> Loading:
    """Store a checked protocol and its texts as one version; the same again changes nothing."""
    bundle = _bundled(checked)
    with transaction(rt, actor, rt.clock()) as tx:
        code, sha256 = checked.protocol.study, bundle.sha256
        known = next((study for study in studies.all_studies(tx.session) if study.code == code), None)
        study = known or studies.add_study(tx.writer, code)
        studies.lock_study(tx.session, study.id)
        before = studies.newest(tx.session, study.id)
        if before is not None and before.sha256 == sha256:
            _renew_marks(tx, study, before, checked.marks)
            return Loading(study, before, unchanged=True)
        _refuse_older(studies.with_digest(tx.session, study.id, sha256), before)
        number = 1 if before is None else before.number + 1
        version = studies.add_version(tx.writer, study, number, bundle)
        there = studies.site_ids(tx.session, study.id)
        new_sites = tuple(site for site in checked.protocol.sites if site not in there)
        studies.add_sites(tx.writer, study, new_sites)
        digests.forget_due_times(tx.session, study.id)
        changes: dict[str, tuple[object, object]] = {
            "version": (None if before is None else before.number, number),
            "sha256": (None if before is None else before.sha256, sha256),
            "sites": ([], list(new_sites)),
        }
        entry = Entry("load_protocol", "protocol_version", version.id, changes, study_id=study.id)
        tx.writer.audit(entry, zone_of(next(iter(checked.protocol.sites.values())).zone))
    return Loading(study, version, unchanged=False, new_sites=new_sites)


def _renew_marks(tx: Transaction, study: Study, version: Version, found: tuple[Mark, ...]) -> None:
    """Store what the comments say now, unless an investigator has confirmed the version with what they said before."""
    before = confirmations.marks(tx.session, version.id)
    if version.confirmed_at is not None or (before is not None and _said(before) == _said(found)):
        return
    confirmations.set_marks(tx.session, version.id, found)
    changes: dict[str, tuple[object, object]] = {"marks": (None if before is None else len(before), len(found))}
    tx.writer.audit(Entry("load_protocol", "protocol_version", version.id, changes, study_id=study.id), zone_of("UTC"))


def _said(found: tuple[Mark, ...]) -> list[tuple[str, str]]:
    return [(one.place, one.words) for one in found]


def _bundled(checked: Checked) -> studies.Bundle:
    """A version as it is stored."""
    protocol, wording = to_json(checked.protocol), _canonical(checked.frames)
    sha256 = hashlib.sha256(f"{protocol}\n{wording}".encode()).hexdigest()
    return studies.Bundle(protocol, wording, sha256, confirmations.marks_as_text(checked.marks), checked.file)


def digest(checked: Checked) -> str:
    """The digest under which a checked protocol and its texts would be stored."""
    return _bundled(checked).sha256


def stored(rt: Runtime, study: Study) -> tuple[Checked, Version]:
    """The version that new participants get, whole: its protocol and its texts. Only looks."""
    with rt.sessions.reading() as session:
        version = newest_of(session, study.id)
        bundle = rt.bundles.get(session, version.id)
    return Checked(bundle.protocol, bundle.wording.frames, ()), version


def show(rt: Runtime, study: Study) -> Shown:
    """A study as new participants would get it."""
    with rt.sessions.reading() as session:
        version = newest_of(session, study.id)
        protocol = rt.bundles.get(session, version.id).protocol
        return Shown(study, version, protocol, studies.enrolled(session, study.id))


def chosen(rt: Runtime, code: str | None) -> Study:
    """The study meant by `--study`, which may be left out while there is one; RejectedError otherwise."""
    with rt.sessions.reading() as session:
        there = studies.all_studies(session)
    found = [study for study in there if code is None or study.code.casefold() == code.casefold()]
    if len(found) == 1:
        return found[0]
    if not there:
        raise RejectedError((problem("no_study", "--study"),))
    known = tuple(study.code for study in there)
    if code is None:
        raise RejectedError((problem("several_studies", "--study", known=known),))
    raise RejectedError((problem("study_unknown", "--study", near=nearest(code, known), known=known),))


def _refuse_older(same: Version | None, newest: Version | None) -> None:
    if same is not None and newest is not None:
        raise RejectedError((problem("version_again", number=same.number, newest=newest.number),))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        path = f"templates/sms/{file.parent.name}/{file.name}"
        raise RejectedError((problem("text_not_utf8", path),)) from None


def _canonical(frames: Mapping[str, Mapping[str, str]]) -> str:
    return json.dumps(frames, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

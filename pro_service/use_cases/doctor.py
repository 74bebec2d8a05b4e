"""`doctor`: one finding about each part of the service, from the settings to what waits."""

import importlib.metadata
import re
import secrets
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pro_service import paths
from pro_service.core.addresses import is_this_machine
from pro_service.core.problems import problem, unavailable, words
from pro_service.core.providers import FACTS, SMS, TEXTS
from pro_service.core.routes import BY_TEXT, NAMES, OTHERWISE, preflight
from pro_service.core.study_file.confirmation import Notice
from pro_service.core.study_file.frames import cannot_say_where, lacks_texts
from pro_service.core.throttle import chance_of_a_hit
from pro_service.reports import health, readable
from pro_service.reports.health import Condition
from pro_service.runtime import ClockError, Runtime, TelephonesError, open_runtime
from pro_service.settings import Settings
from pro_service.store import erasures, guards, manifests, readiness, seals, studies, time_stamps
from pro_service.store.database import FIXED, sqlite_module, wal_is_safe
from pro_service.store.disk import MEGABYTE, NO_SPACE, disks
from pro_service.store.messages import channels, telephone_keys
from pro_service.store.participants import card_codes
from pro_service.store.readiness import BehindError
from pro_service.store.staff import members
from pro_service.store.staff.members import Member
from pro_service.store.unavailable import UNREACHABLE, Cause, why_unavailable
from pro_service.store.vault import WrongKeyError
from pro_service.use_cases import confirmation, keys, mails, trusted_time
from pro_service.use_cases.safety_alerts import Coverage, coverage
from pro_service.use_cases.staff.accounts import needs_factor
from pro_service.use_cases.trail.verify import TRIGGER
from pro_service.use_cases.watch import BACKUP, CLOCK, DISK, HELD, SAFETY, TRAIL, UNCONFIRMED, alarms

BEAT = "tick"
STALE = timedelta(minutes=15)
WAITING = timedelta(minutes=15)
UNREAD = timedelta(minutes=5)
STAMPED = timedelta(days=2)
"""Longer than this no seal goes without a time stamp, where an authority is set."""
DAY, YEAR = timedelta(days=1), timedelta(days=366)
DAYS_FROM = 48
"""So many hours and more are said in days."""
NAMED = 10
"""How many accounts are named."""
BEARABLE = 1e-3
"""Of the chance that anybody hits a card's code within a year, whatever they spend on it."""

Colour = Literal["green", "yellow", "red"]
PAGES: Mapping[str, str] = {
    "accounts": "operation/accounts.md#signing-in",
    "address": "operation/install.md#first-steps",
    "audit trail": "trial-file/audit.md",
    "backup": "operation/backup.md#making-a-backup",
    "cards": "study/card.md",
    "certificate": "operation/install.md#first-steps",
    "channels": "guide/en/morning.md",
    "clock": "operation/failures.md#a-wrong-clock",
    "confirmation": "study/study-file.md#before-texts-leave-the-confirmation",
    "contact data": "study/end.md",
    "database": "operation/backup.md#which-database",
    "disk": "operation/size.md#what-may-be-removed",
    "keys": "operation/backup.md#changing-the-key",
    "mail": "operation/install.md#first-steps",
    "outbox": "operation/failures.md",
    "packages": "operation/install.md#the-program",
    "replies": "operation/failures.md",
    "rules": "operation/failures.md",
    "safety": "operation/accounts.md#safety-tasks-go-on-alerting",
    "schema": "operation/install.md#a-new-version",
    "scheduler": "operation/install.md#first-steps",
    "sending": "operation/failures.md",
    "settings": "operation/install.md#settings",
    "sqlite": "operation/backup.md#which-database",
    "texts": "operation/install.md#first-steps",
    "ways": "study/countries.md",
}
"""Part -> where the documentation says more about it."""
EXPIRES_SOON = timedelta(days=14)
"""A warning is due so long before a certificate ends: a proxy that renews it by itself has done it by then."""
HTTPS = 443
REACHED_WITHIN = 5.0
"""Seconds to reach the proxy in."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of the service: green, to be minded (yellow), or broken (red) with what to do."""

    part: str
    colour: Colour
    finding: str
    remedy: str = ""

    @property
    def page(self) -> str:
        """The page of the documentation that says more about this part."""
        return f"docs/{PAGES[self.part]}"


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Look at everything; never raises because something is broken."""
    found = [Finding("settings", "green", "complete"), *_env_file(settings), packages_of(paths.requirements())]
    found += [*_address(settings), *certificate_of(settings.public_base_url, datetime.now(UTC))]
    found += [*_ways_out(settings), *_space(settings)]
    try:
        rt = open_runtime(settings)
    except BehindError as error:
        return (*found, Finding("schema", "red", *words(error.problem)))
    except WrongKeyError as error:
        return (*found, Finding("keys", "red", *words(error.problem)))
    except ClockError as error:
        return (*found, Finding("clock", "red", *words(error.problem)))
    except TelephonesError as error:
        return (*found, Finding("texts", "red", *words(error.problem)))
    except UNREACHABLE as error:
        return (*found, _unavailable(why_unavailable(error) or "unreachable"))
    try:
        return (*found, *_opened(rt))
    except UNREACHABLE as error:
        return (*found, _unavailable(why_unavailable(error) or "unreachable"))
    finally:
        rt.close()


def _unavailable(cause: Cause) -> Finding:
    return Finding("database", "red", *words(unavailable(cause)))


def _opened(rt: Runtime) -> Iterator[Finding]:
    now = rt.clock()
    with rt.sessions.reading() as session:
        seen, cards = health.condition(session, BEAT, now, leaves=rt.texts_leave), card_codes.count_codes(session)
        settings, alone = rt.settings, members.without_factor(session)
        values = readable.sample(session, rt.vault, secrets.randbelow(100) / 100)
        old = telephone_keys.count_old(session)
    refused = readiness.try_to_write(rt.sessions)
    if refused is not None:
        yield _unavailable(refused)
    else:
        yield Finding("database", "green", f"{'SQLite' if rt.sessions.sqlite else 'PostgreSQL'}, takes what is written")
    yield Finding("schema", "green", "current")
    yield accounts_of(settings, alone)
    yield encrypted_of(values)
    yield from _old_keys(rt)
    if old:
        what = f"{old} texts of an earlier release are sealed with the installation's key: an erasure misses them"
        yield Finding("keys", "yellow", what, "the scheduler seals them anew; without one: pro-service db reseal")
    if rt.sessions.sqlite:
        yield from _sqlite()
    yield _clock(rt, now)
    yield backups_of(manifests.age(rt.settings.backup_dir, now), in_use=seen.studies_in_use)
    yield _beat(seen, now)
    yield from _waiting(seen, now, sending=bool(rt.texts))
    yield codes_of(*cards)
    yield from safety_of(coverage(rt), mailing=rt.mail is not None, texting=bool(rt.texts))
    yield from _countries(rt)
    yield from _channels(rt)
    yield from _sender(rt)
    if seen.cards_to_print:
        what = f"{seen.cards_to_print} to print: these participants get no text before, and people call"
        yield Finding(
            "cards", "yellow", what, "pro-service participant cards --out FILE.html, or Cards on the dashboard"
        )
    yield from confirmations_of(rt)
    yield from held_of(rt)
    yield from _trail(rt)
    yield from not_erased_of(rt, now.date() - DAY)
    yield from _alarms(rt)


def _trail(rt: Runtime) -> Iterator[Finding]:
    """Whether the database protects the trail, whether the service could switch that off, and the last check."""
    with rt.sessions.reading() as session:
        faults, owned = guards.faults(session.connection()), guards.owns_trail(session.connection())
        last, stamped = seals.last_checks(session).get("full"), time_stamps.newest(session)
    for name, fault in faults.items():
        yield Finding("audit trail", "red", *words(problem(TRIGGER[fault], name=name)))
    if owned:
        what = "this service connects as the owner of its tables, who can switch their guards off"
        yield Finding("audit trail", "yellow", what, "see `pro-service db grants`")
    if rt.settings.timestamp_url and (stamped is None or rt.clock() - stamped.stored_at > STAMPED):
        since = "" if stamped is None else f" since {stamped.stored_at:%Y-%m-%d}"
        what = f"no seal has been time-stamped{since}"
        yield Finding("audit trail", "yellow", what, "look in the log for audit.not_stamped, and try TIMESTAMP_URL")
    if last is None:
        yield Finding("audit trail", "yellow", "was never checked", "run `pro-service audit seal`, then `audit verify`")
    elif not faults and not last.findings:
        yield Finding("audit trail", "green", f"as it was written, up to {last.at:%Y-%m-%dT%H:%MZ}: {last.rows} rows")


def not_erased_of(rt: Runtime, until: date) -> Iterator[Finding]:
    """Say in which studies contact data are still there although their last day was before `until`."""
    with rt.sessions.reading() as session:
        for study_id in erasures.studies_to_erase(session, until):
            left = len(erasures.not_erased(session, study_id))
            day, code = studies.standing(session, study_id).erase_after, studies.study_code(session, study_id)
            what = f"{code}: still there after {day}, the last day; participants: {left}"
            remedy = "the lines erase.due of the log name each participant and the place of the fault"
            yield Finding("contact data", "red", what, remedy)


def confirmations_of(rt: Runtime) -> Iterator[Finding]:
    """Whether investigators have confirmed the versions of studies; no finding if no text leaves this machine."""
    if not rt.texts_leave:
        return
    with rt.sessions.reading() as session:
        known = studies.all_studies(session)
    good = True
    for study in known:
        found = confirmation.unconfirmed(rt, study.id)
        if found is not None:
            good = False
            remedy = _MOVE if found.notice == "older_waits" else _CONFIRM
            words = f"{study.code}, version {found.version}: {_UNCONFIRMED[found.notice].format(held=found.held)}"
            yield Finding("confirmation", "red" if found.held else "yellow", words, remedy)
    if known and good:
        yield Finding("confirmation", "green", "investigators have confirmed what is sent")


_CONFIRM = "an investigator reads it and confirms it on the page Study, or `pro-service study confirm`"
_MOVE = "move them to the confirmed one: `pro-service study migrate --dry-run`"
_UNCONFIRMED: Mapping[Notice, str] = {
    "waits": "no investigator has confirmed it; texts that wait: {held}",
    "older_waits": "confirmed, but participants are still on one that never was; texts that wait: {held}",
    "runs": "ran before versions were confirmed, and goes on; nobody has confirmed it",
}


def held_of(rt: Runtime) -> Iterator[Finding]:
    """Say which ways out are in quarantine, and how many messages since when this database knows.

    A person compares that with the provider's log: more there means that some were forgotten here.
    """
    with rt.sessions.reading() as session:
        known = channels.all_channels(session)
        for way in rt.texts:
            held = known[way]
            if held.quarantined_at is not None:
                what, remedy = mails.alarm_words("en", f"{HELD}_{way}")
                since = held.known_until or held.quarantined_at
                here = f"{channels.sent_since(session, way, since)} that left after {since:%Y-%m-%dT%H:%MZ}"
                said = f"{what[:1].lower()}{what[1:]} since {held.quarantined_at:%Y-%m-%dT%H:%MZ}; known here: {here}"
                yield Finding("sending", "red", said, remedy)


def _clock(rt: Runtime, now: datetime) -> Finding:
    doubt, time = trusted_time.noted_doubt(rt), f"{now:%Y-%m-%dT%H:%M:%SZ}"
    if doubt is not None:
        what, remedy = words(doubt)
        return Finding("clock", "red", f"{time}; nothing is decided or sent: {what}", remedy)
    if rt.settings.now is not None:
        return Finding("clock", "yellow", f"set by PRO_SERVICE_NOW to {time}", "for rehearsals only")
    return Finding("clock", "green", "the system's")


def encrypted_of(values: readable.Sample) -> Finding:
    """Whether the keys decrypt a sample of values; each value that they do not is named by its record."""
    if not values.unreadable:
        return Finding("keys", "green", f"open this database, and {values.tried} encrypted values of a sample")
    records: dict[str, list[str]] = {}
    for fault in values.unreadable:
        where, row = fault.values.get("column"), fault.values.get("row")
        rows = records.setdefault(str(where or words(fault)[0]), [])
        rows.extend([str(row)] if row and str(row) not in rows else [])
    parts = [(what, ", ".join(rows[:NAMED]), "…" * (len(rows) > NAMED)) for what, rows in records.items()]
    named = "; ".join(" ".join(filter(None, part)) for part in parts)
    many = f"{len(values.unreadable)} of {values.tried} encrypted values of a sample cannot be read"
    return Finding("keys", "red", f"{many}, by column and record: {named}", words(values.unreadable[0])[1])


def _old_keys(rt: Runtime) -> Iterator[Finding]:
    """Whether older keys of DATA_KEYS are still needed."""
    for one in keys.all_keys(rt):
        if one.newest:
            continue
        if one.may_go:
            remedy = "take it out of DATA_KEYS everywhere; keep a copy as long as backups from before are kept"
            yield Finding("keys", "yellow", f"nothing needs {one.key} any more: it may go", remedy)
        elif one.values:
            remedy = "run `pro-service keys rotate`; until then keep it"
            yield Finding("keys", "yellow", f"{one.key} still wraps {one.values} keys", remedy)
        else:
            remedy = "start every program again with the new DATA_KEYS, then look again in two minutes"
            yield Finding("keys", "yellow", f"a running program still wraps with {one.key}", remedy)


def accounts_of(settings: Settings, alone: Sequence[Member]) -> Finding:
    """Return which accounts a password alone opens, by the address that `user list` shows."""
    if not alone:
        return Finding("accounts", "green", "nobody signs in with a password alone")
    emails = ", ".join(one.email for one in alone[:NAMED])
    others = f" and {len(alone) - NAMED} more" if len(alone) > NAMED else ""
    free = [one for one in alone if not needs_factor(settings, one)]
    remedy = "SECOND_FACTOR_ROLES=all asks everybody to set one up at the next sign-in; or they do under Account"
    if not free:
        remedy = "each of them is asked to set one up at the next sign-in; disable the accounts that nobody uses"
    return Finding("accounts", "yellow", f"{len(alone)} without a second factor: {emails}{others}", remedy)


def codes_of(long: int, short: int) -> Finding:
    """What so many codes on cards are worth: the more there are, the likelier somebody hits one of them."""
    if not long + short:
        return Finding("cards", "green", "none has a code yet")
    chance = chance_of_a_hit(long, short, YEAR)
    what = f"{long + short} codes; in a year somebody hits one with a chance of at most {chance:.1e}"
    if short:
        what = f"{what}; {short} on cards of an earlier release, whose holders have to scan while somebody guesses"
        return Finding("cards", "yellow", what, "print these cards again: Cards on the dashboard lists them")
    if chance > BEARABLE:
        return Finding("cards", "yellow", what, "lengthen FLOOD.every in core/throttle.py; see decision 12")
    return Finding("cards", "green", what)


def safety_of(sites: Sequence[Coverage], *, mailing: bool, texting: bool) -> Iterator[Finding]:
    """Whether anybody hears of a safety task at each site that follows participants, by mail and by text."""
    alone = [f"{one.study} {one.site}" for one in sites if not one.readers]
    if alone:
        remedy = "give somebody a role that [ladder.ES] of the study file names there: `pro-service user add`"
        yield Finding("safety", "red", f"nobody would hear of a safety task at {', '.join(alone)}", remedy)
    untexted = [one for one in sites if one.readers and not (texting and one.telephones)]
    places = ", ".join(f"{one.study} {one.site}" for one in untexted)
    if untexted and not mailing:
        people = ", ".join(f"{one.study} {one.site} ({_people(one.readers)})" for one in untexted)
        what = f"mail is not set up: no alert about a safety task reaches those who answer for it at {people}"
        yield Finding("safety", "red", what, "set SMTP_HOST and MAIL_FROM; until then look at the dashboard every day")
    elif untexted and not texting:
        yield Finding("safety", "yellow", "overdue tasks are mailed only: texts are not configured", "see texts above")
    elif untexted:
        remedy = "ask those who answer for safety there to leave their number under Account"
        yield Finding("safety", "yellow", f"nobody's telephone is known at {places}", remedy)
    if not alone and not untexted:
        yield Finding("safety", "green", "somebody hears of it at every site that follows participants")


def _countries(rt: Runtime) -> Iterator[Finding]:
    """Who carries texts to the countries of the studies' sites, and which ways of asking work there."""
    with rt.sessions.reading() as session:
        known = [studies.newest_protocol(session, rt.loader, study.id) for study in studies.all_studies(session)]
    carriers = rt.carriers
    for protocol in known if rt.texts else ():
        if protocol is None:
            continue
        for site in protocol.sites.values():
            for lack in carriers.lacking(site):
                yield Finding("texts", "red", *words(lack))
        for country, wanted in sorted({(site.country, site.provider) for site in protocol.sites.values()}):
            provider = carriers.to(country, wanted)
            found = {channel: preflight(provider, country, channel, protocol.routes) for channel in BY_TEXT}
            refused = [channel for channel in BY_TEXT if any(one.severity == "refuse" for one in found[channel])]
            works = ", ".join(channel for channel in BY_TEXT if channel not in refused)
            what = f"{protocol.study}, {country} by {FACTS[SMS[provider]].name}: {works or 'no way of asking by text'}"
            if refused:
                what = f"{what}; not {', '.join(refused)}"
            yield Finding("texts", "green" if works else "yellow", what)


def _channels(rt: Runtime) -> Iterator[Finding]:
    """Whether the channels that go by no text are configured, and asked by although they are not."""
    with rt.sessions.reading() as session:
        used = [channel for channel in OTHERWISE if health.asked_by(session, channel)]
        newest = [(study.code, studies.newest(session, study.id)) for study in studies.all_studies(session)]
        bundles = [(code, rt.bundles.get(session, version.id)) for code, version in newest if version is not None]
    for channel in OTHERWISE:
        silent = [
            code
            for code, bundle in bundles
            if any(lacks_texts(bundle.protocol, given, channel) for given in bundle.wording.frames.values())
        ]
        lack = next(iter(rt.carriers.lacking_for(channel)), None)
        if lack is not None and channel in used:
            what = (
                f"participants are to be asked by {channel}, which is not configured: the next channel asks, or people"
            )
            yield Finding("ways", "red", what, f"set {lack.values['settings']}, or change how they are asked")
        elif lack is not None:
            yield Finding(
                "ways", "green", f"{channel} is not configured ({lack.values['settings']}), and nobody is asked by it"
            )
        elif silent:
            remedy = "load the study file again, for WhatsApp with its templates: `pro-service study load`"
            yield Finding("ways", "yellow", f"{channel}: no texts in the newest version of {', '.join(silent)}", remedy)
        else:
            yield Finding("ways", "green", f"{channel} is configured")


def _sender(rt: Runtime) -> Iterator[Finding]:
    """Whether participants are to reply to a sender that takes no replies."""
    carriers, found = rt.carriers, []
    with rt.sessions.reading() as session:
        for one in health.sites_asked_by_reply(session) if carriers.named else ():
            protocol = studies.newest_protocol(session, rt.loader, one.study_id)
            site = None if protocol is None else protocol.sites.get(one.site)
            if site is not None and carriers.to(site.country, site.provider) in carriers.named:
                found.append(f"{one.study} {one.site}")
    asked = tuple(found)
    if asked:
        yield Finding("texts", "yellow", *words(problem("reply_to_name", sites=asked)))
    yield from _reply_number(rt)


def _reply_number(rt: Runtime) -> Iterator[Finding]:
    """Whether texts of a sender that is a name can say where people answer, by every version that somebody has."""
    silent, carriers = list[str](), rt.carriers
    with rt.sessions.reading() as session:
        for one in health.versions_asked_by_reply(session) if carriers.answered_at else ():
            bundle = rt.bundles.get(session, one.id)
            if cannot_say_where(bundle.protocol, bundle.wording.frames, carriers):
                silent.append(f"{one.study}, version {one.number}")
    if silent:
        what = f"nobody can reply to the sender, and texts that ask for a reply do not say where: {'; '.join(silent)}"
        remedy = "load the study again, then move those who are enrolled to it: `pro-service study migrate`"
        yield Finding("texts", "red", what, remedy)


def _people(n: int) -> str:
    return "1 person" if n == 1 else f"{n} people"


def _sqlite() -> Iterator[Finding]:
    version: tuple[int, int, int] = sqlite_module().sqlite_version_info
    if not wal_is_safe(version):
        fixed = ".".join(map(str, FIXED[0]))
        remedy = f"install a build of Python with SQLite {fixed} or newer; until then writing is slower, and safe"
        yield Finding("sqlite", "yellow", f"{'.'.join(map(str, version))} is affected by a fault of WAL files", remedy)


def _space(settings: Settings) -> Iterator[Finding]:
    """How much room the disks have left on which this service writes."""
    for disk in disks(settings.database_url, settings.backup_dir):
        colour: Colour = "green" if not disk.minded else "yellow" if disk.free >= NO_SPACE else "red"
        holds = " and the ".join(disk.holds)
        remedy = f"free some space on the disk of the {holds}"
        yield Finding(
            "disk", colour, f"{disk.free // MEGABYTE:,} MB free for the {holds}", "" if colour == "green" else remedy
        )


def backups_of(age: timedelta | None, *, in_use: bool) -> Finding:
    """How old the newest backup in BACKUP_DIR is; None: there is none."""
    remedy = "run `pro-service backup`, every night by a timer; or set BACKUP_DIR to the folder where backups are"
    if age is None:
        return Finding("backup", "yellow" if in_use else "green", "none in BACKUP_DIR", remedy if in_use else "")
    hours = age // timedelta(hours=1)
    ago = f"{hours} h ago" if hours < DAYS_FROM else f"{age.days} days ago"
    old = age > manifests.OLD and in_use
    return Finding("backup", "yellow" if old else "green", f"the newest was made {ago}", remedy if old else "")


def _env_file(settings: Settings) -> Iterator[Finding]:
    """Whether others of this machine may read the file that holds the keys."""
    file = settings.home / ".env"
    if file.is_file() and file.stat().st_mode & 0o077:
        yield Finding("settings", "yellow", "other users of this machine may read .env", f"chmod 600 {file}")


def packages_of(tested: Path) -> Finding:
    """Whether the packages that are installed have the versions that this release was tested with."""
    others = []
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", tested.read_text(encoding="utf-8"), re.MULTILINE):
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system, or another Python
        if installed != version:
            others.append(f"{name} {installed} (tested: {version})")
    if not others:
        return Finding("packages", "green", "the versions that were tested")
    more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
    remedy = f"install them: pip install -r {tested}"
    return Finding(
        "packages", "yellow", f"not the versions that were tested: {', '.join(others[:NAMED])}{more}", remedy
    )


def _address(settings: Settings) -> Iterator[Finding]:
    parts = urlsplit(settings.public_base_url)
    if parts.scheme != "https" and not is_this_machine(parts.hostname):
        remedy = "participants' answers travel in the clear: put a TLS proxy in front and use its https address"
        yield Finding("address", "red", "PUBLIC_BASE_URL is not https", remedy)
    else:
        yield Finding("address", "green", settings.public_base_url)


def certificate_of(address: str, now: datetime) -> Iterator[Finding]:
    """Whether browsers accept the certificate of an https address, and how long; nothing about other addresses.

    The proxy may be out of reach from here, where its name leads elsewhere inside the hospital: nothing is known then.
    """
    parts = urlsplit(address)
    if parts.scheme != "https" or parts.hostname is None:
        return
    renew = "renew it where the proxy has it; a proxy that gets certificates by itself says in its log why it did not"
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or HTTPS), REACHED_WITHIN) as way,
            ssl.create_default_context().wrap_socket(way, server_hostname=parts.hostname) as proxy,
        ):
            ends = ssl.cert_time_to_seconds(str((proxy.getpeercert() or {})["notAfter"]))
    except ssl.SSLCertVerificationError as fault:
        yield Finding("certificate", "red", f"browsers refuse it: {fault.verify_message}", renew)
        return
    except (OSError, KeyError):
        what = "not seen: the proxy does not answer from here"
        yield Finding("certificate", "yellow", what, "open PUBLIC_BASE_URL in a browser, outside the hospital as well")
        return
    left = datetime.fromtimestamp(ends, UTC) - now
    soon = left < EXPIRES_SOON
    what = f"good for {left.days} days"
    yield Finding("certificate", "yellow" if soon else "green", what, renew if soon else "")


def _ways_out(settings: Settings) -> Iterator[Finding]:
    if settings.texts:
        aimed = f" ({', '.join(settings.aimed_elsewhere)})" if settings.aimed_elsewhere else ""
        if settings.simulates:
            yield Finding(
                "texts",
                "yellow",
                f"simulated{aimed}: nobody gets one",
                "for a real study: a new database, and the settings of a real account",
            )
        else:
            yield Finding("texts", "green", f"configured{aimed}")
    else:
        yield Finding(
            "texts", "yellow", "not configured: prompts wait", f"set {'; or '.join(FACTS[way].needs for way in TEXTS)}"
        )
    for provider, needed in settings.needed_for_calls.items():
        what = (
            f"every call of {NAMES[provider]}'s is refused: what people wrote is fetched, what became of texts is not"
        )
        yield Finding("texts", "yellow", what, f"set {needed}")
    if settings.mails:
        yield Finding("mail", "green", "configured")
    else:
        remedy = "set SMTP_HOST and MAIL_FROM; until then tasks are on the dashboard only"
        yield Finding("mail", "yellow", "not configured: nobody is alerted by mail", remedy)


def _beat(seen: Condition, now: datetime) -> Finding:
    remedy = "run `pro-service scheduler`, or `pro-service tick` and `deliver` from cron"
    if seen.beat_at is None:
        return Finding("scheduler", "red" if seen.studies_in_use else "yellow", "has never run", remedy)
    age = now - seen.beat_at
    ago = f"{age // timedelta(minutes=1)} min ago" if age >= timedelta(minutes=1) else "under a minute ago"
    if age > STALE:
        return Finding("scheduler", "red", f"last alive {ago}", remedy)
    return Finding("scheduler", "green", f"alive {ago}")


def _alarms(rt: Runtime) -> Iterator[Finding]:
    """What fails in silence and no finding above says already."""
    said = {BACKUP, CLOCK, DISK, "scheduler", UNCONFIRMED, "waiting", "unread", *(f"{HELD}_{way}" for way in TEXTS)}
    for alarm in alarms(rt):
        if alarm.code not in said:
            what, remedy = mails.alarm_words("en", alarm.code)
            part = {SAFETY: "safety", TRAIL: "audit trail"}.get(alarm.code, "sending")
            yield Finding(part, "red", what[:1].lower() + what[1:], remedy)


def _waiting(seen: Condition, now: datetime, *, sending: bool) -> Iterator[Finding]:
    late = seen.unread_since is not None and now - seen.unread_since > UNREAD
    remedy = "the next tick reads them; if they stay, the log names the fault" if seen.unread else ""
    yield Finding("replies", "red" if late else "green", f"{seen.unread} not read yet", remedy)
    if seen.ready_since is None:
        yield Finding("outbox", "green", "no message that may be sent is waiting")
    else:
        waits = now - seen.ready_since
        colour: Colour = "green" if waits <= WAITING else "red" if sending else "yellow"
        minutes = waits // timedelta(minutes=1)
        remedy = "" if colour == "green" else "run `pro-service deliver` and look at its log"
        yield Finding("outbox", colour, f"the oldest message waits since {minutes} min", remedy)
    if seen.dead_channels:
        remedy = "each names a participant who cannot be reached, or a procedure to confirm: see the dashboard"
        yield Finding("channels", "yellow", f"{seen.dead_channels} open tasks of level E0", remedy)
    if seen.faulty:
        yield Finding("rules", "red", f"failed at {seen.faulty} participants", "the log names the place of the fault")

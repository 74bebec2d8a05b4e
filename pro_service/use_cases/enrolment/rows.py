"""One row of an enrolment file -> a complete enrolment, or every fault in it; and what to mind about it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from pro_service.core import ladder as ladders
from pro_service.core.enrolment import cells
from pro_service.core.enrolment.blinding import code_may_tell, is_telling
from pro_service.core.enrolment.cells import CellError
from pro_service.core.enrolment.file import CONSENTS, Record, columns_of
from pro_service.core.ladder import Ladder
from pro_service.core.problems import ChannelCode, Problem, problem
from pro_service.core.protocol import MEDIA, Channel, Protocol, Site, Window
from pro_service.core.routes import BY_TEXT, CARD, Carriers, preflight, preflight_number, usual_channel
from pro_service.core.schedule.calendar import local_day
from pro_service.core.schedule.forecast import procedure_date_notes
from pro_service.core.schedule.windows import local_instant, schedule
from pro_service.core.study_file.frames import Frames, lacks_texts, unfit_for_cards
from pro_service.runtime import holidays_of
from pro_service.store.participants.enrolment import Enrolment
from pro_service.use_cases import phone_numbers
from pro_service.use_cases.phone_numbers import Telephone

Value = TypeVar("Value")
ELSEWHERE = {"no_answers": "no_answers_but", "no_links": "no_links_but"}
"""What a refusal is where another channel works."""


@dataclass(frozen=True, slots=True)
class Read:
    """What became of one row; the enrolment is None exactly when there are faults."""

    line: int
    enrolment: Enrolment | None
    faults: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


@dataclass(slots=True)
class _Row:
    """A row being read: its cells, and what was found about it."""

    record: Record
    faults: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def text(self, column: str) -> str:
        return self.record.cells.get(column, "")

    def read(self, column: str, reader: Callable[[str], Value]) -> Value | None:
        """The value of a cell; None with a fault noted if it cannot be used."""
        try:
            return reader(self.text(column))
        except CellError as error:
            self.add(error.problem, column)
            return None

    def add(self, found: Problem, column: str) -> None:
        kind = self.faults if found.severity == "refuse" else self.warnings
        kind.append(found.at(column, self.record.line))


class RowReader:
    """Reads the rows of one file; remembers what many rows share."""

    def __init__(
        self,
        protocol: Protocol,
        frames: Frames,
        now: datetime,
        allowed: Collection[str] | None = None,
        *,
        carriers: Carriers,
    ) -> None:
        self.protocol, self.frames, self.now, self.allowed = protocol, frames, now, allowed
        self._carriers = carriers
        self._own = phone_numbers.of_the_study(carriers.senders, protocol)
        self._unfit: dict[str, tuple[str, ...]] = {}
        self._zones = {code: ZoneInfo(site.zone) for code, site in protocol.sites.items()}
        self._baseline = columns_of(protocol.baseline.items if protocol.baseline else ())
        self._laid: dict[tuple[str, date], tuple[tuple[Window, ...], tuple[Problem, ...]]] = {}
        self._routes: dict[tuple[str, str, str], tuple[Problem, ...]] = {}
        self._usual_channels: dict[tuple[str, str], Channel] = {}
        self._warned: set[tuple[str, str, str]] = set()

    def read(self, record: Record) -> Read:
        """One row."""
        row = _Row(record, list(record.faults))
        for column, text in record.cells.items():
            if text.startswith("#"):
                row.read(column, cells.check_spreadsheet)
        enrolment = None if row.faults else self._enrolment(row)
        if row.faults:
            return Read(record.line, None, tuple(row.faults), ())
        return Read(record.line, enrolment, (), tuple(row.warnings))

    def _enrolment(self, row: _Row) -> Enrolment | None:
        code = row.read("participant", self._code)
        if code is not None and code_may_tell(code):
            row.add(problem("code_may_tell"), "participant")
        site_code = row.read("site", self._site)
        day = row.read("procedure_date", cells.day)
        languages = self.protocol.languages
        language = row.read("language", lambda text: cells.one_of(text, languages, "not_a_language"))
        email = row.read("email", cells.email)
        baseline = self._answers(row)
        site = self.protocol.sites.get(site_code or "") or next(iter(self.protocol.sites.values()))
        zone = self._zones[site.code]
        own = row.read("timezone", lambda text: cells.zone(text or site.zone))
        consents = {
            medium: row.read(column, lambda text: cells.consent(text, zone, self.now))
            for medium, column in CONSENTS.items()
        }
        chosen = self._chosen(row)
        phone = self._telephone(row, site, chosen)
        ladder = self._ladder(row, phone, site, chosen)
        end = self._procedure_end(row, day, zone)
        if row.faults or code is None or day is None or language is None or own is None:
            return None
        windows, concerns = self._windows(site, day, end)
        for concern in concerns:
            row.add(concern, "procedure_date")
        self._mind_ladder(row, code, ladder, by_phone=phone is not None, by_mail=email is not None)
        return Enrolment(
            code=code,
            site=site.code,
            site_zone=zone,
            language=language,
            zone=own.key,
            ladder=ladder,
            channel_chosen=bool(row.text("channel")),
            procedure_date=day,
            procedure_end=end,
            consents=consents,
            confirmed=day <= local_day(self.now, zone),
            phone=None if phone is None else phone.e164,
            phone_country=None if phone is None else phone.country,
            email=email,
            baseline=baseline,
            windows=windows,
            baseline_window=self.protocol.baseline.code if self.protocol.baseline else None,
        )

    def _code(self, text: str) -> str:
        code = cells.code(text)
        if is_telling(code):
            raise CellError("code_names_arm")
        return code

    def _site(self, text: str) -> str:
        code = cells.one_of(text, self.protocol.sites, "not_a_site")
        if self.allowed is not None and code not in self.allowed:
            raise CellError("not_your_site", given=cells.quoted(code))
        return code

    def _answers(self, row: _Row) -> Mapping[str, int]:
        found = {}
        for column, item_id in self._baseline.items():
            if row.text(column):
                item = self.protocol.items[item_id]
                value = row.read(column, partial(cells.number, least=item.minimum, most=item.maximum))
                if value is not None:
                    found[item_id] = value
        return found

    def _procedure_end(self, row: _Row, day: date | None, zone: ZoneInfo) -> datetime | None:
        if not row.text("procedure_time"):
            return None
        at = row.read("procedure_time", cells.clock)
        if at is None or day is None:
            return None
        end = local_instant(day, at, zone)
        if end > self.now:
            row.add(problem("end_in_future"), "procedure_time")
        return end

    def _telephone(self, row: _Row, site: Site, chosen: Ladder) -> Telephone | None:
        if not row.text("phone"):
            return None
        phone = row.read("phone", lambda text: phone_numbers.read(text, site.country, self._own))
        if phone is None or not self._texted(row, chosen):
            return phone
        provider = self._carriers.to(phone.country, site.provider)
        findings = preflight_number(provider, phone.country, phone.e164, landline=phone.kind == "landline")
        for finding in findings:
            row.add(finding, "phone")
        if phone.kind == "landline" and not findings:
            row.add(problem("landline"), "phone")
        return phone

    @staticmethod
    def _chosen(row: _Row) -> Ladder:
        """The ladder asked for; none if the cell is empty, or holds faults, which are noted."""
        ladder, faults = ladders.read(row.text("channel")) if row.text("channel") else ((), ())
        for fault in faults:
            row.add(fault, "channel")
        return ladder

    @staticmethod
    def _texted(row: _Row, chosen: Ladder) -> bool:
        """Whether texts are meant for this row: consent is there, or a channel of texts is asked for."""
        by_text = not chosen or any(channel in BY_TEXT for channel in chosen)
        return by_text and bool(row.text("messaging_consent") or row.text("channel"))

    def _ladder(self, row: _Row, phone: Telephone | None, site: Site, chosen: Ladder) -> Ladder:
        """The ladder asked for; where none is, a channel that works in the telephone's country, else the site's."""
        country = site.country if phone is None else phone.country
        provider = self._carriers.to(country, site.provider)
        ladder = chosen or (self._usual(provider, country),)
        texted = self._texted(row, chosen)
        if phone is not None and texted:
            for lack in self._carriers.lacking(site):
                row.add(lack, "channel")
        for channel in ladder:
            for lack in self._carriers.lacking_for(channel):
                row.add(lack, "channel")
            if phone is not None and texted:
                self._check_route(row, provider, country, channel)
            if any(lacks_texts(self.protocol, given, channel) for given in self.frames.values()):
                row.add(problem("version_lacks_channel", channel=ChannelCode(channel)), "channel")
        if CARD in ladder and texted and row.text("language") in self.protocol.languages:
            self._check_texts(row, row.text("language"))
        return ladder

    @staticmethod
    def _mind_ladder(row: _Row, code: str, ladder: Ladder, *, by_phone: bool, by_mail: bool) -> None:
        """Say which rungs will be skipped, and who is reached by none; an empty consent alone means calls only."""
        agreed = {medium for medium, column in CONSENTS.items() if row.text(column)}
        media = {channel: MEDIA[channel] for channel in ladder}
        led_to = any(medium in agreed and (by_mail if medium == "email" else by_phone) for medium in media.values())
        if not by_phone:
            consented = "no_phone_but_consent" if agreed & {"sms", "whatsapp"} else "no_phone"
            row.add(problem("no_phone_but_mail" if led_to else consented, code=code), "phone")
        if not agreed and not row.text("channel"):
            return
        for channel, medium in media.items():
            if medium not in agreed:
                row.add(problem("rung_without_consent", code=code, channel=ChannelCode(channel)), CONSENTS[medium])
            elif medium == "email" and not by_mail:
                row.add(problem("rung_without_address", code=code, channel=ChannelCode(channel)), "email")
        for medium in sorted(agreed - set(media.values())):
            row.add(problem("consent_without_rung", code=code), CONSENTS[medium])
        if by_phone and not led_to:
            row.add(problem("reached_by_none", code=code), "channel")

    def _check_texts(self, row: _Row, language: str) -> None:
        """A participant with a card is written to without an address, or not at all."""
        if language not in self._unfit:
            self._unfit[language] = unfit_for_cards(self.protocol, language, self.frames.get(language, {}))
        if self._unfit[language]:
            row.add(problem("texts_unfit_for_card", texts=self._unfit[language], language=language), "channel")

    def _check_route(self, row: _Row, provider: str, country: str, channel: str) -> None:
        for finding in self._findings(provider, country, channel):
            if finding.severity == "refuse":
                row.add(self._with_another(finding, provider, country, channel), "channel")
            elif (provider, country, channel) not in self._warned:
                row.add(finding, "channel")
        if not row.faults:
            self._warned.add((provider, country, channel))

    def _with_another(self, refusal: Problem, provider: str, country: str, channel: str) -> Problem:
        """The refusal with another channel that works in this country, if there is one."""
        for other in BY_TEXT:
            # The card is no drop-in: it has to be printed and handed over. The finding's own remedy says so.
            if other not in (channel, CARD) and all(
                found.severity == "warn" for found in self._findings(provider, country, other)
            ):
                return replace(
                    refusal, code=ELSEWHERE[refusal.code], values={**refusal.values, "other": ChannelCode(other)}
                )
        return refusal

    def _usual(self, provider: str, country: str) -> Channel:
        asked = provider, country
        if asked not in self._usual_channels:
            self._usual_channels[asked] = usual_channel(provider, country, self.protocol.routes)
        return self._usual_channels[asked]

    def _findings(self, provider: str, country: str, channel: str) -> tuple[Problem, ...]:
        asked = provider, country, channel
        if asked not in self._routes:
            self._routes[asked] = preflight(provider, country, channel, self.protocol.routes)
        return self._routes[asked]

    def _windows(self, site: Site, day: date, end: datetime | None) -> tuple[tuple[Window, ...], tuple[Problem, ...]]:
        """The windows of a procedure on this day, and what to mind about them; many rows share a day."""
        key = (site.code, day)
        if end is None and key in self._laid:
            return self._laid[key]
        zone = self._zones[site.code]
        windows = schedule(self.protocol, day, zone, end)
        found = procedure_date_notes(self.protocol, day, windows, zone, holidays_of(site.country))
        laid = windows, tuple(found)
        if end is None:
            self._laid[key] = laid
        return laid

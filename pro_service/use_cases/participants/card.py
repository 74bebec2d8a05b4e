"""A participant's card: what is printed on it, another code when one was lost, and that it was handed over.

Who looked stands in the audit trail. The first look makes the code: a participant without a card has none that could be
guessed. The first look at a card of an earlier release makes a longer one; the old one works until that is used. Cards
are printed from templates/card/, one side of A6 for each language; many at once four to a sheet of A4, each in its
participant's language alone.
"""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from pro_service import paths, wording
from pro_service.core.card_code import code_text
from pro_service.core.enrolment.cells import quoted
from pro_service.core.problems import Problem, RejectedError, problem
from pro_service.core.protocol import Language, Site, Texts
from pro_service.core.schedule.calendar import local_day
from pro_service.core.schedule.windows import local_instant
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.audit import Actor
from pro_service.store.participants import card_codes, cases
from pro_service.store.participants.card_codes import ErasedError
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.writer import Writer
from pro_service.use_cases.transaction import Transaction, transaction

PATH = "/k"
"""Where codes are typed: the shortest there can be, for it is typed as well."""

DEFAULT = "en"

_NOON = time(12)

DAY = {"tr": "d MMMM y EEEE", "en": "EEEE d MMMM y"}

STYLE, SHEET_STYLE = "web/static/card.css", "web/static/sheet.css"
TO_A_SHEET = 4
FRONT_DAYS, BACK_DAYS = 3, 16
"""How many days fit on the side with the code, and on a side behind it, in 12 point letters."""
MOST_AT_ONCE = 120
"""Cards that one transaction makes, and one file of sheets holds."""


@dataclass(frozen=True, slots=True)
class Card:
    """What stands on a card. No name, no disease, no telephone of the participant."""

    participant: str
    """The code in the study; empty on a card that is filled in by hand."""
    languages: tuple[Language, ...]
    """One side each, the participant's first."""
    site: Site
    address: str
    code: str
    """As it is read, in groups; empty on a card that is filled in by hand."""
    scanned: str
    """What the picture holds: the address, and behind `#`, where no server sees it, the code with its mark."""
    days: tuple[tuple[Texts, date | None], ...]
    """(what it is called, target day) of each window ahead that is asked about; None: to be filled in by hand."""
    asked: bool = True
    """Messages say when the questions are open; else people call, and the card says so."""
    handed_at: datetime | None = None
    """When it was handed over; not printed."""
    beside: bool = False
    """The card before it, of an earlier release, works until this one is used; not printed."""
    for_trying_out: bool = False
    """It is of an installation with simulated telephones, and says so."""


def show(rt: Runtime, actor: Actor, study_id: int, code: str, sites: Collection[int] | None = None) -> Card:
    """The card of one participant. KeyError if there is none to be seen; RejectedError if the data was erased."""
    return _card(rt, actor, study_id, code, sites, _looked_at)


def replace(
    rt: Runtime, actor: Actor, study_id: int, code: str, reason: str, sites: Collection[int] | None = None
) -> Card:
    """Another code for one participant: the old card stops working at once. Errors as for `show`; a reason is due."""
    if not reason.strip():
        raise RejectedError((problem("card_reason_empty", "reason"),))

    def another(writer: Writer, loaded: Loaded) -> str:
        return card_codes.replace_code(writer, loaded, reason.strip())

    return _card(rt, actor, study_id, code, sites, another)


def show_many(
    rt: Runtime, actor: Actor, study_id: int, codes: Sequence[str], sites: Collection[int] | None = None
) -> tuple[Card, ...]:
    """The cards of several participants, in this order; all of them are made, or none. Errors as for `show`."""
    if len(codes) > MOST_AT_ONCE:
        raise RejectedError((problem("too_many_cards", "CODE", n=len(codes), most=MOST_AT_ONCE),))
    with transaction(rt, actor, rt.clock()) as tx:
        return tuple(_made(tx, loaded, _looked_at) for loaded in _loaded(tx, study_id, codes, sites))


def hand_over(
    rt: Runtime,
    actor: Actor,
    study_id: int,
    codes: Sequence[str],
    on: date | None = None,
    sites: Collection[int] | None = None,
) -> int:
    """Write down that these cards were handed over, today or `on` a day before; return how many were not yet.

    All of them or none. KeyError for a participant who is not to be seen; RejectedError where there is no card, or for
    a day that is still to come or was before the card was made.
    """
    with transaction(rt, actor, rt.clock()) as tx:
        found = _loaded(tx, study_id, codes, sites)
        faults = [fault for loaded in found for fault in _against_handing_over(loaded, on, tx)]
        if faults:
            raise RejectedError(tuple(faults))
        due = [loaded for loaded in found if loaded.case.participant.card_handed_at is None]
        for loaded in due:
            earlier = on is not None and on < local_day(tx.now, loaded.case.site_zone)
            at = local_instant(on, _NOON, loaded.case.site_zone) if on is not None and earlier else tx.now
            made = loaded.case.participant.card_made_at
            card_codes.hand_over(tx.writer, loaded, at if made is None else max(at, made))
        return len(due)


def take_back(
    rt: Runtime, actor: Actor, study_id: int, codes: Sequence[str], sites: Collection[int] | None = None
) -> int:
    """Write down that these cards were not handed over after all; return how many had been. Errors as for `show`."""
    with transaction(rt, actor, rt.clock()) as tx:
        found = _loaded(tx, study_id, codes, sites)
        handed = [loaded for loaded in found if loaded.case.participant.card_handed_at is not None]
        for loaded in handed:
            card_codes.take_back(tx.writer, loaded)
        return len(handed)


def _against_handing_over(loaded: Loaded, on: date | None, tx: Transaction) -> Iterator[Problem]:
    person, zone = loaded.case.participant, loaded.case.site_zone
    if person.card_made_at is None:
        yield problem("card_not_made", "CODE", code=person.code)
    elif on is not None and on > local_day(tx.now, zone):
        yield problem("handed_in_future", "on")
    elif on is not None and on < local_day(person.card_made_at, zone):
        yield problem("handed_before_made", "on", code=person.code)


def blank(rt: Runtime, study_id: int, site: str) -> Card:
    """A site's card to be filled in by hand. RejectedError if the study has no such site."""
    with rt.sessions.reading() as session:
        version = studies.newest(session, study_id)
        protocol = None if version is None else rt.bundles.get(session, version.id).protocol
    known = {} if protocol is None else protocol.sites
    if protocol is None or site not in known:
        raise RejectedError((problem("not_a_site", "--site", given=quoted(site), known=tuple(known)),))
    address = rt.settings.public_base_url + PATH
    days = tuple((point.label, None) for point in protocol.time_points if point.prompted)
    return Card("", protocol.languages, known[site], address, "", address, days, for_trying_out=rt.for_trying_out)


def _looked_at(writer: Writer, loaded: Loaded) -> str:
    found = card_codes.code_of_participant(writer.session, writer.vault, loaded) or card_codes.make_code(writer, loaded)
    writer.note(loaded, "view_card", "participant", loaded.case.participant.id, {})
    return found


def _card(
    rt: Runtime,
    actor: Actor,
    study_id: int,
    code: str,
    sites: Collection[int] | None,
    code_of: Callable[[Writer, Loaded], str],
) -> Card:
    with transaction(rt, actor, rt.clock()) as tx:
        (loaded,) = _loaded(tx, study_id, [code], sites)
        return _made(tx, loaded, code_of)


def _made(tx: Transaction, loaded: Loaded, code_of: Callable[[Writer, Loaded], str]) -> Card:
    try:
        before = card_codes.code_of_participant(tx.session, tx.rt.vault, loaded)
        code = code_of(tx.writer, loaded)
        # A card with another code is another card: nobody has handed that over yet.
        handed_at = loaded.case.participant.card_handed_at if code == before else None
        beside = card_codes.works_beside(tx.session, loaded)
        return dataclasses.replace(_filled_in(tx.rt, loaded, code, tx.now), handed_at=handed_at, beside=beside)
    except ErasedError:
        raise RejectedError((problem("erased", "CODE"),)) from None


def _loaded(tx: Transaction, study_id: int, codes: Sequence[str], sites: Collection[int] | None) -> list[Loaded]:
    """The participants with these codes, in this order, each once. KeyError for one that is not there to be seen."""
    ids = {code: cases.find(tx.session, study_id, code) for code in codes}
    # Their rows are taken together, in the order of their ids: two who print the same cards do not wait for each other.
    found = {one.case.participant.code: one for one in tx.rt.loader.load(tx.session, [i for i in ids.values() if i])}
    for code in ids:
        if code not in found or (sites is not None and found[code].site_id not in sites):
            raise KeyError(code)
    return [found[code] for code in ids]


def _filled_in(rt: Runtime, loaded: Loaded, code: str, now: datetime) -> Card:
    case, today = loaded.case, local_day(now, loaded.case.site_zone)
    # A card that is printed late names no day that has passed.
    ahead = [window for window in case.current if window.point.prompted and window.span.target >= today]
    person, address = case.participant, rt.settings.public_base_url + PATH
    others = (language for language in case.protocol.languages if language != person.language)
    return Card(
        participant=person.code,
        languages=(person.language, *others),
        site=person.site,
        address=address,
        code=code_text(code),
        scanned=f"{address}#{code}.{card_codes.mark_of(rt.vault, code)}",
        days=tuple((window.point.label, window.span.target) for window in ahead),
        asked=person.asked_by is not None,
        for_trying_out=rt.for_trying_out,
    )


# --- the card as it is printed ---------------------------------------------------------------------------------------


def sides(card: Card) -> Markup:
    """The card's sides, the participant's language first, without the style they need (`card.css`)."""
    return Markup().join(_drawn(card))


def _drawn(card: Card) -> Iterator[Markup]:
    """The sides: in each language the one with the code, then more if the days do not fit on it."""
    picture = segno.make_qr(card.scanned, error="m").svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None)
    page = _page("side.html")
    for side, days in _sides(card):
        later = [days[start : start + BACK_DAYS] for start in range(FRONT_DAYS, len(days), BACK_DAYS)]
        for number, some in enumerate((days[:FRONT_DAYS], *later)):
            drawn = page.render(
                card=card,
                side=side,
                days=some,
                front=number == 0,
                address=card.address.removeprefix("https://"),
                picture=Markup(picture.replace("<svg", '<svg role="img" aria-label="QR"', 1)),  # noqa: S704 -- drawn by segno
            )
            yield Markup(drawn)  # noqa: S704 -- every value was escaped as it was filled in


def document(card: Card) -> str:
    """A page of its own, whole in one file, to be printed without this service."""
    style = (paths.templates() / STYLE).read_text(encoding="utf-8")
    title, language = card.participant or card.site.code, card.languages[0]
    return _page("document.html").render(title=title, language=language, drawn=sides(card), style=Markup(style))  # noqa: S704 -- our own


def sheets(cards: Sequence[Card]) -> Markup:
    """Many cards, four sides to a sheet of A4 with marks where to cut; each in its participant's language alone."""
    drawn = [side for card in cards for side in _drawn(dataclasses.replace(card, languages=card.languages[:1]))]
    pages = [drawn[start : start + TO_A_SHEET] for start in range(0, len(drawn), TO_A_SHEET)]
    return Markup(_page("sheets.html").render(pages=pages))  # noqa: S704 -- the sides were escaped as they were filled in


def count_sheets(cards: Sequence[Card]) -> int:
    """How many sheets these cards take."""
    behind = (-(-max(len(card.days) - FRONT_DAYS, 0) // BACK_DAYS) for card in cards)
    return -(-(len(cards) + sum(behind)) // TO_A_SHEET)


def sheets_document(cards: Sequence[Card]) -> str:
    """A page of its own with these sheets, whole in one file, to be printed without this service."""
    style = "".join((paths.templates() / name).read_text(encoding="utf-8") for name in (STYLE, SHEET_STYLE))
    site = cards[0].site.code if cards else ""
    drawn, language = sheets(cards), cards[0].languages[0] if cards else DEFAULT
    return _page("document.html").render(title=site, language=language, drawn=drawn, style=Markup(style))  # noqa: S704


def _sides(card: Card) -> Iterator[tuple[dict[str, object], list[tuple[str, str | None]]]]:
    for language in card.languages:
        known = language if (paths.templates() / "card" / f"{language}.txt").is_file() else DEFAULT
        days = [(label[language], None if day is None else _day(day, known)) for label, day in card.days]
        yield {"language": language, "words": _words(known)}, days


def _day(day: date, language: Language) -> str:
    return wording.day(day, DAY.get(language, DAY[DEFAULT]), language)


@lru_cache
def _page(name: str) -> Template:
    return Environment(
        loader=FileSystemLoader(paths.templates() / "card"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    ).get_template(name)


@lru_cache
def _words(language: Language) -> dict[str, str]:
    text = (paths.templates() / "card" / f"{language}.txt").read_text(encoding="utf-8")
    lines = [line.partition("=") for line in text.splitlines() if "=" in line]
    return {name.strip(): words.strip() for name, _, words in lines}

"""A participant's card: what is printed on it, and another code when one was lost.

Who looked stands in the audit trail. The first look makes the code: a participant without a card has none that could be
guessed. It is printed from templates/card/, one side of A6 for each language.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import segno
from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from pro_service import paths
from pro_service.core.card_code import code_text
from pro_service.core.problems import Fault, RejectedError
from pro_service.core.protocol import Language, Site, Texts
from pro_service.runtime import Runtime
from pro_service.store import studies
from pro_service.store.audit import Actor
from pro_service.store.participants import card_codes, cases
from pro_service.store.participants.card_codes import ErasedError
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.writer import Writer
from pro_service.use_cases.transaction import transaction

PATH = "/k"
"""Where codes are typed: the shortest there can be, for it is typed as well."""

DEFAULT = "en"

DAY = {"tr": "d MMMM y EEEE", "en": "EEEE d MMMM y"}

STYLE = "web/static/card.css"


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
    """(what it is called, target day) of each window that is asked about; None: to be filled in by hand."""


def show(rt: Runtime, actor: Actor, study_id: int, code: str, sites: Collection[int] | None = None) -> Card:
    """The card of one participant. KeyError if there is none to be seen; RejectedError if the data was erased."""
    return _card(rt, actor, study_id, code, sites, _looked_at)


def replace(
    rt: Runtime, actor: Actor, study_id: int, code: str, reason: str, sites: Collection[int] | None = None
) -> Card:
    """Another code for one participant: the old card stops working at once. Errors as for `show`; a reason is due."""
    if not reason.strip():
        raise RejectedError((Fault("reason", None, "is empty", "say why, e.g. card lost"),))

    def another(writer: Writer, loaded: Loaded) -> str:
        return card_codes.replace_code(writer, loaded, reason.strip())

    return _card(rt, actor, study_id, code, sites, another)


def blank(rt: Runtime, study_id: int, site: str) -> Card:
    """A site's card to be filled in by hand. RejectedError if the study has no such site."""
    with rt.sessions.reading() as session:
        version = studies.newest(session, study_id)
        protocol = None if version is None else rt.bundles.get(session, version.id).protocol
    known = {} if protocol is None else protocol.sites
    if protocol is None or site not in known:
        raise RejectedError((Fault("--site", None, "is not a site of this study", f"one of: {', '.join(known)}"),))
    address = rt.settings.public_base_url + PATH
    days = tuple((point.label, None) for point in protocol.time_points if point.prompted)
    return Card("", protocol.languages, known[site], address, "", address, days)


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
        found = cases.find(tx.session, study_id, code)
        if found is None:
            raise KeyError(code)
        loaded = rt.loader.one(tx.session, found)
        if sites is not None and loaded.site_id not in sites:
            raise KeyError(code)
        try:
            return _filled_in(rt, loaded, code_of(tx.writer, loaded))
        except ErasedError:
            remedy = "nothing is left to be done: this participant is not asked any more"
            raise RejectedError((Fault("CODE", None, "this participant's contact data was erased", remedy),)) from None


def _filled_in(rt: Runtime, loaded: Loaded, code: str) -> Card:
    case = loaded.case
    person, address = case.participant, rt.settings.public_base_url + PATH
    others = (language for language in case.protocol.languages if language != person.language)
    return Card(
        participant=person.code,
        languages=(person.language, *others),
        site=person.site,
        address=address,
        code=code_text(code),
        scanned=f"{address}#{code}.{card_codes.mark_of(rt.vault, code)}",
        days=tuple((window.point.label, window.span.target) for window in case.current if window.point.prompted),
    )


# --- the card as it is printed ---------------------------------------------------------------------------------------


def sides(card: Card) -> Markup:
    """The card's sides, the participant's language first, without the style they need (`card.css`)."""
    picture = segno.make_qr(card.scanned, error="m").svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None)
    drawn = _page("sides.html").render(
        card=card,
        sides=list(_sides(card)),
        address=card.address.removeprefix("https://"),
        picture=Markup(picture.replace("<svg", '<svg role="img" aria-label="QR"', 1)),  # noqa: S704 -- drawn by segno
    )
    return Markup(drawn)  # noqa: S704 -- every value was escaped as it was filled in


def document(card: Card) -> str:
    """A page of its own, whole in one file, to be printed without this service."""
    style = (paths.templates() / STYLE).read_text(encoding="utf-8")
    return _page("document.html").render(card=card, drawn=sides(card), style=Markup(style))  # noqa: S704 -- our own


def _sides(card: Card) -> Iterator[dict[str, object]]:
    for language in card.languages:
        known = language if (paths.templates() / "card" / f"{language}.txt").is_file() else DEFAULT
        days = [(label[language], day and _day(day, known)) for label, day in card.days]
        yield {"language": language, "words": _words(known), "days": days}


def _day(day: date, language: Language) -> str:
    return format_date(day, DAY.get(language, DAY[DEFAULT]), locale=language)


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

"""The printed cards: which are still to be printed, which to be handed over, and which of an earlier release remain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, exists, func, or_, select

from pro_service.reports import statements
from pro_service.store.participants.cases import Loader
from pro_service.store.schema import AnyRow, participants, responses, sites, windows
from pro_service.store.session import Session
from pro_service.store.studies import Sites, newest_protocol

p, r, w = participants.c, responses.c, windows.c

SHOWN = 120
"""Cards on one list, and printed at once: thirty sheets."""


@dataclass(frozen=True, slots=True)
class CardRow:
    """One participant whose card is due."""

    participant: str
    site: str
    zone: str
    """The site's."""
    language: str
    procedure_date: date
    confirmed: bool
    """The procedure took place: the days on the card are certain."""
    made_at: datetime | None
    asked_from: datetime | None
    """When the window opens that is asked about next, or opened that is open and still without its answer."""


@dataclass(frozen=True, slots=True)
class Cards:
    """What there is to do about cards, in the order of the participants' codes."""

    to_print: tuple[CardRow, ...]
    to_hand: tuple[CardRow, ...]
    to_renew: tuple[CardRow, ...]
    """Cards of an earlier release, with a short code: to be printed again when it suits."""
    more: bool
    """More than SHOWN stand on one of these lists."""
    more_to_print: bool
    """More than SHOWN are to be printed, for the first time or again."""


def cards(session: Session, loader: Loader, study_id: int, now: datetime, sites_seen: Sites = None) -> Cards:
    """Return what there is to do about the cards of a study at these sites; a fixed number of statements."""
    given, limited = statements.parameters(study_id, sites_seen) | {"now": now}, sites_seen is not None
    lists = [
        *(statements.cards_due(limited=limited, made=made, limit=SHOWN + 1) for made in (False, True)),
        statements.cards_short(limited=limited, limit=SHOWN + 1),
    ]
    due = [session.scalars(one, given).all() for one in lists]
    protocol = newest_protocol(session, loader, study_id)
    known = {} if protocol is None else protocol.sites
    zones = {code: site.zone for code, site in known.items()}
    points = [] if protocol is None else [point for point in protocol.time_points if point.prompted]
    asked = {
        "now": now,
        "asked": [point.code for point in points],
        "deciding": [] if protocol is None else [item.id for item in protocol.items.values() if item.primary],
    }
    to_print, to_hand, to_renew = (_rows(session, ids[:SHOWN], asked, zones) for ids in due)
    more = any(len(ids) > SHOWN for ids in due)
    return Cards(to_print, to_hand, to_renew, more, more_to_print=len(due[0]) + len(due[2]) > SHOWN)


def _rows(session: Session, ids: Sequence[int], given: dict[str, Any], zones: dict[str, str]) -> tuple[CardRow, ...]:
    found: Sequence[AnyRow] = session.execute(_ROWS, given | {"ids": list(ids)}).all() if ids else []
    return tuple(
        CardRow(
            participant=row.code,
            site=row.site,
            zone=zones.get(row.site, "UTC"),
            language=row.language,
            procedure_date=row.procedure_date,
            confirmed=row.confirmed_at is not None,
            made_at=row.card_made_at,
            asked_from=row.asked_from,
        )
        for row in found
    )


_NOW: BindParameter[datetime] = bindparam("now", type_=w.closes_at.type)
_LATER = responses.alias("later").c
_ANSWERED = exists().where(
    r.window_id == w.id,
    r.item.in_(bindparam("deciding", expanding=True)),
    or_(r.value.is_not(None), r.declined),
    ~exists().where(_LATER.window_id == r.window_id, _LATER.item == r.item, _LATER.version > r.version),
)
_ASKED_FROM = (
    select(func.min(w.opens_at))
    .where(w.participant_id == p.id, w.cancelled_at.is_(None), w.closes_at > _NOW)
    .where(w.code.in_(bindparam("asked", expanding=True)), ~_ANSWERED)
    .scalar_subquery()
)
_ROWS: Select[Any] = (
    select(p.code, sites.c.code.label("site"), p.language, p.procedure_date, p.confirmed_at, p.card_made_at)
    .add_columns(_ASKED_FROM.label("asked_from"))
    .join(sites, sites.c.id == p.site_id)
    .where(p.id.in_(bindparam("ids", expanding=True)))
    .order_by(p.code)
)

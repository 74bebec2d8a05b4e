"""The statements behind the pages, built once: building them costs more than the database needs to answer.

Parameters: `study` (id), `now`, `sites` (ids; only if `limited`), `ids` / `window_ids` / `participant_ids`.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Select,
    SelectBase,
    String,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from pro_service.core.card_code import SHORT
from pro_service.core.protocol import LevelCode
from pro_service.store.schema import (
    CARD_DUE,
    IS_TEXT,
    calls,
    entry_codes,
    escalations,
    messages,
    participants,
    sites,
    tallies,
    users,
    windows,
)

QUEUE = 20
PER_LEVEL = 10
CAP = 1000
"""Open windows are counted up to this number: a page says "999+"."""
WINDOWS_EACH = 5
TASKS_CAP = 100
"""Open tasks are counted up to this number: nobody works through more, and counting them all is slow."""
CALLS: tuple[LevelCode, ...] = ("E1", "E2")
WORKLIST = 50
"""Tasks that the list of one role shows at once."""
LEVELS: tuple[LevelCode, ...] = ("ES", "E4", "E2", "E1", "E0", "E3")

e, p, w = escalations.c, participants.c, windows.c


def parameters(study_id: int, sites_seen: Collection[int] | None) -> dict[str, Any]:
    """Return the parameters of a statement about a study; with `sites` unless all sites may be seen."""
    return {"study": study_id} | ({} if sites_seen is None else {"sites": list(sites_seen)})


def _study() -> BindParameter[int]:
    return bindparam("study")


def _now() -> BindParameter[Any]:
    return bindparam("now", type_=e.due_at.type)


def _many(name: str) -> BindParameter[Any]:
    return bindparam(name, expanding=True)


def _of_seen_sites(limited: bool) -> ColumnElement[bool] | None:  # noqa: FBT001 -- the cached builders' one switch
    return e.site_id.in_(_many("sites")) if limited else None


def _one_of(column: ColumnElement[str], levels: Collection[LevelCode]) -> ColumnElement[bool]:
    """Write the levels into the statement, once: a list given as a parameter is written into it at each asking."""
    return column.in_([literal_column(f"'{level}'") for level in levels])


@lru_cache(maxsize=8)
def queue(*, limited: bool, limit: int) -> Select[int]:
    """Select ids of calls that can still save a window, least time left first."""
    statement = select(e.id).where(e.study_id == _study(), e.resolved_at.is_(None), e.save_by > _now())
    statement = statement.where(_one_of(e.level, CALLS), ~climbed())
    statement = statement.order_by(e.save_by, e.due_at).limit(limit)
    seen = _of_seen_sites(limited)
    return statement if seen is None else statement.where(seen)


def climbed(levels: Collection[LevelCode] | None = None) -> ColumnElement[bool]:
    """Whether a task has climbed: what was raised from it is open (`causes.rungs_below`), and one matter is one row.

    The level that it reached last says who it is for. With `levels`: whether it climbed to one of them; a
    reader without a part in the higher level sees it where it was. A window whose call became urgent is one call.
    """
    higher = escalations.alias("higher").c
    from_it = higher.dedup_key == higher.level + ":e" + cast(e.id, String)
    same = or_(higher.reason == e.reason, and_(e.level == "E1", higher.level == "E2"))
    of_window = and_(higher.window_id == e.window_id, higher.level > e.level, same)
    theirs = [] if levels is None else [_one_of(higher.level, sorted(levels))]
    return exists().where(
        higher.participant_id == e.participant_id, higher.resolved_at.is_(None), or_(from_it, of_window), *theirs
    )


@lru_cache(maxsize=2)
def handed_to_reader(*, limited: bool) -> Select[int]:
    """Select ids of open tasks that colleagues handed to `reader`, the least time left first."""
    statement = select(e.id).where(e.handed_to == bindparam("reader"), e.resolved_at.is_(None), e.study_id == _study())
    statement = statement.where(~climbed())
    seen = _of_seen_sites(limited)
    statement = statement if seen is None else statement.where(seen)
    return statement.order_by(func.coalesce(e.save_by, e.due_at), e.id).limit(QUEUE)


def _of_level(level: LevelCode, *, limited: bool, levels: Collection[LevelCode] | None = None) -> Select[int]:
    statement = select(e.id).where(e.study_id == _study(), e.resolved_at.is_(None), e.level == level, ~climbed(levels))
    seen = _of_seen_sites(limited)
    return statement if seen is None else statement.where(seen)


@lru_cache(maxsize=2)
def first_of_levels(*, limited: bool) -> Select[int]:
    """Select ids of the first tasks of each level by due date, without calls that can still save a window."""
    parts: list[SelectBase] = []
    for level in LEVELS:
        first = _of_level(level, limited=limited).order_by(e.due_at)
        if level in CALLS:
            # Of the first that fell due: a call whose window has closed fell due before those still to be saved.
            first = first.limit(TASKS_CAP)
            first = select(e.id).where(e.id.in_(first), e.save_by.is_(None) | (e.save_by <= _now())).order_by(e.due_at)
        parts.append(select(first.limit(PER_LEVEL).subquery()))
    return select(union_all(*parts).subquery().c.id)


@lru_cache(maxsize=32)
def worklist(levels: frozenset[LevelCode], *, limited: bool) -> Select[Any]:
    """Select (id, level, due_at) of open tasks about participants: of each level the first due, up to TASKS_CAP.

    A text from an unknown telephone is nobody's: it is counted in the inbox.
    """
    parts = []
    for level in LEVELS:
        if level in levels:
            first = _of_level(level, limited=limited, levels=levels).with_only_columns(e.id, e.level, e.due_at)
            first = first.where(e.participant_id.is_not(None))
            parts.append(select(first.order_by(e.due_at, e.id).limit(TASKS_CAP).subquery()))
    return select(union_all(*parts).subquery())


@lru_cache(maxsize=32)
def worklist_count(levels: frozenset[LevelCode], *, limited: bool) -> Select[int]:
    """Select how many tasks `worklist` selects, up to TASKS_CAP: every page asks this."""
    return select(func.count()).select_from(worklist(levels, limited=limited).limit(TASKS_CAP).subquery())


@lru_cache(maxsize=2)
def first_page_tasks(*, limited: bool) -> CompoundSelect[Any]:
    """Select (part, id) of the tasks on the first page: `saving`, the `rest`, and `mine`, handed to the `reader`."""
    parts = {
        "saving": queue(limited=limited, limit=QUEUE),
        "rest": first_of_levels(limited=limited),
        "mine": handed_to_reader(limited=limited),
    }
    found = ((name, part.subquery()) for name, part in parts.items())
    return union_all(*(select(literal_column(f"'{name}'").label("part"), ids.c.id) for name, ids in found))


@lru_cache(maxsize=2)
def counts(*, limited: bool) -> Select[Any]:
    """Select one row of counts, for the first page.

    Calls of the queue, open windows (up to CAP), cards to print, to hand over and to print again, open escalations by
    LEVELS (up to TASKS_CAP).
    """
    parts = [
        queue(limited=limited, limit=TASKS_CAP),
        _open_windows(limited=limited),
        *(cards_due(limited=limited, made=made, limit=TASKS_CAP) for made in (False, True)),
        cards_short(limited=limited, limit=TASKS_CAP),
        # In the index's order: else PostgreSQL walks through the table for the first that fit, and through all of it
        # where none does.
        *(_of_level(level, limited=limited).order_by(e.due_at).limit(TASKS_CAP) for level in LEVELS),
    ]
    return select(*(select(func.count()).select_from(part.subquery()).scalar_subquery() for part in parts))


@lru_cache(maxsize=8)
def cards_due(*, limited: bool, made: bool, limit: int) -> Select[int]:
    """Select ids of participants whose card is still to be printed; `made`: of those it is still to be handed over.

    Of those alone who are asked with it: texts may go to them, and a window has not closed yet.
    """
    ahead = exists().where(w.participant_id == p.id, w.cancelled_at.is_(None), w.closes_at > _now())
    statement = (
        select(p.id)
        .where(p.study_id == _study(), CARD_DUE, p.card_made_at.is_not(None) if made else p.card_made_at.is_(None))
        .where(p.consented_at.is_not(None), p.phone.is_not(None), p.opted_out_at.is_(None), p.unreachable_at.is_(None))
        .where(p.withdrawn_at.is_(None), p.died_at.is_(None), ahead)
        .order_by(p.code)
        .limit(limit)
    )
    return statement.where(p.site_id.in_(_many("sites"))) if limited else statement


@lru_cache(maxsize=4)
def cards_short(*, limited: bool, limit: int) -> Select[int]:
    """Select ids of participants whose card is of an earlier release, with a short code, while windows are ahead."""
    code, longer = entry_codes.c, entry_codes.alias("longer").c
    ahead = exists().where(w.participant_id == p.id, w.cancelled_at.is_(None), w.closes_at > _now())
    statement = (
        select(p.id)
        .join(entry_codes, code.participant_id == p.id)
        .where(code.signs == SHORT, code.study_id == _study())
        .where(~exists().where(longer.participant_id == p.id, longer.signs != SHORT))
        .where(p.withdrawn_at.is_(None), p.died_at.is_(None), ahead)
        .order_by(p.code)
        .limit(limit)
    )
    return statement.where(p.site_id.in_(_many("sites"))) if limited else statement


def _open_windows(*, limited: bool) -> Select[int]:
    statement = (
        select(w.id)
        .where(w.study_id == _study(), w.settled.is_(None), w.cancelled_at.is_(None))
        .where(w.closes_at > _now(), w.opens_at <= _now())
        .limit(CAP)
    )
    if not limited:
        return statement
    return statement.join(participants, p.id == w.participant_id).where(p.site_id.in_(_many("sites")))


@lru_cache(maxsize=1)
def tasks() -> Select[Any]:
    """Select escalations (`ids`) with what the page shows beside them."""
    giver, receiver = users.alias("giver"), users.alias("receiver")
    return (
        select(
            e.id,
            e.level,
            e.reason,
            e.raised_at,
            e.due_at,
            e.save_by,
            e.look_again_at,
            e.asked_at,
            e.part_of_day,
            e.acknowledged_at,
            e.window_id,
            e.participant_id,
            p.code.label("participant"),
            p.protocol_version_id,
            sites.c.code.label("site"),
            w.code.label("window"),
            w.opens_at,
            w.closes_at,
            users.c.email.label("who"),
            p.revision,
            e.handed_at,
            e.handed_to,
            giver.c.email.label("giver"),
            receiver.c.email.label("receiver"),
        )
        .outerjoin(participants, p.id == e.participant_id)
        .outerjoin(sites, sites.c.id == e.site_id)
        .outerjoin(windows, w.id == e.window_id)
        .outerjoin(users, users.c.id == e.acknowledged_by)
        .outerjoin(giver, giver.c.id == e.handed_by)
        .outerjoin(receiver, receiver.c.id == e.handed_to)
        .where(e.id.in_(_many("ids")))
    )


@lru_cache(maxsize=1)
def texts() -> Select[Any]:
    """Select texts about windows (`window_ids`)."""
    m = messages.c
    wanted = m.window_id.in_(_many("window_ids"))
    return select(m.window_id, m.kind, m.state, m.queued_at).where(wanted, IS_TEXT)


@lru_cache(maxsize=1)
def calls_made() -> Select[Any]:
    """Select calls about windows (`window_ids`) of participants (`participant_ids`, by which they are found)."""
    c = calls.c
    wanted = and_(c.participant_id.in_(_many("participant_ids")), c.window_id.in_(_many("window_ids")))
    return select(c.window_id, c.outcome, c.called_at).where(wanted)


@lru_cache(maxsize=2)
def next_opening(*, limited: bool) -> Select[Any]:
    """Select the window that opens next among the first that close: exact in a study of usual size."""
    ahead = (
        select(w.opens_at, w.participant_id)
        .where(w.study_id == _study(), w.settled.is_(None), w.cancelled_at.is_(None))
        .where(w.closes_at > _now(), w.opens_at > _now())
        .order_by(w.closes_at)
        .limit(CAP)
        .subquery()
    )
    statement = (
        select(ahead.c.opens_at, p.code, p.protocol_version_id, sites.c.code.label("site"))
        .join(participants, p.id == ahead.c.participant_id)
        .join(sites, sites.c.id == p.site_id)
        .where(p.withdrawn_at.is_(None), p.died_at.is_(None))
        .order_by(ahead.c.opens_at, p.code)
        .limit(1)
    )
    return statement.where(p.site_id.in_(_many("sites"))) if limited else statement


@lru_cache(maxsize=2)
def settled_counts(*, limited: bool) -> Select[Any]:
    """Select (code, how it is counted, how many) of settled windows."""
    t = tallies.c
    statement = select(t.code, t.status, func.sum(t.count)).where(t.study_id == _study()).group_by(t.code, t.status)
    return statement.where(t.site_id.in_(_many("sites"))) if limited else statement


@lru_cache(maxsize=4)
def closed_unsettled(*, limited: bool, cap: int | None) -> Select[int]:
    """Select confirmed participants, at most `cap`, with windows that have closed and are not settled yet.

    The windows are found first, by when they closed: joined at once, PostgreSQL walks every window of the study for the
    few that are not settled. Of each participant there are several, and some wait for their confirmation.
    """
    found = (
        select(w.participant_id)
        .where(w.study_id == _study(), w.settled.is_(None), w.cancelled_at.is_(None), w.closes_at <= _now())
        .order_by(w.closes_at)
        .limit(None if cap is None else cap * WINDOWS_EACH)
        .subquery()
    )
    statement = (
        select(found.c.participant_id)
        .join(participants, p.id == found.c.participant_id)
        .where(p.confirmed_at.is_not(None))
        .distinct()
        .limit(cap)
    )
    return statement.where(p.site_id.in_(_many("sites"))) if limited else statement

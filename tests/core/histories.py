"""Random lives of participants: who they are, and what happens to them, hour after hour."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from pro_service.core.case import PROMPTS, Call
from pro_service.core.commands import CancelTexts
from tests.core.world import DEMO, STUDY, World, case_of, person

ZONES = (
    "Europe/Istanbul",
    "Europe/Berlin",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/New_York",
    "Pacific/Kiritimati",
    "Pacific/Honolulu",
)
HOLIDAYS = frozenset({date(2026, 1, 1), date(2026, 3, 20), date(2026, 4, 23), date(2026, 5, 1), date(2026, 5, 19)})

zones = st.sampled_from(ZONES).map(ZoneInfo)


@dataclass(frozen=True, slots=True)
class Happening:
    """After so many minutes, this."""

    after: timedelta
    what: str
    number: int = 0
    item: str = "NRS-AVG"


BY_WHICH_WAY = ("card made", "asked by card", "number gone", "number given")
WHAT = (
    *("wait",) * 6,
    *("text",) * 6,
    *("outage", "back", "back", "back"),
    *("web_part", "web_whole", "telephone"),
    *("STOP", "START", "HELP", "later", "tomorrow", "call me", "evet", "hiç", "no idea at all", "acil", "stop it"),
    *("beni akşam arayın", "please ring me tomorrow morning", "spoken to"),
    *("correct", "correct", "hayır"),
    *("network_down", "network_slow", "network_up", "network_up", "refused", "uncertain", "undelivered"),
    *("pause", "pause_for", "resume", "acknowledge", "confirm"),
    *BY_WHICH_WAY,
)
LEAVING = ("withdraw", "die")
WORDS = frozenset(
    {"STOP", "START", "HELP", "later", "tomorrow", "call me", "evet", "hayır", "hiç", "no idea at all", "acil"}
    | {"beni akşam arayın", "please ring me tomorrow morning"}
)

gaps = st.one_of(
    st.integers(0, 3).map(lambda minutes: timedelta(seconds=20 * minutes)),
    st.integers(1, 72).map(lambda hours: timedelta(hours=hours)),
    st.integers(1, 21).map(lambda days: timedelta(days=days)),
    st.integers(1, 60 * 24 * 4).map(lambda minutes: timedelta(minutes=minutes)),
)
happenings = st.builds(
    Happening,
    after=gaps,
    what=st.one_of(st.sampled_from(WHAT), st.sampled_from(WHAT), st.sampled_from((*WHAT, *LEAVING))),
    number=st.integers(0, 10),
    item=st.sampled_from(("NRS-AVG", "PGIC")),
)
histories = st.lists(happenings, min_size=0, max_size=25)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Anybody: any site and zone, enrolled before, inside or after the windows, confirmed then, later or never."""
    protocol = draw(st.sampled_from((STUDY, DEMO)))
    day = draw(st.dates(date(2026, 1, 1), date(2026, 12, 31)))
    noon = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
    enrolled = noon + timedelta(minutes=draw(st.integers(-30 * 24 * 60, 110 * 24 * 60)))
    late = draw(st.one_of(st.just(0), st.integers(0, 40 * 24 * 60)))
    participant = person(
        site=draw(st.sampled_from(list(protocol.sites.values()))),
        zone=draw(zones),
        channel=draw(st.sampled_from(("sms-reply", "sms-link", "sms-card"))),
        has_phone=draw(st.sampled_from((True, True, True, False))),
        card_made_at=draw(st.sampled_from((None, enrolled))),
        language=draw(st.sampled_from(("tr", "en"))),
        procedure_date=day,
        enrolled_at=enrolled,
        confirmed_at=draw(st.sampled_from((max(enrolled, noon) + timedelta(minutes=late), None, enrolled))),
        consented_at=draw(st.sampled_from((enrolled, enrolled, enrolled, None))),
    )
    started = participant.started_at or enrolled
    # The life begins when all that is said here is a fact.
    return World(case_of(participant, protocol, HOLIDAYS), started)


def happen(world: World, happening: Happening) -> None:
    """Let time pass, then let this happen."""
    world.until(world.now + happening.after)
    what = happening.what
    if what == "text":
        world.text(str(happening.number))
    elif what == "correct":
        world.text(f"pardon {happening.number}")
    elif what in WORDS:
        world.text(what)
    elif what == "stop it":
        world.text("please stop it now")
    elif what in ("web_part", "web_whole", "telephone"):
        _answered(world, happening)
    elif what in ("outage", "back"):
        world.ticking = what == "back"
    elif what in ("network_down", "network_slow", "network_up"):
        world.delay = {"network_down": None, "network_slow": timedelta(hours=7)}.get(what, timedelta(seconds=2))
    elif what in ("refused", "uncertain", "undelivered"):
        _failed(world, what)
    elif what in BY_WHICH_WAY:
        _asked_another_way(world, what)
    else:
        _changed(world, what)
    world.beat()


def _answered(world: World, happening: Happening) -> None:
    answers: dict[str, int | None] = {happening.item: min(max(happening.number, 1), 7)}
    if happening.what != "web_part":
        answers = {"NRS-AVG": happening.number, "PGIC": 4}
    source = "telephone" if happening.what == "telephone" else "web"
    started = [window for window in world.case.current if window.point.prompted and window.span.opens_at <= world.now]
    if started and world.case.participant.left_at is None:
        world.answer(started[-1].code, answers, "telephone" if source == "telephone" else "web")


def _failed(world: World, what: str) -> None:
    for text in world.case.messages:
        if text.kind in PROMPTS and what == "undelivered" and text.state == "accepted":
            world.mark(text.id, "undelivered")
        elif text.kind in PROMPTS and what != "undelivered" and text.state == "ready":
            world.mark(text.id, "refused" if what == "refused" else "uncertain")


def _changed(world: World, what: str) -> None:
    person = world.case.participant
    if what == "pause":
        world.change(paused_at=world.now, paused_until=None)
    elif what == "pause_for":
        world.change(paused_at=world.now, paused_until=world.now + timedelta(days=3))
    elif what == "resume":
        world.change(paused_at=None, paused_until=None)
    elif what in ("acknowledge", "spoken to"):
        world.acknowledge()
        made = (Call(None, world.now, "will_do_it"),) if what == "spoken to" else ()
        world.case = replace(world.case, calls=(*world.case.calls, *made))
    elif what == "confirm" and person.confirmed_at is None:
        world.change(confirmed_at=world.now)
    elif what == "withdraw" and person.withdrawn_at is None:
        world.change(withdrawn_at=world.now)
        world.carry_out((CancelTexts(),))
    elif what == "die" and person.died_at is None:
        world.change(died_at=world.now)
        world.carry_out((CancelTexts(),))


def _asked_another_way(world: World, what: str) -> None:
    if what == "card made":
        world.change(card_made_at=world.now)
    elif what == "asked by card":
        world.change(channel="sms-card")
        world.carry_out((CancelTexts(),))
    else:
        world.change(has_phone=what == "number given", unreachable_at=None)
        world.carry_out((CancelTexts(replies=True),))

"""The people of a rehearsal, read from one file: temperaments, how coordinators work, and participants' phrases."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Literal, TypeAlias, get_args

from pro_service import paths
from pro_service.core.problems import RejectedError, problem
from pro_service.core.protocol import Channel, Hours, Texts
from pro_service.core.study_file.toml_table import Table
from pro_service.core.toml_faults import Faults, line_of

Number: TypeAlias = Literal["right", "wrong", "lost"]
LANGUAGES = ("en", "tr")
PHRASES = ("stop", "decline", "wrong_number", "yes")
ALL = 100
LONGEST = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Temperament:
    """How one kind of participant behaves; what is an integer is a percentage."""

    code: str
    label: Texts
    share: int
    after: timedelta
    within: timedelta
    channel: Channel | None = None
    """None: as the rehearsal has it."""
    hours: Hours | None = None
    """Answers at these local hours only."""
    number: Number = "right"
    lost_after: timedelta = timedelta()
    percent: Mapping[str, int] = field(default_factory=dict)
    """What they do -> how often; see PERCENTAGES."""

    def often(self, deed: str) -> float:
        """Return how likely they do it, between 0 and 1."""
        return self.percent[deed] / ALL


PERCENTAGES: Mapping[str, int] = {
    "invited": 0,
    "reminded": 0,
    "finish": 95,
    "words": 0,
    "range": 0,
    "twice": 0,
    "changes": 0,
    "declines": 0,
    "stops": 0,
    "alarms": 0,
    "late": 0,
    "picks_up": 0,
    "tells": 0,
    "keeps_word": 0,
    "rings_back": 0,
}
"""What a temperament may do, and how often where its table does not say."""


@dataclass(frozen=True, slots=True)
class CoordinatorHabits:
    """How the coordinators of one site work."""

    calls_a_day: int
    minutes_a_call: int
    minutes_a_task: int
    clinic_entered: int
    rounds: tuple[time, ...]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everything a rehearsal assumes about people."""

    temperaments: tuple[Temperament, ...]
    office: CoordinatorHabits
    phrases: Mapping[str, Texts]

    def phrase(self, name: str, language: str) -> str:
        """Return what a participant writes in their language; in English if the file has no such language."""
        texts = self.phrases[name]
        return texts.get(language, texts["en"])


def shipped_temperaments() -> Crowd:
    """Return the assumptions that come with the program."""
    return read_temperaments((paths.templates() / "rehearsal" / "temperaments.toml").read_text(encoding="utf-8"))


def read_temperaments(text: str) -> Crowd:
    """Return the assumptions of a TOML text; raise RejectedError with every fault."""
    faults = Faults(text)
    try:
        root = Table(tomllib.loads(text.removeprefix("\ufeff")), "", faults)
    except ValueError as error:
        raise RejectedError((problem("not_toml", "", line_of(error, text), error=str(error)),)) from None
    office = _office(root.table("office"))
    phrases = _phrases(root.table("phrases"))
    temperaments = tuple(_temperament(table) for table in root.tables("temperament"))
    root.close()
    codes = [one.code for one in temperaments]
    for index, code in enumerate(codes):
        if code in codes[:index]:
            faults.add(f"temperament[{index}].code", "code_twice", given=code)
    if temperaments and not sum(one.share for one in temperaments):
        faults.add("temperament", "nobody_has_a_share")
    if faults.all():
        raise RejectedError(faults.all())
    return Crowd(temperaments, office, phrases)


def _office(table: Table) -> CoordinatorHabits:
    found = CoordinatorHabits(
        calls_a_day=table.integer("calls_a_day", 0, 1000),
        minutes_a_call=table.integer("minutes_a_call", 1, 240),
        minutes_a_task=table.integer("minutes_a_task", 1, 240),
        clinic_entered=table.integer("clinic_entered", 0, ALL),
        rounds=_rounds(table),
    )
    table.close()
    return found


def _rounds(table: Table) -> tuple[time, ...]:
    rounds = []
    for index, word in enumerate(table.words("rounds")):
        try:
            rounds.append(time.fromisoformat(word))
        except ValueError:
            table.fault(f"rounds[{index}]", "no_clock", given=word)
    return tuple(rounds)


def _phrases(table: Table) -> Mapping[str, Texts]:
    found = {}
    for name in PHRASES:
        languages: Sequence[str] = LANGUAGES
        found[name] = table.texts(name, languages)
    table.close()
    return found


def _temperament(table: Table) -> Temperament:
    numbers: tuple[Number, ...] = get_args(Number)
    channels: tuple[Channel, ...] = get_args(Channel)
    found = Temperament(
        code=table.text("code"),
        label=table.texts("label", LANGUAGES),
        share=table.integer("share", 0, 10_000),
        after=table.span("after"),
        within=table.span("within"),
        channel=table.choice("channel", channels) if table.has("channel") else None,
        hours=table.hours("hours") if table.has("hours") else None,
        number=table.choice("number", numbers) if table.has("number") else "right",
        lost_after=table.span("lost_after", timedelta()),
        percent={name: table.integer(name, 0, ALL, usual) for name, usual in PERCENTAGES.items()},
    )
    if not found.after <= found.within <= LONGEST and not table.faults.touched(table.path_of("within")):
        table.fault("within", "within_unfit")
    table.close()
    return found

"""A ladder of channels as people write it: `whatsapp>sms-reply>email-link`; the first that reaches somebody asks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pro_service.core.case import RUNG
from pro_service.core.problems import ChannelCode, Problem, nearest, problem
from pro_service.core.protocol import MEDIA, Channel

CALLS = "calls"
"""May stand last, and changes nothing: where no channel reaches the participant, people telephone anyway."""
RUNGS = ("channel", "channel_2", "channel_3")
"""The facts of a participant that hold the ladder."""

Ladder: TypeAlias = tuple[Channel, ...]
KNOWN: tuple[Channel, ...] = tuple(MEDIA)


def read(text: str) -> tuple[Ladder, tuple[Problem, ...]]:
    """Return the ladder in a text, or every fault in it."""
    written = [one.strip() for one in text.split(RUNG)]
    asking = written[:-1] if written[-1] == CALLS else written
    known: Mapping[str, Channel] = {channel: channel for channel in KNOWN}
    faults = [_fault(one) for one in asking if one not in known]
    if not asking:
        faults.append(problem("ladder_only_calls", known=KNOWN))
    media = Counter(MEDIA[known[one]] for one in asking if one in known)
    for medium in (medium for medium, n in media.items() if n > 1):
        named = [one for one in asking if one in known and MEDIA[known[one]] == medium]
        faults.append(problem("ladder_medium_twice", channels=tuple(map(ChannelCode, named))))
    return (() if faults else tuple(known[one] for one in asking)), tuple(faults)


def _fault(one: str) -> Problem:
    if not one:
        return problem("ladder_gap")
    if one == CALLS:
        return problem("ladder_calls_not_last")
    return problem("not_a_channel", given=f'"{one[:40]}"', near=nearest(one, KNOWN), known=KNOWN)


def written(ladder: Sequence[str]) -> str:
    """Return a ladder as `read` reads it."""
    return RUNG.join(ladder)


def facts(ladder: Sequence[Channel]) -> dict[str, Channel | None]:
    """Return a ladder as the facts of a participant."""
    return {name: ladder[place] if place < len(ladder) else None for place, name in enumerate(RUNGS)}

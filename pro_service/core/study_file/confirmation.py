"""Which texts may leave this machine: those of versions of the study that an investigator has confirmed.

A text belongs to the version that its words come from. Nothing here applies to a simulated provider on this machine,
which reaches nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pro_service.core.problems import Problem, problem

LONGEST_REASON = 500
NEVER_HELD = ("safety",)
"""Frames that never wait: somebody in danger is told at once which number to call, even by an unconfirmed version."""

Notice = Literal["waits", "older_waits", "runs"]
"""waits: the newest version is not confirmed, and its texts wait. older_waits: the newest is confirmed, but some
participants are still on an unconfirmed one. runs: the study ran before confirmations were introduced, so its texts go
on; the newest version is to be confirmed."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about one version's confirmation."""

    number: int
    confirmed_at: datetime | None = None
    ran_unconfirmed_at: datetime | None = None
    """When confirmations were introduced, if its study was running then."""
    in_use: bool = False
    """Whether participants are on it."""

    @property
    def may_send(self) -> bool:
        """Whether its texts may leave this machine. The claim asks the same of the database."""
        return self.confirmed_at is not None or self.ran_unconfirmed_at is not None


def notice(newest_first: Iterable[Standing]) -> Notice | None:
    """Return what staff are told about the confirmation of a study's versions; None if all is well."""
    newest, *older = newest_first
    if not newest.may_send:
        return "waits"
    if any(one.in_use and not one.may_send for one in older):
        return "older_waits"
    return None if newest.confirmed_at is not None else "runs"


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to confirm, and what is stored."""

    sha256: str
    """Of the version that they read."""
    newest_sha256: str
    number: int
    confirmed_at: datetime | None
    draft: bool
    investigator: bool
    """Whether they are an investigator of every site of the study."""
    reason: str


def refusals(asked: Asked) -> tuple[Problem, ...]:
    """Return every reason why a version cannot be confirmed; empty if it can."""
    faults = []
    if asked.sha256 != asked.newest_sha256:
        return (problem("version_not_newest", "version", number=asked.number),)
    if asked.confirmed_at is not None:
        return (problem("version_confirmed", "version", number=asked.number),)
    if asked.draft:
        faults.append(problem("version_draft", "draft"))
    if not asked.investigator:
        faults.append(problem("no_investigator", "--by"))
    if not asked.reason:
        faults.append(problem("reason_missing", "reason"))
    elif len(asked.reason) > LONGEST_REASON:
        faults.append(problem("reason_too_long", "reason", most=LONGEST_REASON))
    return tuple(faults)

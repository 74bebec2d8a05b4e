"""A case as it will read once its commands are written: what a batch would otherwise load a second time.

Equal to a reload as long as nobody else can change the participant's facts meanwhile. The participant's row is locked;
only a message that may be leaving changes without that lock, so a case with one of those is loaded again.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pro_service.core.case import PENDING, Case, EscalationFacts, MessageFacts
from pro_service.core.commands import Escalate, Send


@dataclass(slots=True)
class Foreseen:
    """What is about to be written of one participant."""

    messages: list[MessageFacts] = field(default_factory=list)
    escalations: list[EscalationFacts] = field(default_factory=list)
    resolved: dict[int, str] = field(default_factory=dict)
    settled: dict[int, str] = field(default_factory=dict)
    unknown: bool = False
    """Something else is written as well: only a reload can tell."""

    def queued(self, row_id: int, send: Send, now: datetime) -> None:
        """A text was queued."""
        about = (send.window_id, send.kind, send.frame, send.item, send.proposed)
        self.messages.append(MessageFacts(row_id, *about, "ready", now, None, send.useful_until))

    def raised(self, row_id: int, command: Escalate, now: datetime) -> None:
        """An escalation was raised."""
        about = (command.window_id, command.level, command.reason, command.key)
        self.escalations.append(EscalationFacts(row_id, *about, now, command.due_at, None, None))

    def case(self, before: Case, changes: dict[str, Any] | None, now: datetime) -> Case | None:
        """The case as a reload would show it, or None where only a reload can tell.

        `changes`: new values of the participant's row; None = the row stays as it is.
        """
        if self.unknown or any(text.state in PENDING for text in before.messages):
            return None
        case = before
        if changes is not None:
            participant = replace(case.participant, **changes, revision=case.participant.revision + 1)
            case = replace(case, participant=participant)
        if self.settled:
            windows = (replace(w, settled=self.settled.get(w.id, w.settled)) for w in case.windows)
            case = replace(case, windows=tuple(windows))
        if self.messages:
            case = replace(case, messages=(*case.messages, *self.messages))
        if self.escalations or self.resolved:
            there = (self._ended(escalation, now) for escalation in case.escalations)
            raised = sorted((*there, *self.escalations), key=lambda escalation: escalation.id)
            case = replace(case, escalations=tuple(raised))
        return case

    def _ended(self, escalation: EscalationFacts, now: datetime) -> EscalationFacts:
        if escalation.id not in self.resolved or not escalation.open:
            return escalation
        return replace(escalation, resolved_at=now, outcome=self.resolved[escalation.id])

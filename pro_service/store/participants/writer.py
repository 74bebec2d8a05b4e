"""Commands -> rows: the only writer of what was decided, and of the audit trail.

A Writer lives as long as one transaction. It collects rows and writes them in bulk at `flush`, so that a batch of five
hundred participants costs a handful of statements; a unique key that exists already ends the transaction.

It also foresees how a case will read once its commands are written, which a batch would otherwise load a second time.
That equals a reload as long as nobody else can change the participant's facts meanwhile. The participant's row is
locked; only a message that may be leaving changes without that lock, so a case with one of those is loaded again.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, Table, Update, bindparam, case, not_, or_, select, update

from pro_service.core.case import (
    CONSENTED,
    PENDING,
    PROMPTS,
    UNREACHABLE,
    WRONG_CLOCK,
    Answer,
    Case,
    EscalationFacts,
    MessageFacts,
    WindowFacts,
)
from pro_service.core.commands import (
    CallWish,
    CancelTexts,
    Command,
    EndWindow,
    Escalate,
    HoldTexts,
    MoveCall,
    OptIn,
    OptOut,
    Record,
    Redate,
    Reopen,
    Resolve,
    Retract,
    Send,
    Settle,
    Snooze,
    Unreachable,
    Unresolve,
)
from pro_service.core.protocol import Medium
from pro_service.core.providers import MAIL, WayOut
from pro_service.store.audit import Actor, Entry, audit_row
from pro_service.store.bulk import Bulk, change, change_apart, row_ids
from pro_service.store.participants import typed_reasons
from pro_service.store.participants.cases import Loaded, set_next_check
from pro_service.store.participants.counts import Closings, tally
from pro_service.store.schema import (
    IN_DOUBT,
    Instant,
    audit_trail,
    escalations,
    links,
    messages,
    participants,
    responses,
    windows,
)
from pro_service.store.schema import typed_reasons as typed_reasons_table
from pro_service.store.session import Session
from pro_service.store.vault import Vault, sealed

Row = dict[str, Any]

ANY_TIME = "any"
"""How the audit trail calls a wish to be called at any time of the day."""
WITHOUT_WORDS = ("settle", "reopen", "unreachable", "unresolve", "open_again", "redate", "retract")
"""Actions whose reason is a code, also where staff caused them."""
ORDER: tuple[Table, ...] = (escalations, messages, links, responses)
"""Parents before children; the audit trail comes last of all."""


@dataclass(frozen=True, slots=True)
class Words:
    """A rendered text for one Send: what the outbox keeps, and the hash of the token of its link."""

    body: str
    segments: int
    version_id: int
    way: WayOut
    link_token: bytes | None = None
    today_until: datetime | None = None


class Writer:
    """Carries commands out inside one transaction."""

    def __init__(self, session: Session, now: datetime, actor: Actor, vault: Vault) -> None:
        self.session, self.now, self.actor, self.vault = session, now, actor, vault
        self.ids = row_ids(session)
        self._pending = Pending()
        self._foreseen: dict[int, Foreseen] = defaultdict(Foreseen)
        self._check_again: set[int] = set()
        self._checked: set[int] = set()
        self._reasons: dict[tuple[int, str], str] = {}
        self._versions: dict[tuple[int, str], int] = {}
        self._said: dict[tuple[int, str], object] = {}
        """(id of a participant or window, fact) -> the value written last: its case may have been loaded before."""
        self.raised: list[tuple[Loaded, Escalate, int]] = []
        """Escalations written by this writer: (whose, what, row id); alerts are made from them."""

    def add(self, table: Table, row: dict[str, Any]) -> int:
        """Queue one row; return it an id unless it has one."""
        row.setdefault("id", next(self.ids))
        self._pending.rows[table.name].append(row)
        return int(row["id"])

    def audit(self, entry: Entry, zone: ZoneInfo) -> None:
        """Queue one audit row."""
        self._pending.rows["audit_trail"].append(
            audit_row(next(self.ids), entry, self.actor, self.now, zone, self.vault)
        )

    def note(
        self,
        loaded: Loaded,
        action: str,
        entity: str,
        entity_id: int | None,
        changes: Mapping[str, tuple[object, object]],
        reason: str | None = None,
    ) -> None:
        """Queue the audit row of a change about one participant."""
        if action not in (*WITHOUT_WORDS, "erase"):
            reason = self.sealed_reason(loaded, reason)
        entry = Entry(
            action=action,
            entity=entity,
            entity_id=entity_id,
            changes=changes,
            study_id=loaded.study_id,
            participant_id=loaded.case.participant.id,
            reason=reason,
        )
        self.audit(entry, loaded.case.site_zone)

    def sealed_reason(self, loaded: Loaded, reason: str | None) -> str | None:
        """Seal a reason that staff typed about a participant; return the reference that other rows hold instead.

        The same words are sealed once in a transaction. Once somebody is erased there is no key, and the words stand as
        they were typed: why an answer was corrected must be there to be read, and the form says to write no name.
        """
        if reason is None or self.actor.kind != "staff" or typed_reasons.REFERENCE.fullmatch(reason):
            return reason
        participant_id = loaded.case.participant.id
        if loaded.data_key is None:
            return reason
        known = self._reasons.get((participant_id, reason))
        if known is None:
            row_id = next(self.ids)
            key = self.vault.data_key(loaded.data_key, participant_id)
            words, known = typed_reasons.seal(key, row_id, reason)
            row = {"id": row_id, "study_id": loaded.study_id, "participant_id": participant_id, "words": words}
            self.add(typed_reasons_table, row)
            self._reasons[participant_id, reason] = known
        return known

    def change(self, loaded: Loaded, values: Mapping[str, Any], action: str, reason: str | None = None) -> None:
        """Change facts of a participant's row, with the audit row that holds the old and new values."""
        participant = loaded.case.participant
        self._pending.touched.setdefault(participant.id, {}).update(values)
        before = {name: (getattr(participant, name, None), value) for name, value in values.items()}
        self.note(loaded, action, "participant", participant.id, self.saying(participant.id, before), reason)

    def saying(self, row_id: int, changes: Mapping[str, tuple[object, object]]) -> dict[str, tuple[object, object]]:
        """Return the changes of a row with the old values that this writer itself has given since it was read."""
        said = {name: (self._said.get((row_id, name), old), new) for name, (old, new) in changes.items()}
        self._said |= {(row_id, name): new for name, (_, new) in changes.items()}
        return said

    def check_again(self, loaded: Loaded) -> None:
        """Have the next check worked out at the end although nothing of the row changes."""
        self._check_again.add(loaded.case.participant.id)

    def foreseen(self, loaded: Loaded) -> Case | None:
        """The case as it will read once what was collected is written; None where only a reload can tell.

        For callers all of whose changes to this participant are commands.
        """
        row_id = loaded.case.participant.id
        return self._foreseen[row_id].case(loaded.case, self._pending.touched.get(row_id), self.now)

    def set_next_check(self, loaded: Loaded, moment: datetime | None) -> None:
        """Store when to check again, together with what else changes in the participant's row."""
        row_id = loaded.case.participant.id
        self._checked.add(row_id)
        if row_id in self._pending.touched:
            self._pending.touched[row_id] |= {"next_check_at": moment, "faults": 0}
        else:
            self._pending.next_checks[row_id] = moment

    def apply(self, loaded: Loaded, command: Command, words: Words | None = None) -> None:  # noqa: C901, PLR0912
        """Write down what one command asks for. The one executor: a command nobody carries out does not type-check."""
        self._pending.touched.setdefault(loaded.case.participant.id, {})
        match command:
            case Send():
                self._send(loaded, command, words)
            case Record():
                self._record(loaded, command)
            case Escalate():
                self._escalate(loaded, command)
            case MoveCall():
                self._move_call(loaded, command)
            case Resolve(escalation_id, outcome):
                self.resolve(loaded, escalation_id, outcome)
            case Settle(window_id, settled, missing_reason):
                self._settle(loaded, loaded.case.window(window_id), settled, missing_reason)
            case EndWindow(window_id):
                self._end_window(loaded, loaded.case.window(window_id))
            case CancelTexts(window_id, replies):
                self._cancel(loaded, window_id, replies=replies)
            case OptOut():
                self.change(loaded, {"opted_out_at": self.now}, "opt_out")
            case OptIn(medium):
                self.change(loaded, {"opted_out_at": None} | _stopped_elsewhere(loaded, medium), "opt_in")
            case HoldTexts(until):
                self.change(loaded, {"texts_held_until": until}, "hold_texts")
            case Snooze(until):
                self.change(loaded, {"snoozed_until": until}, "snooze")
            case Unreachable(reason, medium):
                self.change(loaded, {UNREACHABLE[medium]: self.now}, "unreachable", reason)
            case Reopen(window_id):
                self._reopen(loaded, loaded.case.window(window_id))
            case Retract() | Redate() | Unresolve():
                self._take_back(loaded, command)
            case _:
                assert_never(command)

    def _send(self, loaded: Loaded, send: Send, words: Words | None) -> None:
        if words is None or loaded.data_key is None:
            raise ValueError(f"{send.frame}: a text needs its words and the participant's key")
        participant = loaded.case.participant
        row_id = next(self.ids)
        key = self.vault.data_key(loaded.data_key, participant.id)
        self.add(
            messages,
            {
                "id": row_id,
                "study_id": loaded.study_id,
                "participant_id": participant.id,
                "window_id": send.window_id,
                "inbound_id": send.inbound_id,
                "protocol_version_id": words.version_id,
                "dedup_key": send.key,
                "kind": send.kind,
                "frame": send.frame,
                "item": send.item,
                "proposed": send.proposed,
                "channel": words.way,
                "body": sealed(key, words.body.encode(), f"messages|body|{row_id}"),
                "segments": words.segments,
                "state": "ready",
                "queued_at": self.now,
                "next_try_at": self.now,
                "today_until": words.today_until,
                "useful_until": send.useful_until,
            },
        )
        self._foreseen[participant.id].queued(row_id, send, self.now)
        if words.link_token is not None and send.window_id is not None:
            link = {"participant_id": participant.id, "window_id": send.window_id, "message_id": row_id}
            self.add(links, {**link, "token": words.link_token, "created_at": self.now})
        changes: dict[str, tuple[object, object]] = {
            "kind": (None, send.kind),
            "frame": (None, send.frame),
            "window": (None, send.window_id),
        }
        if send.kind in PROMPTS:
            facts: dict[str, tuple[object, object]] = {}
            if participant.first_text_at is None and words.way != MAIL:
                facts["first_text_at"] = (None, self.now)
            if participant.snoozed_until is not None:
                facts["snoozed_until"] = (participant.snoozed_until, None)
            self._pending.touched[participant.id] |= {name: new for name, (_, new) in facts.items()}
            changes |= self.saying(participant.id, facts)
        if send.skipped:
            changes["skipped"] = (None, ", ".join(send.skipped))
        self.note(loaded, "queue", "message", row_id, changes)

    def _record(self, loaded: Loaded, record: Record) -> None:
        window = None if record.window_id is None else loaded.case.window(record.window_id)
        before = None if window is None else window.answers.get(record.item)
        version = (0 if before is None else before.version) + 1
        if window is not None:
            version = max(version, self._versions.get((window.id, record.item), 0) + 1)
            self._versions[window.id, record.item] = version
            kept = Answer(
                record.item,
                record.value,
                record.declined,
                version,
                record.source,
                record.received_at,
                record.in_window,
            )
            self._foreseen[loaded.case.participant.id].answers[window.id][record.item] = kept
        row_id = self.add(
            responses,
            {
                "study_id": loaded.study_id,
                "participant_id": loaded.case.participant.id,
                "window_id": record.window_id,
                "item": record.item,
                "version": version,
                "value": record.value,
                "declined": record.declined,
                "cleared": record.value is None and not record.declined,
                "source": record.source,
                "received_at": record.received_at,
                "recorded_at": self.now,
                "in_window": record.in_window,
                "entered_by": record.entered_by,
                "inbound_id": record.inbound_id,
                "reason": self.sealed_reason(loaded, record.reason),
            },
        )
        old = None if before is None else ("declined" if before.declined else before.value)
        new = "declined" if record.declined else record.value
        changes: dict[str, tuple[object, object]] = {
            record.item: (old, new),
            "version": (None if before is None else before.version, version),
            "window": (None, record.window_id),
            "source": (None, record.source),
            "received_at": (None, record.received_at),
            "in_window": (None, record.in_window),
        }
        more: dict[str, tuple[object, object]] = {
            "cleared": (None, new is None or None),
            "inbound": (None, record.inbound_id),
            "entered_by": (None, record.entered_by),
            "carried_from": (None, record.carried_from),
        }
        changes |= {name: pair for name, pair in more.items() if pair[1] is not None}
        self.note(loaded, "answer", "response", row_id, changes, record.reason)

    def _escalate(self, loaded: Loaded, command: Escalate) -> None:
        row_id = self.add(
            escalations,
            {
                "study_id": loaded.study_id,
                "site_id": loaded.site_id,
                "participant_id": loaded.case.participant.id,
                "window_id": command.window_id,
                "level": command.level,
                "reason": command.reason,
                "dedup_key": command.key,
                "raised_at": self.now,
                "due_at": command.due_at,
                "save_by": command.save_by,
                **({} if command.wish is None else _wish_columns(command.wish)),
            },
        )
        self.raised.append((loaded, command, row_id))
        self._foreseen[loaded.case.participant.id].raised(row_id, command, self.now)
        changes: dict[str, tuple[object, object]] = {
            "level": (None, command.level),
            "reason": (None, command.reason),
            "due_at": (None, command.due_at),
        }
        if command.wish is not None:
            changes["part_of_day"] = (None, command.wish.part or ANY_TIME)
        self.note(loaded, "escalate", "escalation", row_id, changes)

    def _move_call(self, loaded: Loaded, moved: MoveCall) -> None:
        """Move an open call to when the participant wants it; from when on, and in which part of the day."""
        self._foreseen[loaded.case.participant.id].unknown = True
        task = next(one for one in loaded.case.escalations if one.id == moved.escalation_id)
        values = {"due_at": moved.due_at} | _wish_columns(moved.wish)
        self._pending.moved.append({f"e_{name}": value for name, value in values.items()} | {"e_id": task.id})
        before = None if task.asked_at is None else task.part_of_day or ANY_TIME
        changes = {"part_of_day": (before, moved.wish.part or ANY_TIME), "due_at": (task.due_at, moved.due_at)}
        self.note(loaded, "ask_for_call", "escalation", task.id, changes)

    def possible_participant(self, sender_index: bytes, study_id: int) -> None:
        """A text from a telephone nobody has: one task a study, sender and day, without a participant."""
        key = f"E0:possible_participant:{sender_index.hex()[:24]}:{self.now.date().isoformat()}:s{study_id}"
        if self.session.scalar(select(escalations.c.id).where(escalations.c.dedup_key == key)) is not None:
            return
        row = {"study_id": study_id, "level": "E0", "reason": "possible_participant", "dedup_key": key}
        row_id = self.add(escalations, row | {"raised_at": self.now, "due_at": self.now + timedelta(days=1)})
        entry = Entry("escalate", "escalation", row_id, {"reason": (None, "possible_participant")}, study_id)
        self.audit(entry, ZoneInfo("UTC"))

    def resolve(self, loaded: Loaded, escalation_id: int, outcome: str, reason: str | None = None) -> None:
        """End an escalation; ending it twice changes nothing."""
        by = self.actor.user_id
        self._pending.resolved.append({"e_id": escalation_id, "e_at": self.now, "e_by": by, "e_outcome": outcome})
        self._foreseen[loaded.case.participant.id].resolved[escalation_id] = outcome
        self.note(loaded, "resolve", "escalation", escalation_id, {"outcome": (None, outcome)}, reason)

    def _settle(self, loaded: Loaded, window: WindowFacts, settled: str, missing_reason: str | None) -> None:
        """Count a window as `settled`; a window counted before moves from one tally to the other."""
        if window.settled == settled:
            return
        code = window.code
        self._pending.tallies[loaded.study_id, loaded.site_id, code, settled] += 1
        if window.settled is not None:
            self._pending.tallies[loaded.study_id, loaded.site_id, code, window.settled] -= 1
        before = dict(self._foreseen[loaded.case.participant.id].settled)
        self._foreseen[loaded.case.participant.id].settled[window.id] = settled
        channel = self._pending.closings.settle(self.session, loaded, window, settled, before)
        changes = self.saying(window.id, {"settled": (window.settled, settled)})
        if window.settled is None:
            changes["channel"] = (None, channel)
        self._pending.settled.append({"w_id": window.id, "w_settled": settled, "w_reason": missing_reason})
        self.note(loaded, "settle", "window", window.id, changes, missing_reason)

    def _end_window(self, loaded: Loaded, window: WindowFacts) -> None:
        """End a window that is never counted."""
        self._foreseen[loaded.case.participant.id].unknown = True
        self._pending.ended.append({"w_id": window.id, "w_at": self.now})
        self.note(loaded, "end", "window", window.id, {"cancelled_at": (None, self.now)})

    def _reopen(self, loaded: Loaded, window: WindowFacts) -> None:
        """Count a window no more; its counts go back to what they were."""
        foreseen = self._foreseen[loaded.case.participant.id]
        self._pending.tallies[loaded.study_id, loaded.site_id, window.code, window.settled or ""] -= 1
        self._pending.closings.reopen(self.session, loaded, window, dict(foreseen.settled))
        foreseen.settled[window.id] = None
        changes = self.saying(window.id, {"settled": (window.settled, None)})
        self._pending.settled.append({"w_id": window.id, "w_settled": None, "w_reason": None})
        self.note(loaded, "reopen", "window", window.id, changes, WRONG_CLOCK)

    def _take_back(self, loaded: Loaded, command: Retract | Redate | Unresolve) -> None:
        """Take back what was made of an escalation by a clock that ran ahead, or by staff by mistake."""
        self._foreseen[loaded.case.participant.id].unknown = True
        task = next(one for one in loaded.case.escalations if one.id == command.escalation_id)
        now, reason = self.now, WRONG_CLOCK
        match command:
            case Redate():
                action = "redate"
                asked_at = None if task.asked_at is None else min(task.asked_at, now)
                values = Row(raised_at=now, due_at=command.due_at, asked_at=asked_at, look_again_at=None)
            case Retract():
                action = "retract"
                # Its key is free from now on: what time raises is raised when its time comes.
                values = Row(dedup_key=f"{task.key}:x{task.id}", raised_at=now)
                values |= Row(resolved_at=now, resolved_by=None, outcome=WRONG_CLOCK)
                self._pending.unsent.append({"m_escalation": task.id, "m_at": now})
            case Unresolve():
                reason = command.reason
                action = "unresolve" if reason == WRONG_CLOCK else "open_again"
                values = Row(resolved_at=None, resolved_by=None, outcome=None)
            case _:
                assert_never(command)
        self._pending.taken_back.append(values | {"id": task.id})
        shown = {"raised_at", "due_at", "outcome"} & values.keys()
        changes = {name: (getattr(task, name), values[name]) for name in sorted(shown)}
        self.note(loaded, action, "escalation", task.id, changes, reason)

    def _cancel(self, loaded: Loaded, window_id: int | None, *, replies: bool) -> None:
        """Withdraw prompts that wait. Replies go out unless `replies` says otherwise: they answer somebody.

        One that may be leaving at this moment is of no use from now on: the last look before its first byte sees that,
        and nobody sends it again.
        """
        for text in loaded.case.messages:
            about = window_id is None or text.window_id == window_id
            over = text.useful_until is not None and text.useful_until <= self.now
            if not about or text.state not in PENDING or not (replies or text.kind in PROMPTS):
                continue
            if text.state == "ready":
                self._pending.cancelled.append({"m_id": text.id, "m_at": self.now})
                self.note(loaded, "cancel", "message", text.id, {"state": ("ready", "cancelled")})
            elif not over:
                self._pending.cancelled.append({"m_id": text.id, "m_at": self.now})
                self.note(loaded, "cancel", "message", text.id, {"useful_until": (text.useful_until, self.now)})

    def flush(self) -> frozenset[int]:
        """Write everything; return the ids of the participants whose next check is still to be worked out."""
        touched = (frozenset(self._pending.touched) | self._check_again) - self._checked
        self._pending.write(self.session)
        self._check_again.clear()
        self._checked.clear()
        self._foreseen.clear()
        return touched


# --- what waits for the end of the transaction -----------------------------------------------------------------------


class Pending:
    """What one transaction will write."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = defaultdict(list)
        """Table name -> new rows."""
        self.tallies: dict[tuple[int, int, str, str], int] = defaultdict(int)
        """(study id, site id, time point, settled as) -> by how many it changes."""
        self.closings = Closings()
        self.settled: list[Row] = []
        self.ended: list[Row] = []
        self.resolved: list[Row] = []
        self.moved: list[Row] = []
        self.cancelled: list[Row] = []
        self.taken_back: list[Row] = []
        """Escalations by id, each with its new values."""
        self.unsent: list[Row] = []
        """Escalations whose alerts are to be withdrawn."""
        self.touched: dict[int, Row] = {}
        """Participant id -> new values; every change counts the revision up, even one of no column."""
        self.next_checks: dict[int, datetime | None] = {}
        """Participant id -> when to look again, where nothing else of the row changes."""

    def write(self, session: Session) -> None:
        """Write everything, once."""
        connection = session.connection()
        others = [name for name in self.rows if name != audit_trail.name]
        for name in sorted(others, key=_place):
            self._insert(session, audit_trail.metadata.tables[name])
        for statement, rows in (
            (_SETTLE, self.settled),
            (_END, self.ended),
            (_MOVE_CALL, self.moved),
            (_RESOLVE, self.resolved),
            (_CANCEL, self.cancelled),
            (_UNSEND, self.unsent),
        ):
            change(connection, statement, rows)
            rows.clear()
        for row in self.taken_back:
            session.execute(update(escalations).where(escalations.c.id == row.pop("id")).values(row))
        self.taken_back.clear()
        tally(session, self.tallies)
        self.tallies.clear()
        self.closings.write(session)
        self._touch(session)
        set_next_check(session, self.next_checks)
        self.next_checks.clear()
        self._insert(session, audit_trail)

    def _insert(self, session: Session, table: Table) -> None:
        # Rows of one shape go together: an executemany takes its columns from the first.
        alike: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for row in self.rows.pop(table.name, []):
            alike[tuple(row)].append(row)
        for columns, rows in alike.items():
            Bulk(session.connection(), table, columns).write(rows)

    def _touch(self, session: Session) -> None:
        alike: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for key, values in self.touched.items():
            row = {f"p_{name}": value for name, value in values.items()}
            alike[tuple(sorted(values))].append(row | {"p_id": key})
        for names, rows in alike.items():
            change_apart(session.connection(), _touching(names), rows)
        self.touched.clear()


def _stopped_elsewhere(loaded: Loaded, medium: Medium) -> Row:
    """Return the consents that end, because somebody who stopped all texts wants them again by one medium alone.

    See `Participant.still_stopped`.
    """
    person = loaded.case.participant
    others = sorted(CONSENTED[other] for other in person.still_stopped({medium}))
    return {name: None for name in others if getattr(person, name) is not None}


def _wish_columns(wish: CallWish) -> Row:
    return {"asked_at": wish.asked_at, "part_of_day": wish.part, "look_again_at": wish.not_before}


def _place(name: str) -> int:
    names = [table.name for table in ORDER]
    return names.index(name) if name in names else len(names)


@lru_cache(maxsize=64)
def _touching(names: tuple[str, ...]) -> Update:
    """Change these columns of a participant."""
    p = participants.c
    new: dict[str, Any] = {name: bindparam(f"p_{name}") for name in names}
    return update(participants).where(p.id == bindparam("p_id")).values(**new, revision=p.revision + 1)


_SETTLE = (
    update(windows)
    .where(windows.c.id == bindparam("w_id"))
    .values(settled=bindparam("w_settled"), missing_reason=bindparam("w_reason"))
)

_END = update(windows).where(windows.c.id == bindparam("w_id")).values(cancelled_at=bindparam("w_at", type_=Instant()))

_RESOLVE = (
    update(escalations)
    .where(escalations.c.id == bindparam("e_id"), escalations.c.resolved_at.is_(None))
    .values(resolved_at=bindparam("e_at"), resolved_by=bindparam("e_by"), outcome=bindparam("e_outcome"))
)

_MOVE_CALL = (
    update(escalations)
    .where(escalations.c.id == bindparam("e_id"), escalations.c.resolved_at.is_(None))
    .values({name: bindparam(f"e_{name}") for name in ("due_at", "asked_at", "part_of_day", "look_again_at")})
)

_WAITS = (messages.c.state == "ready") & not_(IN_DOUBT)
_AT: BindParameter[datetime] = bindparam("m_at", type_=Instant())
_CANCEL = (
    # In one statement: a text that is claimed meanwhile is withdrawn all the same.
    update(messages)
    .where(messages.c.id == bindparam("m_id"), or_(*(messages.c.state == state for state in sorted(PENDING))))
    .values(
        state=case((_WAITS, "cancelled"), else_=messages.c.state),
        ended_at=case((_WAITS, _AT), else_=messages.c.ended_at),
        useful_until=case((_WAITS, messages.c.useful_until), else_=_AT),
    )
)

_UNSEND = (
    update(messages)
    .where(messages.c.escalation_id == bindparam("m_escalation"), messages.c.state == "ready")
    .values(state="cancelled", ended_at=bindparam("m_at"))
)


# --- what a reload would show ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Foreseen:
    """What is about to be written of one participant."""

    messages: list[MessageFacts] = field(default_factory=list)
    escalations: list[EscalationFacts] = field(default_factory=list)
    resolved: dict[int, str] = field(default_factory=dict)
    settled: dict[int, str | None] = field(default_factory=dict)
    answers: dict[int, dict[str, Answer]] = field(default_factory=lambda: defaultdict(dict))
    """Window id -> item -> its newest answer."""
    unknown: bool = False
    """Something else is written as well: only a reload can tell."""

    def queued(self, row_id: int, send: Send, now: datetime) -> None:
        """A text was queued."""
        about = (send.window_id, send.kind, send.frame, send.item, send.proposed)
        self.messages.append(MessageFacts(row_id, *about, "ready", now, None, send.useful_until))

    def raised(self, row_id: int, command: Escalate, now: datetime) -> None:
        """An escalation was raised."""
        about = (command.window_id, command.level, command.reason, command.key)
        asked = (None, None) if command.wish is None else (command.wish.asked_at, command.wish.part)
        self.escalations.append(EscalationFacts(row_id, *about, now, command.due_at, None, None, None, *asked))

    def case(self, before: Case, changes: dict[str, Any] | None, now: datetime) -> Case | None:
        """The case as a reload would show it, or None where only a reload can tell.

        `changes`: new values of the participant's row; None = the row stays as it is.
        """
        if self.unknown or any(text.state in PENDING for text in before.messages):
            return None
        facts: dict[str, Any] = {}
        if changes is not None:
            revision = before.participant.revision + 1
            facts["participant"] = replace(before.participant, **changes, revision=revision)
        if self.settled or self.answers:
            facts["windows"] = tuple(self._window(window) for window in before.windows)
        if self.messages:
            facts["messages"] = (*before.messages, *self.messages)
        if self.escalations or self.resolved:
            there = (self._ended(escalation, now) for escalation in before.escalations)
            facts["escalations"] = tuple(sorted((*there, *self.escalations), key=lambda one: one.id))
        return replace(before, **facts) if facts else before

    def _window(self, window: WindowFacts) -> WindowFacts:
        if window.id not in self.settled and window.id not in self.answers:
            return window
        answers = {**window.answers, **self.answers.get(window.id, {})}
        return replace(window, answers=answers, settled=self.settled.get(window.id, window.settled))

    def _ended(self, escalation: EscalationFacts, now: datetime) -> EscalationFacts:
        if escalation.id not in self.resolved or not escalation.open:
            return escalation
        return replace(escalation, resolved_at=now, outcome=self.resolved[escalation.id])

"""What became of every message, told by our rows and, independently of them, by what the provider took."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import func, select

from pro_service import runtime
from pro_service.runtime import Runtime
from pro_service.store.schema import attempts, escalations, messages, participants, receipts, windows
from pro_service.store.session import Session
from pro_service.store.vault import opened
from tests.crash.world import MAIL, Plan
from tests.peers.configuration import ACCOUNT_SID, AUTH_TOKEN

ACCEPTED = frozenset({"accepted", "sent", "delivered", "undelivered", "failed"})
ENDED = frozenset({"refused", "dead", "expired", "cancelled"})
OVER = frozenset({"expired", "cancelled"})
"""States of a text that is of no use any more, once its window or its time is over."""
TASKS = ("uncertain_delivery", "not_delivered", "bad_number", "opted_out_at_provider")
"""Why a person is told of a text that did not leave."""
PAGE = 1_000

m, p, a, e = messages.c, participants.c, attempts.c, escalations.c


@dataclass(frozen=True, slots=True)
class Message:
    """One row of the outbox: what it wanted, and what we believe became of it."""

    id: int
    participant_id: int
    to: str
    body: str
    state: str
    provider_id: str | None
    over: bool = False
    """Whether its window or its use was over when it ended."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One text that the provider took."""

    sid: str
    to: str
    body: str
    created_at: datetime


@dataclass(slots=True)
class Verdict:
    """How many messages ended how; a message that is at fault is in `stories`."""

    messages: int
    accepted: int = 0
    over: int = 0
    """Of no use any more before they could be sent: their window or their time was over."""
    lost: int = 0
    """What the participant never got, whoever was told of it."""
    duplicated: int = 0
    unsettled: int = 0
    mistaken: int = 0
    """Ended as not sent although the provider had taken the text, or known by another text's id."""
    needless: int = 0
    """Open tasks about a text that arrived."""
    tasks: int = 0
    """How often a person was told of a text, open or not: that is no fault."""
    guilty: dict[int, list[str]] = field(default_factory=dict)
    """Message id -> what is wrong with it; 0 stands for texts and messages that have no row."""
    attempts: dict[str, int] = field(default_factory=dict)
    """How many attempts there were, by what they came to; `-`: their sender did not live to say."""

    stories: list[str] = field(default_factory=list)
    """What happened to the guilty, attempt by attempt."""

    @property
    def good(self) -> bool:
        """Whether nothing was lost, doubled, left open or misjudged, and no open task is about a text that arrived."""
        return not (self.lost or self.duplicated or self.unsettled or self.mistaken or self.needless)

    def blame(self, message_id: int, fault: str) -> None:
        """Count one fault of one message."""
        setattr(self, fault, getattr(self, fault) + 1)
        self.guilty.setdefault(message_id, []).append(fault)

    def as_dict(self) -> dict[str, Any]:
        """The figures alone."""
        return {name: value for name, value in asdict(self).items() if name not in ("guilty", "stories")}


def compare(expected: int, rows: Sequence[Message], taken: Iterable[Taken], told: Collection[int]) -> Verdict:
    """Hold rows against texts; `told`: participants with an open task that says that a text may not have left.

    What counts is what the participant got: the text, or nothing because it was of no use any more.

    Messages are matched by telephone and words, so two that share both share their texts: one each.
    """
    verdict = Verdict(expected)
    texts: dict[tuple[str, str], set[str]] = defaultdict(set)
    for text in taken:
        texts[text.to, text.body].add(text.sid)
    # Those who know their text by its id take it first: what is left over belongs to the others.
    for row in sorted(rows, key=lambda row: row.provider_id not in texts[row.to, row.body]):
        left = texts[row.to, row.body]
        known = row.provider_id in left
        taken_it = bool(left)
        if taken_it:
            left.remove(row.provider_id if known and row.provider_id else min(left))
        _count(verdict, row, known=known, taken=taken_it)
        if taken_it and row.participant_id in told:
            verdict.blame(row.id, "needless")
    first = {(row.to, row.body): row.id for row in reversed(rows)}
    for words, left in texts.items():
        for _ in left:
            verdict.blame(first.get(words, 0), "duplicated")
    for _ in range(expected - len(rows)):
        verdict.blame(0, "lost")
    return verdict


def _count(verdict: Verdict, row: Message, *, known: bool, taken: bool) -> None:
    if row.state not in ACCEPTED | ENDED:
        verdict.blame(row.id, "unsettled")
    elif row.state in ACCEPTED and taken:
        verdict.accepted += 1
        if not known:
            verdict.blame(row.id, "mistaken")
    elif row.state in ENDED and taken:
        verdict.blame(row.id, "mistaken")
    elif row.state in OVER and row.over:
        verdict.over += 1
    else:
        verdict.blame(row.id, "lost")


def judge(plan: Plan, expected: int) -> Verdict:
    """Compare every message with what the provider took. The provider's list must have no lag left."""
    taken = list(provider_has(plan))
    rt = runtime.open_runtime(plan.settings)
    try:
        with rt.sessions.reading() as session:
            rows = session.execute(
                select(messages, p.phone, p.email, p.data_key, p.next_check_at, windows.c.closes_at)
                .join(participants, p.id == m.participant_id)
                .outerjoin(windows, windows.c.id == m.window_id)
                .order_by(m.id)
            ).all()
            tasks = session.execute(select(e.participant_id, e.resolved_at).where(e.reason.in_(TASKS))).all()
            told = frozenset(one.participant_id for one in tasks if one.resolved_at is None)
            wanted = [_message(rt, row) for row in rows]
            verdict = compare(expected, wanted, taken, told)
            verdict.tasks = len(tasks)
            verdict.attempts = _attempts(session)
            for row, message in zip(rows, wanted, strict=True):
                if row.id in verdict.guilty:
                    mine = [text for text in taken if (text.to, text.body) == (message.to, message.body)]
                    verdict.stories.append(_story(session, row, verdict.guilty[row.id], mine))
    finally:
        rt.close()
    return verdict


def provider_has(plan: Plan) -> Iterable[Taken]:
    """Everything the provider took, read off its list; Verimor has none, but its simulator's telephones have."""
    if plan.provider == MAIL:
        # What a mail program shows: one mail for each Message-ID, however often it came.
        for mail in requests.get(f"{plan.simulator_url}/mailboxes/all.json", timeout=60).json():
            yield Taken(mail["message_id"], mail["to"], _words(mail["body"]), datetime.fromisoformat(mail["at"]))
        return
    if plan.account is not None:
        for phone in requests.get(f"{plan.simulator_url}/telephones.json", timeout=60).json():
            for text in phone["texts"]:
                at = datetime.fromisoformat(text["at"])
                yield Taken(f"verimor:{text['campaign']}", phone["number"], _words(text["body"]), at)
        return
    address = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json?PageSize={PAGE}"
    while address:
        answer = requests.get(plan.simulator_url + address, auth=(ACCOUNT_SID, AUTH_TOKEN), timeout=60)
        answer.raise_for_status()
        page = answer.json()
        for text in page["messages"]:
            channel, _, to = text["to"].rpartition(":")
            sid = f"{channel}:{text['sid']}" if channel else text["sid"]
            yield Taken(sid, to, _words(text["body"]), parsedate_to_datetime(text["date_created"]))
        address = page["next_page_uri"]


def states(session: Session) -> Counter[str]:
    """How many messages are in which state."""
    counted = session.execute(select(m.state, func.count()).group_by(m.state))
    return Counter({row.state: row[1] for row in counted})


def faults_logged(log: Path) -> Counter[str]:
    """How often programs wrote down which fault, and what they printed that is no log line."""
    found: Counter[str] = Counter()
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            said: Mapping[str, Any] = json.loads(line)
            found[f"{said['event']} {said.get('error', '')} {said.get('place', '')}".strip()] += 1
        except (ValueError, KeyError, TypeError):
            found[line[:120]] += 1
    return found


def _message(rt: Runtime, row: Any) -> Message:
    key = rt.vault.data_key(row.data_key, row.participant_id)
    column = "email" if row.channel == MAIL else "phone"
    to = opened(key, getattr(row, column), f"participants|{column}|{row.participant_id}").decode()
    body = opened(key, row.body, f"messages|body|{row.id}").decode()
    body = _words(body.partition("\n\n")[2] if row.channel == MAIL else body)
    ends = [end for end in (row.useful_until, row.closes_at) if end is not None]
    over = row.ended_at is not None and any(end <= row.ended_at for end in ends)
    return Message(row.id, row.participant_id, to, body, row.state, row.provider_id, over)


def _words(body: str) -> str:
    """The words without line breaks: a mail has its own, and no value of a WhatsApp template has any."""
    return " ".join(body.split())


def _attempts(session: Session) -> dict[str, int]:
    counted = session.execute(select(a.outcome, a.error, func.count()).group_by(a.outcome, a.error))
    return {" ".join(filter(None, (outcome, error))) or "-": count for outcome, error, count in counted}


def _story(session: Session, row: Any, faults: Sequence[str], mine: Sequence[Taken]) -> str:
    """One message's life, attempt by attempt, beside what the provider and its callbacks said of it."""
    known = f"{row.state} {row.error} attempt {row.attempt} resends {row.resends} accepted {row.accepted_at or '-'}"
    lines = [f"{', '.join(faults)}: message {row.id} {known} {row.provider_id or '-'}"]
    about = select(escalations).where(e.participant_id == row.participant_id, e.reason.in_(TASKS)).order_by(e.raised_at)
    tasks = session.execute(about).all()
    lines += [f"    task {one.reason} from {one.raised_at} to {one.resolved_at or '-'}" for one in tasks]
    # Due already: the next tick would have ended the task. Later: nobody looks again because of what arrived.
    lines.append(f"    participant is looked at again at {row.next_check_at or '-'}")
    for one in session.execute(select(attempts).where(a.message_id == row.id).order_by(a.number)):
        ended = f"to {one.ended_at or '-'} {one.outcome} {one.error}, missed {one.missed_at or '-'}"
        lines.append(f"    attempt {one.number} from {one.started_at} {ended}")
    said = session.execute(
        select(receipts).where(receipts.c.message_id == row.id).order_by(receipts.c.received_at)
    ).all()
    lines += [f"    receipt {one.received_at} {one.provider_id} {one.status} {one.contradicts}" for one in said]
    lines += [f"    provider took {text.sid} at {text.created_at}" for text in mine]
    return "\n".join(lines)

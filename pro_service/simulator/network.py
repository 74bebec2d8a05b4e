"""What the simulated network stores: every text, by telephone, in memory, bounded, safe between threads."""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from threading import RLock
from time import monotonic
from typing import Any

# A state only moves forward, and the first final one stays.
_RANK = {"accepted": 0, "queued": 1, "sending": 2, "sent": 3, "delivered": 4, "undelivered": 4, "failed": 4}
FINAL = 4


@dataclass(frozen=True, slots=True)
class Campaign:
    """What a provider that sends in campaigns knows a text by: its own number for it, and the client's keys."""

    number: int
    token: str = ""
    message_token: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """One message. `telephone` is the participant's end of it, in whichever direction it went."""

    sid: str
    inbound: bool
    to: str
    from_: str
    body: str
    status: str
    created_at: datetime
    updated_at: datetime
    service: str = ""
    sent_at: datetime | None = None
    error_code: int | str | None = None
    callback_url: str = ""
    taken: bool | None = None  # of a reply: whether the study's webhook took it; None while it is on its way
    listed_from: float = 0.0  # on the monotonic clock: the list lags
    provider: str = "Twilio"
    campaign: Campaign | None = None
    buttons: tuple[str, ...] = ()

    @property
    def telephone(self) -> str:
        """The participant's number."""
        return self.from_ if self.inbound else self.to

    @property
    def final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.inbound or _RANK.get(self.status, 0) == FINAL


class Network:
    """All texts. `version` rises with every change, so that a page can ask whether there is anything new."""

    def __init__(self, clock: Callable[[], datetime], keep: int) -> None:
        """Remember the newest `keep` texts."""
        self._clock, self._keep = clock, keep
        self._lock = RLock()
        self._texts: OrderedDict[str, Text] = OrderedDict()
        self._threads: dict[str, deque[str]] = {}
        self._unread: Counter[str] = Counter()
        self._blocked: set[tuple[str, str]] = set()
        self.version = 0

    def add(self, text: Text) -> None:
        """Remember a text, and forget the oldest beyond the bound."""
        with self._lock:
            self.version += 1
            self._texts[text.sid] = text
            # Moved to the end: the telephones stand in the order of their last text.
            thread = self._threads.pop(text.telephone, None) or deque()
            thread.append(text.sid)
            self._threads[text.telephone] = thread
            if not text.inbound:
                self._unread[text.telephone] += 1
            while len(self._texts) > self._keep:
                self.forget(next(iter(self._texts)))

    def get(self, sid: str) -> Text | None:
        """Find a text by its sid."""
        with self._lock:
            return self._texts.get(sid)

    def forget(self, sid: str) -> None:
        """Drop a text."""
        with self._lock:
            text = self._texts.pop(sid, None)
            if text is None:
                return
            self.version += 1
            thread = self._threads[text.telephone]
            thread.remove(sid)
            if not thread:
                del self._threads[text.telephone]

    def change(self, sid: str, **fields: Any) -> Text | None:
        """Change a text's fields and return it as it is now; None if it is forgotten."""
        with self._lock:
            text = self._texts.get(sid)
            if text is None:
                return None
            self.version += 1
            self._texts[sid] = changed = replace(text, updated_at=self._clock(), **fields)
            return changed

    def advance(self, sid: str, status: str, error_code: int | str | None = None) -> Text | None:
        """Move a text's state forward; a state it has passed changes nothing."""
        with self._lock:
            text = self._texts.get(sid)
            if text is None or text.final or _RANK[status] <= _RANK[text.status]:
                return text
            sent_at = text.sent_at or (self._clock() if _RANK[status] >= _RANK["sent"] else None)
            return self.change(sid, status=status, sent_at=sent_at, error_code=error_code)

    def listed(self, *providers: str, to: str = "", from_: str = "") -> list[Text]:
        """Return the texts of providers, newest first, by recipient and sender if given, but for those that lag."""
        with self._lock:
            telephone = to if to in self._threads else from_ if from_ in self._threads else None
            if telephone is not None:
                chosen = [self._texts[sid] for sid in reversed(self._threads[telephone])]
            else:
                chosen = list(reversed(self._texts.values()))
        moment = monotonic()
        return [
            text
            for text in chosen
            if text.provider in providers
            and text.listed_from <= moment
            and to in ("", text.to)
            and from_ in ("", text.from_)
        ]

    def thread(self, telephone: str) -> list[Text]:
        """Return one telephone's texts, oldest first."""
        with self._lock:
            return [self._texts[sid] for sid in self._threads.get(telephone, ())]

    def telephones(self) -> list[tuple[Text, int]]:
        """Return the last text of every telephone and how many are unread, newest first."""
        with self._lock:
            return [
                (self._texts[thread[-1]], self._unread[telephone])
                for telephone, thread in reversed(self._threads.items())
            ]

    def mark_read(self, telephone: str) -> None:
        """Mark a telephone's texts as read."""
        with self._lock:
            if self._unread.pop(telephone, 0):
                self.version += 1

    def block(self, telephone: str, sender: str, *, blocked: bool) -> None:
        """Store that a person stopped or started a sender."""
        with self._lock:
            (self._blocked.add if blocked else self._blocked.discard)((telephone, sender))

    def is_blocked(self, telephone: str, sender: str) -> bool:
        """Whether a person has stopped a sender."""
        with self._lock:
            return (telephone, sender) in self._blocked

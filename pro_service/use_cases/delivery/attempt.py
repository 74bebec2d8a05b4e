"""One claimed message on its way: what is asked before it leaves, and what the provider's answer means for it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf
from threading import Lock

from pro_service import logs
from pro_service.core.providers import FACTS, MAIL, STAFF_MAIL, WayOut
from pro_service.core.schedule.causes import STARTED
from pro_service.core.schedule.safety_alerts import KIND as STAFF
from pro_service.core.texts import contains_address
from pro_service.gateways.kinds import REMEDIES
from pro_service.gateways.outgoing import Outgoing, Refused, Template, Unavailable, Uncertain
from pro_service.runtime import Runtime
from pro_service.store.messages import inbox, outbox, staff_mail
from pro_service.store.messages.outbox import Claimed, Outcome, Standing
from pro_service.store.messages.waiting import NEVER_ASKED_ABOUT
from pro_service.store.staff import telephones
from pro_service.store.vault import UnreadableError, opened
from pro_service.use_cases.failures import STOPPED, next_try
from pro_service.wording import stop_address

FRESH = timedelta(milliseconds=200)
"""How long a claim's own look at consent and window holds; what leaves later is asked about once more."""
READ_SOON = timedelta(seconds=5)
"""How soon a prompt is looked at again that waits until a text is read."""
LONGEST_VALIDITY = timedelta(hours=10)
IN_TIME = timedelta(minutes=5)
"""How long before the end of a session it counts as over: a text may wait at the provider."""
_COLUMN: Mapping[WayOut, str] = {MAIL: "email"}
"""Where the address of a way out is kept, if it is no telephone number."""
MAIL_TRIES = 200
"""At most 15 minutes apart, so two days: a relay that is away for a night must not cost anybody an alert."""


@dataclass(frozen=True, slots=True)
class _Permission:
    """Which of the claimed messages asked about the database let go, and when, by both clocks."""

    asked: frozenset[int]
    found: Standing
    now: datetime
    started: float


class Sending:
    """Sends claimed messages; called from several threads."""

    def __init__(self, rt: Runtime) -> None:
        self.rt = rt
        self.stopped: dict[str, str] = {}
        """Way out -> the code with which its provider refused us; what is claimed already goes back."""
        self._lock = Lock()
        self._waiting: dict[int, Claimed] = {}
        """Handed to a worker, and not known yet to leave."""
        self._asking = Lock()
        self._permission = _Permission(frozenset(), Standing(), rt.clock(), -inf)

    def expect(self, claimed: Claimed) -> None:
        """Say that a message is about to be handed to a worker: the next question what may still go includes it."""
        with self._lock:
            self._waiting[claimed.id] = claimed

    def one(self, claimed: Claimed, now: datetime, started: float) -> Outcome:
        """Send one message, claimed at `now` and `started` (monotonic). What is wrong with it is wrong with it alone.

        Its age is read off both clocks: a machine that slept stops the one, and somebody may have set the other.
        """
        try:
            ready = self._ready(claimed, now, started)
        finally:
            # Not before: a question that another worker asks meanwhile is asked about this one as well.
            with self._lock:
                self._waiting.pop(claimed.id, None)
        return ready if isinstance(ready, Outcome) else self._handed_over(claimed, ready)

    def _ready(self, claimed: Claimed, now: datetime, started: float) -> Outgoing | Outcome:
        """Return what leaves; else what becomes of a message that does not leave now."""
        wall = self.rt.clock()
        age = self._age(now, started)
        if claimed.channel in self.stopped:
            return Outcome(claimed, "ready", error="not_begun", next_try_at=wall + STOPPED)
        if not self._young(age):
            return Outcome(claimed, "ready", error="not_begun", next_try_at=wall)
        try:
            outgoing = replace(self._outgoing(claimed, wall), may_leave=lambda: self._young(self._age(now, started)))
        except (UnreadableError, UnicodeDecodeError, ValueError) as fault:
            logs.fault("deliver", fault, message=claimed.id)
            return Outcome(claimed, "dead", error="unreadable")
        if claimed.has_card and FACTS[claimed.channel].medium != "email" and contains_address(outgoing.body):
            # Operators drop such a text. The study's check refuses it already; this is for one that slipped through.
            # Mails are left out: each holds a link, and no operator carries it.
            return Outcome(claimed, "dead", error="address_in_text")
        if claimed.frame in staff_mail.CONDITIONAL and not self._still_holds(claimed):
            return Outcome(claimed, "cancelled")
        if age > FRESH:
            found = self._look_again(claimed)
            if claimed.id not in found.may_go:
                return Outcome(claimed, "cancelled", error="stopped")
            if claimed.id in found.unread:
                return Outcome(claimed, "ready", error="not_begun", next_try_at=wall + READ_SOON)
        return outgoing

    def _age(self, now: datetime, started: float) -> timedelta:
        return max(timedelta(seconds=self.rt.monotonic() - started), self.rt.clock() - now)

    def _look_again(self, claimed: Claimed) -> Standing:
        """Return what the database says of it and of what waits with it, by an answer that is fresh.

        One question serves all that have not begun: asked one by one it cost a fifth of what sending costs.
        """
        with self._asking:
            permission = self._permission
            if claimed.id in permission.asked and self._age(permission.now, permission.started) <= FRESH:
                return permission.found
            with self._lock:
                asked = [claimed, *self._waiting.values()]
            now, started = self.rt.clock(), self.rt.monotonic()
            with self.rt.sessions.glance() as connection:
                found = outbox.look_again(connection, asked, now, leaves=self.rt.texts_leave)
            self._permission = _Permission(frozenset(one.id for one in asked), found, now, started)
            return found

    def _still_holds(self, claimed: Claimed) -> bool:
        with self.rt.sessions.glance() as connection:
            return staff_mail.still_holds(connection, claimed.id)

    def _young(self, age: timedelta) -> bool:
        """Whether a call that begins now is over before the lease is."""
        delivery = self.rt.settings.delivery
        return age <= delivery.lease - delivery.longest_call

    def _handed_over(self, claimed: Claimed, outgoing: Outgoing) -> Outcome:
        gateway = self.rt.way_out(claimed.channel)
        if gateway is None:
            return Outcome(claimed, "ready", error="no_gateway", next_try_at=self.rt.clock() + timedelta(minutes=1))
        try:
            accepted = gateway.send(outgoing)
        except Refused as fault:
            return self._refused(claimed, fault)
        except Unavailable as fault:
            moment = next_try(self.rt, fault.kind, claimed.attempt, fault.retry_after)
            return Outcome(claimed, "ready", error=str(fault.code), next_try_at=moment)
        except Uncertain as fault:
            return self._uncertain(claimed, str(fault.code))
        except Exception as fault:  # noqa: BLE001 -- a gateway's own fault says nothing of what the provider got
            logs.fault("deliver", fault, message=claimed.id)
            return self._uncertain(claimed, "fault")
        sid, status = accepted.sid, accepted.status
        # Now, not when the batch is through: whether a reply came after its question hangs on it.
        return Outcome(claimed, "accepted", provider_id=sid, provider_status=status, accepted_at=self.rt.clock())

    def _outgoing(self, claimed: Claimed, now: datetime) -> Outgoing:
        place = f"messages|body|{claimed.id}"
        if claimed.channel == STAFF_MAIL:
            text = opened(self.rt.vault.system_key, claimed.body, place).decode()
            subject, _, body = text.partition("\n\n")
            return Outgoing(
                message_id=claimed.id, to=claimed.email or "", body=body, subject=subject, reference=claimed.reference
            )
        key, to = self._addressee(claimed)
        words = opened(key, claimed.body, place).decode()
        if claimed.channel == MAIL:
            subject, _, body = words.partition("\n\n")
            return Outgoing(
                message_id=claimed.id,
                to=to,
                body=body,
                subject=subject,
                reference=claimed.reference,
                unsubscribe=stop_address(body),
            )
        return Outgoing(
            message_id=claimed.id,
            to=to,
            body=words,
            token=claimed.token,
            validity_seconds=_validity(claimed, now),
            restores=claimed.frame == STARTED,
            template=self._template(claimed, words, now),
        )

    def _template(self, claimed: Claimed, words: str, now: datetime) -> Template | None:
        """Return what says these words to somebody who has not written for long; None where words may go.

        Words that no template says go as they are: the provider refuses them.
        """
        lasts = FACTS[claimed.channel].session
        if lasts is None or claimed.version_id is None or claimed.language is None:
            return None
        if claimed.wrote_at is not None and now < claimed.wrote_at + lasts - IN_TIME:
            return None
        with self.rt.sessions.reading() as session:
            bundle = self.rt.bundles.get(session, claimed.version_id)
        found = bundle.wording.template(bundle.protocol, claimed.frame, claimed.language, words)
        return None if found is None else Template(*found)

    def _addressee(self, claimed: Claimed) -> tuple[bytes, str]:
        """Return the key that opens a text, and the number or address it goes to."""
        vault = self.rt.vault
        if claimed.raw is not None and claimed.inbound_id is not None:
            key = vault.telephone_key(claimed.telephone_key_id, claimed.telephone_key)
            return key, inbox.sender(key, claimed.inbound_id, claimed.raw)
        if claimed.kind == STAFF and claimed.user_id is not None and claimed.address is not None:
            place = telephones.place(claimed.user_id)
            return vault.system_key, opened(vault.system_key, claimed.address, place).decode()
        if claimed.participant_id is None or claimed.data_key is None or claimed.address is None:
            message = "a text without an address"
            raise ValueError(message)
        key, column = vault.data_key(claimed.data_key, claimed.participant_id), _COLUMN.get(claimed.channel, "phone")
        return key, opened(key, claimed.address, f"participants|{column}|{claimed.participant_id}").decode()

    def _refused(self, claimed: Claimed, fault: Refused) -> Outcome:
        code, remedy = str(fault.code), REMEDIES[fault.kind]
        if remedy == "accepted" and claimed.resends:
            # An attempt before this one was in doubt: it was taken after all.
            return Outcome(claimed, "accepted", provider_status="accepted", accepted_at=self.rt.clock())
        if remedy != "stop":
            return Outcome(claimed, "refused", error=code)
        # Nobody's text is at fault: nothing goes until somebody has put it right.
        with self._lock:
            first = claimed.channel not in self.stopped
            self.stopped.setdefault(claimed.channel, code)
        if first:
            logs.fault("deliver.stopped", fault, channel=claimed.channel, code=fault.code)
        return Outcome(claimed, "ready", error=code, next_try_at=self.rt.clock() + STOPPED)

    def _uncertain(self, claimed: Claimed, error: str) -> Outcome:
        if claimed.kind in NEVER_ASKED_ABOUT:
            return Outcome(claimed, "dead", error=error)
        if not FACTS[claimed.channel].same_message:
            ask_at = self.rt.clock() + self.rt.settings.delivery.ask_after
            return Outcome(claimed, "uncertain", error=error, ask_at=ask_at)
        # A mail has no list to ask, but a Message-ID: the same mail twice is one mail.
        if claimed.channel == MAIL:
            waits = self.rt.settings.delivery.same_mail
            if claimed.resends >= len(waits):
                return Outcome(claimed, "dead", error=error)
            again = self.rt.clock() + waits[claimed.resends]
            return Outcome(claimed, "ready", error=error, next_try_at=again, in_doubt=True)
        state = "ready" if claimed.attempt < MAIL_TRIES else "dead"
        return Outcome(claimed, state, error=error, next_try_at=next_try(self.rt, "busy", claimed.attempt))


def _validity(claimed: Claimed, now: datetime) -> int:
    """Seconds the provider may go on trying: nothing arrives at night or after the window."""
    ends = [end for end in (claimed.useful_until, claimed.today_until, claimed.closes_at) if end is not None]
    left = [end - now for end in ends if end > now]
    return max(int(min([LONGEST_VALIDITY, *left]).total_seconds()), 1)


def without_id(outcome: Outcome) -> Outcome:
    """The same outcome without the provider's id, which somebody else's message has: the callback will tell."""
    return replace(outcome, provider_id=None)

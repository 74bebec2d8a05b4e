"""The one transaction of every use case that writes: words, rows, alerts, and when to check again.

Nothing else builds a `Writer` or flushes one, so no use case can forget its rows or its audit trail.
"""

import base64
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from pro_service.core.case import PROMPTS
from pro_service.core.commands import Command, Escalate, Record, Send
from pro_service.core.problems import RejectedError, problem
from pro_service.core.protocol import MEDIA
from pro_service.core.providers import FACTS, MAIL, Facts
from pro_service.core.routes import CARD
from pro_service.core.schedule.agenda import Look, escalate, next_moment
from pro_service.core.schedule.windows import end_of_hours
from pro_service.core.texts import contains_address, segments
from pro_service.runtime import Runtime
from pro_service.store.audit import Actor
from pro_service.store.messages import outbox, staff_mail
from pro_service.store.participants import cases, shared_phone
from pro_service.store.participants.cases import Loaded
from pro_service.store.participants.writer import Words, Writer
from pro_service.store.schema import AnyRow
from pro_service.store.session import Session
from pro_service.store.vault import UnreadableError, opened, token_hash
from pro_service.use_cases import mails
from pro_service.wording import clock_time, prompting_channel

SCHEDULER = Actor(kind="system", id="scheduler", source="scheduler")

TOKEN_BYTES = 18
"""144 random bits."""


SAME_TEXT = timedelta(hours=24)
"""Within this some providers refuse the same words to the same telephone, which covers the calendar day too."""


class AddressInTextError(Exception):
    """A text to somebody with a card holds an internet address: change the text or the study's words, load again."""


class SaidAlreadyError(Exception):
    """The same words went to the same telephone this very minute, by a provider who refuses them the second time."""


@dataclass(slots=True)
class Transaction:
    """One transaction of one use case."""

    rt: Runtime
    session: Session
    writer: Writer
    now: datetime
    touched: frozenset[int] = frozenset()
    """Participants whose next check is to be stored at the end, of what has been written so far."""

    def write_now(self) -> None:
        """Write what was collected so far, where later statements read it or later rows refer to it.

        The end of the transaction does the same: call this in the middle only, and say there what needs the rows.
        """
        self.touched |= self.writer.flush()

    def identify(self, actor: Actor) -> None:
        """Name who acts from here on, where that is found out inside the transaction or changes in it."""
        self.alert()
        self.writer.actor = actor

    def alert(self) -> None:
        """Queue the mails about what was raised so far, in the name of who raised it."""
        if self.writer.raised and self.rt.mail is not None:
            staff_mail.queue_alerts(self.session, self.writer, partial(_alert, self.rt.settings.public_base_url))

    def carry_out(self, loaded: Loaded, commands: Iterable[Command]) -> None:
        """Find the words of each command and write it down.

        RejectedError at an answer to a study whose data are locked; the database refuses it too.
        """
        for command in commands:
            if isinstance(command, Record) and loaded.case.locked_at is not None:
                raise RejectedError((problem("study_locked", ""),))
            try:
                words = self._words(loaded, command) if isinstance(command, Send) else None
            except AddressInTextError:
                self._unfit(loaded, command)
            except SaidAlreadyError:
                pass
            else:
                self.writer.apply(loaded, command, words)

    def foresee_next_check(self, loaded: Loaded, looked: Look | None = None) -> None:
        """Work out when to look again from what was carried out, if nothing else changed about this participant.

        The same as reloading at the end; see `Writer.foreseen`. `looked`: what a look found before that.
        """
        case = self.writer.foreseen(loaded)
        if case is None:
            self.writer.check_again(loaded)
        elif case is loaded.case and looked is not None:
            self.writer.set_next_check(loaded, looked.again_at)
        else:
            self.writer.set_next_check(loaded, next_moment(case, self.now))

    def _unfit(self, loaded: Loaded, command: Command) -> None:
        """A reply that cannot be sent is a person's task, and what it replies to is kept.

        A prompt that cannot be sent is a fault of this participant: the tick puts them off, and tells a person.
        """
        if not isinstance(command, Send) or command.kind in PROMPTS:
            raise AddressInTextError
        task = escalate(loaded.case, "E0", "address_in_text", self.now)
        if not loaded.case.escalated(task.key) and task.key not in {raised.key for _, raised, _ in self.writer.raised}:
            self.writer.apply(loaded, task)

    def _words(self, loaded: Loaded, send: Send) -> Words:
        case = loaded.case
        wording = self.rt.wording(self.session, loaded.protocol_version_id)
        token = self._token(loaded, send) if wording.needs_link(case, send) else None
        address = "" if token is None else f"{self.rt.settings.public_base_url}/q/{token}"
        words = self.words(loaded, send, link=address, first=case.participant.first_text_at is None)
        if CARD in case.participant.ladder and words.way != MAIL and contains_address(words.body):
            raise AddressInTextError
        zone, hours = case.participant.zone, case.protocol.contact_hours
        return replace(
            words,
            link_token=None if token is None else token_hash(token),
            today_until=end_of_hours(self.now, hours, zone) if send.contact_hours else None,
        )

    def _token(self, loaded: Loaded, send: Send) -> str:
        """Return the token of a link: chance, but of a mail worked out.

        A mail that a restored database does not know of is written again under the same Message-ID: the link in the one
        that was sent before must go on leading somewhere.
        """
        channel = prompting_channel(send)
        if channel is None or MEDIA[channel] != "email":
            return secrets.token_urlsafe(TOKEN_BYTES)
        made = self.rt.vault.index("link", f"{loaded.study_id}:{loaded.case.participant.code}:{send.key}")
        return base64.urlsafe_b64encode(made[:TOKEN_BYTES]).decode()

    def words(self, loaded: Loaded, send: Send, *, link: str = "", first: bool = False) -> Words:
        """Return the words of a text, who carries it, and its segments there; see `words_to`. SaidAlreadyError."""
        facts = carrier_of(self.rt, loaded, send)
        body = _body(self.rt, self.session, loaded, send, facts, link=link, first=first)
        if not facts.same_text:
            body = self._unlike_others(loaded, facts, body)
        return Words(body, paid_for(body, facts), loaded.protocol_version_id, facts.way)

    def _unlike_others(self, loaded: Loaded, facts: Facts, body: str) -> str:
        """Return these words, with the time where they went to this telephone within a day; SaidAlreadyError."""
        there = outbox.lately(self.session, facts.way, loaded.case.participant.id, self.now - SAME_TEXT)
        said = {plain_text(self.rt, row) for row in there}
        told = f"{body}\n({clock_time(self.now, loaded.case.participant.zone)})"
        if body in said and told in said:
            raise SaidAlreadyError
        return told if body in said else body


@contextmanager
def transaction(rt: Runtime, actor: Actor, now: datetime) -> Iterator[Transaction]:
    """Open the one transaction of a use case; at its end everything that was collected is written.

    The end also mails the alerts of the escalations raised inside, and stores when to check the participants who were
    changed again. An exception takes everything back. A transaction about no participant pays for none of this.
    """
    with rt.sessions.begin() as session:
        tx = Transaction(rt, session, Writer(session, now, actor, rt.vault), now)
        yield tx
        _finish(tx)


def words_to(rt: Runtime, session: Session, loaded: Loaded, send: Send) -> str:
    """Return what a text says to this participant, by the provider who would carry it now."""
    return _body(rt, session, loaded, send, carrier_of(rt, loaded, send))


def _body(
    rt: Runtime, session: Session, loaded: Loaded, send: Send, facts: Facts, *, link: str = "", first: bool = False
) -> str:
    """Return the words of a text that goes this way out. See `Wording.text`."""
    reply_to = rt.carriers.answered_at.get(facts.provider)
    wording = rt.wording(session, loaded.protocol_version_id)
    return wording.text(loaded.case, send, link=link, first=first, reply_to=reply_to)


def paid_for(body: str, facts: Facts) -> int:
    """Return how many segments a text has there; what goes by no text is one, however long."""
    return segments(body, facts.charset) if facts.medium == "sms" else 1


def carrier_of(rt: Runtime, loaded: Loaded, send: Send) -> Facts:
    """Return the way out of a text: that of its channel's medium, or of the medium that it answers on."""
    channel = prompting_channel(send)
    medium = send.medium if channel is None else MEDIA[channel]
    if medium != "sms":
        return next(facts for facts in FACTS.values() if facts.medium == medium)
    return rt.carrier(loaded.phone_country, loaded.case.participant.site.provider)


def plain_text(rt: Runtime, row: AnyRow) -> str | None:
    """Return the words of a text (`id`, `participant_id`, `data_key`, `body`), to a participant or to staff.

    None if nobody can read them; a text that cannot be read cannot be sent either.
    """
    try:
        about_nobody = row.participant_id is None
        key = rt.vault.system_key if about_nobody else rt.vault.data_key(row.data_key, row.participant_id)
        return opened(key, row.body, f"messages|body|{row.id}").decode()
    except (UnreadableError, UnicodeDecodeError, ValueError, TypeError):
        return None


def _finish(tx: Transaction) -> None:
    """Write what was collected; queue the alerts; store when to check again, from reloaded facts."""
    tx.alert()
    tx.write_now()
    touched = tx.touched | _waiting_for(tx.session, tx.touched)
    if not touched:
        return
    moments = {
        loaded.case.participant.id: next_moment(loaded.case, tx.now)
        for loaded in tx.rt.loader.load(tx.session, sorted(touched), lock=False)
    }
    cases.set_next_check(tx.session, moments)


def _alert(base_url: str, language: str, loaded: Loaded, command: Escalate, escalation_id: int) -> str:
    return mails.alert(language, loaded, command, escalation_id, base_url)


def _waiting_for(session: Session, touched: frozenset[int]) -> frozenset[int]:
    """Return those who share a telephone with the touched participants, and perhaps wait for their turn.

    Participants whose rows another transaction holds are left out: that transaction stores their next check.
    """
    sharing = shared_phone.sharers(session, sorted(touched))
    others = {other for ids in sharing.values() for other in ids} - touched
    return frozenset(shared_phone.lock_free(session, sorted(others))) if others else frozenset()

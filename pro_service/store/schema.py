"""The tables. Facts and deadlines are stored, never statuses; every table that grows carries `study_id`.

Ids of rows come from one sequence (`ids`), so that a row's id is known before it is written: ciphertexts and the audit
trail name it. Instants are UTC with microseconds; SQLite keeps them as ISO 8601 text that sorts as time does.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
    or_,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.processors import str_to_datetime
from sqlalchemy.types import TypeDecorator, TypeEngine

from pro_service.core.ladder import RUNGS
from pro_service.core.providers import MAIL, STAFF_MAIL

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""One row of whatever columns were asked for."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant. A naive datetime is refused at the column."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Timestamp with time zone on PostgreSQL; 27 characters of text on SQLite."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(27))

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], datetime | str | None]:
        """Refuse naive values (ValueError); write UTC."""
        return _instant_of if dialect.name == "postgresql" else _text_of

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """Read back as UTC. A batch reads tens of thousands of instants: nothing stands between row and value."""
        del coltype
        return _read_instant if dialect.name == "postgresql" else str_to_datetime


def _instant_of(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        message = "a naive datetime never reaches the database: pass an aware one"
        raise ValueError(message)
    return value.astimezone(UTC)


def _text_of(value: datetime | None) -> str | None:
    instant = _instant_of(value)
    return None if instant is None else instant.isoformat(timespec="microseconds")[:-6] + "Z"


def _read_instant(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


BIG = BigInteger().with_variant(Integer, "sqlite")
"""A whole number of 64 bits; SQLite has only one kind."""


def _id() -> Column[int]:
    return Column("id", BIG, primary_key=True, autoincrement=False)


def _ref(name: str, target: str, *, nullable: bool = False, index: bool = False) -> Column[int]:
    return Column(name, BIG, ForeignKey(target), nullable=nullable, index=index)


def _partial_index(name: str, *columns: ColumnElement[Any], where: ColumnElement[bool], unique: bool = False) -> None:
    """Name an index of the rows that fit a condition; the migrations make it.

    The condition stands in `info`: for SQLAlchemy's own word for it, the dialects of both databases would be imported,
    which takes a tenth of a short command.
    """
    Index(name, *columns, unique=unique, info={"where": where})


installation = Table(
    "installation",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("value", Text, nullable=False),
    comment="Facts of this installation: whether it is a test database, its wrapped index key, its id counter",
)

studies = Table(
    "studies",
    metadata,
    _id(),
    Column("code", String(40), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("closed_at", Instant, comment="Since when nobody is asked any more"),
    Column("locked_at", Instant, comment="Since when no answer may be added or changed"),
    Column("erase_after", Date, comment="After this day contact data are erased"),
)

protocol_versions = Table(
    "protocol_versions",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    Column("number", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("protocol", Text, nullable=False),
    Column("wording", Text, nullable=False),
    Column("loaded_at", Instant, nullable=False),
    Column("marks", Text, comment="What its file calls unsettled, JSON; NULL = loaded before that was kept"),
    Column("ran_unconfirmed_at", Instant, comment="When confirmations were introduced, if its study was running then"),
    Column("file", Text, comment="The study file as it was loaded; NULL = before that was kept"),
    UniqueConstraint("study_id", "number"),
    UniqueConstraint("study_id", "sha256"),
    comment="One immutable bundle of protocol and wording, as canonical JSON",
)

confirmations = Table(
    "confirmations",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("protocol_version_id", "protocol_versions.id"),
    Column("sha256", String(64), nullable=False, comment="Of the version, as it was read"),
    Column("confirmed_at", Instant, nullable=False),
    _ref("user_id", "users.id"),
    Column("reason", Text, nullable=False),
    UniqueConstraint("protocol_version_id"),
    comment="Which investigator confirmed which version, so that its texts may leave; append-only",
)

sites = Table(
    "sites",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    Column("code", String(40), nullable=False),
    Column("digest_at", Instant, index=True, comment="When its staff's next digest falls due; NULL = to be found"),
    UniqueConstraint("study_id", "code"),
    comment="Identity only: what a site is called and where it is stands in the protocol",
)

participants = Table(
    "participants",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("site_id", "sites.id"),
    _ref("protocol_version_id", "protocol_versions.id"),
    Column("code", String(40), nullable=False),
    Column("language", String(8), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("procedure_date", Date, nullable=False),
    Column("procedure_end", Instant),
    Column("schedule", Integer, nullable=False, server_default="1"),
    Column("enrolled_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("consented_at", Instant, comment="Consent to texts; NULL = none by SMS"),
    Column("opted_out_at", Instant),
    Column("paused_at", Instant),
    Column("paused_until", Instant),
    Column("withdrawn_at", Instant),
    Column("died_at", Instant),
    Column("texts_held_until", Instant, comment="A stop word inside a sentence holds automatic texts"),
    Column("snoozed_until", Instant),
    Column("unreachable_at", Instant, comment="Wrong number, or texts to it refused for good by the provider"),
    Column("first_text_at", Instant, comment="When the first text to this participant was queued"),
    Column("card_made_at", Instant, comment="When the code on their card was made; NULL = there is no card"),
    Column("card_handed_at", Instant, comment="When the card was handed over: as staff say, or by its first use"),
    Column("erased_at", Instant, comment="When contact data, texts and keys were destroyed; nothing is asked any more"),
    Column("channel_2", String(20), comment="Asks where the first channel leads nowhere"),
    Column("channel_3", String(20), comment="Asks where those before it lead nowhere"),
    Column("email_consented_at", Instant, comment="Consent to mails; NULL = none"),
    Column("email_unreachable_at", Instant, comment="Since when the address takes no mails"),
    Column("whatsapp_consented_at", Instant, comment="Consent to WhatsApp messages; NULL = none"),
    Column("whatsapp_unreachable_at", Instant, comment="Since when the telephone is not reached by WhatsApp"),
    Column("data_key", LargeBinary, comment="This participant's data key, wrapped; destroyed by erasure"),
    Column("phone", LargeBinary),
    Column("phone_index", LargeBinary),
    Column("phone_country", String(2)),
    Column("email", LargeBinary),
    Column("phone_since", Instant, comment="When the number took the place of another, or of none; NULL = the first"),
    Column("email_since", Instant, comment="When the address took the place of another, or of none; NULL = the first"),
    # In the database it has the name it was made with.
    Column(
        "look_at", Instant, key="next_check_at", comment="The next instant at which time alone may call for something"
    ),
    Column("faults", Integer, nullable=False, server_default="0"),
    Column("revision", Integer, nullable=False, server_default="1"),
    UniqueConstraint("study_id", "code"),
    Index("ix_participants_look_at", "next_check_at"),
    Index("ix_participants_phone_index", "phone_index"),
    Index("ix_participants_data_key", "data_key"),
    Index("ix_participants_site_id_code", "site_id", "code"),
    Index("ix_participants_study_id_procedure_date_code", "study_id", "procedure_date", "code"),
)

LADDER = tuple(participants.c[name] for name in RUNGS)
"""The channels of a participant, in their order."""


def on_ladder(channel: str) -> ColumnElement[bool]:
    """Return the condition that a participant has a channel, wherever on their ladder."""
    return or_(*(rung == channel for rung in LADDER))


CARD_DUE = on_ladder("sms-card") & participants.c.card_handed_at.is_(None)
"""A participant who is to answer with a card, which nobody has handed over yet."""
_partial_index(
    "ix_participants_card_due",
    participants.c.study_id,
    participants.c.code,
    where=CARD_DUE,
)

TO_CONFIRM = (
    participants.c.confirmed_at.is_(None) & participants.c.withdrawn_at.is_(None) & participants.c.died_at.is_(None)
)
"""A participant whose procedure is planned, and not confirmed yet."""
_partial_index(
    "ix_participants_to_confirm",
    participants.c.study_id,
    participants.c.procedure_date,
    where=TO_CONFIRM,
)

windows = Table(
    "windows",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("participant_id", "participants.id"),
    Column("code", String(20), nullable=False),
    Column("schedule", Integer, nullable=False),
    Column("target", Date, nullable=False),
    Column("target_at", Instant),
    Column("opens_at", Instant, nullable=False),
    Column("closes_at", Instant, nullable=False),
    Column("late_until", Instant, nullable=False),
    Column("clamped", Boolean, nullable=False),
    Column("cancelled_at", Instant, comment="The procedure date changed; a later schedule has taken over"),
    Column("settled", String(30), comment="How the window is counted since its close; moved with the tallies"),
    Column("missing_reason", String(40)),
    _ref("protocol_version_id", "protocol_versions.id", nullable=True),
    Column("counted_channel", String(20), comment="How its participant was asked when it was first counted"),
    UniqueConstraint("participant_id", "code", "schedule"),
    CheckConstraint("opens_at < closes_at AND closes_at <= late_until", name="runs_forward"),
)
_partial_index(
    "ix_windows_unsettled",
    windows.c.study_id,
    windows.c.closes_at,
    windows.c.opens_at,
    where=windows.c.settled.is_(None) & windows.c.cancelled_at.is_(None),
)

schedule_changes = Table(
    "schedule_changes",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("participant_id", "participants.id", index=True),
    Column("schedule", Integer, nullable=False, comment="The number of the schedule this made, or left in force"),
    Column("cause", String(12), nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("actor", String(120), nullable=False),
    Column("reason", Text),
    Column("old_procedure_date", Date, nullable=False),
    Column("procedure_date", Date, nullable=False),
    Column("old_procedure_end", Instant),
    Column("procedure_end", Instant),
    Column("old_zone", String(64), nullable=False),
    Column("zone", String(64), nullable=False, comment="Of the site: days are counted on its calendar"),
    _ref("old_version_id", "protocol_versions.id"),
    _ref("version_id", "protocol_versions.id"),
    CheckConstraint("cause IN ('confirm', 'reschedule', 'move', 'migrate')", name="cause"),
    comment="Each time windows were laid out anew: from what to what, by whom and why",
)

former_telephones = Table(
    "former_telephones",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("participant_id", "participants.id", index=True),
    Column("phone", LargeBinary, nullable=False, comment="Sealed with the participant's key: erasure reaches it"),
    Column("phone_index", LargeBinary, nullable=False),
    Column("phone_country", String(2)),
    Column("replaced_at", Instant, nullable=False),
    comment="Numbers a participant had: texts of unknown fate are asked about under the number they went to",
)

responses = Table(
    "responses",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("participant_id", "participants.id", index=True),
    _ref("window_id", "windows.id", nullable=True),
    Column("item", String(40), nullable=False),
    Column("version", Integer, nullable=False),
    Column("value", Integer),
    Column("declined", Boolean, nullable=False),
    Column("cleared", Boolean, nullable=False, server_default=text("false"), comment="Taken back; missing again"),
    Column("source", String(20), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("in_window", Boolean, nullable=False),
    Column("entered_by", BIG, ForeignKey("users.id")),
    Column("inbound_id", BIG, ForeignKey("inbound.id")),
    Column("reason", Text),
    UniqueConstraint("window_id", "item", "version"),
    CheckConstraint("value IS NULL OR NOT (declined OR cleared)", name="one_meaning"),
    CheckConstraint(
        "source IN ('sms', 'web', 'card', 'email', 'whatsapp', 'telephone', 'clinic', 'import')", name="source"
    ),
    comment="Every version of every answer; the highest version counts, none is overwritten",
)

messages = Table(
    "messages",
    metadata,
    _id(),
    _ref("study_id", "studies.id", nullable=True),
    _ref("participant_id", "participants.id", nullable=True),
    _ref("window_id", "windows.id", nullable=True, index=True),
    _ref("escalation_id", "escalations.id", nullable=True),
    _ref("user_id", "users.id", nullable=True),
    _ref("inbound_id", "inbound.id", nullable=True),
    _ref("protocol_version_id", "protocol_versions.id", nullable=True),
    Column("dedup_key", String(120), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("frame", String(40), nullable=False, comment="Which text of templates/ was rendered"),
    Column("item", String(40), comment="The item this text asks for"),
    Column("proposed", Integer, comment="The value this text asks to confirm"),
    Column("channel", String(10), nullable=False, comment="The way out that carries it (`core.providers`)"),
    Column("body", LargeBinary, nullable=False),
    Column("segments", Integer, nullable=False, server_default="1"),
    Column("state", String(12), nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("resends", Integer, nullable=False, server_default="0"),
    Column("queued_at", Instant, nullable=False),
    Column("next_try_at", Instant, nullable=False),
    Column("today_until", Instant, comment="End of today's contact hours; NULL = at any hour"),
    Column("useful_until", Instant, comment="Never sent at or after this"),
    Column("lease_until", Instant),
    Column("accepted_at", Instant),
    Column("sent_at", Instant),
    Column("ended_at", Instant),
    Column("ask_at", Instant, comment="When the provider is asked next what became of an uncertain text"),
    Column("told_at", Instant, comment="When a person was told that nobody knows whether it left"),
    Column("provider_id", String(64), unique=True),
    Column("provider_status", String(20)),
    Column("error", String(40)),
    CheckConstraint(
        "state IN ('ready', 'sending', 'accepted', 'sent', 'delivered', 'undelivered', 'failed', 'refused', "
        "'uncertain', 'expired', 'cancelled', 'dead')",
        name="state",
    ),
    Index("ix_messages_participant_id_queued_at", "participant_id", "queued_at"),
    # By id as well: a tick gives thousands of texts the same instant, and PostgreSQL would sort them all for one page.
    Index("ix_messages_study_id_queued_at_id", "study_id", "queued_at", "id"),
    comment="The outbox: every text and mail is a row first",
)
_partial_index(
    "ix_messages_ready",
    messages.c.next_try_at,
    where=messages.c.state == "ready",
)
_partial_index(
    "ix_messages_to_ask",
    messages.c.ask_at,
    where=messages.c.state == "uncertain",
)
_partial_index(
    "ix_messages_unsettled",
    messages.c.state,
    messages.c.lease_until,
    where=messages.c.state.in_(("sending", "uncertain")),
)

IS_TEXT = messages.c.channel != STAFF_MAIL
"""Messages to participants, by any way; the rest are mails to staff."""

IN_DOUBT = (messages.c.channel == MAIL) & (messages.c.state == "ready") & (messages.c.resends > 0)
"""A mail to a participant that may have left, and waits to go again as the same mail."""

attempts = Table(
    "attempts",
    metadata,
    _id(),
    _ref("message_id", "messages.id"),
    Column("number", Integer, nullable=False),
    Column("token", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the token in the callback URL"),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", String(12)),
    Column("error", String(40)),
    Column("missed_at", Instant, comment="When the provider, asked, first did not know of it"),
    UniqueConstraint("message_id", "number"),
    comment="One call to a provider, committed before a byte leaves",
)

channels = Table(
    "channels",
    metadata,
    Column("name", String(10), primary_key=True),
    Column("free_at", Instant, comment="When the sender may send its next segment"),
    Column("day", Date, comment="The UTC day that `sent` counts"),
    Column("sent", Integer, nullable=False, server_default="0", comment="Segments claimed on that day"),
    Column("stopped_until", Instant, comment="The provider refuses us, not a text: nothing goes until then"),
    Column("stopped_by", String(40), comment="The code of that refusal"),
    Column("quarantined_at", Instant, comment="The database may be older than what was sent: nothing goes"),
    Column("quarantine_reason", String(40)),
    Column("known_until", Instant, comment="In quarantine: until when this database certainly knows what was sent"),
    Column("pulled_until", Instant, comment="Replies up to here were fetched from the provider"),
    comment="Each way out: its pace, what stops it, and how far the provider was asked",
)

receipts = Table(
    "receipts",
    metadata,
    _id(),
    _ref("message_id", "messages.id", nullable=True, index=True),
    Column("provider_id", String(64), nullable=False),
    Column("status", String(20), nullable=False),
    # Codes that are words came later. SQLite keeps any length, and is spared a copy of the table.
    Column("error", String(10).with_variant(String(40), "postgresql")),
    Column("received_at", Instant, nullable=False),
    Column("contradicts", Boolean, nullable=False),
    UniqueConstraint("provider_id", "status"),
    comment="What a provider said of a message; each status once",
)

telephone_keys = Table(
    "telephone_keys",
    metadata,
    _id(),
    Column("phone_index", LargeBinary, nullable=False, unique=True, comment="Random once the key is destroyed"),
    Column(
        "key",
        LargeBinary,
        index=True,
        comment="Wrapped; destroyed when the last participant with this telephone is erased",
    ),
    comment="One key for each telephone that wrote to us: what came from it can be erased with its owner",
)

inbound = Table(
    "inbound",
    metadata,
    _id(),
    _ref("study_id", "studies.id", nullable=True),
    _ref("participant_id", "participants.id", nullable=True),
    Column("channel", String(10), nullable=False, server_default="sms", comment="The way it came by, as in `channels`"),
    Column("provider_id", String(64), nullable=False, unique=True),
    Column("sender_index", LargeBinary, nullable=False),
    Column("raw", LargeBinary, nullable=False, comment="What it says, and everything as it came; encrypted"),
    _ref("telephone_key_id", "telephone_keys.id", nullable=True),
    Column("received_at", Instant, nullable=False),
    Column("provider_at", Instant, comment="The provider's time, where it was asked"),
    Column("interpreted_at", Instant),
    Column("reading", String(40), comment="What kind of reply it was, never its text"),
    Column("faults", Integer, nullable=False, server_default="0"),
    Column("handed_at", Instant, index=True, comment="When the rules gave it to a person"),
    Column("handed_for", String(40), comment="Why to a person"),
    Column("handled_at", Instant, comment="When a person had dealt with it"),
    Index("ix_inbound_participant_id_received_at", "participant_id", "received_at"),
    Index("ix_inbound_sender_index_received_at", "sender_index", "received_at"),
    comment="Texts from telephones, kept raw before anybody reads them",
)
OLD_KEY = inbound.c.telephone_key_id.is_(None)
"""A text that is still sealed with the installation's key, as in earlier releases; the scheduler seals it anew."""
_partial_index("ix_inbound_old_key", inbound.c.id, where=OLD_KEY)
_partial_index(
    "ix_inbound_uninterpreted",
    inbound.c.received_at,
    where=inbound.c.interpreted_at.is_(None),
)
_partial_index(
    "ix_inbound_waits",
    inbound.c.received_at,
    where=inbound.c.handed_at.is_not(None) & inbound.c.handled_at.is_(None),
)

links = Table(
    "links",
    metadata,
    _id(),
    _ref("participant_id", "participants.id"),
    _ref("window_id", "windows.id", index=True),
    _ref("message_id", "messages.id", nullable=True),
    Column("token", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the token in the address"),
    Column("created_at", Instant, nullable=False),
)

entry_codes = Table(
    "entry_codes",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("participant_id", "participants.id"),
    Column("code", LargeBinary, nullable=False, comment="Encrypted, so that the card can be printed again"),
    Column("code_index", LargeBinary, nullable=False, unique=True, comment="Keyed hash, by which it is found"),
    Column("signs", Integer, nullable=False, comment="How long it is: 12, or 8 on a card of an earlier release"),
    UniqueConstraint("participant_id", "signs"),
    Index("ix_entry_codes_signs", "signs", "study_id"),
    comment="The personal code on each participant's card; a new one takes the old one's place",
)

entry_tries = Table(
    "entry_tries",
    metadata,
    Column("place", LargeBinary, primary_key=True, comment="Keyed hash of a network address, or a name for many"),
    Column("owed_until", Instant, comment="Until when the wrong codes so far are paid off"),
    Column("served_at", Instant, comment="When a right code last came from there"),
    Index("ix_entry_tries_owed_until", "owed_until"),
    comment="How much guessing is left to each address, and to all of them together",
)

escalations = Table(
    "escalations",
    metadata,
    _id(),
    _ref("study_id", "studies.id", nullable=True),
    _ref("site_id", "sites.id", nullable=True),
    _ref("participant_id", "participants.id", nullable=True, index=True),
    _ref("window_id", "windows.id", nullable=True),
    Column("level", String(2), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("dedup_key", String(120), nullable=False, unique=True),
    Column("raised_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("save_by", Instant, comment="When the window closes: what the call list is ordered by"),
    Column("look_again_at", Instant, comment="Snoozed, or to be called back, until then"),
    Column("acknowledged_at", Instant),
    _ref("acknowledged_by", "users.id", nullable=True),
    Column("resolved_at", Instant),
    _ref("resolved_by", "users.id", nullable=True),
    Column("outcome", String(40)),
    _ref("handed_to", "users.id", nullable=True),
    _ref("handed_by", "users.id", nullable=True),
    Column("handed_at", Instant),
    Column("asked_at", Instant, comment="When the participant last asked for this call"),
    Column("part_of_day", String(9), comment="In which part of the day they asked for it; NULL = at any time"),
    CheckConstraint("part_of_day IN ('morning', 'afternoon', 'evening')", name="part_of_day"),
    CheckConstraint("level IN ('E0', 'E1', 'E2', 'E3', 'E4', 'ES')", name="level"),
)
_partial_index(
    "ix_escalations_open",
    escalations.c.study_id,
    escalations.c.save_by,
    escalations.c.due_at,
    where=escalations.c.resolved_at.is_(None),
)
_partial_index(
    "ix_escalations_open_level",
    escalations.c.study_id,
    escalations.c.level,
    escalations.c.due_at,
    where=escalations.c.resolved_at.is_(None),
)
_partial_index(
    "ix_escalations_handed",
    escalations.c.handed_to,
    where=escalations.c.resolved_at.is_(None) & escalations.c.handed_to.is_not(None),
)

calls = Table(
    "calls",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("participant_id", "participants.id", index=True),
    _ref("window_id", "windows.id", nullable=True),
    _ref("escalation_id", "escalations.id", nullable=True),
    _ref("user_id", "users.id"),
    Column("called_at", Instant, nullable=False),
    Column("outcome", String(30), nullable=False),
    Column("call_back_at", Instant),
    Column("note", LargeBinary, comment="Free text, encrypted; may unblind"),
)

users = Table(
    "users",
    metadata,
    _id(),
    Column("email", String(254), nullable=False, unique=True),
    Column("password", String(200)),
    Column("language", String(8), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("totp", LargeBinary, comment="Secret of the second factor, encrypted; counts once `totp_at` is set"),
    Column("totp_step", BigInteger, comment="Last time step used: each counts once"),
    Column("totp_at", Instant, comment="When the second factor was set up; NULL = there is none"),
    Column("factor_required", Boolean, nullable=False, server_default=text("false"), comment="Invited, or reset"),
    Column("away_until", Instant, comment="Not at work: tasks and mails go to the stand-in until then"),
    Column("digest", Boolean, nullable=False, server_default=text("true"), comment="A mail of the day's work"),
    comment="Staff",
)

staff_telephones = Table(
    "staff_telephones",
    metadata,
    Column("user_id", BIG, ForeignKey("users.id"), primary_key=True),
    Column("phone", LargeBinary, nullable=False, comment="Sealed with the system's key"),
    Column("phone_index", LargeBinary, nullable=False, index=True),
    Column("country", String(2), comment="Of the telephone; NULL = left before that was kept"),
    Column("agreed_at", Instant, nullable=False, comment="When its owner agreed to texts about urgent tasks"),
    Column("hours_from", Time, comment="Texts come at these hours of the task's site only; NULL = at any hour"),
    Column("hours_until", Time),
    Column("ended_at", Instant, comment="Since when no text goes to it"),
    Column("ended_for", String(12)),
    _ref("message_id", "messages.id", nullable=True),
    CheckConstraint("ended_for IN ('stopped', 'opted_out', 'bad_number')", name="ended_for"),
    CheckConstraint("(ended_at IS NULL) = (ended_for IS NULL)", name="ended_for_a_reason"),
    CheckConstraint("(hours_from IS NULL) = (hours_until IS NULL)", name="hours_have_both_ends"),
    comment="Telephones of staff for urgent tasks; `message_id`: the last text that was queued to this number",
)

roles = Table(
    "roles",
    metadata,
    _id(),
    _ref("user_id", "users.id", index=True),
    _ref("study_id", "studies.id", nullable=True),
    _ref("site_id", "sites.id", nullable=True),
    Column("role", String(20), nullable=False),
    Column("granted_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("approved_at", Instant, comment="Since when it holds; NULL = it waits for an investigator, or was refused"),
    Column("refused_at", Instant),
    _ref("granted_by", "users.id", nullable=True),
    _ref("approved_by", "users.id", nullable=True),
    _ref("refused_by", "users.id", nullable=True),
    CheckConstraint(
        "role IN ('coordinator', 'assessor', 'investigator', 'data-manager', 'monitor', 'statistician', "
        "'administrator')",
        name="role",
    ),
    comment="Who may do what where; a NULL site means every site of the study, a NULL study every study",
)
_partial_index(
    "ix_roles_pending",
    roles.c.study_id,
    where=roles.c.approved_at.is_(None) & roles.c.refused_at.is_(None) & roles.c.revoked_at.is_(None),
)

logins = Table(
    "logins",
    metadata,
    _id(),
    _ref("user_id", "users.id", index=True),
    Column("token", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the cookie"),
    Column("csrf", String(64), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("factor_at", Instant, comment="When the second factor was shown in this session"),
    Column("confirmed_at", Instant, comment="When the password was last typed in this session"),
    Column("agent", String(60), comment="Browser and system, as far as a person needs to know theirs again"),
    comment="Server-side sessions of staff",
)

tickets = Table(
    "tickets",
    metadata,
    _id(),
    _ref("user_id", "users.id", index=True),
    _ref("made_by", "users.id", nullable=True),
    Column("purpose", String(12), nullable=False),
    Column("token", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the token in the address"),
    Column("made_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant, comment="Used, or replaced by a newer one"),
    CheckConstraint("purpose IN ('invitation', 'reset')", name="purpose"),
    comment="Links in mails to staff that set a password, once",
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    _id(),
    _ref("user_id", "users.id"),
    Column("code", LargeBinary, nullable=False, comment="Keyed hash"),
    Column("made_at", Instant, nullable=False),
    Column("used_at", Instant, comment="Used, or replaced by newer ones"),
    UniqueConstraint("user_id", "code"),
    comment="In place of the second factor, each once",
)

login_failures = Table(
    "login_failures",
    metadata,
    _id(),
    Column("account", LargeBinary, nullable=False, comment="Keyed hash of the e-mail typed, known or not"),
    Column("address", LargeBinary, nullable=False, comment="Keyed hash of the network address"),
    Column("failed_at", Instant, nullable=False),
    Index("ix_login_failures_account_failed_at", "account", "failed_at"),
    Index("ix_login_failures_address_failed_at", "address", "failed_at"),
)

tallies = Table(
    "tallies",
    metadata,
    _ref("study_id", "studies.id"),
    _ref("site_id", "sites.id"),
    Column("code", String(20), nullable=False),
    Column("status", String(30), nullable=False),
    Column("count", Integer, nullable=False),
    UniqueConstraint("study_id", "site_id", "code", "status"),
    comment="How many windows are settled how: equal to the full count at any instant",
)

closings = Table(
    "closings",
    metadata,
    _ref("study_id", "studies.id"),
    _ref("site_id", "sites.id"),
    Column("code", String(20), nullable=False, comment="A time point; * = all that decide, of one participant"),
    Column("channel", String(20), nullable=False),
    Column("month", String(7), nullable=False, comment="Of the target, on the site's calendar: 2026-03"),
    Column("status", String(30), nullable=False),
    Column("count", Integer, nullable=False),
    UniqueConstraint("study_id", "site_id", "code", "channel", "month", "status"),
    comment="What tallies count, told apart by channel and month, and complete cases: moved by the same facts",
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("at", Instant, nullable=False),
)

audit_trail = Table(
    "audit_trail",
    metadata,
    _id(),
    Column("at", Instant, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("utc_offset", Integer, nullable=False, comment="Minutes east of UTC in that zone at that instant"),
    Column("study_id", BIG),
    Column("participant_id", BIG),
    Column("actor_kind", String(12), nullable=False),
    Column("actor", String(120), nullable=False),
    Column("on_behalf_of", String(120)),
    Column("action", String(40), nullable=False),
    Column("entity", String(30), nullable=False),
    Column("entity_id", BIG),
    Column("changes", Text, nullable=False, comment="JSON: field -> [old, new]; contact values only masked"),
    Column("reason", Text),
    Column("source", String(20), nullable=False),
    Column("hmac", LargeBinary, nullable=False),
    CheckConstraint("actor_kind IN ('participant', 'staff', 'system', 'provider')", name="actor_kind"),
    Index("ix_audit_trail_participant_id_id", "participant_id", "id"),
    Index("ix_audit_trail_study_id_id", "study_id", "id"),
    comment="Append-only; triggers refuse every other change",
)
_partial_index(
    "ix_audit_trail_staff",
    audit_trail.c.actor,
    audit_trail.c.id,
    where=audit_trail.c.actor_kind == "staff",
)

audit_seals = Table(
    "audit_seals",
    metadata,
    Column("number", BIG, primary_key=True, autoincrement=False),
    Column("sealed_at", Instant, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("row_ids", LargeBinary, nullable=False, comment="Exactly which rows, and two bytes of each one's hash"),
    Column("root", LargeBinary, nullable=False, comment="RFC 6962, over the rows in the order of their ids"),
    Column("settled_below", BIG, nullable=False),
    Column("last_id", BIG, nullable=False),
    Column("covers", LargeBinary, nullable=False, comment="Hash of what row_ids says"),
    Column("previous", LargeBinary, nullable=False),
    Column("version", String(40), nullable=False, comment="Of the product that sealed"),
    Column("hash", LargeBinary, nullable=False),
    Column("hmac", LargeBinary, nullable=False),
    comment="Chains committed audit rows; append-only",
)

audit_checks = Table(
    "audit_checks",
    metadata,
    Column("kind", String(4), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("seal", BIG, nullable=False, comment="Up to which seal; 0 = none"),
    Column("rows", BIG, nullable=False),
    Column("findings", Integer, nullable=False),
    CheckConstraint("kind IN ('new', 'full')", name="kind"),
    comment="The newest check of the trail of each kind, and how many things were not as they were written",
)

audit_timestamps = Table(
    "audit_timestamps",
    metadata,
    Column("seal", BIG, primary_key=True, autoincrement=False),
    Column("stored_at", Instant, nullable=False),
    Column("response", LargeBinary, nullable=False, comment="RFC 3161, over the seal's anchor as text"),
    comment="What a time-stamping authority said of a seal; append-only",
)

inbox_actions = Table(
    "inbox_actions",
    metadata,
    _id(),
    _ref("study_id", "studies.id", nullable=True),
    _ref("inbound_id", "inbound.id"),
    _ref("participant_id", "participants.id", nullable=True),
    _ref("user_id", "users.id", nullable=True),
    Column("at", Instant, nullable=False),
    Column("action", String(12), nullable=False),
    Column("detail", String(80), comment="Which item, template or task"),
    Column("reason", Text),
    UniqueConstraint("inbound_id", "action"),
    CheckConstraint("action IN ('record', 'answer', 'call', 'reveal', 'done')", name="action"),
    comment="What people did with a text, each thing once; append-only, also the log of texts that reveal",
)

reach_tests = Table(
    "reach_tests",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("participant_id", "participants.id", index=True),
    _ref("message_id", "messages.id"),
    _ref("user_id", "users.id", nullable=True),
    Column("token", LargeBinary, unique=True, comment="SHA-256 of the token in the address"),
    Column("started_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("confirmed_by", String(10)),
    Column("failed_at", Instant),
    Column("failure", String(20)),
    CheckConstraint("confirmed_by IN ('reply', 'link', 'staff')", name="confirmed_by"),
    CheckConstraint("failure IN ('undelivered', 'unconfirmed', 'staff')", name="failure"),
    CheckConstraint("started_at < expires_at", name="runs_forward"),
    comment="Whether a text reaches a participant, tried before they leave the clinic",
)
_partial_index(
    "ix_reach_tests_open",
    reach_tests.c.expires_at,
    where=reach_tests.c.confirmed_at.is_(None) & reach_tests.c.failed_at.is_(None),
)

revelations = Table(
    "revelations",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("participant_id", "participants.id", nullable=True, index=True),
    Column("inbound_id", BIG, ForeignKey("inbound.id"), unique=True),
    _ref("user_id", "users.id", nullable=True),
    Column("at", Instant, nullable=False, comment="When it was noted"),
    Column("source", String(8), nullable=False, comment="Where it was revealed; never what was said"),
    CheckConstraint("source IN ('text', 'call', 'visit', 'other')", name="source"),
    CheckConstraint("(source = 'text') = (inbound_id IS NOT NULL)", name="text_of_inbox"),
    CheckConstraint("participant_id IS NOT NULL OR inbound_id IS NOT NULL", name="about_somebody"),
    Index("ix_revelations_study_id_id", "study_id", "id"),
    comment="Each time a participant revealed the treatment: append-only, for those who lead the study",
)

typed_reasons = Table(
    "typed_reasons",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("participant_id", "participants.id", index=True),
    Column("words", LargeBinary, nullable=False, comment="Random bytes and what was typed, encrypted"),
    comment="Reasons that people typed: rows of other tables hold a reference and a hash in their place",
)

queries = Table(
    "queries",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("participant_id", "participants.id", index=True),
    Column("visit", String(20), nullable=False, comment="The time point: a visit may have no window"),
    Column("item", String(40), comment="NULL = about the visit"),
    Column("question", Text, nullable=False, comment="Where the sealed words are: see typed_reasons"),
    Column("opened_at", Instant, nullable=False),
    _ref("opened_by", "users.id", nullable=True),
    Column("answer", Text, comment="Where the sealed words are; NULL = a new value answers it"),
    Column("answered_at", Instant),
    _ref("answered_by", "users.id", nullable=True),
    Column("closed_at", Instant),
    _ref("closed_by", "users.id", nullable=True),
    CheckConstraint("answer IS NULL OR answered_at IS NOT NULL", name="answered_at_an_instant"),
    comment="Questions about one value or one visit, asked of its site; each instant is set once",
)
_partial_index(
    "ix_queries_waiting",
    queries.c.study_id,
    queries.c.id,
    where=queries.c.closed_at.is_(None),
)

erasures = Table(
    "erasures",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("participant_id", "participants.id"),
    Column("erased_at", Instant, nullable=False),
    Column("actor", String(120), nullable=False),
    Column("key_fingerprints", Text, nullable=False, comment="JSON: place of each destroyed key -> SHA-256 of the key"),
    Column("row_ids", Text, nullable=False, comment="JSON: table -> rows that were emptied or deleted"),
    UniqueConstraint("participant_id"),
    comment="Who was erased, so that an older copy of this database is erased again; append-only",
)

erasure_requests = Table(
    "erasure_requests",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("participant_id", "participants.id"),
    Column("asked_at", Instant, nullable=False),
    _ref("asked_by", "users.id"),
    Column("reason", Text, nullable=False, comment="Where the sealed words are: see typed_reasons"),
    Column("ended_at", Instant, comment="NULL = it waits for an investigator"),
    _ref("ended_by", "users.id", nullable=True),
    Column("outcome", String(9)),
    Column("answer", Text, comment="Why it was refused: where the sealed words are"),
    CheckConstraint("outcome IN ('erased', 'refused', 'withdrawn')", name="outcome"),
    CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ended_somehow"),
    comment="Staff ask for the erasure of a participant, and an investigator decides; at most one waits for each",
)
ERASURE_WAITS = erasure_requests.c.ended_at.is_(None)
"""A request that an investigator has not decided about."""
_partial_index(
    "ix_erasure_requests_open",
    erasure_requests.c.participant_id,
    unique=True,
    where=ERASURE_WAITS,
)

provider_copies = Table(
    "provider_copies",
    metadata,
    _id(),
    _ref("study_id", "studies.id"),
    _ref("participant_id", "participants.id", index=True),
    Column("provider_id", String(64), nullable=False, unique=True),
    Column("next_try_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("ended_at", Instant),
    Column("outcome", String(8)),
    Column("error", String(40)),
    CheckConstraint("outcome IN ('deleted', 'redacted', 'unknown', 'kept')", name="outcome"),
    CheckConstraint("(ended_at IS NULL) = (outcome IS NULL)", name="ended_somehow"),
    comment="The provider's copies of texts of erased people, and what became of each",
)
_partial_index(
    "ix_provider_copies_due",
    provider_copies.c.next_try_at,
    where=provider_copies.c.ended_at.is_(None),
)

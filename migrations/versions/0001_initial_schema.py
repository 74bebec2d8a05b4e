"""The first schema: facts and deadlines, the outbox, and an audit trail that refuses every change."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
APPEND_ONLY = ("audit_trail", "audit_seals")
TABLES = (
    "audit_seals",
    "audit_trail",
    "heartbeats",
    "installation",
    "login_failures",
    "studies",
    "users",
    "logins",
    "protocol_versions",
    "sites",
    "participants",
    "roles",
    "tallies",
    "inbound",
    "windows",
    "escalations",
    "responses",
    "calls",
    "messages",
    "attempts",
    "links",
    "receipts",
)


def upgrade() -> None:  # noqa: PLR0915 -- one statement a table
    """Make every table, the source of row ids, and the triggers of the audit trail."""
    op.create_table(
        "audit_seals",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("first_id", ID, nullable=False),
        sa.Column("last_id", ID, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("sealed_at", INSTANT, nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_seals")),
        comment="Chains committed audit rows",
    )
    op.create_table(
        "audit_trail",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column(
            "utc_offset", sa.Integer(), nullable=False, comment="Minutes east of UTC in that zone at that instant"
        ),
        sa.Column("study_id", ID, nullable=True),
        sa.Column("participant_id", ID, nullable=True),
        sa.Column("actor_kind", sa.String(length=12), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("on_behalf_of", sa.String(length=120), nullable=True),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("entity", sa.String(length=30), nullable=False),
        sa.Column("entity_id", ID, nullable=True),
        sa.Column(
            "changes", sa.Text(), nullable=False, comment="JSON: field -> [old, new]; contact values only masked"
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("hmac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "actor_kind IN ('participant', 'staff', 'system', 'provider')", name=op.f("ck_audit_trail_actor_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_trail")),
        comment="Append-only; triggers refuse every other change",
    )
    op.create_index("ix_audit_trail_participant_id_id", "audit_trail", ["participant_id", "id"], unique=False)
    op.create_index("ix_audit_trail_study_id_id", "audit_trail", ["study_id", "id"], unique=False)
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "installation",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_installation")),
        comment="Facts of this installation: whether it is a test database, its wrapped index key, its id counter",
    )
    op.create_table(
        "login_failures",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("account", sa.LargeBinary(), nullable=False, comment="Keyed hash of the e-mail typed, known or not"),
        sa.Column("address", sa.LargeBinary(), nullable=False, comment="Keyed hash of the network address"),
        sa.Column("failed_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failures")),
    )
    op.create_index("ix_login_failures_account_failed_at", "login_failures", ["account", "failed_at"], unique=False)
    op.create_index("ix_login_failures_address_failed_at", "login_failures", ["address", "failed_at"], unique=False)
    op.create_table(
        "studies",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("rules_version", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
        sa.UniqueConstraint("code", name=op.f("uq_studies_code")),
    )
    op.create_table(
        "users",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password", sa.String(length=200), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.Column("totp", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=True, comment="Last time step used: each counts once"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        comment="Staff",
    )
    op.create_table(
        "logins",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False, comment="SHA-256 of the cookie"),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_logins_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logins")),
        sa.UniqueConstraint("token", name=op.f("uq_logins_token")),
        comment="Server-side sessions of staff",
    )
    op.create_index(op.f("ix_logins_user_id"), "logins", ["user_id"], unique=False)
    op.create_table(
        "protocol_versions",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("loaded_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_protocol_versions_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protocol_versions")),
        sa.UniqueConstraint("study_id", "number", name=op.f("uq_protocol_versions_study_id_number")),
        sa.UniqueConstraint("study_id", "sha256", name=op.f("uq_protocol_versions_study_id_sha256")),
        comment="One immutable bundle of protocol and wording, as canonical JSON",
    )
    op.create_table(
        "sites",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_sites_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("study_id", "code", name=op.f("uq_sites_study_id_code")),
        comment="Identity only: what a site is called and where it is stands in the protocol",
    )
    op.create_table(
        "participants",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("protocol_version_id", ID, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("procedure_date", sa.Date(), nullable=False),
        sa.Column("procedure_end", INSTANT, nullable=True),
        sa.Column("schedule", sa.Integer(), server_default="1", nullable=False),
        sa.Column("enrolled_at", INSTANT, nullable=False),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.Column("consented_at", INSTANT, nullable=True, comment="Consent to messages; NULL = calls only"),
        sa.Column("opted_out_at", INSTANT, nullable=True),
        sa.Column("paused_at", INSTANT, nullable=True),
        sa.Column("paused_until", INSTANT, nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.Column("died_at", INSTANT, nullable=True),
        sa.Column(
            "texts_held_until", INSTANT, nullable=True, comment="A stop word inside a sentence holds automatic texts"
        ),
        sa.Column("snoozed_until", INSTANT, nullable=True),
        sa.Column(
            "unreachable_at", INSTANT, nullable=True, comment="Wrong number, or refused for good by the provider"
        ),
        sa.Column(
            "first_text_at", INSTANT, nullable=True, comment="When the first text to this participant was queued"
        ),
        sa.Column(
            "data_key",
            sa.LargeBinary(),
            nullable=True,
            comment="This participant's data key, wrapped; destroyed by erasure",
        ),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("phone_country", sa.String(length=2), nullable=True),
        sa.Column("email", sa.LargeBinary(), nullable=True),
        sa.Column(
            "look_at", INSTANT, nullable=True, comment="The next instant at which time alone may call for something"
        ),
        sa.Column("rules_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("faults", sa.Integer(), server_default="0", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"],
            ["protocol_versions.id"],
            name=op.f("fk_participants_protocol_version_id_protocol_versions"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_participants_site_id_sites")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_participants_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participants")),
        sa.UniqueConstraint("study_id", "code", name=op.f("uq_participants_study_id_code")),
    )
    op.create_index("ix_participants_look_at", "participants", ["look_at"], unique=False)
    op.create_index("ix_participants_phone_index", "participants", ["phone_index"], unique=False)
    op.create_index("ix_participants_site_id_code", "participants", ["site_id", "code"], unique=False)
    op.create_table(
        "roles",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("study_id", ID, nullable=True),
        sa.Column("site_id", ID, nullable=True),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("granted_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "role IN ('coordinator', 'assessor', 'investigator', 'data-manager', 'monitor', 'administrator')",
            name=op.f("ck_roles_role"),
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_roles_site_id_sites")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_roles_study_id_studies")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_roles_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        comment="Who may do what where; a NULL site means every site of the study, a NULL study every study",
    )
    op.create_index(op.f("ix_roles_user_id"), "roles", ["user_id"], unique=False)
    op.create_table(
        "tallies",
        sa.Column("study_id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_tallies_site_id_sites")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_tallies_study_id_studies")),
        sa.UniqueConstraint(
            "study_id", "site_id", "code", "status", name=op.f("uq_tallies_study_id_site_id_code_status")
        ),
        comment="How many windows are settled how: equal to the full count at any instant",
    )
    op.create_table(
        "inbound",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=True),
        sa.Column("participant_id", ID, nullable=True),
        sa.Column("provider_id", sa.String(length=64), nullable=False),
        sa.Column("sender_index", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False, comment="All parameters as they came, encrypted"),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("provider_at", INSTANT, nullable=True, comment="The provider's time, where it was asked"),
        sa.Column("interpreted_at", INSTANT, nullable=True),
        sa.Column("reading", sa.String(length=40), nullable=True, comment="What kind of reply it was, never its text"),
        sa.Column("faults", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_inbound_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_inbound_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_inbound_provider_id")),
        comment="Texts from telephones, kept raw before anybody reads them",
    )
    op.create_index("ix_inbound_participant_id_received_at", "inbound", ["participant_id", "received_at"], unique=False)
    op.create_index("ix_inbound_sender_index_received_at", "inbound", ["sender_index", "received_at"], unique=False)
    op.create_index(
        "ix_inbound_uninterpreted",
        "inbound",
        ["received_at"],
        unique=False,
        sqlite_where=sa.text("interpreted_at IS NULL"),
        postgresql_where=sa.text("interpreted_at IS NULL"),
    )
    op.create_table(
        "windows",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("schedule", sa.Integer(), nullable=False),
        sa.Column("target", sa.Date(), nullable=False),
        sa.Column("target_at", INSTANT, nullable=True),
        sa.Column("opens_at", INSTANT, nullable=False),
        sa.Column("closes_at", INSTANT, nullable=False),
        sa.Column("late_until", INSTANT, nullable=False),
        sa.Column("clamped", sa.Boolean(), nullable=False),
        sa.Column(
            "cancelled_at",
            INSTANT,
            nullable=True,
            comment="The procedure date changed; a later schedule has taken over",
        ),
        sa.Column(
            "settled",
            sa.String(length=30),
            nullable=True,
            comment="How the window is counted since its close; moved with the tallies",
        ),
        sa.Column("missing_reason", sa.String(length=40), nullable=True),
        sa.CheckConstraint("opens_at < closes_at AND closes_at <= late_until", name=op.f("ck_windows_runs_forward")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_windows_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_windows_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_windows")),
        sa.UniqueConstraint("participant_id", "code", "schedule", name=op.f("uq_windows_participant_id_code_schedule")),
    )
    op.create_index(
        "ix_windows_unsettled",
        "windows",
        ["study_id", "closes_at", "opens_at"],
        unique=False,
        sqlite_where=sa.text("settled IS NULL AND cancelled_at IS NULL"),
        postgresql_where=sa.text("settled IS NULL AND cancelled_at IS NULL"),
    )
    op.create_table(
        "escalations",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=True),
        sa.Column("site_id", ID, nullable=True),
        sa.Column("participant_id", ID, nullable=True),
        sa.Column("window_id", ID, nullable=True),
        sa.Column("level", sa.String(length=2), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("dedup_key", sa.String(length=120), nullable=False),
        sa.Column("raised_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column(
            "save_by", INSTANT, nullable=True, comment="When the window closes: what the call list is ordered by"
        ),
        sa.Column("look_again_at", INSTANT, nullable=True, comment="Snoozed, or to be called back, until then"),
        sa.Column("acknowledged_at", INSTANT, nullable=True),
        sa.Column("acknowledged_by", ID, nullable=True),
        sa.Column("resolved_at", INSTANT, nullable=True),
        sa.Column("resolved_by", ID, nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.CheckConstraint("level IN ('E0', 'E1', 'E2', 'E3', 'E4', 'ES')", name=op.f("ck_escalations_level")),
        sa.ForeignKeyConstraint(["acknowledged_by"], ["users.id"], name=op.f("fk_escalations_acknowledged_by_users")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_escalations_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(["resolved_by"], ["users.id"], name=op.f("fk_escalations_resolved_by_users")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_escalations_site_id_sites")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_escalations_study_id_studies")),
        sa.ForeignKeyConstraint(["window_id"], ["windows.id"], name=op.f("fk_escalations_window_id_windows")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_escalations_dedup_key")),
    )
    op.create_index(
        "ix_escalations_open",
        "escalations",
        ["study_id", "save_by", "due_at"],
        unique=False,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(
        "ix_escalations_open_level",
        "escalations",
        ["study_id", "level", "due_at"],
        unique=False,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(op.f("ix_escalations_participant_id"), "escalations", ["participant_id"], unique=False)
    op.create_table(
        "responses",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("window_id", ID, nullable=True),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.Column("declined", sa.Boolean(), nullable=False),
        sa.Column(
            "cleared",
            sa.Boolean(),
            server_default=sa.text("(false)"),
            nullable=False,
            comment="Taken back; missing again",
        ),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("in_window", sa.Boolean(), nullable=False),
        sa.Column("entered_by", ID, nullable=True),
        sa.Column("inbound_id", ID, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "source IN ('sms', 'web', 'telephone', 'clinic', 'import')", name=op.f("ck_responses_source")
        ),
        sa.CheckConstraint("value IS NULL OR NOT (declined OR cleared)", name=op.f("ck_responses_one_meaning")),
        sa.ForeignKeyConstraint(["entered_by"], ["users.id"], name=op.f("fk_responses_entered_by_users")),
        sa.ForeignKeyConstraint(["inbound_id"], ["inbound.id"], name=op.f("fk_responses_inbound_id_inbound")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_responses_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_responses_study_id_studies")),
        sa.ForeignKeyConstraint(["window_id"], ["windows.id"], name=op.f("fk_responses_window_id_windows")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responses")),
        sa.UniqueConstraint("window_id", "item", "version", name=op.f("uq_responses_window_id_item_version")),
        comment="Every version of every answer; the highest version counts, none is overwritten",
    )
    op.create_index(op.f("ix_responses_participant_id"), "responses", ["participant_id"], unique=False)
    op.create_table(
        "calls",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("window_id", ID, nullable=True),
        sa.Column("escalation_id", ID, nullable=True),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("called_at", INSTANT, nullable=False),
        sa.Column("outcome", sa.String(length=30), nullable=False),
        sa.Column("call_back_at", INSTANT, nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True, comment="Free text, encrypted; may unblind"),
        sa.ForeignKeyConstraint(["escalation_id"], ["escalations.id"], name=op.f("fk_calls_escalation_id_escalations")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_calls_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_calls_study_id_studies")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_calls_user_id_users")),
        sa.ForeignKeyConstraint(["window_id"], ["windows.id"], name=op.f("fk_calls_window_id_windows")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    op.create_index(op.f("ix_calls_participant_id"), "calls", ["participant_id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=True),
        sa.Column("participant_id", ID, nullable=True),
        sa.Column("window_id", ID, nullable=True),
        sa.Column("escalation_id", ID, nullable=True),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("inbound_id", ID, nullable=True),
        sa.Column("protocol_version_id", ID, nullable=True),
        sa.Column("dedup_key", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("frame", sa.String(length=40), nullable=False, comment="Which text of templates/ was rendered"),
        sa.Column("item", sa.String(length=40), nullable=True, comment="The item this text asks for"),
        sa.Column("proposed", sa.Integer(), nullable=True, comment="The value this text asks to confirm"),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("segments", sa.Integer(), server_default="1", nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("resends", sa.Integer(), server_default="0", nullable=False),
        sa.Column("queued_at", INSTANT, nullable=False),
        sa.Column("next_try_at", INSTANT, nullable=False),
        sa.Column("today_until", INSTANT, nullable=True, comment="End of today's contact hours; NULL = at any hour"),
        sa.Column("useful_until", INSTANT, nullable=True, comment="Never sent at or after this"),
        sa.Column("lease_until", INSTANT, nullable=True),
        sa.Column("accepted_at", INSTANT, nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column(
            "told_at", INSTANT, nullable=True, comment="When a person was told that nobody knows whether it left"
        ),
        sa.Column("provider_id", sa.String(length=64), nullable=True),
        sa.Column("provider_status", sa.String(length=20), nullable=True),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.CheckConstraint(
            "state IN ('ready', 'sending', 'accepted', 'sent', 'delivered', 'undelivered', 'failed', 'refused', "
            "'uncertain', 'expired', 'cancelled', 'dead')",
            name=op.f("ck_messages_state"),
        ),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalations.id"], name=op.f("fk_messages_escalation_id_escalations")
        ),
        sa.ForeignKeyConstraint(["inbound_id"], ["inbound.id"], name=op.f("fk_messages_inbound_id_inbound")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_messages_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(
            ["protocol_version_id"],
            ["protocol_versions.id"],
            name=op.f("fk_messages_protocol_version_id_protocol_versions"),
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_messages_study_id_studies")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_messages_user_id_users")),
        sa.ForeignKeyConstraint(["window_id"], ["windows.id"], name=op.f("fk_messages_window_id_windows")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("dedup_key", name=op.f("uq_messages_dedup_key")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_messages_provider_id")),
        comment="The outbox: every text and mail is a row first",
    )
    op.create_index("ix_messages_participant_id_queued_at", "messages", ["participant_id", "queued_at"], unique=False)
    op.create_index(
        "ix_messages_ready",
        "messages",
        ["next_try_at"],
        unique=False,
        sqlite_where=sa.text("state = 'ready'"),
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_index("ix_messages_study_id_queued_at", "messages", ["study_id", "queued_at"], unique=False)
    op.create_index(
        "ix_messages_unsettled",
        "messages",
        ["state", "lease_until"],
        unique=False,
        sqlite_where=sa.text("state IN ('sending', 'uncertain')"),
        postgresql_where=sa.text("state IN ('sending', 'uncertain')"),
    )
    op.create_index(op.f("ix_messages_window_id"), "messages", ["window_id"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token in the callback URL"),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_attempts_message_id_messages")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("message_id", "number", name=op.f("uq_attempts_message_id_number")),
        sa.UniqueConstraint("token", name=op.f("uq_attempts_token")),
        comment="One call to a provider, committed before a byte leaves",
    )
    op.create_table(
        "links",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("window_id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("token", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token in the address"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_links_message_id_messages")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_links_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(["window_id"], ["windows.id"], name=op.f("fk_links_window_id_windows")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("token", name=op.f("uq_links_token")),
    )
    op.create_index(op.f("ix_links_window_id"), "links", ["window_id"], unique=False)
    op.create_table(
        "receipts",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("message_id", ID, nullable=True),
        sa.Column("provider_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("error", sa.String(length=10), nullable=True),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("contradicts", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_receipts_message_id_messages")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("provider_id", "status", name=op.f("uq_receipts_provider_id_status")),
        comment="What a provider said of a message; each status once",
    )
    op.create_index(op.f("ix_receipts_message_id"), "receipts", ["message_id"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE row_ids")
    else:
        op.execute("INSERT INTO installation (key, value) VALUES ('next_id', '1')")
    for table in APPEND_ONLY:
        _guard(table)


def _guard(table: str) -> None:
    """Refuse UPDATE, DELETE and TRUNCATE of an append-only table inside the database."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_append_only()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def downgrade() -> None:
    """Drop everything this migration made."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table in reversed(TABLES):
        op.drop_table(table)
    if postgresql:
        op.execute("DROP SEQUENCE row_ids")
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION {table}_is_append_only()")

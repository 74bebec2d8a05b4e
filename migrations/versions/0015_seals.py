"""Seals that say exactly which rows they cover, and guards that nobody walks past.

`audit_seals` was never written; it is made anew. Answers are guarded as the trail is: they are versions, and none is
ever overwritten. On SQLite `INSERT OR REPLACE` and `UPDATE OR REPLACE` delete a row without the trigger on DELETE where
a connection has not set `recursive_triggers`, so an insert over an existing row of a table to which rows are only added
is refused by a trigger of its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
SEALS = "audit_seals"
ANSWERS = (
    *("id", "study_id", "participant_id", "window_id", "item", "version", "value", "declined", "cleared", "source"),
    *("received_at", "recorded_at", "in_window", "entered_by", "inbound_id"),
)
"""All of an answer but the reason somebody typed, which may name a person."""
SAME_ROW = {
    "audit_trail": "id = NEW.id",
    "audit_seals": "number = NEW.number",
    "inbox_actions": "id = NEW.id OR (inbound_id = NEW.inbound_id AND action = NEW.action)",
    "revelations": "id = NEW.id OR inbound_id = NEW.inbound_id",
    "responses": "id = NEW.id OR (window_id = NEW.window_id AND item = NEW.item AND version = NEW.version)",
}


def upgrade() -> None:
    op.drop_table(SEALS)
    op.create_table(
        SEALS,
        sa.Column("number", ID, autoincrement=False, nullable=False),
        sa.Column("sealed_at", INSTANT, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column(
            "row_ids", sa.LargeBinary(), nullable=False, comment="Exactly which rows, and two bytes of each one's hash"
        ),
        sa.Column(
            "root", sa.LargeBinary(), nullable=False, comment="RFC 6962, over the rows in the order of their ids"
        ),
        sa.Column("settled_below", ID, nullable=False),
        sa.Column("last_id", ID, nullable=False),
        sa.Column("covers", sa.LargeBinary(), nullable=False, comment="Hash of what row_ids says"),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False, comment="Of the product that sealed"),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("hmac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_seals")),
        comment="Chains committed audit rows; append-only",
    )
    op.create_table(
        "audit_checks",
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("seal", ID, nullable=False, comment="Up to which seal; 0 = none"),
        sa.Column("rows", ID, nullable=False),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('new', 'full')", name=op.f("ck_audit_checks_kind")),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_audit_checks")),
        comment="The newest check of the trail of each kind, and how many things were not as they were written",
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION responses_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'responses is append-only'; END $$"
        )
        for name, when in (
            (f"{SEALS}_no_change", f"BEFORE UPDATE OR DELETE ON {SEALS} FOR EACH ROW"),
            (f"{SEALS}_no_truncate", f"BEFORE TRUNCATE ON {SEALS} FOR EACH STATEMENT"),
            ("responses_no_update", f"BEFORE UPDATE OF {', '.join(ANSWERS)} ON responses FOR EACH ROW"),
            ("responses_no_delete", "BEFORE DELETE ON responses FOR EACH ROW"),
            ("responses_no_truncate", "BEFORE TRUNCATE ON responses FOR EACH STATEMENT"),
        ):
            table = name.split("_no_")[0]
            op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {table}_is_append_only()")
        return
    _refuse(SEALS, "update", "UPDATE")
    _refuse(SEALS, "delete", "DELETE")
    _refuse("responses", "update", f"UPDATE OF {', '.join(ANSWERS)}")
    _refuse("responses", "delete", "DELETE")
    for table, same in SAME_ROW.items():
        _refuse(table, "replace", "INSERT", f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) ")  # noqa: S608


def _refuse(table: str, name: str, event: str, when: str = "") -> None:
    """Refuse a kind of change of a table by a trigger of SQLite."""
    op.execute(
        f"CREATE TRIGGER {table}_no_{name} BEFORE {event} ON {table} {when}"
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for name in ("update", "delete", *(("truncate",) if postgresql else ("replace",))):
        op.execute(f"DROP TRIGGER responses_no_{name}" + (" ON responses" if postgresql else ""))
    if postgresql:
        op.execute("DROP FUNCTION responses_is_append_only()")
    else:
        for table in ("audit_trail", "inbox_actions", "revelations"):
            op.execute(f"DROP TRIGGER {table}_no_replace")
    op.drop_table("audit_checks")
    op.drop_table(SEALS)
    op.create_table(
        SEALS,
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
    if postgresql:
        op.execute(
            f"CREATE TRIGGER {SEALS}_no_change BEFORE UPDATE OR DELETE ON {SEALS} "
            f"FOR EACH ROW EXECUTE FUNCTION {SEALS}_is_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {SEALS}_no_truncate BEFORE TRUNCATE ON {SEALS} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {SEALS}_is_append_only()"
        )
    else:
        _refuse(SEALS, "update", "UPDATE")
        _refuse(SEALS, "delete", "DELETE")

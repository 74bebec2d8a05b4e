"""A study can be closed, its data locked, and a day set on which contact data go.

Answers of a locked study are refused by the database itself, whatever door they come through. On PostgreSQL the
trigger takes the study's row as a foreign key does: an answer that is being saved is saved before the lock, or refused.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
TRIGGER = "responses_no_locked"


def upgrade() -> None:
    op.add_column("studies", sa.Column("closed_at", INSTANT, comment="Since when nobody is asked any more"))
    op.add_column("studies", sa.Column("locked_at", INSTANT, comment="Since when no answer may be added or changed"))
    op.add_column("studies", sa.Column("erase_after", sa.Date(), comment="After this day contact data are erased"))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION responses_no_locked() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ DECLARE since timestamptz; BEGIN "
            # Asked of the row once it is taken: a condition here would be tried first, and take no row while unlocked.
            "SELECT locked_at INTO since FROM studies WHERE id = NEW.study_id FOR KEY SHARE; "
            "IF since IS NOT NULL THEN RAISE EXCEPTION 'the study is locked'; END IF; RETURN NEW; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {TRIGGER} BEFORE INSERT ON responses FOR EACH ROW EXECUTE FUNCTION responses_no_locked()"
        )
        return
    locked = "SELECT 1 FROM studies WHERE id = NEW.study_id AND locked_at IS NOT NULL"
    op.execute(
        f"CREATE TRIGGER {TRIGGER} BEFORE INSERT ON responses WHEN EXISTS ({locked}) "
        "BEGIN SELECT RAISE(ABORT, 'the study is locked'); END"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP TRIGGER {TRIGGER} ON responses")
        op.execute("DROP FUNCTION responses_no_locked()")
    else:
        op.execute(f"DROP TRIGGER {TRIGGER}")
    for column in ("erase_after", "locked_at", "closed_at"):
        op.drop_column("studies", column)

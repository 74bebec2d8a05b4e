"""Why windows were laid out anew, the numbers a participant had, and windows that keep an earlier version."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
VERSION = "fk_windows_protocol_version_id_protocol_versions"


def upgrade() -> None:
    op.create_table(
        "schedule_changes",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column(
            "schedule", sa.Integer(), nullable=False, comment="The number of the schedule this made, or left in force"
        ),
        sa.Column("cause", sa.String(length=12), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("old_procedure_date", sa.Date(), nullable=False),
        sa.Column("procedure_date", sa.Date(), nullable=False),
        sa.Column("old_procedure_end", INSTANT, nullable=True),
        sa.Column("procedure_end", INSTANT, nullable=True),
        sa.Column("old_zone", sa.String(length=64), nullable=False),
        sa.Column(
            "zone", sa.String(length=64), nullable=False, comment="Of the site: days are counted on its calendar"
        ),
        sa.Column("old_version_id", ID, nullable=False),
        sa.Column("version_id", ID, nullable=False),
        sa.CheckConstraint(
            "cause IN ('confirm', 'reschedule', 'move', 'migrate')", name=op.f("ck_schedule_changes_cause")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_schedule_changes_study_id_studies")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_schedule_changes_participant_id_participants")
        ),
        sa.ForeignKeyConstraint(
            ["old_version_id"],
            ["protocol_versions.id"],
            name=op.f("fk_schedule_changes_old_version_id_protocol_versions"),
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["protocol_versions.id"], name=op.f("fk_schedule_changes_version_id_protocol_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_changes")),
        comment="Each time windows were laid out anew: from what to what, by whom and why",
    )
    op.create_index(op.f("ix_schedule_changes_participant_id"), "schedule_changes", ["participant_id"], unique=False)
    op.create_table(
        "former_telephones",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("study_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column(
            "phone", sa.LargeBinary(), nullable=False, comment="Sealed with the participant's key: erasure reaches it"
        ),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone_country", sa.String(length=2), nullable=True),
        sa.Column("replaced_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_former_telephones_study_id_studies")),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.id"], name=op.f("fk_former_telephones_participant_id_participants")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_telephones")),
        comment="Numbers a participant had: texts of unknown fate are asked about under the number they went to",
    )
    op.create_index(op.f("ix_former_telephones_participant_id"), "former_telephones", ["participant_id"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        # In one statement: SQLite adds no constraint later, and a copy of the table would break what refers to it.
        op.execute(
            f"ALTER TABLE windows ADD COLUMN protocol_version_id INTEGER CONSTRAINT {VERSION} "
            "REFERENCES protocol_versions (id)"
        )
    else:
        op.add_column("windows", sa.Column("protocol_version_id", ID, nullable=True))
        op.create_foreign_key(VERSION, "windows", "protocol_versions", ["protocol_version_id"], ["id"])


def downgrade() -> None:
    op.drop_column("windows", "protocol_version_id")
    op.drop_table("former_telephones")
    op.drop_table("schedule_changes")

"""Closed windows by channel and month, and complete cases, counted as they happen."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WHOLE = """
    INSERT INTO closings (study_id, site_id, code, channel, month, status, count)
    SELECT study_id, site_id, '*', '', '', status, count(*) FROM (
        SELECT p.study_id, p.site_id,
               CASE WHEN sum(CASE WHEN w.settled LIKE 'completed%' THEN 1 ELSE 0 END) = :wanted
                    THEN 'complete' ELSE 'incomplete' END AS status
        FROM participants p JOIN windows w ON w.participant_id = p.id
        WHERE p.protocol_version_id = :version AND w.cancelled_at IS NULL AND w.code IN :codes
        GROUP BY p.id, p.study_id, p.site_id
        HAVING count(*) = :wanted AND sum(CASE
            WHEN w.settled IS NULL OR w.settled IN ('missed_before_enrolment', 'withdrawn', 'died', 'cancelled')
            THEN 1 ELSE 0 END) = 0
    ) AS cases WHERE true GROUP BY study_id, site_id, status
    ON CONFLICT (study_id, site_id, code, channel, month, status) DO UPDATE SET count = closings.count + excluded.count
"""


def upgrade() -> None:
    op.create_table(
        "closings",
        sa.Column("study_id", ID, nullable=False),
        sa.Column("site_id", ID, nullable=False),
        sa.Column(
            "code",
            sa.String(length=20),
            nullable=False,
            comment="A time point; * = all that decide, of one participant",
        ),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column(
            "month", sa.String(length=7), nullable=False, comment="Of the target, on the site's calendar: 2026-03"
        ),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_closings_site_id_sites")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_closings_study_id_studies")),
        sa.UniqueConstraint(
            "study_id",
            "site_id",
            "code",
            "channel",
            "month",
            "status",
            name=op.f("uq_closings_study_id_site_id_code_channel_month_status"),
        ),
        comment="What tallies count, told apart by channel and month, and complete cases: moved by the same facts",
    )
    op.add_column(
        "windows",
        sa.Column(
            "counted_channel",
            sa.String(length=20),
            nullable=True,
            comment="How its participant was asked when it was first counted",
        ),
    )
    _count()


def _count() -> None:
    """Count what has closed so far; how somebody was asked then is not known, so it is how they are asked now."""
    connection = op.get_bind()
    op.execute(
        "UPDATE windows SET counted_channel = (SELECT CASE WHEN p.consented_at IS NULL OR p.phone IS NULL THEN 'calls' "
        "ELSE p.channel END FROM participants p WHERE p.id = windows.participant_id) WHERE settled IS NOT NULL"
    )
    month = "substr(CAST(w.target AS text), 1, 7)"
    op.execute(
        "INSERT INTO closings (study_id, site_id, code, channel, month, status, count) "  # noqa: S608 -- nothing given
        f"SELECT w.study_id, p.site_id, w.code, w.counted_channel, {month}, w.settled, count(*) "
        "FROM windows w JOIN participants p ON p.id = w.participant_id WHERE w.settled IS NOT NULL "
        f"GROUP BY w.study_id, p.site_id, w.code, w.counted_channel, {month}, w.settled"
    )
    whole = sa.text(WHOLE).bindparams(sa.bindparam("codes", expanding=True))
    for version, text in connection.execute(sa.text("SELECT id, protocol FROM protocol_versions")).all():
        protocol = json.loads(text)
        deciding = {name for name, item in protocol["items"].items() if item["primary"]}
        codes = [point["code"] for point in protocol["time_points"] if deciding & set(point["items"])]
        if codes:
            connection.execute(whole, {"version": version, "codes": codes, "wanted": len(codes)})


def downgrade() -> None:
    op.drop_column("windows", "counted_channel")
    op.drop_table("closings")

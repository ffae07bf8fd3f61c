"""Background jobs: items, cursor and batch of a job; uniqueness, batches, schedules."""

import sqlalchemy as sa
from alembic import op

from store.models import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("processed_items", "total_items", "failed_items"):
        op.add_column("jobs", sa.Column(name, sa.Integer))
    op.add_column("jobs", sa.Column("cursor", sa.Text))
    op.add_column("jobs", sa.Column("batch_id", sa.String(64)))
    op.add_column("jobs", sa.Column("result_until", UtcDateTime))
    op.create_index("ix_jobs_batch", "jobs", ["batch_id"])
    op.create_table(
        "uniques",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("job_id", sa.String(64), nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("total", sa.Integer, nullable=False, server_default="0"),
        sa.Column("pending", sa.Integer, nullable=False, server_default="0"),
        sa.Column("sealed", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("callback", sa.Text),
        sa.Column("callback_job", sa.String(64)),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("finished_at", UtcDateTime),
    )
    op.create_index("ix_batches_created", "batches", ["created_at"])
    op.create_table(
        "schedules",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("kind", sa.String(100), nullable=False),
        sa.Column("queue", sa.String(64), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("cron", sa.String(100), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("missed", sa.String(8), nullable=False),
        sa.Column("declared", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("next_at", UtcDateTime, nullable=False),
        sa.Column("last_at", UtcDateTime),
        sa.Column("last_job", sa.String(64)),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_schedules_next", "schedules", ["paused", "next_at"])

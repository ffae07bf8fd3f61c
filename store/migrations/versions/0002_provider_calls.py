"""Paid calls: what was asked of whom, in two phases, and what it cost."""

import sqlalchemy as sa
from alembic import op

from store.models import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_calls",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("job_id", sa.String(64), nullable=False),
        sa.Column("tenant", sa.String(64), nullable=False),
        sa.Column("stage", sa.String(40), nullable=False),
        sa.Column("provider", sa.String(100), nullable=False),
        sa.Column("scope", sa.String(64), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("remote_id", sa.String(200)),
        sa.Column("estimate_microusd", sa.BigInteger, nullable=False),
        sa.Column("cost_microusd", sa.BigInteger),
        sa.Column("usage", sa.Text, nullable=False),
        sa.Column("answer", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("begun_at", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime),
    )
    op.create_index(
        "ix_provider_calls_request",
        "provider_calls",
        ["tenant", "scope", "provider", "request_hash"],
    )
    op.create_index("ix_provider_calls_begun", "provider_calls", ["begun_at"])
    op.create_index("ix_provider_calls_job", "provider_calls", ["job_id"])

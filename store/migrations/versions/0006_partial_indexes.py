"""Indexes of jobs that list only the rows that are asked for by them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, column, where in (
        ("ix_jobs_unpushed", "state", "pushed IS false"),
        ("ix_jobs_finished", "finished_at", "finished_at IS NOT NULL"),
        ("ix_jobs_batch", "batch_id", "batch_id IS NOT NULL"),
    ):
        op.drop_index(name, "jobs")
        op.create_index(
            name,
            "jobs",
            [column],
            postgresql_where=sa.text(where),
            sqlite_where=sa.text(where.replace("false", "0")),
        )

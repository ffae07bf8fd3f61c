"""What each write of a row pays for: ids leave the lists by time, and jobs without a key the keys.

Rows of one moment are few, and are sorted when they are read.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_jobs_created", "jobs")
    op.drop_index("ix_jobs_tenant_created", "jobs")
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_constraint("uq_jobs_idempotency", type_="unique")
    op.create_index("ix_jobs_created", "jobs", ["created_at"])
    op.create_index("ix_jobs_tenant_created", "jobs", ["tenant", "created_at"])
    there = sa.text("idempotency_key IS NOT NULL")
    op.create_index(
        "uq_jobs_idempotency",
        "jobs",
        ["tenant", "idempotency_key"],
        unique=True,
        postgresql_where=there,
        sqlite_where=there,
    )

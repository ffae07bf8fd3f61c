"""Alembic's entry: migrates over the connection that store.migrate hands in."""

from __future__ import annotations

from alembic import context

from store.models import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

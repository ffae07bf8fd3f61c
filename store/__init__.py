"""The record: SQLAlchemy models, repositories and migrations, on SQLite and PostgreSQL."""

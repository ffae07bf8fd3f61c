"""The HTTP API and the dashboard: `python -m api`."""

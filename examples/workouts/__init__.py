"""A workout application's worker: hourly refresh, daily warm-up, weekly clean-up, health."""

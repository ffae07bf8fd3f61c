"""A job with a result."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from errors import InvalidInput
from examples.priorities.logger import Logger
from examples.priorities.worker import Worker

FORMATS = ("json", "csv")


class DataProcessingWorker(Worker):
    """Takes a user's data in hand, in the format that its options name."""

    queue = "default"
    max_retries = 3

    @classmethod
    def perform(cls, user_id: int, processing_options: dict[str, Any]) -> dict[str, Any]:
        """What was done, when, and how. Raises InvalidInput, which is not tried again."""
        Logger.info(message=f"Starting data processing for user {user_id}")
        wanted = processing_options.get("format", FORMATS[0])
        if wanted not in FORMATS:
            Logger.error(message=f"Data processing failed for user {user_id}: format {wanted!r}")
            raise InvalidInput("processing_options.format", f"must be one of {', '.join(FORMATS)}")
        processed = {
            "user_id": user_id,
            "status": "completed",
            "processed_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "options": processing_options,
        }
        Logger.info(message=f"Data processing completed for user {user_id}")
        return processed

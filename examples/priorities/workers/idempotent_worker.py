"""A job that may run twice and acts once."""

from __future__ import annotations

from background.services import services
from examples.priorities.logger import Logger
from examples.priorities.records import create_tables, is_already_processed, mark_as_processed
from examples.priorities.worker import Worker


class IdempotentWorker(Worker):
    """Processes a record in the transaction that marks it: both are kept, or neither.

    Safe under retries, crashes at any point, and two jobs for one record at once.
    """

    queue = "critical"
    retry_backoff_max = 60

    @classmethod
    def perform(cls, record_id: int) -> bool:
        """True: processed now; False: it was before."""
        engine = services().database.engine
        create_tables(engine)
        with engine.begin() as connection:
            if is_already_processed(connection, record_id):
                Logger.info(message=f"Record {record_id} already processed, skipping")
                return False
            # What is to be done to the record goes here, on the same connection.
            mark_as_processed(connection, record_id)
        Logger.info(message=f"Record {record_id} processed")
        return True

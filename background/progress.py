"""How a running background job is heard of: messages, and the row."""

from __future__ import annotations

import time
from typing import Any

from errors import QueueUnavailable
from jobs.work import PERFORM, encode_json
from redis_queue.messages import progress_message
from runtime.interrupts import Interrupts
from runtime.lease import Lease
from runtime.patience import Patience
from store.items import Items, ItemStore
from store.records import JobRecord

#: Least time between two messages, and between two writes of the row that no checkpoint asks for.
_MESSAGE_GAP_S = 0.1
_ROW_GAP_S = 1.0


class JobTelling:
    """Implements background.context.Telling for one held job."""

    def __init__(
        self,
        record: JobRecord,
        lease: Lease,
        interrupts: Interrupts,
        store: ItemStore,
        patience: Patience,
        worker_id: str,
    ) -> None:
        self._record = record
        self._lease = lease
        self._interrupts = interrupts
        self._store = store
        self._patience = patience
        self._worker_id = worker_id
        self._message_at = self._row_at = -_ROW_GAP_S

    def told(self, items: Items, note: str) -> None:
        """See Telling."""
        self._interrupts.alive()
        now = time.monotonic()
        at_end = items.total is not None and items.processed >= items.total
        if now - self._message_at < _MESSAGE_GAP_S and not at_end:
            return
        self._message_at = now
        self._publish(items, note)
        if now - self._row_at >= _ROW_GAP_S or at_end:
            self._row_at = now
            self._write(items, None)

    def checkpoint(self, items: Items, cursor: Any) -> None:
        """See Telling."""
        text = encode_json(cursor, "cursor")
        self._interrupts.alive()
        self._row_at = self._message_at = time.monotonic()
        self._write(items, text)
        self._publish(items, "")

    def check(self) -> None:
        """See Telling."""
        self._interrupts.alive()
        self._interrupts.check()

    def sleep(self, seconds: float) -> None:
        """See Telling."""
        self._interrupts.sleep(seconds)

    def _write(self, items: Items, cursor: str | None) -> None:
        # An interruption in the middle would leave the connection torn.
        with self._interrupts.held():
            self._patience(
                lambda: self._store.record(
                    self._record.id, fence=self._lease.claim.fence, items=items, cursor=cursor
                ),
                self._lease,
            )

    def _publish(self, items: Items, note: str) -> None:
        message = progress_message(
            self._record.id,
            PERFORM,
            items.percent,
            self._worker_id,
            note=note,
            processed_items=items.processed,
            total_items=items.total,
            failed_items=items.failed,
            ts=time.time(),
        )
        try:
            with self._interrupts.held():
                self._lease.holder.progress(PERFORM, items.percent, message)
        except QueueUnavailable:
            return  # the work goes on; the next message says where it is

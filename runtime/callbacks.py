"""Delivers the callbacks of ended jobs: signed as Standard Webhooks has it, at least once.

Headers `webhook-id`, `webhook-timestamp` and `webhook-signature`
(https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md); the id stays
the same however often a callback is sent, so receivers can tell repeats.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from database import Database
from events import Event
from jobs.states import JobState
from pipeline.public_http import Forbidden, PublicHttp, Unreachable
from pipeline.storage import ObjectStorage
from store.deliveries import REMINDER, Delivery

#: A receiver answers within this; a callback whose worker died is sent again after its turn.
_TIMEOUT_S = 15.0
_TURN_S = 60.0
_AT_ONCE = 10
#: The wait grows fourfold with each try up to the cap: twelve tries take about two days.
_GROWTH = 4
_MAX_WAIT_S = 6 * 3600.0
_MAX_TRIES = 12
#: What a receiver answers is not read further than this.
_MAX_ANSWER_BYTES = 65_536
#: S3 signs no link for longer than a week.
_LINK_S = 7 * 86_400

log = structlog.get_logger()


@dataclass(frozen=True)
class Callbacks:
    """`secret` is `whsec_` and base64. One round sends what is due."""

    database: Database
    storage: ObjectStorage
    http: PublicHttp
    secret: str
    retry_base_s: float

    def round(self) -> int:
        """Send what is due; returns how many were tried. Raises StoreUnavailable."""
        taken = self.database.deliveries.take_due(turn_s=_TURN_S, limit=_AT_ONCE)
        for delivery in taken:
            self._deliver(delivery)
        return len(taken)

    def _deliver(self, delivery: Delivery) -> None:
        problem, final = self._sent(delivery)
        deliveries = self.database.deliveries
        if problem is None:
            deliveries.delivered(delivery)
            log.info(
                Event.CALLBACK_DELIVERED,
                job_id=delivery.job_id,
                callback_id=delivery.id,
                attempts=delivery.attempts,
            )
            return
        final = final or delivery.attempts >= _MAX_TRIES
        if final:
            deliveries.give_up(delivery, problem)
        else:
            wait_s = min(_MAX_WAIT_S, self.retry_base_s * _GROWTH ** (delivery.attempts - 1))
            deliveries.retry(delivery, problem, delay_s=wait_s * random.uniform(0.9, 1.1))
        log.warning(
            Event.CALLBACK_FAILED,
            job_id=delivery.job_id,
            callback_id=delivery.id,
            attempts=delivery.attempts,
            reason=problem,
            given_up=final,
        )

    def _sent(self, delivery: Delivery) -> tuple[str | None, bool]:
        """(what went wrong, whether another try is pointless)."""
        from standardwebhooks import Webhook

        text = json.dumps(self._message(delivery), ensure_ascii=False, default=str)
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": delivery.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(delivery.id, now, text),
        }
        try:
            answer = self.http.post(
                delivery.url,
                text.encode(),
                headers,
                timeout_s=_TIMEOUT_S,
                max_bytes=_MAX_ANSWER_BYTES,
            )
        except Forbidden as error:
            return f"its URL {error}", True
        except Unreachable as error:
            return f"its host {error}", False
        if 200 <= answer.status < 300:
            return None, False
        # 410 is how a receiver says that it wants no more of these.
        return f"it answered with status {answer.status}", answer.status == 410

    def _message(self, delivery: Delivery) -> dict[str, Any]:
        record = self.database.jobs.get(delivery.job_id)
        data: dict[str, Any] = {"job_id": delivery.job_id, "status": delivery.outcome}
        # A replay may have begun since: then the row tells of something else.
        is_reminder = delivery.outcome == REMINDER
        told = JobState.FAILED if is_reminder else delivery.outcome
        data["status"] = told
        if record is not None and record.state == told:
            data |= {"error": record.error, "result": self._linked(record.result)}
            data |= {"tenant": record.tenant, "finished_at": record.finished_at}
        return {
            "type": f"job.{delivery.outcome}",
            "timestamp": delivery.created_at.isoformat(),
            "data": data,
        }

    def _linked(self, result: dict[str, Any] | None) -> dict[str, Any] | None:
        """The result with a link to each file, where storage can sign one."""
        if not result or not result.get("artifacts"):
            return result
        files = {
            name: {**fields, "url": self.storage.signed_url(fields["key"], expires_s=_LINK_S)}
            for name, fields in result["artifacts"].items()
        }
        return {**result, "artifacts": files}

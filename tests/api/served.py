"""The API on a port of its own, and jobs that a test moves by hand."""

from __future__ import annotations

import socket
import threading

import uvicorn

from api.app import create_app
from api.shop import Shop, open_shop
from config import Settings
from redis_queue import epoch, waiting
from redis_queue.claim import Claim, Claims
from redis_queue.hold import Holder
from redis_queue.messages import progress_message
from redis_queue.waiting import Waiting
from store.records import NewJob
from tests.processes.conftest import wait_until


class Served:
    """The API on a port of its own, as browsers meet it."""

    def __init__(self, settings: Settings) -> None:
        self.shop: Shop = open_shop(settings)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            create_app(settings, self.shop), log_level="error", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def __enter__(self) -> Served:
        self._thread.start()
        wait_until(lambda: self._server.started)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    def held(self, job_id: str, tenant: str = "default") -> Holder:
        """A job that is held, so that progress of it can be told."""
        self.shop.database.jobs.accept(NewJob(job_id, "{}", tenant=tenant))
        waiting.enqueue(self.shop.client, Waiting(job_id, "{}", tenant=tenant), recorded=True)
        known = epoch.look(self.shop.client)
        claims = Claims(self.shop.client, worker="w", instance="i", queues=["video"], lease_s=60)
        found = claims.next(known)
        assert isinstance(found, Claim)
        return Holder(self.shop.client, found, lease_s=60, final_ttl_s=60)


def tell(holder: Holder, percent: int, stage: str = "script_gen") -> None:
    message = progress_message(holder.claim.job_id, stage, percent, "w")
    assert holder.progress(stage, percent, message)


def end(holder: Holder) -> None:
    message = progress_message(holder.claim.job_id, None, 100, "w", status="completed")
    holder.settle("completed", error="", percent=100, message=message, then=None, epoch="")

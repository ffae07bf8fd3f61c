"""A receiver of callbacks."""

from __future__ import annotations

import base64
from typing import Any

from standardwebhooks import Webhook

from tests.stubs.server import Reply, Request, Stub

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


class Receiver(Stub):
    """Checks each signature with the standard's own library, and keeps the messages."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.route("POST", "/hook", "create", self._take)

    def _take(self, request: Request) -> Reply:
        self.messages.append(Webhook(SECRET).verify(request.raw, dict(request.headers)))
        self.ids.append(request.headers["webhook-id"])
        return Reply({})

"""A worker's health and metrics over HTTP, where WORKER_HEALTH_PORT is set.

    GET /health        200 or 503, and what was found (HealthCheck.report)
    GET /health/live   200 while the main loop moves: a process that is stuck is to be replaced
    GET /health/ready  200 while it takes jobs: not while it starts, stops or was told to be quiet
    GET /metrics       Prometheus's text format

Threads of its own, that end with the process. However many ask at once, one at a time asks
Redis and the database, so that the worker is never short of a connection because of it.
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

import structlog
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from config import variable_of
from errors import ConfigError
from events import Event

#: A finding is told again for so long, to whoever asks meanwhile.
_FRESH_S = 1.0
#: Longest wait for a client to send its request.
_REQUEST_TIMEOUT_S = 5.0

log = structlog.get_logger()


class Told(Protocol):
    """Whose health it is."""

    def report(self) -> dict[str, Any]: ...

    def is_live(self) -> bool: ...

    def takes_jobs(self) -> bool: ...


class HealthServer:
    """Listens from its making on. Raises ConfigError if the port cannot be had."""

    def __init__(self, host: str, port: int, health: Told, metrics: Callable[[], bytes]) -> None:
        self._health = health
        self._metrics = metrics
        self._guard = threading.Lock()
        self._found: dict[str, Any] = {}
        self._found_at = -_FRESH_S
        try:
            self._server = _Server((host, port), self)
        except (OSError, OverflowError) as error:
            told = getattr(error, "strerror", None) or str(error)
            raise ConfigError(
                [f"{variable_of('health_port')}: cannot serve on {host}:{port}: {told.lower()}"]
            ) from None
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="health-server", daemon=True
        )
        self._thread.start()
        log.info(Event.HEALTH_SERVER_STARTED, host=host, port=self.port)

    def close(self) -> None:
        """Stop listening, at once."""
        # Wakes the loop, which would otherwise look for the request to end twice a second.
        self._server.socket.shutdown(socket.SHUT_RDWR)
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, content type and body for a path."""
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, self._metrics()
        if path == "/health/live":
            return _json(self._health.is_live(), {"status": "live"}, {"status": "stuck"})
        if path == "/health/ready":
            ready = self._health.takes_jobs() and self._report()["status"] == "healthy"
            return _json(ready, {"status": "ready"}, {"status": "not ready"})
        if path == "/health":
            report = self._report()
            return _json(report["status"] == "healthy", report, report)
        return 404, "application/json", b'{"status": "not found"}\n'

    def _report(self) -> dict[str, Any]:
        with self._guard:
            if time.monotonic() - self._found_at >= _FRESH_S:
                self._found = self._health.report()
                self._found_at = time.monotonic()
            return self._found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], owner: HealthServer) -> None:
        self.owner = owner
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # Not HTTPServer's, which asks the DNS for this host's name.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no error of ours; anything else is."""
        log.exception(Event.HEALTH_REQUEST_FAILED)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _REQUEST_TIMEOUT_S

    def do_GET(self) -> None:
        try:
            self._send(*self.server.owner.answer(self.path.partition("?")[0]))
        except ConnectionError:
            self.close_connection = True

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing: a scrape every few seconds is not news."""

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _json(good: bool, yes: dict[str, Any], no: dict[str, Any]) -> tuple[int, str, bytes]:
    body = json.dumps(yes if good else no, ensure_ascii=False).encode() + b"\n"
    return 200 if good else 503, "application/json", body

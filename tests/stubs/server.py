"""What all stubs share: a threaded server on loopback, its routes, and the faults it is told.

A fault is planned for an operation ("create", "get", "download", ...) and is used up by one
request. What matters for money is whether the work was accepted before the fault: `cut_before`
charges nothing; `latency`, `cut_after`, `malformed`, `truncated` and `drip` have charged.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

FaultKind = Literal[
    "latency", "status", "cut_before", "cut_after", "malformed", "truncated", "drip"
]
#: Pieces in which a dripping answer is sent.
_DRIPS = 40


@dataclass(frozen=True)
class Fault:
    """`delay_s` is the latency, or the pause between two drips; `body` None is the vendor's own."""

    kind: FaultKind
    status: int = 0
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


@dataclass(frozen=True)
class Request:
    """A request as it came, its body already read."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    match: tuple[str, ...] = ()

    def json(self) -> Any:
        if not self.headers.get("content-type", "").startswith("application/json"):
            raise Refused(415, "the content type is not application/json")
        try:
            return json.loads(self.raw)
        except ValueError:
            raise Refused(400, "the body is not JSON") from None


@dataclass(frozen=True)
class Reply:
    """An answer; a `body` of bytes is sent as it is, anything else as JSON."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """The request is wrong; the stub words it as its vendor would."""

    def __init__(self, status: int, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


Handler = Callable[[Request], Reply]


class Stub:
    """One vendor. Subclasses add routes, and word errors in `error_body`."""

    #: What a test sends as its key; grepped for in everything that must not hold it.
    KEY = "sk-test-planted-5f2c"

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.requests: list[Request] = []
        #: Paid creations accepted: what was asked, and what it cost.
        self.charges: list[tuple[Request, int]] = []
        self.in_flight = self.most_in_flight = 0
        #: Requests at once beyond which the vendor answers 429; 0: no limit.
        self.concurrency_limit = 0
        #: How long a creation takes, once it is accepted and charged.
        self.latency_s = 0.0
        #: A status that every request is answered with; 0: the vendor is up.
        self.down_with = 0
        #: When (`time.monotonic`) a request was answered with 429 for the limit's sake.
        self.busy_at: list[float] = []
        self._routes: list[tuple[str, re.Pattern[str], str, Handler]] = []
        self._faults: dict[str, deque[Fault]] = {}
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def created(self) -> int:
        """Paid creations so far."""
        return len(self.charges)

    @property
    def spent_microusd(self) -> int:
        """What they cost together."""
        return sum(self.charges_for())

    def charges_for(self, fragment: str = "") -> list[int]:
        """What each paid creation cost whose request holds `fragment`, in micro-dollars."""
        with self.lock:
            return [cost for request, cost in self.charges if fragment.encode() in request.raw]

    @property
    def settings(self) -> dict[str, str]:
        """The environment that makes a worker use this stub."""
        raise NotImplementedError

    def route(self, method: str, pattern: str, operation: str, handler: Handler) -> None:
        self._routes.append((method, re.compile(pattern), operation, handler))

    def plan(self, operation: str, *faults: Fault) -> None:
        """The next requests of an operation meet these faults, in order."""
        with self.lock:
            self._faults.setdefault(operation, deque()).extend(faults)

    def seen(self, method: str, fragment: str = "") -> list[Request]:
        """The requests so far of a method whose path holds `fragment`."""
        with self.lock:
            return [r for r in self.requests if r.method == method and fragment in r.path]

    def charge(self, request: Request, microusd: int) -> None:
        with self.lock:
            self.charges.append((request, microusd))

    def error_body(self, status: int, message: str, kind: str) -> Any:
        return {"detail": message}

    def authorise(self, request: Request) -> None:
        """Raise Refused for a request without the right headers."""

    def pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    def answer(self, request: Request) -> tuple[Reply | None, Fault | None]:
        """The reply (None: the connection is cut) and the fault that shapes how it is sent."""
        with self.lock:
            self.requests.append(request)
        for method, pattern, operation, handler in self._routes:
            found = pattern.fullmatch(request.path)
            if found and method == request.method:
                with self._flight(operation) as too_many:
                    return self._handled(request, found.groups(), operation, handler, too_many)
        return Reply(self.error_body(404, "no such route", ""), 404), None

    @contextmanager
    def _flight(self, operation: str) -> Iterator[bool]:
        with self.lock:
            self.in_flight += operation == "create"
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            too_many = bool(self.concurrency_limit) and self.in_flight > self.concurrency_limit
        try:
            yield too_many and operation == "create"
        finally:
            with self.lock:
                self.in_flight -= operation == "create"

    def _handled(
        self,
        request: Request,
        groups: tuple[str, ...],
        operation: str,
        handler: Handler,
        too_many: bool,
    ) -> tuple[Reply | None, Fault | None]:
        with self.lock:
            planned = self._faults.get(operation)
            fault = planned.popleft() if planned else None
        if fault is None and self.down_with:
            fault = Fault("status", self.down_with)
        if fault is None and too_many:
            with self.lock:
                self.busy_at.append(time.monotonic())
            fault = Fault("status", 429)
        if fault and fault.kind == "cut_before":
            return None, fault
        if fault and fault.kind == "status":
            body = fault.body
            if body is None:
                body = self.error_body(fault.status, "a planned fault", "")
            return Reply(body, fault.status, fault.headers), None
        try:
            self.authorise(request)
            asked = Request(
                request.method, request.path, request.query, request.headers, request.raw, groups
            )
            reply = handler(asked)
        except Refused as error:
            return Reply(self.error_body(error.status, str(error), error.kind), error.status), None
        if operation == "create":
            self.pause(self.latency_s)
        if fault and fault.kind == "latency":  # accepted and charged; the answer is slow
            self.pause(fault.delay_s)
        if fault and fault.kind == "cut_after":
            return None, fault
        return reply, fault


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is what some tests are about."""


def _handler_of(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            url = urlsplit(self.path)
            request = Request(
                self.command,
                url.path,
                {name: values[-1] for name, values in parse_qs(url.query).items()},
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
            )
            reply, fault = stub.answer(request)
            self.close_connection = True
            if reply is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._send(reply, fault)

        def _send(self, reply: Reply, fault: Fault | None) -> None:
            raw = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            kind = "video/mp4" if isinstance(reply.body, bytes) else "application/json"
            if fault and fault.kind == "malformed":
                raw = b'{"half": [' if kind == "application/json" else b"<html>not a video</html>"
            self.send_response(reply.status)
            headers = {"content-type": kind, "connection": "close", **reply.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            if fault and fault.kind == "truncated":
                raw = raw[: len(raw) // 2]
            if fault and fault.kind == "drip":
                step = max(1, len(raw) // _DRIPS)
                for at in range(0, len(raw), step):
                    self.wfile.write(raw[at : at + step])
                    self.wfile.flush()
                    stub.pause(fault.delay_s)
                return
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = do_DELETE = _serve

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler

"""The two services that the application has as neighbours, small but real: HTTP, state, faults.

    workout API   GET /health, GET /exercises, POST /exercises/{id}/refresh
    AI coach      GET /health, POST /recommendations

`python -m examples.workouts.neighbours api` (or `coach`) runs one by itself, as compose.yaml does.
`POST /faults {"down": true}` or `{"fail_next": 3}` makes either fail, to see what the worker does.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_NAMES = ("Bench press", "Squat", "Deadlift", "Pull-up", "Row", "Overhead press", "Lunge", "Plank")
_REFRESH = re.compile(r"/exercises/([\w-]+)/refresh")

#: What a request is answered with: a status and a body.
Answer = tuple[int, Any]


class Neighbour:
    """One service, from `with` on; on loopback unless told. Port 0 is any free one."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self.lock = threading.Lock()
        #: Every request but health and faults is answered with 503, and /health too if `down`.
        self.down = False
        self.fail_next = 0
        #: How long an answer takes, in s.
        self.latency_s = 0.0
        #: Work that was done: one entry for each request that changed something.
        self.done: list[str] = []
        #: Requests for work that came, those that failed among them.
        self.asked: list[str] = []
        self._at_once = self.most_at_once = 0
        self._server = _Server((host, port), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The port that it has got."""
        return int(self._server.server_address[1])

    def serve(self) -> None:
        """Answer in this thread, until it is interrupted."""
        self._server.serve_forever()

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, body: Any) -> Answer:
        """Faults first, then the service's own answer."""
        if (method, path) == ("POST", "/faults"):
            with self.lock:
                self.down = bool(body.get("down", self.down))
                self.fail_next = int(body.get("fail_next", self.fail_next))
            return 200, {"down": self.down, "fail_next": self.fail_next}
        if path == "/health":
            return (503, {"status": "down"}) if self.down else (200, {"status": "healthy"})
        with self._counted(f"{method} {path}") as fails:
            if self.latency_s:
                time.sleep(self.latency_s)
            if fails:
                return 503, {"detail": "a planned fault"}
            return self.handle(method, path, body)

    def handle(self, method: str, path: str, body: Any) -> Answer:
        """The service's own answer."""
        raise NotImplementedError

    @contextmanager
    def _counted(self, request: str) -> Iterator[bool]:
        """Gives whether this request is to fail."""
        with self.lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            fails = self.down
            if request.startswith("POST"):
                self.asked.append(request)
                if self.fail_next > 0:
                    self.fail_next, fails = self.fail_next - 1, True
        try:
            yield fails
        finally:
            with self.lock:
                self._at_once -= 1


class WorkoutService(Neighbour):
    """Exercises, and when each was refreshed last."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1", *, count: int = 24) -> None:
        super().__init__(port, host)
        self.exercises = {
            f"ex-{number}": {"id": f"ex-{number}", "name": _name(number), "refreshed_at": None}
            for number in range(1, count + 1)
        }

    def handle(self, method: str, path: str, body: Any) -> Answer:
        """See Neighbour."""
        if (method, path) == ("GET", "/exercises"):
            with self.lock:
                return 200, [dict(exercise) for exercise in self.exercises.values()]
        found = _REFRESH.fullmatch(path)
        if method == "POST" and found and found[1] in self.exercises:
            with self.lock:
                self.exercises[found[1]]["refreshed_at"] = time.strftime("%FT%TZ", time.gmtime())
                self.done.append(found[1])
                return 200, dict(self.exercises[found[1]])
        return 404, {"detail": "no such exercise"}


class CoachService(Neighbour):
    """Recommendations, kept by what they were asked for."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        super().__init__(port, host)
        self._kept: dict[str, dict[str, Any]] = {}

    def handle(self, method: str, path: str, body: Any) -> Answer:
        """See Neighbour."""
        if (method, path) != ("POST", "/recommendations"):
            return 404, {"detail": "no such page"}
        try:
            minutes = int(body["duration_minutes"])
            key = f"{body['muscle_group']}, {body['equipment']}, {minutes} min"
        except (KeyError, TypeError, ValueError):
            return 422, {"detail": "needs muscle_group, equipment and duration_minutes"}
        with self.lock:
            cached = key in self._kept
            if not cached:
                self._kept[key] = {"workout": key, "sets": max(3, minutes // 10)}
                self.done.append(key)
            return 200, {**self._kept[key], "cached": cached}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up: a worker that was stopped does."""


def _handler_of(neighbour: Neighbour) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            try:
                body = json.loads(raw) if raw else None
            except ValueError:
                self._send(400, {"detail": "the body is not JSON"})
                return
            self._send(*neighbour.answer(self.command, self.path, body))

        def _send(self, status: int, body: Any) -> None:
            encoded = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        do_GET = do_POST = _serve

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


def _name(number: int) -> str:
    name = _NAMES[(number - 1) % len(_NAMES)]
    return name if number <= len(_NAMES) else f"{name} {1 + (number - 1) // len(_NAMES)}"


def main() -> None:
    """Run one of them until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m examples.workouts.neighbours")
    parser.add_argument("which", choices=["api", "coach"])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    wanted = parser.parse_args()
    service = WorkoutService if wanted.which == "api" else CoachService
    made = service(wanted.port, wanted.host)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(f"{wanted.which}: port {made.port}", flush=True)
    with suppress(KeyboardInterrupt):
        made.serve()


if __name__ == "__main__":
    main()

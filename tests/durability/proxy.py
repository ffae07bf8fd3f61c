"""A wire that can be cut: TCP on one side, a server's Unix socket on the other.

It sees each request and the reply to it, so that it can cut the connection after the server
has done the work and before anybody hears of it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

#: Told (request, reply); True: the reply is thrown away and the connection cut.
Cut = Callable[[bytes, bytes], bool]


class Proxy:
    """Listens on 127.0.0.1 until the `with` block ends."""

    def __init__(self, socket_path: str) -> None:
        self._upstream = socket_path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self.cuts = 0
        self.delay_s = 0.0
        self._cut: Cut | None = None
        self._open = threading.Event()
        self._open.set()
        self._guard = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._open.set()
        # Shut down first: closing alone does not wake a thread that waits in accept.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for pair in self._pairs:
            _close(*pair)

    def cut_once(self, when: Cut) -> None:
        """Throw away the first reply for which `when` says so."""
        with self._guard:
            self._cut = when

    def blackhole(self) -> None:
        """From now on nothing passes, and nothing is closed: as when a network goes away."""
        self._open.clear()

    def restore(self) -> None:
        """What was held back passes, and all that follows."""
        self._open.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._upstream)
            self._pairs.append((client, server))
            asked = [b""]
            for source, target, is_reply in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._carry, args=(source, target, asked, is_reply), daemon=True
                ).start()

    def _carry(
        self, source: socket.socket, target: socket.socket, asked: list[bytes], is_reply: bool
    ) -> None:
        try:
            while data := source.recv(1 << 20):
                self._open.wait()
                if is_reply:
                    if self._is_cut(asked[0], data):
                        return
                    time.sleep(self.delay_s)
                else:
                    asked[0] = data
                target.sendall(data)
        except OSError:
            pass
        finally:
            _close(source, target)

    def _is_cut(self, request: bytes, reply: bytes) -> bool:
        with self._guard:
            if self._cut is None or not self._cut(request, reply):
                return False
            self._cut = None
            self.cuts += 1
            return True


def _close(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()

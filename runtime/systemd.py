"""The notify protocol of systemd (sd_notify(3)): one datagram to the socket it names."""

from __future__ import annotations

import contextlib
import socket


class Notifier:
    """Tells systemd of readiness, life and stop; does nothing where no socket is named."""

    def __init__(self, address: str | None) -> None:
        # A leading @ stands for the abstract namespace.
        self._address = "\0" + address[1:] if address and address.startswith("@") else address

    def say(self, state: str) -> None:
        """Send `READY=1`, `WATCHDOG=1`, `STOPPING=1` or `STATUS=...`; never raises."""
        if not self._address:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram,
        ):
            datagram.connect(self._address)
            datagram.sendall(state.encode())

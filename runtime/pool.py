"""Keeps N worker processes running: the parent of `worker.py --processes N` and of `up`.

Signals only record; the loop compares wanted against actual children and acts:
 1. a child that ended is respawned, after a back-off if it did not live long;
 2. a child that could not boot (wrong settings) ends the whole pool: respawning cannot help;
 3. after a stop, each child is told once, and waited for.
"""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

import structlog

from config import EXIT_CONFIG
from events import Event

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_TICK_S = 0.1
#: A child that lived this long is taken for healthy, and its back-off starts anew.
_HEALTHY_S = 10.0
_BACKOFF_MAX_S = 30.0
#: How long children have to stop before they are killed; a worker needs two seconds.
_STOP_S = 10.0

log = structlog.get_logger()


@dataclass
class _Slot:
    """One wanted child."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    not_before: float = 0.0
    backoff_s: float = field(default=0.25)


class Pool:
    """Runs `count` children; `argv_of(number)` is the command of child 1 to count."""

    def __init__(
        self,
        count: int,
        argv_of: Callable[[int], Sequence[str]],
        *,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._argv_of = argv_of
        self._env = dict(env) if env is not None else None
        self._slots = [_Slot(number + 1) for number in range(count)]
        self._stop_signal: int | None = None
        self._exit_code = 0

    def run(self) -> int:
        """Supervise until a signal arrives; returns the exit code."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        while self._stop_signal is None and not self._exit_code:
            self.reconcile(time.monotonic())
            time.sleep(_TICK_S)
        self.stop()
        return self._exit_code

    def reconcile(self, now: float) -> None:
        """One round: look at every child, start what is missing and due."""
        for slot in self._slots:
            if slot.process is not None and slot.process.poll() is not None:
                self._note_exit(slot, slot.process.returncode, now)
                slot.process = None
            if slot.process is None and now >= slot.not_before and not self._exit_code:
                slot.process = self._spawn(slot)
                slot.started_at = now

    def stop(self) -> None:
        """Tell every child once, wait, and kill what is left."""
        children = [slot.process for slot in self._slots if slot.process is not None]
        for child in children:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_S
        for child in children:
            try:
                child.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _spawn(self, slot: _Slot) -> subprocess.Popen[bytes]:
        # A process group of its own: Ctrl-C reaches the pool alone, which tells each child once.
        child = subprocess.Popen(
            list(self._argv_of(slot.number)),
            env=self._env,
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=stop_with_parent,
        )
        log.info(Event.CHILD_STARTED, number=slot.number, pid=child.pid)
        return child

    def _note_exit(self, slot: _Slot, code: int, now: float) -> None:
        lived_s = now - slot.started_at
        log.info(Event.CHILD_EXITED, number=slot.number, code=code, lived_s=round(lived_s, 1))
        if code == EXIT_CONFIG:
            log.error(Event.CHILD_BOOT_FAILED, number=slot.number, code=code)
            self._exit_code = code
            return
        if lived_s >= _HEALTHY_S or code == 0:
            slot.backoff_s = 0.25
        slot.not_before = now + slot.backoff_s
        slot.backoff_s = min(_BACKOFF_MAX_S, slot.backoff_s * 2)

    def _on_signal(self, signum: int, _frame: FrameType | None) -> None:
        self._stop_signal = signum


def stop_with_parent() -> None:
    """Run in a child before its program: SIGTERM when the parent is gone, however it ended."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

"""Interruptions of a background job that runs on a thread of its own.

A signal reaches the main thread alone; here the exception is put into the thread by the
interpreter, which raises it before the thread's next bytecode. An event loop that waits is woken
for it. A call that does not return to Python (a blocking read without a time-out) is not ended: the
heartbeat's hard limit is for it.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from errors import ControlFlow, DeadlinePassed, ShutdownRequested
from runtime.interrupts import Interrupts


class Poke(ControlFlow):
    """What arrives in the thread; what it means was recorded before."""


class ThreadInterrupts(Interrupts):
    """One per job; `adopt` is called on the thread that runs it."""

    def __init__(self, *, stage_timeout_s: float) -> None:
        super().__init__(stage_timeout_s=stage_timeout_s, stall_s=stage_timeout_s)
        self._thread = 0
        self._guard = threading.Lock()
        self._sent = False
        self._meaning: type[ControlFlow] = ShutdownRequested

    def adopt(self) -> None:
        """This thread is the one to interrupt."""
        self._thread = threading.get_ident()

    def stop(self, signum: int) -> None:
        """The process is to end; from any thread."""
        self.stop_signal = signum
        self._poke()

    def meaning(self, flow: ControlFlow) -> type[ControlFlow]:
        """See Interrupts."""
        return self._meaning if isinstance(flow, Poke) else type(flow)

    @contextmanager
    def stage(self, name: str, timeout_s: float | None = None) -> Iterator[None]:
        """See Interrupts."""
        with super().stage(name, timeout_s):
            try:
                yield
            except Poke:
                self.check()
                raise
            finally:
                self._close()

    @contextmanager
    def held(self) -> Iterator[None]:
        """See Interrupts."""
        with self._guard:
            self._depth_held += 1
        try:
            yield
        finally:
            with self._guard:
                self._depth_held -= 1
                due = self._open and not self._depth_held and self._is_asked()
                # Once only, as everywhere: the way out is not interrupted again.
                self._open = self._open and not due
        if due:
            self.check()

    def _close(self) -> None:
        """No exception comes from now on, not even one that is on its way."""
        with self._guard:
            self._open = False
            if self._sent:
                _set_exception(self._thread, None)

    def _is_asked(self) -> bool:
        return self._asked is not None or self.stopping or self._expired is not None

    def _poke(self) -> None:
        with self._guard:
            if not self._open or self._depth_held or self._sent or not self._is_asked():
                return
            self._sent = True
            self._meaning = self._asked or (ShutdownRequested if self.stopping else DeadlinePassed)
            _set_exception(self._thread, Poke)
            wake = self.wake_loop
        if wake is not None:
            with suppress(RuntimeError):  # the loop was closed a moment ago
                wake()

    def _raise_if_open(self) -> None:
        """Nothing: signals are the main thread's."""


def _set_exception(thread: int, kind: type[BaseException] | None) -> None:
    wanted = ctypes.py_object(kind) if kind is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), wanted)

"""How a stop, a cancellation, a lost lease or a deadline reaches the main thread.

Signal handlers and the heartbeat thread only record what is asked. The main thread acts on it:

* between steps, by `check`, and in waits, by `sleep`;
* inside a stage, by an exception raised from a signal handler, so that a blocking read of a
  provider's SDK ends too. The window is open only while a stage runs: never in the middle of
  a database write or of a conversation with Redis.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from errors import ControlFlow, DeadlinePassed, LeaseLost, ShutdownRequested, StageTimeout
from runtime.clock import boot_s
from runtime.steps import reached

#: How often a wait looks whether something was asked.
_TICK_S = 0.05
#: Wakes the main thread; the handler then looks at what was recorded.
_POKE = signal.SIGUSR1


class Interrupts:
    """One per process. `install` makes it the receiver of signals; without it, it only records."""

    def __init__(self, *, stage_timeout_s: float = 900.0, stall_s: float = 300.0) -> None:
        self.stop_signal: int | None = None
        #: An operator asked to claim nothing more, for as long as this is set.
        self.quiet = False
        #: Set while a job runs in an event loop: makes the loop return to Python.
        self.wake_loop: Callable[[], object] | None = None
        self._usual = (stage_timeout_s, stall_s)
        self._stage_timeout_s, self._stall_s = self._usual
        self._asked: type[ControlFlow] | None = None
        self._expired: str | None = None
        self._stage: str | None = None
        self._open = False
        self._depth_held = 0
        self._main = threading.main_thread()
        self._installed = False
        self._stage_began = 0.0
        self._stage_alive = 0.0

    @property
    def stopping(self) -> bool:
        """Whether the process was asked to end."""
        return self.stop_signal is not None

    @property
    def may_claim(self) -> bool:
        """Whether a next job is wanted."""
        return not self.stopping and not self.quiet

    @property
    def stage_in_hand(self) -> str | None:
        """The stage that runs now, if any."""
        return self._stage

    @property
    def stop_reason(self) -> str | None:
        """The signal's name, for the log."""
        return signal.Signals(self.stop_signal).name if self.stop_signal is not None else None

    def install(self) -> None:
        """Receive SIGTERM, SIGINT and pokes. Main thread only."""
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, self._on_stop)
        signal.signal(_POKE, self._on_poke)
        self._installed = True

    def begin_job(self) -> None:
        """Forget what was asked about the job before; a stop stays asked."""
        self._asked = None
        self._expired = None

    def ask(self, what: type[ControlFlow]) -> None:
        """Record a cancellation or a lost lease for the job in hand; a lost lease wins."""
        if self._asked is not LeaseLost:
            self._asked = what
        self._poke()

    def watch(self) -> float:
        """Called by the heartbeat: ends a stage past its deadline or stuck.

        Returns how long ago, in s, the stage was told to end; 0.0 while nothing is wrong.
        """
        if self._stage is None:
            return 0.0
        now = boot_s()
        late_s = now - self._stage_began - self._stage_timeout_s
        stuck_s = now - self._stage_alive - self._stall_s
        if late_s > 0 or stuck_s > 0:
            if self._expired is None:
                self._expired = (
                    f"did not finish within {self._stage_timeout_s:.0f} s"
                    if late_s > 0
                    else f"made no headway for {self._stall_s:.0f} s"
                )
            self._poke()
            return max(late_s, stuck_s)
        return 0.0

    def check(self) -> None:
        """Raise what was asked for: LeaseLost, JobCancelled, ShutdownRequested, DeadlinePassed."""
        if self._asked is not None:
            raise self._asked
        if self.stopping:
            raise ShutdownRequested
        if self._expired is not None:
            reason, self._expired = self._expired, None
            raise DeadlinePassed(reason)

    def meaning(self, flow: ControlFlow) -> type[ControlFlow]:
        """What was asked for by what arrived."""
        return type(flow)

    def sleep(self, seconds: float) -> None:
        """Wait, raising as `check` does within 0.05 s."""
        deadline = time.monotonic() + seconds
        while True:
            self.check()
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return
            self.alive()
            time.sleep(min(_TICK_S, remaining))

    def alive(self) -> None:
        """The stage has made headway."""
        self._stage_alive = boot_s()

    @contextmanager
    def stage(self, name: str, timeout_s: float | None = None) -> Iterator[None]:
        """Open the window in which interruptions raise; deadlines count from here.

        `timeout_s` in place of the usual one also says that nothing need be reported meanwhile.
        Raises StageTimeout where the deadline ended it.
        """
        self.check()
        self._expired = None
        own = self._usual if timeout_s is None else (timeout_s, timeout_s)
        self._stage_timeout_s, self._stall_s = own
        self._stage_began = self._stage_alive = boot_s()
        self._stage = name
        self._open = True
        try:
            yield
            reached("stage_ran")
        except DeadlinePassed as passed:
            raise StageTimeout(f"the stage {passed}") from None
        finally:
            self._open = False
            self._stage = self._expired = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Close the window for a while: what happens inside must not be torn."""
        self._depth_held += 1
        try:
            yield
        finally:
            self._depth_held -= 1
        self._raise_if_open()

    def _on_stop(self, signum: int, _frame: FrameType | None) -> None:
        if self.stopping:
            # A second signal means now. Children die with us, by PR_SET_PDEATHSIG.
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)
        self.stop_signal = signum
        self._raise_if_open()

    def _on_poke(self, _signum: int, _frame: FrameType | None) -> None:
        self._raise_if_open()

    def _raise_if_open(self) -> None:
        asked = self._asked is not None or self.stopping or self._expired is not None
        if self._open and not self._depth_held and asked:
            # Once only: the exception's own way out must not be interrupted again.
            self._open = False
            self.check()

    def _poke(self) -> None:
        # Without a handler of ours the signal would end the process that this is a part of.
        if not self._installed or threading.current_thread() is self._main:
            return
        if self._main.ident is not None:
            signal.pthread_kill(self._main.ident, _POKE)

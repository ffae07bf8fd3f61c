"""How many jobs a crew may have in hand: one for each thread, and more while jobs are quick.

Those claimed ahead let claiming, running and settling go on side by side. They are kept from other
workers meanwhile, so there are never more than the crew gets through in a moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

#: Jobs that took no longer than this on average let others be claimed ahead, up to so many.
QUICK_S = 0.005
MOST_AHEAD = 1024
#: Those are no more than are over in this time; one whose turn does not come for so long goes back.
IMPATIENT_S = 0.2
#: Claims wait until this part of them is over: a group costs hardly more than one job.
_GATHERED = 0.25


class Places:
    """Not thread-safe: whoever asks holds the crew's lock."""

    def __init__(self, size: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._clock = clock
        #: How many jobs may be claimed beside one for each thread.
        self.ahead = 0
        self._pace = float(MOST_AHEAD) / IMPATIENT_S
        self._counted = 0
        self._counted_from = clock()

    def free(self, in_hand: int) -> int:
        """How many more may be claimed."""
        return max(0, self._size + self.ahead - in_hand)

    def are_enough(self, in_hand: int) -> bool:
        """Whether claiming is worth while: at once for slow jobs, in groups for quick ones."""
        return self.free(in_hand) > self.ahead * _GATHERED

    def begin(self) -> None:
        """A job came into empty hands: time that went by in idleness says nothing."""
        self._counted, self._counted_from = 0, self._clock()

    def ended(self, ran_s: Sequence[float]) -> None:
        """Jobs that ran so long are over: one slow one among few ends the claiming ahead."""
        self._counted += len(ran_s)
        elapsed = self._clock() - self._counted_from
        if elapsed >= IMPATIENT_S:
            self._pace = self._counted / elapsed
            self.begin()
        if ran_s and sum(ran_s) / len(ran_s) <= QUICK_S:
            most = min(MOST_AHEAD, round(self._pace * IMPATIENT_S))
            self.ahead = min(most, self.ahead + len(ran_s))
        else:
            self.ahead = 0

"""The named steps of a job's way from its list to its end, where a test may kill the worker.

Between any two of them a process can die in earnest. `WORKER_KILL_AT` makes it die there for
certain: by SIGKILL, which nothing can catch and nothing cleans up after.
"""

from __future__ import annotations

import os
import signal
from typing import Literal, get_args

#: In the order in which a job passes them; the middle five once a stage.
Step = Literal[
    "popped",
    "claimed",
    "row_claimed",
    "stage_begun",
    "stage_ran",
    "published",
    "checkpointed",
    "row_settled",
    "settled",
]
STEPS: tuple[Step, ...] = get_args(Step)

#: The steps of a paid call: its intent is written; the provider has answered, and that is not
#: written yet; the provider's id is written; the result is.
CallStep = Literal["call_begun", "call_answered", "call_submitted", "call_finished"]
CALL_STEPS: tuple[CallStep, ...] = get_args(CallStep)

_kill_at: str = ""


def arm(step: str) -> None:
    """Die at this step from now on; "" for never."""
    global _kill_at
    _kill_at = step


def reached(step: Step | CallStep) -> None:
    """Say that the process is at this step; returns, unless it was told to die there."""
    if step == _kill_at:
        os.kill(os.getpid(), signal.SIGKILL)

"""How a stage starts one of this project's own modules as a child process."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.stage import ChildResult, Json, StageContext

_ROOT = Path(__file__).resolve().parents[2]
#: A child shares the host with other workers: two threads each, whatever the core count says.
THREADS = "2"


def run_module(
    ctx: StageContext,
    module: str,
    order: Json,
    *,
    timeout_s: float,
    on_stdout_line: Callable[[bytes], None] | None = None,
) -> ChildResult:
    """Run `python -m module` in the stage's folder with `order` as JSON on its stdin.

    The environment is made anew: keys of paid services never reach a child that parses
    users' words. Raises what `StageContext.run` raises.
    """
    env = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": THREADS,
        "OPENBLAS_NUM_THREADS": THREADS,
    }
    return ctx.run(
        [sys.executable, "-m", module],
        timeout_s=timeout_s,
        stdin=json.dumps(order).encode(),
        on_stdout_line=on_stdout_line,
        env=env,
    )

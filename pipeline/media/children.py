"""Starting this project's own Python children: one way, from any working folder."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.stage import ChildResult, Json, StageContext

_ROOT = Path(__file__).resolve().parents[2]


def child_env(**extra: str) -> dict[str, str]:
    """An environment made anew, with `extra`: no key of a provider reaches a child."""
    return {"PATH": os.defpath, "LANG": "C.UTF-8", **extra}


def python_child(
    ctx: StageContext,
    module: str,
    order: Json,
    *,
    timeout_s: float,
    on_stdout_line: Callable[[bytes], None] | None = None,
) -> ChildResult:
    """Run `python -m module` in the stage's folder with `order` as JSON on stdin.

    The child gets one thread per numerical library: its work is split by the caller. Raises
    what `StageContext.run` raises.
    """
    env = child_env(
        PYTHONPATH=str(_ROOT), PYTHONDONTWRITEBYTECODE="1", PYTHONIOENCODING="utf-8",
        OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1",
    )  # fmt: skip
    argv = [sys.executable, "-m", module]
    stdin = json.dumps(order).encode()
    return ctx.run(argv, timeout_s=timeout_s, stdin=stdin, on_stdout_line=on_stdout_line, env=env)

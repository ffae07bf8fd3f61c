#!/usr/bin/env python3
"""The command line: `python cli.py --help`.

Exit codes: 0 done; 1 the job failed, or what was checked is not well; 2 wrong usage or input;
69 Redis or the database does not answer; 78 wrong settings.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path


def _in_own_environment() -> None:
    """Called as `./cli.py` by any other Python: go on in the one that has what is needed."""
    own = Path(__file__).resolve().parent / ".venv" / "bin" / "python"
    if importlib.util.find_spec("typer") is None and own.exists():
        os.execv(own, [str(own), *sys.argv])  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    _in_own_environment()
    from commands.app import main

    main()

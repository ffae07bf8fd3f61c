"""`./run_tests.sh live [--yes]`: says what it would spend, asks, and makes one call per key."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

from errors import WorkerError
from tests.live.checks import CHECKS, Check, estimate_microusd, ready, spend, variables


def main(argv: Sequence[str] | None = None, **fixed: Any) -> int:
    """The exit code: 0 all well or nothing to do, 1 a call failed or was not agreed to."""
    parser = argparse.ArgumentParser(prog="run_tests.sh live", description=__doc__)
    parser.add_argument("--yes", action="store_true", help="spend without asking")
    asked = parser.parse_args(argv)
    checks = ready(**fixed)
    if not checks:
        print("No paid provider's key is set, so there is nothing to call. Set one or more of:")
        for check in CHECKS:
            print(f"  {check.provider:<11} {variables(check)}")
        return 0
    print("One real call each, at most:")
    estimates = [estimate_microusd(check, **fixed) for check in checks]
    for check, estimate in zip(checks, estimates, strict=True):
        print(f"  {check.provider:<11} {_dollars(estimate)}")
    unknown = "" if all(estimates) else ", and what is not known"
    print(f"  {'together':<11} {_dollars(sum(estimates))}{unknown}", flush=True)
    if not asked.yes and not _agreed():
        print("Nothing was spent.")
        return 1
    return max([_called(check, fixed) for check in checks])


def _agreed() -> bool:
    try:
        return input('Spend it? Type "yes": ').strip() == "yes"
    except EOFError:
        print()
        return False


def _called(check: Check, fixed: dict[str, Any]) -> int:
    began = time.monotonic()
    try:
        cost, output = spend(check, **fixed)
    except WorkerError as error:
        print(f"  {check.provider:<11} FAILED: {error}", flush=True)
        return 1
    except Exception as error:
        # Its words may hold what the vendor sent; only our own are safe to show.
        print(f"  {check.provider:<11} FAILED: {type(error).__name__}", flush=True)
        return 1
    made = ", ".join(sorted([*output.data, *output.files]))
    seconds = time.monotonic() - began
    print(f"  {check.provider:<11} ok, {_dollars(cost)} in {seconds:.1f} s: {made}", flush=True)
    return 0


def _dollars(microusd: int) -> str:
    return f"${microusd / 1e6:.4f}" if microusd else "price not known"


if __name__ == "__main__":
    sys.exit(main())

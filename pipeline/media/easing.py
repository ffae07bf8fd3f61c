"""Easing curves: 0 to 1 in, about 0 to 1 out. Names say what a viewer sees."""

from __future__ import annotations

import math
from collections.abc import Callable

Curve = Callable[[float], float]


def linear(p: float) -> float:
    return p


def ease_out(p: float) -> float:
    """Fast, then settling (cubic)."""
    return 1 - (1 - p) ** 3


def ease_out_expo(p: float) -> float:
    """Very fast, then settling long."""
    return 1.0 if p >= 1 else 1 - math.pow(2, -10 * p)


def ease_in(p: float) -> float:
    return p**3


def ease_in_out(p: float) -> float:
    return 4 * p**3 if p < 0.5 else 1 - (-2 * p + 2) ** 3 / 2


def overshoot(p: float) -> float:
    """Past the goal by a tenth and back (Penner's "back")."""
    c = 1.70158
    return 1 + (c + 1) * (p - 1) ** 3 + c * (p - 1) ** 2

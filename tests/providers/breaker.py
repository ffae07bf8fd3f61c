"""Calls behind a circuit breaker that a test opens, in the words of pipeline.calls.Calls.slot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from errors import NotNow, ProviderUnavailable
from pipeline.calls import CallsInMemory


class CallsBehindBreaker(CallsInMemory):
    """`breaker` "open" lets nothing through; at "trial" a failure parks its job."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker: Literal["closed", "open", "trial"] = "closed"

    @contextmanager
    def slot(self, provider: str) -> Iterator[None]:
        if self.breaker == "open":
            raise NotNow("it does not work at the moment", retry_after_s=30)
        try:
            yield
        except ProviderUnavailable as error:
            if self.breaker == "closed":
                raise
            raise NotNow("it does not work yet", retry_after_s=30) from error

"""HTTP to a paid provider: bounded in time and size, its errors translated, no retries.

httpx's own time-outs are per read, so a server that drips would hold a worker for ever: the
whole answer has a deadline here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from errors import ProviderUnavailable
from pipeline.providers.http_errors import Vendor, translated, unanswered, unreachable, unreadable

_CONNECT_S = 10.0
#: An ad's speech in base64 is about 1 MB; a clip about 10 MB.
_MAX_JSON_BYTES = 64_000_000
_MAX_FILE_BYTES = 500_000_000
_MAX_REDIRECTS = 3


@dataclass(frozen=True)
class Answer:
    """A 2xx answer: its JSON, and its headers with lower-case names."""

    data: Any
    headers: Mapping[str, str]


class Wire:
    """A context manager over one connection pool. `headers` hold the key, and go to
    `base_url`'s own origin only."""

    def __init__(
        self, vendor: Vendor, base_url: str, headers: Mapping[str, str], *, timeout_s: float
    ) -> None:
        self._vendor = vendor
        self._base_url = base_url.rstrip("/")
        self._headers = headers
        self._timeout_s = timeout_s
        self._client = httpx.Client(follow_redirects=False)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Mapping[str, Any] | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """One request below the base URL. Raises ProviderRefused, ProviderUnavailable, and
        Unanswered where the vendor may have done the work."""
        deadline = time.monotonic() + (timeout_s or self._timeout_s)
        url = path if self.is_own(path) else self._base_url + path
        with self._sent(method, url, deadline, body, params, own=True) as response:
            raw = b"".join(self._pieces(response, deadline, _MAX_JSON_BYTES))
            try:
                data = json.loads(raw) if raw else None
            except ValueError:
                data = None
                if response.is_success:
                    raise unreadable(self._vendor) from None
            if not response.is_success:
                raise translated(self._vendor, response.status_code, response.headers, data)
            return Answer(data, dict(response.headers))

    def fetch(self, path: str) -> bytes:
        """A small file below the base URL, with the key. Raises as `ask` does."""
        deadline = time.monotonic() + self._timeout_s
        with self._sent("GET", self._base_url + path, deadline, None, None, own=True) as response:
            raw = b"".join(self._pieces(response, deadline, _MAX_JSON_BYTES))
            if not response.is_success:
                raise translated(self._vendor, response.status_code, response.headers, None)
            return raw

    def download(self, url: str, path: Path, *, timeout_s: float | None = None) -> int:
        """Fetch a finished file to `path`; returns 200, or the status that refused it (4xx).

        Raises ProviderUnavailable for the rest, and for a URL that is not https.
        """
        deadline = time.monotonic() + (timeout_s or self._timeout_s)
        for _ in range(_MAX_REDIRECTS + 1):
            own = self.is_own(url)
            if not own and urlsplit(url).scheme != "https":
                raise ProviderUnavailable(f"{self._vendor.title} gave a link that is not safe")
            # The delivery host is another party: it gets no key, not even on the own origin.
            with self._sent("GET", url, deadline, None, None, own=False) as response:
                if response.is_redirect and "location" in response.headers:
                    url = urljoin(url, response.headers["location"])
                    continue
                status = response.status_code
                if 400 <= status < 500 and status not in (408, 429):
                    return status
                if not response.is_success:
                    raise translated(self._vendor, status, response.headers, None)
                with path.open("wb") as file:
                    for piece in self._pieces(response, deadline, _MAX_FILE_BYTES):
                        file.write(piece)
                return 200
        raise ProviderUnavailable(f"{self._vendor.title} redirects its files in a circle")

    def is_own(self, url: str) -> bool:
        """Whether an absolute URL is of the base URL's origin."""
        mine, other = urlsplit(self._base_url), urlsplit(url)
        return (mine.scheme, mine.netloc) == (other.scheme, other.netloc)

    @contextmanager
    def _sent(
        self,
        method: str,
        url: str,
        deadline: float,
        body: Any,
        params: Mapping[str, Any] | None,
        *,
        own: bool,
    ) -> Iterator[httpx.Response]:
        left_s = max(0.1, deadline - time.monotonic())
        try:
            with self._client.stream(
                method,
                url,
                json=body,
                params=params,
                headers=dict(self._headers) if own else {},
                timeout=httpx.Timeout(left_s, connect=min(_CONNECT_S, left_s)),
            ) as response:
                yield response
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise unreachable(self._vendor) from error
        except httpx.RequestError as error:
            raise unanswered(self._vendor) from error
        except (httpx.InvalidURL, httpx.StreamError) as error:
            raise unreadable(self._vendor) from error

    def _pieces(self, response: httpx.Response, deadline: float, limit: int) -> Iterator[bytes]:
        size = 0
        for piece in response.iter_bytes():
            size += len(piece)
            if size > limit:
                raise unreadable(self._vendor)
            if time.monotonic() > deadline:
                raise unanswered(self._vendor)
            yield piece

"""HTTP to addresses that users name: public hosts over https only, bounded in time and size.

1. the URL is checked: https, a host, no password in it;
2. its host is resolved once, and every address found must be public;
3. the connection goes to that very address, so that a second answer of the name server cannot
   lead inside; the certificate is checked against the host's name all the same;
4. a redirect is followed by hand, each target through the same steps.

Hosts that the operator trusts (`FETCH_TRUSTED_HOSTS`) may be private and may speak plain http.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

MAX_REDIRECTS = 3
_CONNECT_S = 10.0
#: Addresses that carry an IPv4 address inside (RFC 6052, RFC 3056): judged by that one.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")

#: A host name and a port to the addresses behind them. Raises OSError.
Resolver = Callable[[str, int], list[str]]


class Forbidden(Exception):
    """The URL may not be used; the message says why, and tells nothing of the network."""


class Unreachable(Exception):
    """No usable answer this time: no address, no connection, too slow, or a 5xx."""


@dataclass(frozen=True)
class Answer:
    """A whole answer. `status` is never a redirect that could be followed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def resolve(host: str, port: int) -> list[str]:
    """Every address of the host, in the system's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether a literal address is reachable from everywhere, and not a way around that."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip in _NAT64:
            ip = ipaddress.IPv4Address(ip.packed[-4:])
        elif ip in _SIX_TO_FOUR:
            ip = ipaddress.IPv4Address(ip.packed[2:6])
    return ip.is_global and not ip.is_multicast


def check_url(url: str, trusted: Collection[str] = ()) -> SplitResult:
    """The parts of a URL that may be asked for. Raises Forbidden; looks nothing up."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Forbidden("is not a URL") from None
    if not host:
        raise Forbidden("is not a URL with a host")
    if not url.isascii():
        raise Forbidden("is not in its ASCII form; copy it from the browser's address line")
    if parts.username is not None or parts.password is not None:
        raise Forbidden("holds a name or a password; leave them out")
    if _is_trusted(parts, trusted):
        if parts.scheme not in ("http", "https"):
            raise Forbidden("must begin with https://")
        return parts
    if parts.scheme != "https":
        raise Forbidden("must begin with https://")
    try:
        literal_is_public = is_public(host)
    except ValueError:
        return parts  # a name; what it stands for is looked at before it is asked
    if not literal_is_public:
        raise Forbidden("does not lead to a public address")
    return parts


class PublicHttp:
    """Asks what users name. One instance serves many requests; nothing is kept between them."""

    def __init__(
        self,
        trusted: Collection[str] = (),
        *,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls` None: the usual authorities."""
        self._trusted = frozenset(trusted)
        self._resolve = resolver
        self._tls = tls

    def get(self, url: str, *, timeout_s: float, max_bytes: int) -> Answer:
        """Fetch a file, following redirects. Raises Forbidden and Unreachable."""
        deadline = time.monotonic() + timeout_s
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._ask("GET", url, {}, None, deadline, max_bytes)
            if answer.status not in (301, 302, 303, 307, 308) or "location" not in answer.headers:
                return answer
            url = urljoin(url, answer.headers["location"])
        raise Forbidden("redirects more often than is followed")

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float, max_bytes: int
    ) -> Answer:
        """Send `body`; a redirect is an answer like any other. Raises as `get` does."""
        deadline = time.monotonic() + timeout_s
        return self._ask("POST", url, headers, body, deadline, max_bytes)

    def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        deadline: float,
        max_bytes: int,
    ) -> Answer:
        import httpx

        parts = check_url(url, self._trusted)
        address = self._address(parts)
        pinned, extensions = _pinned(parts, address)
        left_s = max(0.1, deadline - time.monotonic())
        timeout = httpx.Timeout(left_s, connect=min(_CONNECT_S, left_s))
        sent = {"host": parts.netloc, "accept-encoding": "identity", **headers}
        try:
            # A proxy named in the environment would look the host up again, by itself.
            with (
                httpx.Client(timeout=timeout, trust_env=False, verify=self._tls or True) as client,
                client.stream(
                    method, pinned, content=body, headers=sent, extensions=extensions
                ) as response,
            ):
                received = _received(response, deadline, max_bytes)
                return Answer(response.status_code, dict(response.headers), received)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise Unreachable(f"did not answer ({type(error).__name__})") from error

    def _address(self, parts: SplitResult) -> str:
        assert parts.hostname is not None
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            found = self._resolve(parts.hostname, port)
        except (OSError, UnicodeError) as error:
            raise Unreachable("has no address") from error
        if not found:
            raise Unreachable("has no address")
        # All of them: a name that stands for both inside and outside is not trusted at all.
        if not _is_trusted(parts, self._trusted) and not all(is_public(ip) for ip in found):
            raise Forbidden("does not lead to a public address")
        return found[0]


def _is_trusted(parts: SplitResult, trusted: Collection[str]) -> bool:
    """By `host:port`, or by `host` for any port."""
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return host in trusted or f"{host}:{port}" in trusted


def _pinned(parts: SplitResult, address: str) -> tuple[str, dict[str, Any]]:
    """The URL with the address in the host's place, and the name that TLS must check."""
    host = f"[{address}]" if ":" in address else address
    port = f":{parts.port}" if parts.port is not None else ""
    pinned = parts._replace(netloc=host + port, fragment="").geturl()
    return pinned, {"sni_hostname": parts.hostname}


def _received(response: Any, deadline: float, max_bytes: int) -> bytes:
    kept = bytearray()
    for piece in response.iter_bytes():
        kept += piece
        if len(kept) > max_bytes:
            raise Forbidden(f"is larger than {max_bytes / 1e6:g} MB")
        if time.monotonic() > deadline:
            raise Unreachable("takes too long to answer")
    return bytes(kept)

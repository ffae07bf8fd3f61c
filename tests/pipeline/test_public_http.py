"""What users name is asked for over https at public addresses only, and never without bounds."""

from __future__ import annotations

import ssl

import pytest
import trustme

from pipeline.public_http import Forbidden, PublicHttp, Unreachable, check_url, is_public
from tests.stubs.server import Fault, Reply, Stub


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0",
        "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1",
        "2002:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_an_inside_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808"]
)
def test_an_outside_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/a.png", "https://"),
        ("file:///etc/passwd", "host"),
        ("ftp://example.com/a", "https://"),
        ("gopher://example.com/a", "https://"),
        ("https://", "host"),
        ("https://user:pw@example.com/", "password"),
        ("https://example.com:port/", "not a URL"),
        ("https://127.0.0.1/", "public"),
        ("https://[::1]/", "public"),
        ("https://[::ffff:10.0.0.1]/", "public"),
        ("https://exämple.com/", "ASCII"),
    ],
)
def test_a_url_that_cannot_be_meant_is_refused_before_anything_is_asked(
    url: str, reason: str
) -> None:
    with pytest.raises(Forbidden, match=reason):
        check_url(url)


@pytest.mark.parametrize(
    "found",
    [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::ffff:192.168.0.1"], ["169.254.169.254"]],
)
def test_a_name_that_stands_for_an_inside_address_is_refused(found: list[str]) -> None:
    http = PublicHttp(resolver=lambda host, port: found)
    with pytest.raises(Forbidden, match="public address"):
        http.get("https://pictures.example/a.png", timeout_s=5, max_bytes=100)


def test_a_name_without_an_address_is_unreachable() -> None:
    def nothing(host: str, port: int) -> list[str]:
        raise OSError

    with pytest.raises(Unreachable, match="no address"):
        PublicHttp(resolver=nothing).get("https://x.example/", timeout_s=5, max_bytes=100)


class Site(Stub):
    """Pages of one host, which speaks plain http on loopback and is trusted to."""

    def __init__(self) -> None:
        super().__init__()
        self.route("GET", "/picture", "get", lambda request: Reply(b"p" * 1000))
        self.route("GET", "/moved", "get", lambda r: self._to("/picture"))
        self.route("GET", "/inside", "get", lambda r: self._to("http://169.254.169.254/latest"))
        self.route("GET", "/plain", "get", lambda r: self._to("http://example.com/"))
        self.route("GET", "/circle", "get", lambda r: self._to("/circle"))

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def secure(self, certificate: trustme.LeafCert) -> int:
        """From now on speak TLS with this certificate; returns the port."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        server = self._server
        server.socket = context.wrap_socket(server.socket, server_side=True)
        return int(server.server_address[1])

    def _to(self, location: str) -> Reply:
        return Reply({}, 302, {"location": location})


def test_a_trusted_host_is_asked_as_itself_and_its_redirects_are_followed() -> None:
    with Site() as site:
        http = PublicHttp([site.host])
        answer = http.get(site.url + "/moved", timeout_s=5, max_bytes=1000)
        assert (answer.status, answer.body) == (200, b"p" * 1000)
        assert {request.headers["host"] for request in site.requests} == {site.host}


@pytest.mark.parametrize("path", ["/inside", "/plain", "/circle"])
def test_a_redirect_is_checked_like_the_first_url(path: str) -> None:
    with Site() as site, pytest.raises(Forbidden):
        PublicHttp([site.host]).get(site.url + path, timeout_s=5, max_bytes=1000)


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """Whatever a second look-up would say: the host's name is never looked up again."""
    asked = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with Site() as site:
        port = site.host.partition(":")[2]
        name = f"pictures.example:{port}"
        http = PublicHttp([name], resolver=resolver)
        answer = http.get(f"http://{name}/picture", timeout_s=5, max_bytes=1000)
        assert answer.status == 200
        assert asked == ["pictures.example"]
        assert site.requests[0].headers["host"] == name


def test_an_answer_is_bounded_in_size_and_in_time() -> None:
    with Site() as site:
        http = PublicHttp([site.host])
        with pytest.raises(Forbidden, match="larger"):
            http.get(site.url + "/picture", timeout_s=5, max_bytes=999)
        site.plan("get", Fault("drip", delay_s=0.2))
        with pytest.raises(Unreachable):
            http.get(site.url + "/picture", timeout_s=0.5, max_bytes=1000)
        site.plan("get", Fault("cut_after"))
        with pytest.raises(Unreachable):
            http.get(site.url + "/picture", timeout_s=5, max_bytes=1000)


def test_the_certificate_must_be_the_named_hosts_though_an_address_is_asked() -> None:
    authority = trustme.CA()
    tls = ssl.create_default_context()
    authority.configure_trust(tls)
    with Site() as site:
        port = site.secure(authority.issue_cert("pictures.example"))
        http = PublicHttp(
            [f"pictures.example:{port}", f"other.example:{port}"],
            resolver=lambda host, port: ["127.0.0.1"],
            tls=tls,
        )
        url = f"https://pictures.example:{port}/picture"
        assert http.get(url, timeout_s=5, max_bytes=1000).status == 200
        with pytest.raises(Unreachable, match="ConnectError"):
            http.get(url.replace("pictures", "other"), timeout_s=5, max_bytes=1000)
        with pytest.raises(Unreachable):  # and not without an authority that vouches for it
            PublicHttp([f"pictures.example:{port}"], resolver=lambda host, port: ["127.0.0.1"]).get(
                url, timeout_s=5, max_bytes=1000
            )

"""Guarded HTTP against real servers on loopback, with names that the test's own resolver answers."""

from __future__ import annotations

import asyncio
import datetime
import logging
import ssl
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from autoglm.errors import DeadlineExceededError, UnavailableError, UpstreamError
from deployments.tools.net.client import exchanged, guarded_client
from deployments.tools.net.config import OutgoingConfig
from deployments.tools.net.credential import EXTENSION, Credential
from tests.deployments.tools.loopback import FakeResolver, RawServer, Talk, answer

LOOPBACK = (ip_network("127.0.0.0/8"),)
PUBLIC = "93.184.215.14"


def config(**given: Any) -> OutgoingConfig:
    """One that lets plain HTTP go to loopback, as far as the test gives nothing else."""
    return OutgoingConfig(**{"allow_http": True, "allow_networks": LOOPBACK, "max_response_bytes": 1000, **given})


async def got(
    url: str, settings: OutgoingConfig, resolver: FakeResolver | None = None, credential: Credential | None = None
) -> httpx2.Response:
    """The answer to a GET, by a client of its own."""
    async with guarded_client(settings, [httpx2.URL(url)], resolver=resolver or FakeResolver()) as client:
        request = client.build_request("GET", url)
        if credential:
            request.extensions[EXTENSION] = credential
        return await exchanged(client, request, timeout_s=5)


async def refused(url: str, settings: OutgoingConfig, resolver: FakeResolver | None = None) -> str:
    """Why a GET is not made, or its answer not taken."""
    with pytest.raises(UpstreamError) as caught:
        await got(url, settings, resolver)
    return caught.value.message


async def test_a_declared_host_and_network_are_reached() -> None:
    """The name is asked for once, and the request names the host."""
    resolver = FakeResolver(crm_internal=[["127.0.0.1"]])
    async with RawServer.running(answer(b"hello")) as server:
        response = await got(f"http://crm.internal:{server.port}/a", config(), resolver)
    assert response.text == "hello"
    assert resolver.questions == ["crm.internal"]
    assert f"host: crm.internal:{server.port}".encode() in server.requests[0].lower()


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["::ffff:127.0.0.1"], ["::1"], [PUBLIC, "127.0.0.1"]])
async def test_a_name_that_leads_inside_is_not_followed(addresses: Sequence[str]) -> None:
    """Nor one of whose addresses a single one does; nothing is sent."""
    async with RawServer.running(answer(b"inside")) as server:
        resolver = FakeResolver(crm_example=[addresses])
        why = await refused(f"http://crm.example:{server.port}/", config(allow_networks=()), resolver)
    assert "no public address" in why
    assert server.requests == []


async def test_an_address_that_is_written_out_is_checked_too() -> None:
    """A host need not be a name."""
    async with RawServer.running(answer(b"inside")) as server:
        why = await refused(f"http://127.0.0.1:{server.port}/", config(allow_networks=()))
    assert "no public address" in why
    assert server.requests == []


async def test_the_second_answer_of_a_resolver_is_never_asked_for() -> None:
    """DNS rebinding: the first answer was checked, so it is the one that is connected to."""
    settings = config(allow_networks=(ip_network("127.0.0.2/32"),))
    resolver = FakeResolver(crm_example=[["127.0.0.2"], ["127.0.0.1"]])
    async with RawServer.running(answer(b"inside")) as server:  # on 127.0.0.1 alone
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await got(f"http://crm.example:{server.port}/", settings, resolver)
        assert "no public address" in await refused(f"http://crm.example:{server.port}/", settings, resolver)
    assert server.requests == []
    assert resolver.questions == ["crm.example"] * 2


@pytest.mark.parametrize(
    "target",
    [
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://127.0.0.1:{port}/",
        "http://other.example:{port}/",
        "http://user:pass@crm.example:{port}/",
        "http://crm.example:1/",
        "ftp://crm.example:{port}/",
        "file:///etc/passwd",
    ],
)
async def test_a_redirect_is_checked_as_a_request_is(target: str) -> None:
    """It leads to no host that was not declared, however the host is written."""
    async with RawServer.running(answer(b"inside")) as inside:
        location = f"location: {target.format(port=inside.port)}"
        async with RawServer.running(answer(b"", "302 Found", location)) as outside:
            resolver = FakeResolver(crm_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
            await refused(f"http://crm.example:{outside.port}/", config(), resolver)
    assert inside.requests == []


async def test_an_address_with_a_user_name_in_it_is_refused() -> None:
    """Readers disagree on where such a name ends and the host begins."""
    async with RawServer.running(answer(b"hello")) as server:
        why = await refused(f"http://user:s3cret@127.0.0.1:{server.port}/", config())
    assert "user name" in why
    assert "s3cret" not in why
    assert server.requests == []


async def test_redirects_that_go_round_end() -> None:
    """After a bounded number."""
    async with RawServer.running(answer(b"", "302 Found", "location: /again")) as server:
        await refused(f"http://127.0.0.1:{server.port}/", config())
    assert len(server.requests) == 6


async def test_https_is_not_left_for_http_unless_declared() -> None:
    """A plain request is refused before anything is resolved."""
    resolver = FakeResolver(crm_example=[["127.0.0.1"]])
    assert "only https" in await refused("http://crm.example/", config(allow_http=False), resolver)
    assert resolver.questions == []


async def test_a_credential_goes_to_its_origin_alone(caplog: pytest.LogCaptureFixture) -> None:
    """An allowed host to which a redirect leads gets none of it, and no log holds it."""
    caplog.set_level(logging.DEBUG)
    async with RawServer.running(answer(b"done")) as second:
        location = f"location: http://other.example:{second.port}/next"
        async with RawServer.running(answer(b"", "307 Temporary Redirect", location)) as first:
            resolver = FakeResolver(crm_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
            url = f"http://crm.example:{first.port}/?page=1"
            pairs = (("x-key", "s3cret-h"),), (("key", "s3cret-q"),), (("session", "s3cret-c"),)
            settings = config(allow_hosts=(f"other.example:{second.port}",))
            await got(url, settings, resolver, Credential(httpx2.URL(url), *pairs))
    assert first.requests[0].startswith(b"GET /?page=1&key=s3cret-q HTTP/1.1")
    assert b"s3cret-h" in first.requests[0]
    assert b"session=s3cret-c" in first.requests[0]
    assert b"s3cret" not in second.requests[0]
    assert "s3cret" not in caplog.text


async def test_the_environments_proxy_does_not_steer_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would resolve names for itself, past the check."""
    resolver = FakeResolver(crm_example=[["127.0.0.1"]])
    async with RawServer.running(answer(b"proxy")) as proxy, RawServer.running(answer(b"direct")) as server:
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        response = await got(f"http://crm.example:{server.port}/", config(), resolver)
    assert response.text == "direct"


async def test_cookies_of_a_service_are_not_kept() -> None:
    """One caller's would travel in another's request."""
    async with RawServer.running(answer(b"", "200 OK", "set-cookie: session=1")) as server:
        url = httpx2.URL(f"http://127.0.0.1:{server.port}/")
        async with guarded_client(config(), [url]) as client:
            for _ in range(2):
                await exchanged(client, client.build_request("GET", url), timeout_s=5)
    assert b"cookie" not in server.requests[1].lower()


def endless(line: bytes) -> Talk:
    """A talk that never ends by itself."""

    async def talk(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(line)
            await writer.drain()

    return talk


async def test_a_body_is_read_no_further_than_its_bound() -> None:
    """100 MB without a length end after a thousand bytes, those with one before the first."""
    sent = 0

    async def talk(_: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while sent < 100_000_000:
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with RawServer.running(talk) as server:
        assert "larger than 1000 bytes" in await refused(f"http://127.0.0.1:{server.port}/", config())
    assert sent < 50_000_000
    async with RawServer.running(answer(b"", "200 OK", "content-length: 100000000")) as server:
        await refused(f"http://127.0.0.1:{server.port}/", config())


async def test_a_header_without_end_is_not_read_on() -> None:
    """Whatever the body's bound is."""
    async with RawServer.running(endless(b"x-more: " + b"y" * 1000 + b"\r\n")) as server:
        await refused(f"http://127.0.0.1:{server.port}/", config())


async def test_a_compressed_body_is_refused() -> None:
    """A small one may unpack to anything; none was asked for."""
    async with RawServer.running(answer(b"\x1f\x8b", "200 OK", "content-encoding: gzip")) as server:
        assert "compressed" in await refused(f"http://127.0.0.1:{server.port}/", config())
    assert b"accept-encoding: identity" in server.requests[0].lower()


async def test_a_service_that_drips_does_not_outlast_the_deadline() -> None:
    """Every byte is in time, and the whole is not."""

    async def talk(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with RawServer.running(talk) as server:
        url = httpx2.URL(f"http://127.0.0.1:{server.port}/")
        async with guarded_client(config(), [url]) as client:
            with pytest.raises(DeadlineExceededError, match=r"0\.2 s"):
                await exchanged(client, client.build_request("GET", url), timeout_s=0.2)


async def test_tls_is_spoken_for_the_name_though_the_address_is_connected_to(tmp_path: Path) -> None:
    """A certificate of another name is refused."""
    server_side, client_side = contexts(tmp_path, "crm.example")
    resolver = FakeResolver(crm_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
    async with RawServer.running(answer(b"safe"), server_side) as server:
        urls = [httpx2.URL(f"https://{name}.example:{server.port}/") for name in ("crm", "other")]
        async with guarded_client(config(), urls, resolver=resolver, ssl_context=client_side) as client:
            response = await exchanged(client, client.build_request("GET", urls[0]), timeout_s=5)
            assert response.text == "safe"
            with pytest.raises(UnavailableError, match="certificate"):
                await exchanged(client, client.build_request("GET", urls[1]), timeout_s=5)


def contexts(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's side with a certificate of its own making for a name, and a client's side that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + pem)
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(folder / "server.pem")
    return server_side, ssl.create_default_context(cadata=pem.decode())

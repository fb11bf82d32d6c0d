"""Under httpx's client: every request and every redirect passes here, is checked, and has its answer bounded."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager

import httpcore2
import httpx2

from deployments.tools.net.backend import GuardedBackend
from deployments.tools.net.credential import credential_of
from deployments.tools.net.errors import RefusedError, ResponseRefusedError
from deployments.tools.net.host import AllowedHost, canonical_host

MAX_CONNECTIONS = 64
KEPT_CONNECTIONS = 8
KEPT_S = 30.0  # below the 60 s after which common servers close a connection that is not used
_EVENT_STREAM = "text/event-stream"


class GuardedTransport(httpx2.AsyncBaseTransport):
    """HTTP/1.1 to the allowed hosts. A response may have `max_bytes`, and 100 KiB of header (h11's bound).

    With `event_streams` an event stream is not bounded as a whole, for it may go on for ever: whoever reads it bounds
    its events. Cookies that a service sets are dropped, or one caller's would travel in another's request.
    """

    def __init__(
        self,
        backend: GuardedBackend,
        hosts: Sequence[AllowedHost],
        *,
        allow_http: bool,
        max_bytes: int,
        event_streams: bool = False,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._hosts = hosts
        self._schemes = ("https", "http") if allow_http else ("https",)
        self._max_bytes = max_bytes
        self._event_streams = event_streams
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=ssl_context or httpx2.create_ssl_context(),
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=KEPT_CONNECTIONS,
            keepalive_expiry=KEPT_S,
            network_backend=backend,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to an allowed host.

        Raises:
            RefusedError: nothing allows it.
            ResponseRefusedError: while it is read, the response is too large or compressed.
            httpx2.TransportError: it could not be sent, or not be answered.
        """
        self._check(request.url)
        with _httpx_errors():
            answer = await self._pool.handle_async_request(_wired(request))
        headers = httpx2.Headers([(name, value) for name, value in answer.headers if name.lower() != b"set-cookie"])
        stream = _BoundedStream(answer, headers, self._limit(headers))
        return httpx2.Response(answer.status, headers=headers, stream=stream, extensions=answer.extensions)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    def _check(self, url: httpx2.URL) -> None:
        where = f"{url.scheme}://{url.host}"
        if url.scheme not in self._schemes:
            raise RefusedError(f"{where} is refused: only {' and '.join(self._schemes)} may be spoken here")
        if url.userinfo:
            raise RefusedError(f"{where} is refused: the address holds a user name")
        try:
            canonical_host(url)
        except ValueError as error:
            raise RefusedError(f"refused: {error}") from error
        if not any(host.admits(url) for host in self._hosts):
            port = "" if url.port is None else f":{url.port}"
            raise RefusedError(f"{where}{port} is refused: it is not among allow_hosts")

    def _limit(self, headers: httpx2.Headers) -> int | None:
        if self._event_streams and headers.get("content-type", "").startswith(_EVENT_STREAM):
            return None
        return self._max_bytes


class _BoundedStream(httpx2.AsyncByteStream):
    """A response's body, as httpx reads it."""

    def __init__(self, answer: httpcore2.Response, headers: httpx2.Headers, limit: int | None) -> None:
        self._answer = answer
        self._headers = headers
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        coding = self._headers.get("content-encoding", "identity")
        if coding.lower() != "identity":
            raise ResponseRefusedError(f"the answer is compressed ({coding[:40]}), which was not asked for")
        length = self._headers.get("content-length", "")
        count = 0
        self._check(int(length) if length.isdecimal() else 0)
        with _httpx_errors():
            async with aclosing(self._answer.aiter_stream()) as chunks:
                async for chunk in chunks:
                    count += len(chunk)
                    self._check(count)
                    yield chunk

    def _check(self, count: int) -> None:
        if self._limit is not None and count > self._limit:
            raise ResponseRefusedError(f"the answer is larger than {self._limit} bytes, the entry's max_response_bytes")

    async def aclose(self) -> None:
        await self._answer.aclose()


def _wired(request: httpx2.Request) -> httpcore2.Request:
    """The request as it goes out, with its credential."""
    headers, target = request.headers, request.url.raw_path
    if credential := credential_of(request):
        headers, target = credential.fields(headers), credential.target(target)
    return httpcore2.Request(
        method=request.method,
        url=httpcore2.URL(
            scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=target
        ),
        headers=headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


@contextmanager
def _httpx_errors() -> Iterator[None]:
    """What httpx's callers know, in place of the errors of what lies below it."""
    try:
        yield
    except httpcore2.ConnectTimeout as error:
        raise httpx2.ConnectTimeout(str(error)) from error
    except httpcore2.PoolTimeout as error:
        raise httpx2.PoolTimeout(str(error)) from error
    except httpcore2.TimeoutException as error:
        raise httpx2.ReadTimeout(str(error)) from error
    except httpcore2.ConnectError as error:
        raise httpx2.ConnectError(str(error)) from error
    except httpcore2.NetworkError as error:
        raise httpx2.NetworkError(str(error)) from error
    except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol) as error:
        raise httpx2.RemoteProtocolError(str(error)) from error

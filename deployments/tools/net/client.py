"""httpx's client over the guard, and one exchange with an end that is sure to come."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence

import httpx2

from autoglm.errors import APIStatusError, DeadlineExceededError, UnavailableError, UpstreamError
from deployments.tools.net.backend import GuardedBackend
from deployments.tools.net.config import OutgoingConfig
from deployments.tools.net.host import AllowedHost
from deployments.tools.net.resolver import Resolver, SystemResolver
from deployments.tools.net.transport import GuardedTransport

CONNECT_S = 10.0
MAX_REDIRECTS = 5  # browsers follow 20; a service's own rarely need 2
# A compressed answer would hide its size, and no cookies are kept.
HEADERS = {"accept-encoding": "identity", "user-agent": "open-autoglm"}


def guarded_client(
    config: OutgoingConfig,
    own: Sequence[httpx2.URL],
    *,
    event_streams: bool = False,
    resolver: Resolver | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> httpx2.AsyncClient:
    """A client for the `own` addresses and the hosts that the config allows; nothing of the environment steers it.

    Only connecting and sending have limits of their own: whoever calls bounds the whole exchange, as `exchanged` does.
    """
    hosts = [*map(AllowedHost.of, own), *map(AllowedHost.parse, config.allow_hosts)]
    transport = GuardedTransport(
        GuardedBackend(resolver or SystemResolver(), config.allow_networks),
        hosts,
        allow_http=config.allow_http,
        max_bytes=config.max_response_bytes,
        event_streams=event_streams,
        ssl_context=ssl_context,
    )
    return httpx2.AsyncClient(
        transport=transport,
        headers=HEADERS,
        timeout=httpx2.Timeout(CONNECT_S, read=None),
        max_redirects=MAX_REDIRECTS,
        trust_env=False,
    )


async def exchanged(client: httpx2.AsyncClient, request: httpx2.Request, *, timeout_s: float) -> httpx2.Response:
    """The whole answer to a request, redirects followed where the guard lets them.

    Raises:
        UnavailableError: the service cannot be reached: nothing was sent.
        DeadlineExceededError: the answer was not there in time.
        UpstreamError: the guard refused the request or the answer, or the exchange broke.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await client.send(request, follow_redirects=True)
    except TimeoutError as error:
        raise DeadlineExceededError(f"{request.url.host} did not answer in {timeout_s:g} s") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise _told(request.url.host, error) from error


def _told(host: str, error: Exception) -> APIStatusError:
    what = str(error) or type(error).__name__
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return UnavailableError(f"{host} cannot be reached: {what}")
    return UpstreamError(f"{host}: {what}")

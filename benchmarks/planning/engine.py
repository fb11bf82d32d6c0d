"""A chat model behind an OpenAI-compatible address."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

import httpx

from autoglm.errors import UpstreamError


class Engine:
    """Asks one server; `async with` closes the connections."""

    def __init__(self, base_url: str, key: str | None = None) -> None:
        """`base_url` ends in /v1."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.AsyncClient(base_url=base_url.rstrip("/"), headers=headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def complete(self, model: str, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """A chat completion.

        Raises:
            UpstreamError: it answered with an error, or not at all.
        """
        body = {"model": model, **request}
        try:
            answer = await self._client.post("/chat/completions", json=body, timeout=timeout_s)
            answer.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise UpstreamError(f"{error.response.status_code}: {error.response.text[:300]}") from error
        except httpx.HTTPError as error:
            raise UpstreamError(f"{type(error).__name__}: {error}") from error
        found: dict[str, Any] = json.loads(answer.text)
        return found

"""The asynchronous client."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

import httpx

from autoglm.client import calls
from autoglm.client.chat_stream import AsyncChatStream
from autoglm.client.config import DEFAULT_TIMEOUT_S, ClientConfig
from autoglm.client.exchange import Call, Outcome, exchange
from autoglm.client.inputs import Message
from autoglm.contract.chat import ChatCompletion
from autoglm.contract.health import Health
from autoglm.contract.model_list import ModelList
from autoglm.contract.predict import PredictResponse

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

T = TypeVar("T")


class AsyncAutoClient:
    """`AutoClient` for asyncio: the same arguments, calls and errors, each call awaited."""

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._config = ClientConfig.resolve(api_key, base_url, timeout)
        self._http = httpx.AsyncClient(transport=transport, **self._config.http_options())

    def __repr__(self) -> str:
        return f"AsyncAutoClient(base_url={self.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def base_url(self) -> str:
        """The server's address, ending in `/v1`."""
        return self._config.base_url

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    @overload
    async def chat(
        self,
        messages: str | Iterable[Message],
        model: str = "chat",
        *,
        stream: Literal[False] = False,
        **options: Any,
    ) -> ChatCompletion: ...
    @overload
    async def chat(
        self, messages: str | Iterable[Message], model: str = "chat", *, stream: Literal[True], **options: Any
    ) -> AsyncChatStream: ...
    @overload
    async def chat(
        self, messages: str | Iterable[Message], model: str = "chat", *, stream: bool, **options: Any
    ) -> ChatCompletion | AsyncChatStream: ...
    async def chat(
        self, messages: str | Iterable[Message], model: str = "chat", *, stream: bool = False, **options: Any
    ) -> ChatCompletion | AsyncChatStream:
        """As `AutoClient.chat`; `async with await client.chat(..., stream=True) as chunks` streams."""
        if stream:
            return await self._run(calls.chat_stream(messages, model, options, AsyncChatStream))
        return await self._run(calls.chat(messages, model, options))

    async def predict(self, task: str, inputs: Any) -> PredictResponse:
        """As `AutoClient.predict`."""
        return await self._run(calls.predict(task, inputs))

    async def embed(self, texts: str | Iterable[str], model: str = "embed") -> npt.NDArray[np.float32]:
        """Embeds texts: float32 of shape (n, d), a row for each text; n is 1 for a single text."""
        return await self._run(calls.embed(texts, model))

    async def models(self) -> ModelList:
        """What the cluster serves: models and tasks."""
        return await self._run(calls.models())

    async def health(self) -> Health:
        """Whether the server lives; needs no key."""
        return await self._run(calls.health())

    async def _run(self, call: Call[T]) -> T:
        steps = exchange(call, self._http.build_request)
        try:
            request = next(steps)
            while True:
                request = steps.send(await self._send(request, call.streamed))
        except StopIteration as end:
            return end.value

    async def _send(self, request: httpx.Request, streamed: bool) -> Outcome:
        try:
            response = await self._http.send(request, stream=streamed)
            if streamed and not response.is_success:
                await response.aread()
        except httpx.HTTPError as error:
            return error
        return response

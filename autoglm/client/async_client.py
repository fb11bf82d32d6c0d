"""The asynchronous client."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, Unpack, overload

import httpx

from autoglm.client import calls, many, task_calls
from autoglm.client.admin import AsyncAdmin
from autoglm.client.chat_stream import AsyncChatStream
from autoglm.client.config import ClientConfig, Settings
from autoglm.client.exchange import Call, exchange
from autoglm.client.inputs import Message
from autoglm.client.run_stream import AsyncRunStream, async_run_stream, watched_async
from autoglm.client.step import Broken, Outcome, Send, Step
from autoglm.client.task_calls import RunOptions
from autoglm.client.tasks import AsyncTasks
from autoglm.client.tools import AsyncTools
from autoglm.contract.chat import ChatCompletion
from autoglm.contract.health import Health
from autoglm.contract.model_list import ModelList
from autoglm.contract.predict import Prediction, PredictResponse
from autoglm.contract.route import RouteDecision, RouteKind
from autoglm.contract.task_run import RunEvent, TaskRun

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
        transport: httpx.AsyncBaseTransport | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        self._config = ClientConfig.resolve(api_key, base_url, settings)
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

    @property
    def admin(self) -> AsyncAdmin:
        """As `AutoClient.admin`."""
        return AsyncAdmin(self._run)

    @property
    def tasks(self) -> AsyncTasks:
        """As `AutoClient.tasks`."""
        return AsyncTasks(self._run, self._config)

    @property
    def tools(self) -> AsyncTools:
        """As `AutoClient.tools`."""
        return AsyncTools(self._run)

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

    def predict_many(
        self,
        task: str,
        inputs: Iterable[Any],
        *,
        concurrency: int = 8,
        batch_size: int = 32,
        progress: Callable[[int], object] | None = None,
    ) -> AsyncGenerator[Prediction, None]:
        """As `AutoClient.predict_many`, for `async for`; closing it (`aclose`) hangs up on requests under way."""
        plan = many.Plan(task, concurrency, batch_size, progress)
        return many.predict_many_async(self.predict, inputs, plan)

    @overload
    async def run(
        self,
        instruction: str,
        *,
        stream: Literal[False] = False,
        on_event: Callable[[RunEvent], object] | None = None,
        **options: Unpack[RunOptions],
    ) -> TaskRun: ...
    @overload
    async def run(
        self, instruction: str, *, stream: Literal[True], **options: Unpack[RunOptions]
    ) -> AsyncRunStream: ...
    async def run(
        self,
        instruction: str,
        *,
        stream: bool = False,
        on_event: Callable[[RunEvent], object] | None = None,
        **options: Unpack[RunOptions],
    ) -> TaskRun | AsyncRunStream:
        """As `AutoClient.run`; `async with await client.run(..., stream=True) as events` streams."""
        if not stream and on_event is None:
            return await self._run(task_calls.run(instruction, options))
        events = await self._run(task_calls.run_events(instruction, options, async_run_stream))
        return events if on_event is None else await watched_async(events, on_event)

    async def embed(self, texts: str | Iterable[str], model: str = "embed") -> npt.NDArray[np.float32]:
        """Embeds texts: float32 of shape (n, d), a row for each text; n is 1 for a single text."""
        return await self._run(calls.embed(texts, model))

    async def route(self, text: str, *, kind: RouteKind | None = None) -> RouteDecision:
        """As `AutoClient.route`."""
        return await self._run(calls.route(text, kind))

    async def models(self) -> ModelList:
        """What the cluster serves: models and tasks."""
        return await self._run(calls.models())

    async def health(self) -> Health:
        """Whether the server lives; needs no key."""
        return await self._run(calls.health())

    async def _run(self, call: Call[T]) -> T:
        steps = exchange(call, self._config, self._http.build_request)
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                return end.value
            outcome = await self._carry_out(step)

    async def _carry_out(self, step: Step) -> Outcome:
        if not isinstance(step, Send):
            await self._config.clock.sleep_async(step.seconds)
            return None
        response = None
        try:
            response = step.opened(await self._http.send(step.request, stream=True))
            if step.reads(response):
                await self._read(response)
        except httpx.HTTPError as error:
            return Broken(error, answered=response is not None)
        return response

    @staticmethod
    async def _read(response: httpx.Response) -> None:
        try:
            await response.aread()
        except BaseException:
            await response.aclose()
            raise

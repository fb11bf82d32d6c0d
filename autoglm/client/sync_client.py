"""The synchronous client."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

import httpx

from autoglm.client import calls
from autoglm.client.chat_stream import ChatStream
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


class AutoClient:
    """Talks to a running cluster.

    `api_key` defaults to `AUTOGLM_API_KEY`, then (for a server on this machine) to the local key file; `base_url` to
    `AUTOGLM_BASE_URL`, then to the local cluster. `timeout` is the longest silence in seconds. `transport` takes
    httpx's place on the network, in tests.

    Every call raises APIConnectionError where no whole answer came, APITimeoutError where none came in time, and
    the APIStatusError of the response where the server refused or failed.

    Raises:
        ConfigError: the key or the base URL is malformed.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._config = ClientConfig.resolve(api_key, base_url, timeout)
        self._http = httpx.Client(transport=transport, **self._config.http_options())

    def __repr__(self) -> str:
        return f"AutoClient(base_url={self.base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        """The server's address, ending in `/v1`."""
        return self._config.base_url

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    @overload
    def chat(
        self,
        messages: str | Iterable[Message],
        model: str = "chat",
        *,
        stream: Literal[False] = False,
        **options: Any,
    ) -> ChatCompletion: ...
    @overload
    def chat(
        self, messages: str | Iterable[Message], model: str = "chat", *, stream: Literal[True], **options: Any
    ) -> ChatStream: ...
    @overload
    def chat(
        self, messages: str | Iterable[Message], model: str = "chat", *, stream: bool, **options: Any
    ) -> ChatCompletion | ChatStream: ...
    def chat(
        self, messages: str | Iterable[Message], model: str = "chat", *, stream: bool = False, **options: Any
    ) -> ChatCompletion | ChatStream:
        """Answers a conversation, or one text as the user's.

        `options` are OpenAI's and vLLM's (`temperature`, `max_tokens`, …), sent as given. `str()` of the answer is
        its text; with `stream=True` it is an iterator of chunks, to be used in a `with` block.
        """
        if stream:
            return self._run(calls.chat_stream(messages, model, options, ChatStream))
        return self._run(calls.chat(messages, model, options))

    def predict(self, task: str, inputs: Any) -> PredictResponse:
        """Runs a declared task over one input or a list of them; the predictions are in their order.

        An input is a text, the bytes of an image, or a row of numbers (a list or a numpy array).

        Raises:
            UnprocessableEntityError: an input is none of these, or not finite; `param` names it.
        """
        return self._run(calls.predict(task, inputs))

    def embed(self, texts: str | Iterable[str], model: str = "embed") -> npt.NDArray[np.float32]:
        """Embeds texts: float32 of shape (n, d), a row for each text; n is 1 for a single text."""
        return self._run(calls.embed(texts, model))

    def models(self) -> ModelList:
        """What the cluster serves: models and tasks."""
        return self._run(calls.models())

    def health(self) -> Health:
        """Whether the server lives; needs no key."""
        return self._run(calls.health())

    def _run(self, call: Call[T]) -> T:
        steps = exchange(call, self._http.build_request)
        try:
            request = next(steps)
            while True:
                request = steps.send(self._send(request, call.streamed))
        except StopIteration as end:
            return end.value

    def _send(self, request: httpx.Request, streamed: bool) -> Outcome:
        try:
            response = self._http.send(request, stream=streamed)
            if streamed and not response.is_success:
                response.read()
        except httpx.HTTPError as error:
            return error
        return response

"""The synchronous client."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, Unpack, overload

import httpx

from autoglm.client import calls, many, task_calls
from autoglm.client.admin import Admin
from autoglm.client.chat_stream import ChatStream
from autoglm.client.config import ClientConfig, Settings
from autoglm.client.exchange import Call, exchange
from autoglm.client.inputs import Message
from autoglm.client.run_stream import RunStream, run_stream, watched
from autoglm.client.step import Broken, Outcome, Send, Step
from autoglm.client.task_calls import RunOptions
from autoglm.client.tasks import Tasks
from autoglm.client.tools import Tools
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


class AutoClient:
    """Talks to a running cluster; threads may share it.

    `api_key` defaults to `AUTOGLM_API_KEY`, then to the profile's, then (for a server on this machine) to the local
    key file; `base_url` to `AUTOGLM_BASE_URL`, then to the profile's, then to the local cluster. The other settings
    are those of `autoglm.client.Settings`. `transport` takes httpx's place on the network, in tests.

    A call that fails is tried again where the documented table of errors allows it, as `retry` says. In the end it
    raises APIConnectionError where no whole answer came, APITimeoutError where none came in time, and the
    APIStatusError of the response where the server refused or failed.

    Raises:
        ConfigError: a setting is malformed, unknown, or contradicts another.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        self._config = ClientConfig.resolve(api_key, base_url, settings)
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

    @property
    def admin(self) -> Admin:
        """Administration: who may do what, how much, and what is loaded; needs the scope `admin`."""
        return Admin(self._run)

    @property
    def tasks(self) -> Tasks:
        """Runs of instructions: how they fare, what they wait for, and their events."""
        return Tasks(self._run, self._config)

    @property
    def tools(self) -> Tools:
        """The tools that the caller may use, each by itself."""
        return Tools(self._run)

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

    def predict_many(
        self,
        task: str,
        inputs: Iterable[Any],
        *,
        concurrency: int = 8,
        batch_size: int = 32,
        progress: Callable[[int], object] | None = None,
    ) -> Generator[Prediction, None, None]:
        """Runs a declared task over very many inputs: a prediction for each, in their order, as they come.

        `inputs` are taken as they are needed: at most `2 * concurrency` batches are in memory, `concurrency` of them
        under way, each in a thread. `progress` is called with the number of predictions so far, after each batch.
        Closing the iterator sends nothing more; requests that are already sent end in their threads, unheard.

        Raises:
            ConfigError: `concurrency` or `batch_size` is less than 1.
            BatchError: while iterating; a batch failed. What was yielded before stays good.
        """
        plan = many.Plan(task, concurrency, batch_size, progress)
        return many.predict_many(self.predict, inputs, plan)

    @overload
    def run(
        self,
        instruction: str,
        *,
        stream: Literal[False] = False,
        on_event: Callable[[RunEvent], object] | None = None,
        **options: Unpack[RunOptions],
    ) -> TaskRun: ...
    @overload
    def run(self, instruction: str, *, stream: Literal[True], **options: Unpack[RunOptions]) -> RunStream: ...
    def run(
        self,
        instruction: str,
        *,
        stream: bool = False,
        on_event: Callable[[RunEvent], object] | None = None,
        **options: Unpack[RunOptions],
    ) -> TaskRun | RunStream:
        """Has an instruction done: planned, its steps run, and answered. `str()` of the run is its answer.

        With `stream=True` it is an iterator of the run's events, to be used in a `with` block; `on_event` is called
        with each of them instead. `options` are those of `autoglm.client.RunOptions`. An instruction may do things, so
        it is not sent again where the server may have begun with it.

        Raises:
            APIStatusError: the class of the error that the run failed with, or that it was refused with:
                PermissionDeniedError where a grant is missing, UnprocessableEntityError where nothing can do it.
            ConfigError: `background` with `stream` or `on_event`.
        """
        if not stream and on_event is None:
            return self._run(task_calls.run(instruction, options))
        events = self._run(task_calls.run_events(instruction, options, run_stream))
        return events if on_event is None else watched(events, on_event)

    def embed(self, texts: str | Iterable[str], model: str = "embed") -> npt.NDArray[np.float32]:
        """Embeds texts: float32 of shape (n, d), a row for each text; n is 1 for a single text."""
        return self._run(calls.embed(texts, model))

    def route(self, text: str, *, kind: RouteKind | None = None) -> RouteDecision:
        """Where a text would go under `model: "auto"` or `task: auto`, and why; nothing is run.

        With `kind`, only routes to a model are considered, as `chat(..., model="auto")` does, or only those to a task.
        """
        return self._run(calls.route(text, kind))

    def models(self) -> ModelList:
        """What the cluster serves: models and tasks."""
        return self._run(calls.models())

    def health(self) -> Health:
        """Whether the server lives; needs no key."""
        return self._run(calls.health())

    def _run(self, call: Call[T]) -> T:
        steps = exchange(call, self._config, self._http.build_request)
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                return end.value
            outcome = self._carry_out(step)

    def _carry_out(self, step: Step) -> Outcome:
        if not isinstance(step, Send):
            self._config.clock.sleep(step.seconds)
            return None
        response = None
        try:
            response = step.opened(self._http.send(step.request, stream=True))
            if step.reads(response):
                self._read(response)
        except httpx.HTTPError as error:
            return Broken(error, answered=response is not None)
        return response

    @staticmethod
    def _read(response: httpx.Response) -> None:
        try:
            response.read()
        except BaseException:
            response.close()
            raise

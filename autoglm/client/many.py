"""Very many inputs in batches: ordered, several at a time, in bounded memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from itertools import islice
from typing import Any

from autoglm.contract.predict import Prediction, PredictResponse
from autoglm.errors import APIConnectionError, AutoGLMError, BatchError, ConfigError

Predict = Callable[[str, Any], PredictResponse]
PredictAsync = Callable[[str, Any], Awaitable[PredictResponse]]


@dataclass(frozen=True)
class Batch:
    """Inputs that are sent together; `first` is the index of the first one among all."""

    first: int
    inputs: list[Any]

    @property
    def end(self) -> int:
        """The index behind the last one."""
        return self.first + len(self.inputs)

    def read(self, response: PredictResponse) -> tuple[Prediction, ...]:
        """A prediction for each input.

        Raises:
            APIConnectionError: the server gave more or fewer; whose they are cannot be told.
        """
        if len(response.predictions) != len(self.inputs):
            raise APIConnectionError(
                f"/v1/predict: got {len(response.predictions)} predictions for {len(self.inputs)} inputs; "
                "is base_url an Open-AutoGLM server of this version?"
            )
        return response.predictions

    def failure(self, error: AutoGLMError) -> BatchError:
        """The batch's error as that of the whole: all before it were yielded, in order."""
        return BatchError(
            f"inputs {self.first} to {self.end - 1} failed, after {self.first} results: {error.message}",
            done=self.first,
            indices=range(self.first, self.end),
        )


@dataclass(frozen=True)
class Plan:
    """What is done with the inputs.

    Raises:
        ConfigError: `concurrency` or `batch_size` is less than 1.
    """

    task: str
    concurrency: int
    batch_size: int
    progress: Callable[[int], object] | None

    def __post_init__(self) -> None:
        for name in ("concurrency", "batch_size"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}: got {getattr(self, name)}; 1 or more do")

    @property
    def window(self) -> int:
        """Batches in memory: those under way, and as many that wait to be sent or to be taken."""
        return 2 * self.concurrency

    def batches(self, inputs: Iterable[Any]) -> Iterator[Batch]:
        """The inputs, cut as they are needed."""
        source, first = iter(inputs), 0
        while taken := list(islice(source, self.batch_size)):
            yield Batch(first, taken)
            first += len(taken)

    def tell(self, batch: Batch) -> None:
        """Progress: this batch and all before it were yielded."""
        if self.progress is not None:
            self.progress(batch.end)


def predict_many(predict: Predict, inputs: Iterable[Any], plan: Plan) -> Generator[Prediction, None, None]:
    """In threads, each with the caller's context, so that its trace goes on in them."""
    batches = plan.batches(inputs)
    window: deque[tuple[Batch, Future[PredictResponse]]] = deque()
    pool = ThreadPoolExecutor(plan.concurrency, thread_name_prefix="autoglm-predict")
    try:
        while True:
            for batch in islice(batches, plan.window - len(window)):
                window.append((batch, pool.submit(copy_context().run, predict, plan.task, batch.inputs)))
            if not window:
                return
            batch, answer = window.popleft()
            try:
                predictions = batch.read(answer.result())
            except AutoGLMError as error:
                raise batch.failure(error) from error
            yield from predictions
            plan.tell(batch)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


async def predict_many_async(
    predict: PredictAsync, inputs: Iterable[Any], plan: Plan
) -> AsyncGenerator[Prediction, None]:
    """In tasks, which are cancelled and awaited when the iterator is closed."""
    batches = plan.batches(inputs)
    window: deque[tuple[Batch, asyncio.Task[PredictResponse]]] = deque()
    slots = asyncio.Semaphore(plan.concurrency)

    async def send(batch: Batch) -> PredictResponse:
        async with slots:
            return await predict(plan.task, batch.inputs)

    try:
        while True:
            for batch in islice(batches, plan.window - len(window)):
                window.append((batch, asyncio.create_task(send(batch))))
            if not window:
                return
            batch, answer = window[0]
            try:
                predictions = batch.read(await answer)
            except AutoGLMError as error:
                raise batch.failure(error) from error
            window.popleft()
            for prediction in predictions:
                yield prediction
            plan.tell(batch)
    finally:
        await _cancel([answer for _, answer in window])


async def _cancel(tasks: list[asyncio.Task[PredictResponse]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

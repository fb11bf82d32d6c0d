"""The deployment of one task or embedding model that answers batches."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import serve

from autoglm.contract import BatchingConfig, TaskConfig
from autoglm.errors import APIStatusError
from deployments.boundary import plain_errors
from deployments.predictor.scheduler import Scheduler
from deployments.threads import use_all_cores

if TYPE_CHECKING:
    from autoglm.models import Adapter

DEFAULT = BatchingConfig()
GATHERED_BATCHES = 32  # so many may wait in the scheduler; what `@serve.batch` gathers meanwhile waits in its queue


def load_adapter(config: TaskConfig, fitted: Path | None) -> Adapter:
    """The adapter of a declared task; what loads it is imported in the replica alone."""
    from autoglm.models import load

    return load(config, fitted)


Load = Callable[[TaskConfig, Path | None], "Adapter"]


def inputs_in(pieces: list[list[Any]]) -> int:
    """How Serve measures a batch: by its inputs, not by the calls that brought them."""
    return sum(map(len, pieces))


class Predictor:
    """A replica: takes the inputs of several requests in one call, and computes them in batches.

    `config` is the task's declaration, and `fitted` the path of a head or model that was fitted before, elsewhere
    perhaps; without it the replica fits one where data are declared.
    """

    def __init__(self, config: dict[str, Any], fitted: str | None = None, *, load: Load = load_adapter) -> None:
        use_all_cores()
        declared = TaskConfig.model_validate(config)
        self._name = declared.model or declared.task
        self._adapter = load(declared, None if fitted is None else Path(fitted))
        # The scheduler's threads compute and this one decodes the next inputs meanwhile; the event loop does neither.
        self._decode = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._scheduler = Scheduler(
            self._adapter.predict, pass_inputs=DEFAULT.max_batch_size, pass_tokens=self._adapter.pass_tokens
        )
        self._max_batch_size = DEFAULT.max_batch_size
        self._under_way: set[asyncio.Task[list[Any]]] = set()

    async def reconfigure(self, batching: dict[str, Any]) -> None:
        """Called by Serve at the start and whenever `user_config` changes; no restart.

        Serve refuses a piece above its limit, so a lower limit waits for the pieces that were cut to the one before.
        """
        config = BatchingConfig.model_validate(batching)
        self._batch.set_batch_wait_timeout_s(config.batch_wait_timeout_s)
        self._batch.set_max_batch_size(max(config.max_batch_size, self._max_batch_size))
        self._max_batch_size = config.max_batch_size
        self._scheduler.pass_inputs = config.max_batch_size
        if self._under_way:
            await asyncio.wait(self._under_way)
        self._batch.set_max_batch_size(config.max_batch_size)

    async def predict(self, requests: list[list[Any]]) -> list[dict[str, Any] | APIStatusError]:
        """Answer each request (a list of raw inputs) with `{"outputs", "tokens"}`, or with its own error.

        One request's bad input does not touch the others that came in the same call.
        """
        loop = asyncio.get_running_loop()
        with plain_errors(self._name):
            parsed = await loop.run_in_executor(self._decode, lambda: [self._parse(request) for request in requests])
            return await asyncio.gather(*map(self._answer, parsed))

    def _parse(self, request: list[Any]) -> list[Any] | APIStatusError:
        try:
            return [self._adapter.parse(item, index) for index, item in enumerate(request)]
        except APIStatusError as error:
            return error

    async def _answer(self, parsed: list[Any] | APIStatusError) -> dict[str, Any] | APIStatusError:
        if isinstance(parsed, APIStatusError):
            return parsed
        outputs = await asyncio.gather(*map(self._submit, self._pieces(parsed)))
        return {
            "outputs": list(itertools.chain.from_iterable(outputs)),
            "tokens": sum(map(self._adapter.tokens, parsed)),
        }

    def _pieces(self, parsed: list[Any]) -> Iterator[list[Any]]:
        """A request of more inputs than a batch holds is computed in several."""
        for start in range(0, len(parsed), self._max_batch_size):
            yield parsed[start : start + self._max_batch_size]

    def _submit(self, piece: list[Any]) -> asyncio.Task[list[Any]]:
        task = asyncio.create_task(self._batch(piece))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    @serve.batch(
        max_batch_size=DEFAULT.max_batch_size,
        batch_wait_timeout_s=DEFAULT.batch_wait_timeout_s,
        max_concurrent_batches=GATHERED_BATCHES,
        batch_size_fn=inputs_in,
    )
    async def _batch(self, pieces: list[list[Any]]) -> list[Sequence[Any]]:
        flat = list(itertools.chain.from_iterable(pieces))
        outputs = iter(await self._scheduler.compute(flat, list(map(self._adapter.tokens, flat))))
        return [list(itertools.islice(outputs, len(piece))) for piece in pieces]

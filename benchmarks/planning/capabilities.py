"""The default cluster's tools and tasks, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from autoglm import AutoTask
from autoglm.contract.model_list import ModelCard
from autoglm.contract.tool import ToolCard
from autoglm.contract.usage import Usage
from autoglm.errors import NotFoundError, UnprocessableEntityError
from benchmarks.planning.engine import UNASKED, Engine
from deployments.clock import utc_now
from deployments.tools.embedded.names import EmbeddedName
from deployments.tools.sources.embedded import EmbeddedSource

NAMES: tuple[EmbeddedName, ...] = (
    "add_to_date", "calculate", "convert_time", "convert_unit", "current_time", "days_between", "query_json",
    "search_documents", "share_of", "text_statistics",
)  # fmt: skip
DOCUMENTS = {
    "retries.md": "# Retries\n\nThe retry budget of a request is three attempts, shared by every hop.\n",
    "cache.md": "# The cache\n\nThe cache keeps an answer for sixty seconds, and then asks the model again.\n",
    "tenants.md": "# Tenants\n\nA tenant is who pays for a request; its keys share a quota.\n",
}
TASKS: dict[str, dict[str, Any]] = {
    "sentiment": {
        "task": "text-classification",
        "model": "embedded/minilm-l6-sst2",
        "labels": ["negative", "positive"],
    },
    "iris": {"task": "tabular-classification", "data": {"train": "embedded/iris"}},
}


class LocalCapabilities:
    """May do everything; what it answers for the chat model is what an engine says, where there is one."""

    def __init__(
        self, sources: Sequence[EmbeddedSource], tasks: dict[str, AutoTask], chat: ModelCard, engine: Engine | None
    ) -> None:
        self._sources = {card.name: source for source in sources for card in source.tools()}
        self._cards = [card for source in sources for card in source.tools()]
        self._tasks = tasks
        self._chat = chat
        self._engine = engine

    def tools(self) -> Sequence[ToolCard]:
        """All embedded ones."""
        return self._cards

    def models(self) -> Sequence[ModelCard]:
        """The chat model and the tasks."""
        tasks = [ModelCard(id=name, task=TASKS[name]["task"], labels=TASKS[name].get("labels")) for name in self._tasks]
        return [self._chat, *tasks]

    def check(self, name: str, arguments: dict[str, Any] | None = None) -> bool:
        """Every tool that there is is granted."""
        if name not in self._sources:
            raise NotFoundError(f"there is no tool {name!r}")
        return False

    def usage(self) -> Usage:
        """Nobody counts."""
        return Usage()

    async def call_tool(self, name: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        """By its source."""
        return await self._sources[name].call(name, arguments, key=key, timeout_s=timeout_s)

    async def call_task(self, name: str, inputs: list[Any], *, timeout_s: float) -> list[dict[str, Any]]:
        """In a thread."""
        found = await asyncio.to_thread(self._tasks[name].predict, inputs)
        return [prediction.model_dump(mode="json") for prediction in found]

    async def call_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """By the engine.

        Raises:
            UnprocessableEntityError: there is none.
        """
        if self._engine is None:
            raise UnprocessableEntityError("no engine is given; name one with --model")
        return await self._engine.complete(request)

    async def stream_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> AsyncIterator[str]:
        """As `call_model`."""
        answer = await self.call_model(name, request, timeout_s=timeout_s)
        yield str(answer["choices"][0]["message"]["content"] or "")


async def local_capabilities(folder: Path, engine: Engine | None) -> LocalCapabilities:
    """Everything loaded; `folder` is an empty one for the documents."""
    sources = await embedded_sources(folder)
    chat = UNASKED if engine is None else await engine.card()
    return LocalCapabilities(sources, {name: fitted(config) for name, config in TASKS.items()}, chat, engine)


async def embedded_sources(folder: Path) -> list[EmbeddedSource]:
    """The embedded tools, those that search `folder` among them."""
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text)
    sources = [EmbeddedSource(name, name, folder, threads=4, clock=utc_now) for name in NAMES]
    for source in sources:
        await source.open(lambda: None)
    return sources


def fitted(config: dict[str, Any]) -> AutoTask:
    """A task that has read its model: several threads may ask it from now on."""
    task = AutoTask.from_config(config)
    if "data" in config:
        task.fit()
    else:
        task.predict(["warm up"])
    return task

"""The deployment of one LLM version. Building it imports neither vLLM nor torch; only its replica does."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from autoglm.models import source
from deployments.boundary import plain_errors
from deployments.llm import deadline
from deployments.llm.config import LLMVersion, cpu_environment
from deployments.stream import Event, Progress

if TYPE_CHECKING:
    from deployments.llm.server import Server


class LLM:
    """A replica of one version: a vLLM engine that answers OpenAI's requests as plain dicts."""

    async def __init__(self, version: dict[str, Any]) -> None:  # type: ignore[misc]  # Serve awaits it
        self._version = LLMVersion.model_validate(version)
        self._server = await self._start()

    async def _start(self) -> Server:
        if self._version.device == "cpu":
            os.environ.update(cpu_environment())  # read when vLLM is imported, so before it is
        from deployments.llm.server import start

        return await start(self._version, str(source.resolve(self._version.source)))

    async def chat(self, request: dict[str, Any], timeout_s: float | None = None) -> dict[str, Any]:
        """A whole chat completion, within `timeout_s` seconds: what is left of the request's deadline.

        Raises:
            DeadlineExceededError: it would take longer; the engine's work is cancelled.
            APIStatusError: what the engine refuses, or its failure.
        """
        return await self._answer("chat", request, timeout_s)

    async def completions(self, request: dict[str, Any], timeout_s: float | None = None) -> dict[str, Any]:
        """A whole text completion; time and errors as in `chat`."""
        return await self._answer("completions", request, timeout_s)

    async def _answer(self, method: str, request: dict[str, Any], timeout_s: float | None) -> dict[str, Any]:
        with plain_errors(self._version.name):
            return await deadline.whole(self._server.answer(method, request), timeout_s)

    async def stream(
        self,
        method: str,
        request: dict[str, Any],
        timeout_s: float | None = None,
        progress: Progress | None = None,
    ) -> AsyncIterator[Event]:
        """The events of `chat` or `completions`, each as soon as the engine has it; time and errors as in `chat`.

        With `progress` only those that the caller does not have: the answer broke off on another replica.
        """
        with plain_errors(self._version.name):
            events = self._server.stream(method, request, progress)
            async with aclosing(deadline.streamed(events, timeout_s)) as timed:
                async for event in timed:
                    yield event

    async def check_health(self) -> None:
        """Called by Serve; raises when the engine is dead, and Serve replaces the replica."""
        with plain_errors(self._version.name):
            await self._server.check_health()

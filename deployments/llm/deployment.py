"""The deployment of one LLM version. Building it imports neither vLLM nor torch; only its replica does."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from autoglm.models import source
from deployments.boundary import plain_errors
from deployments.llm.config import LLMVersion, cpu_environment

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

    async def chat(self, request: dict[str, Any]) -> dict[str, Any]:
        """A whole chat completion."""
        with plain_errors(self._version.name):
            return await self._server.answer("chat", request)

    async def completions(self, request: dict[str, Any]) -> dict[str, Any]:
        """A whole text completion."""
        with plain_errors(self._version.name):
            return await self._server.answer("completions", request)

    async def stream(self, method: str, request: dict[str, Any]) -> AsyncIterator[bytes]:
        """The events of `chat` or `completions`, each as soon as the engine has it."""
        with plain_errors(self._version.name):
            async for event in self._server.stream(method, request):
                yield event

    async def check_health(self) -> None:
        """Called by Serve; raises when the engine is dead, and Serve replaces the replica."""
        with plain_errors(self._version.name):
            await self._server.check_health()

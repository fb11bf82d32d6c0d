"""Results put into words by a model, or without one as they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from deployments.planner.capabilities import Capabilities
from deployments.planner.planning import prompt
from deployments.planner.planning.config import ModelPlanning
from deployments.planner.planning.room import Room
from deployments.planner.size import cut, text


class Composition:
    """Answers for one caller."""

    def __init__(self, config: ModelPlanning, model: str | None, capabilities: Capabilities) -> None:
        self._config = config
        self._model = model
        self._capabilities = capabilities

    async def __call__(self, instruction: str, results: Mapping[str, Any]) -> AsyncIterator[str]:
        """The answer's text as it comes.

        Raises:
            APIStatusError: the model cannot be asked.
        """
        if self._model is None:
            yield "\n".join(f"{step}: {text(cut(result, prompt.MAX_RESULT)[0])}" for step, result in results.items())
            return
        room = Room.of(self._config, self._capabilities.models(), self._model)
        request = {
            "messages": prompt.composing(instruction, results, room.prompt),
            "temperature": 0.0,
            "max_tokens": room.max_tokens,
        }
        words = self._capabilities.stream_model(self._model, request, timeout_s=self._config.timeout_s)
        async for word in words:
            yield word

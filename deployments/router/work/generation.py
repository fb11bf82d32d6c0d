"""A chat or text completion, whole or streamed."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from autoglm.contract import ChatRequest, CompletionRequest
from deployments.router.cache import Computed, is_deterministic
from deployments.router.call import Call
from deployments.router.config import Limits, Route
from deployments.router.limits import check_generation
from deployments.router.targets import Target
from deployments.router.work.work import computed
from deployments.stream import DONE

METHODS = {ChatRequest: "chat", CompletionRequest: "completions"}


@dataclass(frozen=True, slots=True)
class Generation:
    """`POST /v1/chat/completions` and `/v1/completions`; `payload` is what the engine gets."""

    method: str
    payload: Mapping[str, Any]

    @classmethod
    def of(cls, request: ChatRequest | CompletionRequest, limits: Limits) -> Generation:
        """A request that its limits admit; raises as `check_generation` does."""
        payload = without_nulls(request.model_dump(mode="json", exclude_unset=True))
        check_generation(payload, limits)
        return cls(METHODS[type(request)], payload)

    @property
    def is_repeatable(self) -> bool:
        """Whether the engine gives the same answer each time."""
        return is_deterministic(self.payload)

    async def whole(self, target: Target, call: Call) -> Computed:
        """The whole completion."""
        answer = await target.answer(self.method, self._to(target.route), call)
        return computed(answer, target.route)

    def stream(self, target: Target, call: Call) -> AsyncGenerator[bytes]:
        """Its events."""
        return target.stream(self.method, self._to(target.route), call)

    def fixed(self, text: str, route: Route) -> Computed:
        """The text as if the model had said it, of no tokens."""
        content = {"message": {"role": "assistant", "content": text}} if self.method == "chat" else {"text": text}
        usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        return computed(self._frame(route, "", content | {"finish_reason": "stop"}) | {"usage": usage}, route)

    async def fixed_events(self, text: str, route: Route) -> AsyncGenerator[bytes]:
        """The same as a stream of one chunk."""
        content = {"delta": {"role": "assistant", "content": text}} if self.method == "chat" else {"text": text}
        yield b"data: " + orjson.dumps(self._frame(route, ".chunk", content | {"finish_reason": "stop"})) + b"\n\n"
        yield DONE

    def _frame(self, route: Route, kind: str, choice: dict[str, Any]) -> dict[str, Any]:
        """A response of one choice; text completions call their chunks like the whole."""
        name = f"chat.completion{kind}" if self.method == "chat" else "text_completion"
        return {
            "id": f"fixed-{uuid.uuid4().hex}",
            "object": name,
            "created": int(time.time()),
            "model": route.name,
            "choices": [{"index": 0} | choice],
        }

    def _to(self, route: Route) -> dict[str, Any]:
        """What the engine of a route gets: it knows itself by its own name."""
        return {**self.payload, "model": route.name}


def without_nulls(payload: dict[str, Any]) -> dict[str, Any]:
    """Null is as good as absent in OpenAI's optional fields; the engine does not take it in all of its own."""
    return {field: value for field, value in payload.items() if value is not None}

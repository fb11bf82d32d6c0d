"""An LLM without a model, for the fault lab: its answer is a function of the prompt, so that a lost token shows."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from ray import serve
from ray.serve import Application

from autoglm.errors import UpstreamError
from deployments.llm import deadline
from deployments.stream import DONE, Event, Opening, Progress
from serve_app.app import HEALTH, LLM_CALLS

FEWEST, MOST = 16, 64  # tokens of an answer
PROMPT_TOKENS = 8
MOCK_CPUS = 0.1
OBJECTS = {"chat": "chat.completion", "completions": "text_completion"}


class MockConfig(BaseModel):
    """How fast it is, and the share of requests that fail, drawn from `seed`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_s: float = Field(default=0.005, ge=0)
    error_rate: float = Field(default=0.0, ge=0, le=1)
    seed: int = 0


class MockLLM:
    """A replica with the methods of `deployments.llm.LLM`, which starts as fast as a process does."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._apply(MockConfig())

    async def reconfigure(self, config: dict[str, Any]) -> None:
        """Called by Serve with `user_config`: a running replica becomes slow, or begins to fail."""
        self._apply(MockConfig.model_validate(config))

    def _apply(self, config: MockConfig) -> None:
        self._config = config
        self._chance = random.Random(config.seed)

    async def chat(self, request: dict[str, Any], timeout_s: float | None = None) -> dict[str, Any]:
        """A whole chat completion.

        Raises:
            DeadlineExceededError: it would take longer than `timeout_s`.
            UpstreamError: one of the failures that the configuration asks for.
        """
        return await deadline.whole(self._whole("chat", request), timeout_s)

    async def completions(self, request: dict[str, Any], timeout_s: float | None = None) -> dict[str, Any]:
        """A whole text completion; errors as in `chat`."""
        return await deadline.whole(self._whole("completions", request), timeout_s)

    async def stream(
        self,
        method: str,
        request: dict[str, Any],
        timeout_s: float | None = None,
        progress: Progress | None = None,
    ) -> AsyncIterator[Event]:
        """The events of an answer, or with `progress` those that its caller does not have; errors as in `chat`."""
        parts = self._begun(method, request) if progress is None else self._rest(method, request, progress)
        async with aclosing(deadline.streamed(parts, timeout_s)) as events:
            async for event in events:
                yield event

    async def _whole(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        tokens, reason = answer(request)
        async for _ in self._written(tokens, 0):
            pass
        text = text_of(tokens)
        said = {"message": {"role": "assistant", "content": text}} if method == "chat" else {"text": text}
        choice = {"index": 0, **said, "finish_reason": reason}
        return {
            "id": self._id(),
            "object": OBJECTS[method],
            "created": int(time.time()),
            "model": request["model"],
            "choices": [choice],
            "usage": usage(len(tokens)),
        }

    async def _begun(self, method: str, request: dict[str, Any]) -> AsyncGenerator[Event]:
        opening = Opening(self._id(), int(time.time()), tuple(seed_of(request)[:PROMPT_TOKENS]))
        first = {"delta": {"role": "assistant", "content": ""}} if method == "chat" else {"text": ""}
        yield Event(sent(method, request, opening, first), opening=opening)
        async with aclosing(self._rest(method, request, Progress(opening))) as events:
            async for event in events:
                yield event

    async def _rest(self, method: str, request: dict[str, Any], progress: Progress) -> AsyncGenerator[Event]:
        tokens, reason = answer(request)
        characters = progress.characters
        async for count in self._written(tokens, len(progress.token_ids)):
            text = text_of(tokens[:count])[characters:]
            characters += len(text)
            said = {"delta": {"content": text}} if method == "chat" else {"text": text}
            end = reason if count == len(tokens) else None
            data = sent(method, request, progress.opening, said | {"finish_reason": end})
            if end is not None:
                data += ending(method, request, progress.opening, len(tokens))
            yield Event(data, tokens[count - 1 : count], len(text))

    async def _written(self, tokens: list[int], already: int) -> AsyncGenerator[int]:
        """Counts the tokens while they are written, up to the failure where the request is to have one."""
        fails = self._chance.random() < self._config.error_rate
        fails_at = self._chance.randint(already + 1, len(tokens)) if fails else None
        for count in range(already + 1, len(tokens) + 1):
            await asyncio.sleep(self._config.token_s)
            if count == fails_at:
                raise UpstreamError("the mock engine was told to fail")
            yield count

    def _id(self) -> str:
        return f"mock-{next(self._numbers)}"


def expected(request: dict[str, Any]) -> str:
    """The text of the answer, whichever replica writes it and however often it breaks off."""
    return text_of(answer(request)[0])


def answer(request: dict[str, Any]) -> tuple[list[int], str]:
    """The tokens of the answer, of 16 bits each, and its finish reason."""
    seed = seed_of(request)
    length = FEWEST + seed[0] % (MOST - FEWEST + 1)
    limit = request.get("max_completion_tokens") or request.get("max_tokens") or MOST
    drawn = hashlib.shake_128(seed).digest(2 * min(length, limit))
    tokens = [int.from_bytes(drawn[at : at + 2]) for at in range(0, len(drawn), 2)]
    return tokens, "length" if limit < length else "stop"


def seed_of(request: dict[str, Any]) -> bytes:
    """64 bytes that stand for the prompt."""
    return hashlib.blake2b(orjson.dumps(request.get("messages", request.get("prompt")))).digest()


def text_of(tokens: list[int]) -> str:
    """Each token is a word of its own, so a text tells which tokens it was made of."""
    return "".join(f"{token:04x} " for token in tokens)


def sent(method: str, request: dict[str, Any], opening: Opening, choice: dict[str, Any] | None, **more: Any) -> bytes:
    """One server-sent event, without a choice that of the usage."""
    chunk = {
        "id": opening.id,
        "object": "chat.completion.chunk" if method == "chat" else OBJECTS[method],
        "created": opening.created,
        "model": request["model"],
        "choices": [] if choice is None else [{"index": 0, "finish_reason": None} | choice],
        **more,
    }
    return b"data: %s\n\n" % orjson.dumps(chunk)


def ending(method: str, request: dict[str, Any], opening: Opening, tokens: int) -> bytes:
    """What comes after the finish reason."""
    if not (request.get("stream_options") or {}).get("include_usage"):
        return DONE
    return sent(method, request, opening, None, usage=usage(tokens)) + DONE


def usage(tokens: int) -> dict[str, int]:
    """The count of an answer's tokens."""
    return {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": tokens,
        "total_tokens": PROMPT_TOKENS + tokens,
    }


def build(args: dict[str, Any]) -> Application:
    """The application of so many replicas (`replicas`), of a speed and reliability (`engine`: MockConfig)."""
    config = MockConfig.model_validate(args.get("engine", {}))
    return serve.deployment(
        MockLLM,
        name="llm",
        num_replicas=int(args.get("replicas", 1)),
        ray_actor_options={"num_cpus": MOCK_CPUS},
        max_ongoing_requests=LLM_CALLS,
        user_config=config.model_dump(),
        **HEALTH,
    ).bind()

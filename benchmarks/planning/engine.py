"""A chat model behind an OpenAI-compatible address: one that is there already, or vLLM started for the benchmark."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import httpx

from autoglm.contract.model_list import ModelCard
from autoglm.contract.usage import Usage
from autoglm.errors import UpstreamError
from autoglm.models.source import resolve
from benchmarks.llm import Subject, vllm_serve

CHAT = "chat"
UNASKED = ModelCard(id=CHAT, task="text-generation")  # stands for the model where there is no engine
MODEL = "embedded/NAME, a folder or a hub id, served for the benchmark; with --url, the model's name there"
TIMEOUT_S = 600.0  # a benchmark waits for a slow machine rather than count its slowness as a fault


@asynccontextmanager
async def opened(model: str | None, url: str | None, key: str | None = None) -> AsyncIterator[Engine | None]:
    """An engine for the model; None where no model is named.

    At `url` it is asked for by its name there; else it is `embedded/NAME`, a folder or a hub id, which vLLM serves with
    this project's engine arguments until the block is left.
    """
    if model is None:
        yield None
    elif url is not None:
        async with Engine(url, model, key) as engine:
            yield engine
    else:
        with vllm_serve(Subject(str(resolve(model)), gpus=0, tokens=0)) as started:
            async with Engine(f"{started.url}/v1", CHAT) as engine:
                yield engine


class Engine:
    """Asks one server for one model; `async with` closes the connections. `usage` is what all answers took."""

    def __init__(self, base_url: str, model: str, key: str | None = None) -> None:
        """`base_url` ends in /v1."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.AsyncClient(
            base_url=base_url.rstrip("/"), headers=headers, timeout=TIMEOUT_S, trust_env=False
        )
        self._model = model
        self.usage = Usage()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def card(self) -> ModelCard:
        """The model as the planner sees it, with the length of its context where the server tells that.

        Raises:
            UpstreamError: the server does not answer, or has no such model.
        """
        cards = (await self._answer("GET", "/models"))["data"]
        found = next((card for card in cards if card["id"] == self._model), None)
        if found is None:
            names = ", ".join(card["id"] for card in cards)
            raise UpstreamError(f"the server has no model {self._model!r}; it has {names}")
        return UNASKED.model_copy(update={"max_model_len": found.get("max_model_len")})

    async def complete(self, request: dict[str, Any]) -> dict[str, Any]:
        """A chat completion.

        Raises:
            UpstreamError: it answered with an error, or not at all.
        """
        answer = await self._answer("POST", "/chat/completions", json={"model": self._model, **request})
        self._count(answer.get("usage") or {})
        return answer

    async def _answer(self, method: str, path: str, **fields: Any) -> dict[str, Any]:
        try:
            answer = await self._client.request(method, path, **fields)
            answer.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise UpstreamError(f"{error.response.status_code}: {error.response.text[:300]}") from error
        except httpx.HTTPError as error:
            raise UpstreamError(f"{type(error).__name__}: {error}") from error
        found: dict[str, Any] = json.loads(answer.text)
        return found

    def _count(self, used: dict[str, int]) -> None:
        self.usage = Usage(
            prompt_tokens=self.usage.prompt_tokens + used.get("prompt_tokens", 0),
            completion_tokens=self.usage.completion_tokens + used.get("completion_tokens", 0),
            total_tokens=self.usage.total_tokens + used.get("total_tokens", 0),
        )

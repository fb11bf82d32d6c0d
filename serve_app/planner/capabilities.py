"""What a run of one caller can do: models and tasks by the router's handle, tools by the toolbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from types import MappingProxyType
from typing import Any

import orjson

from autoglm.contract.model_list import ModelCard
from autoglm.contract.scope import CHAT, PREDICT
from autoglm.contract.tool import ToolCard
from autoglm.contract.usage import Usage
from autoglm.errors import DeadlineExceededError, PermissionDeniedError
from deployments.access import Principal
from deployments.planner.run_store import Claim
from deployments.router import GENERATING, PREDICTING, Priority
from deployments.router.failures import translated
from deployments.router.targets import answered
from deployments.tools.grants import Asking
from deployments.tools.toolbox import Toolbox
from serve_app.reach import stream
from serve_app.standing import Standing

GRACE_S = 2.0  # the router ends a call by itself at its deadline; one that does not hangs
MAX_REFUSALS = 20  # of one run that are told the audit: as many as an error tells of a plan
DATA, DONE = b"data: ", b"[DONE]"
CALLED = MappingProxyType({CHAT: GENERATING, PREDICT: PREDICTING})  # the tasks whose calls a scope opens


class CallerCapabilities:
    """One run's. What its caller may do is asked for at each call.

    The router admits, meters and bounds each call of a model to what the caller may use. Whoever calls a tool that
    needs a person's approval has it: the execution waits for it before the call is made.
    """

    def __init__(
        self,
        claim: Claim,
        *,
        standing: Standing,
        toolbox: Toolbox,
        models: Callable[[], Sequence[ModelCard]],
        router: Any,
    ) -> None:
        request = claim.request
        self._run = claim.run.id
        self._caller = claim.caller
        self._tools = None if request.tools is None else frozenset(request.tools)
        self._standing = standing
        self._toolbox = toolbox
        self._models = models
        self._router = router
        self._priority = Priority.BATCH if request.background else Priority.INTERACTIVE
        self._usage = Usage()
        self._refusals = 0

    def tools(self) -> Sequence[ToolCard]:
        """None for a caller whose credential lives no longer."""
        try:
            return self._toolbox.visible(self._asking())
        except PermissionDeniedError:
            return ()

    def models(self) -> Sequence[ModelCard]:
        """None for a caller whose credential lives no longer."""
        try:
            principal = self._principal()
        except PermissionDeniedError:
            return ()
        return [card for card in self._models() if may_call(principal, card)]

    def check(self, name: str, arguments: dict[str, Any] | None = None) -> bool:
        """As the toolbox decides; what is denied is in the audit too, as far as that is bounded."""
        try:
            return self._toolbox.check(self._asking(), name, arguments).needs_approval
        except PermissionDeniedError as error:
            if self._refusals < MAX_REFUSALS:
                self._refusals += 1
                self._toolbox.note_refusal(self._caller, name, arguments or {}, error, key=self._run)
            raise

    async def call_tool(self, name: str, arguments: dict[str, Any], *, key: str, timeout_s: float) -> Any:
        """As the toolbox calls it."""
        return await self._toolbox.call(self._asking(), name, arguments, key=key, timeout_s=timeout_s, approved=True)

    async def call_task(self, name: str, inputs: list[Any], *, timeout_s: float) -> list[dict[str, Any]]:
        """By a router replica."""
        told = await self._told(self._router.predict_as, timeout_s, name, inputs)
        predictions: list[dict[str, Any]] = told["predictions"]
        return predictions

    async def call_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
        """By a router replica."""
        return await self._told(self._router.chat_as, timeout_s, request | {"model": name})

    async def stream_model(self, name: str, request: dict[str, Any], *, timeout_s: float) -> AsyncGenerator[str]:
        """By a router replica; closing the iterator stops the engine."""
        told = self._shown(), request | {"model": name}, timeout_s, self._priority.value
        sent = self._router.options(stream=True).stream_as.remote(*told)
        async with aclosing(stream(sent, f"model {name!r}")) as events:
            async for event in events:
                for chunk in chunks(event):
                    self._count(chunk)
                    if text := text_of(chunk):
                        yield text

    def usage(self) -> Usage:
        """Of this process alone: a run that is gone on with elsewhere begins anew."""
        return self._usage

    async def _told(self, method: Any, timeout_s: float, *arguments: Any) -> dict[str, Any]:
        sent = method.remote(self._shown(), *arguments, timeout_s, self._priority.value)
        try:
            with translated("the router"):
                async with asyncio.timeout(timeout_s + GRACE_S):
                    told: dict[str, Any] = await answered(sent)
        except TimeoutError:
            raise DeadlineExceededError(f"the router did not answer within {timeout_s:g} s") from None
        self._count(told)
        return told

    def _count(self, told: dict[str, Any]) -> None:
        used = told.get("usage") or {}
        prompt, completion = (used.get(part) or 0 for part in ("prompt_tokens", "completion_tokens"))
        self._usage = Usage(
            prompt_tokens=self._usage.prompt_tokens + prompt,
            completion_tokens=self._usage.completion_tokens + completion,
            total_tokens=self._usage.total_tokens + prompt + completion,
        )

    def _principal(self) -> Principal:
        return self._standing.principal(self._caller)

    def _shown(self) -> dict[str, Any]:
        """The principal as the router takes it."""
        return self._principal().model_dump(mode="json")

    def _asking(self) -> Asking:
        return Asking(self._caller, self._principal().scopes, self._tools)


def may_call(principal: Principal, card: ModelCard) -> bool:
    """Whether the credential is for this model or task, and has the scope of what a step would ask of it."""
    is_scoped = any(card.task in tasks and principal.allows(scope) for scope, tasks in CALLED.items())
    return is_scoped and principal.may_use(card.id)


def chunks(event: bytes) -> Iterator[dict[str, Any]]:
    """The chunks of one or more server-sent events of a chat completion."""
    for line in event.split(b"\n"):
        if line.startswith(DATA) and line != DATA + DONE:
            yield orjson.loads(line.removeprefix(DATA))


def text_of(chunk: dict[str, Any]) -> str:
    """The text that a chunk adds to the first answer."""
    return "".join(choice["delta"].get("content") or "" for choice in chunk.get("choices", ()) if not choice["index"])

"""Calls of models and tasks in a caller's name: as the HTTP surface makes them, without HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson

from autoglm.contract import ChatRequest, PredictRequest
from autoglm.contract.scope import CHAT, PREDICT
from deployments.access import Principal
from deployments.quota import estimate
from deployments.router import GENERATING, PREDICTING, Answer, Call, Deadline, Priority, Router
from deployments.router.router import validated
from serve_app.http.admission import Admission, Visit, check_model, check_scope
from serve_app.http.generation import estimated, metered, with_usage


class Delegation:
    """What one router replica does for callers whose requests are at work elsewhere: in the planner, in MCP.

    Each call needs the scope that its path does, is admitted by the caller's quotas, metered, and bounded to the models
    that the caller may use. It shares answers with callers who may use the same. Its errors are the surface's.
    """

    def __init__(self, router: Router, admission: Admission) -> None:
        self._router = router
        self._admission = admission

    async def chat(
        self, caller: Principal, fields: dict[str, Any], timeout_s: float, priority: Priority = Priority.INTERACTIVE
    ) -> dict[str, Any]:
        """A whole chat completion, in OpenAI's shape; `fields` are those of a chat request."""
        request, visit = await self._admitted(caller, fields)
        with visit:
            return whole(await self._router.generate(request, call_for(caller, timeout_s, priority)), visit)

    async def stream(
        self, caller: Principal, fields: dict[str, Any], timeout_s: float, priority: Priority = Priority.INTERACTIVE
    ) -> AsyncGenerator[bytes]:
        """Its server-sent events, the last of which counts the tokens."""
        request, visit = await self._admitted(caller, fields | {"stream": True})
        with visit:
            answer = await self._router.generate_stream(with_usage(request), call_for(caller, timeout_s, priority))
            async with aclosing(metered(answer.body, visit, paid=answer.state != "hit", told=True)) as events:
                async for event in events:
                    yield event

    async def predict(
        self,
        caller: Principal,
        task: str,
        inputs: list[Any],
        timeout_s: float,
        priority: Priority = Priority.INTERACTIVE,
    ) -> dict[str, Any]:
        """The predictions of a declared task, in the shape of `POST /v1/predict`."""
        check_scope(caller, PREDICT)
        request = validated(PredictRequest, {"task": task, "inputs": inputs})
        check_model(caller, task, "task")
        route = self._router.route(task, param="task", tasks=PREDICTING)
        texts = (item for item in inputs if isinstance(item, str)) if route.is_text else ()
        with await self._admission.admit(caller, route, estimate.prompt_tokens(texts)) as visit:
            return whole(await self._router.classify(request, call_for(caller, timeout_s, priority)), visit)

    async def _admitted(self, caller: Principal, fields: dict[str, Any]) -> tuple[ChatRequest, Visit]:
        check_scope(caller, CHAT)
        request = validated(ChatRequest, fields)
        check_model(caller, request.model, "model")
        route = self._router.route(request.model, param="model", tasks=GENERATING)
        prompt, completion = estimated(request, route)
        return request, await self._admission.admit(caller, route, prompt, completion)


def call_for(caller: Principal, timeout_s: float, priority: Priority) -> Call:
    """The context of a call in the caller's name."""
    return Call(
        deadline=Deadline(timeout_s),
        tenant=caller.tenant,
        permissions=caller.permissions,
        priority=priority,
        key=str(caller),
        may_use=caller.may_use,
    )


def whole(answer: Answer[bytes], visit: Visit) -> dict[str, Any]:
    """An answer, counted: of one that a cache gave nothing was used."""
    if answer.state != "hit":
        visit.used(answer.meta)
    body: dict[str, Any] = orjson.loads(answer.body)
    return body

"""What a caller is offered: the cluster's own tools, a tool for each task, and the tools it may use by themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from mcp_types import CallToolResult, Tool, ToolAnnotations

from autoglm.contract.chat import ChatCompletion, ChatMessage, ChatRequest
from autoglm.contract.predict import PredictRequest
from autoglm.contract.scope import CHAT, PREDICT, TASKS
from autoglm.contract.task_run import TaskRequest, TaskRun
from autoglm.contract.tool import ToolCard
from autoglm.errors import APIStatusError, UpstreamError, error_class
from deployments.router import GENERATING, PREDICTING
from serve_app.mcp.answer import answered
from serve_app.mcp.arguments import ChatArguments, RunArguments, chat_schema, inputs_schema, parsed
from serve_app.mcp.surface import Surface

# Arguments and the caller's idempotency key in, the answer out.
Do = Callable[[dict[str, Any], str | None], Awaitable[CallToolResult]]


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool as it is listed, and what a call of it does."""

    tool: Tool
    do: Do


def offers(surface: Surface) -> dict[str, Offer]:
    """All that the caller may use, by name. A tool that is called as one of the cluster's own is `tool_NAME`."""
    found = {offer.tool.name: offer for offer in (*runs(surface), *chats(surface), *predictions(surface))}
    for card in surface.tools():
        name = f"tool_{card.name}" if card.name in found else card.name
        found[name] = Offer(listed(card, name), partial(call, surface, card.name))
    return found


def runs(surface: Surface) -> Iterator[Offer]:
    """`run_task`, for an instruction."""
    if surface.allows(TASKS):
        description = "Plan an instruction over the cluster's tools, tasks and models, run the plan, and answer."
        yield Offer(
            Tool(name="run_task", description=description, input_schema=RunArguments.model_json_schema()),
            partial(run, surface),
        )


def chats(surface: Surface) -> Iterator[Offer]:
    """`chat`, for all chat models."""
    models = [card.id for card in surface.models() if card.task in GENERATING]
    if models and surface.allows(CHAT):
        yield Offer(
            Tool(name="chat", description="Ask one of the cluster's models.", input_schema=chat_schema(models)),
            partial(chat, surface, models),
        )


def predictions(surface: Surface) -> Iterator[Offer]:
    """`predict_NAME`, for each declared task."""
    for card in surface.models() if surface.allows(PREDICT) else ():
        if card.task in PREDICTING:
            labels = f" Labels: {', '.join(card.labels)}." if card.labels else ""
            tool = Tool(
                name=f"predict_{card.id}",
                description=f"The task {card.id} ({card.task}): a prediction for each input.{labels}",
                input_schema=inputs_schema(card.task),
                annotations=ToolAnnotations(read_only_hint=True),
            )
            yield Offer(tool, partial(predict, surface, card.id))


def listed(card: ToolCard, name: str) -> Tool:
    """A tool of the cluster in the protocol's terms, in which a result that has a schema is an object."""
    is_object = card.returns is not None and card.returns.get("type") == "object"
    return Tool(
        name=name,
        description=card.description,
        input_schema={"type": "object", **card.parameters},
        output_schema=card.returns if is_object else None,
        annotations=ToolAnnotations(idempotent_hint=card.idempotent),
    )


async def run(surface: Surface, arguments: dict[str, Any], key: str | None) -> CallToolResult:
    """An instruction done; one that waits for a person says so."""
    asked = parsed(RunArguments, arguments)
    tools = None if asked.tools is None else tuple(asked.tools)
    return run_answer(await surface.run(TaskRequest(instruction=asked.instruction, tools=tools)))


def run_answer(done: TaskRun) -> CallToolResult:
    """The run's answer as text, and as JSON what became of its steps.

    Raises:
        APIStatusError: what it failed with.
    """
    if done.status in ("failed", "cancelled"):
        raise run_error(done)
    waits = f"{done.id} waits for the approval of {done.waiting_for}"
    told = done.model_dump(mode="json", exclude={"instruction", "plan", "usage"}, exclude_none=True)
    return answered(told, waits if done.status == "waiting" else done.answer or "")


def run_error(done: TaskRun) -> APIStatusError:
    """What a run failed with, as the documented error."""
    if done.error is None:
        return UpstreamError(f"{done.id}: the run was {done.status}; send it again")
    return error_class(UpstreamError.status, done.error.code)(done.error.message, param=done.error.param)


async def chat(surface: Surface, models: Sequence[str], arguments: dict[str, Any], key: str | None) -> CallToolResult:
    """One answer of a model."""
    asked = parsed(ChatArguments, arguments)
    turns = [ChatMessage(role="system", content=asked.system)] if asked.system else []
    request = ChatRequest(
        model=asked.model or models[0],
        messages=[*turns, ChatMessage(role="user", content=asked.prompt)],
        max_tokens=asked.max_tokens,
        temperature=asked.temperature,
    )
    completion = ChatCompletion.model_validate(await surface.chat(request))
    return answered({"model": completion.model, "text": completion.text}, completion.text)


async def predict(surface: Surface, task: str, arguments: dict[str, Any], key: str | None) -> CallToolResult:
    """A prediction for each input."""
    return answered(dict(await surface.predict(parsed(PredictRequest, {**arguments, "task": task}))))


async def call(surface: Surface, name: str, arguments: dict[str, Any], key: str | None) -> CallToolResult:
    """A tool's result."""
    return answered(await surface.call_tool(name, arguments, key=key))

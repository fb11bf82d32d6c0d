"""One call of a tool, a model or a task, as a step says it, by the caller's capabilities."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from autoglm.contract.plan import Fallback, Step
from autoglm.errors import APIStatusError, PermissionDeniedError, UnprocessableEntityError, UpstreamError
from deployments.planner.capabilities import Capabilities


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent. `key` is the same however often it is sent, by whichever process."""

    step: str
    kind: str
    name: str
    arguments: dict[str, Any]
    key: str
    is_streamed: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}"


class Calls:
    """Sends calls in one run's name; `approved` are the decisions of people, by the step's id.

    Every call of a tool is checked at its moment, with its arguments: what a tool has answered, and a grant that was
    there when the plan was made, permit nothing.
    """

    def __init__(self, capabilities: Capabilities, approved: Mapping[str, bool]) -> None:
        self._capabilities = capabilities
        self._approved = approved

    def needs_approval(self, step: Step, call: Call) -> bool:
        """Whether a person must decide before the call of a step, or what may stand in for it, is sent.

        Raises:
            PermissionDeniedError, NotFoundError, UnavailableError: as capabilities' `check` of the call.
        """
        if call.kind == "approval" or (call.kind == "tool" and self._capabilities.check(call.name, call.arguments)):
            return True
        return step.fallback is not None and step.fallback.kind == "tool" and self._may_ask(step.fallback.name)

    def decision(self, step: str) -> bool | None:
        """What was decided of a step; None where nothing was yet."""
        return self._approved.get(step)

    def may_repeat(self, call: Call) -> bool:
        """Whether it may be sent again when it is not known what became of it."""
        if call.kind != "tool":
            return True
        return any(card.idempotent for card in self._capabilities.tools() if card.name == call.name)

    async def send(self, call: Call, timeout_s: float) -> Any:
        """The result: a tool's own, a task's list of predictions, the text that a model wrote.

        Raises:
            APIStatusError: as capabilities raise it; also where the caller may not, or may no longer.
        """
        match call.kind:
            case "tool":
                self.check(call)
                return await self._capabilities.call_tool(call.name, call.arguments, key=call.key, timeout_s=timeout_s)
            case "task":
                return await self._capabilities.call_task(call.name, _inputs(call), timeout_s=timeout_s)
        return _content(call, await self._capabilities.call_model(call.name, _request(call), timeout_s=timeout_s))

    def stream(self, call: Call, timeout_s: float) -> AsyncIterator[str]:
        """The text that a model writes, as it comes."""
        return self._capabilities.stream_model(call.name, _request(call), timeout_s=timeout_s)

    def check(self, call: Call) -> None:
        """Whether it may be sent now.

        Raises:
            PermissionDeniedError: also where a person must approve it, and nobody has.
            NotFoundError, UnavailableError: as capabilities' `check`.
        """
        if (
            call.kind == "tool"
            and self._capabilities.check(call.name, call.arguments)
            and not self._approved.get(call.step)
        ):
            raise PermissionDeniedError(f"tool {call.name!r} needs a person's approval, and nobody gave it")

    def _may_ask(self, tool: str) -> bool:
        """Of a fallback, whose arguments are not known yet: that it may not be called matters at its own turn."""
        try:
            return self._capabilities.check(tool)
        except APIStatusError:
            return False


def call_of(run: str, step: Step, target: Step | Fallback, arguments: dict[str, Any], *, is_streamed: bool) -> Call:
    """The call of a step, or of what stands in for it; these are two calls, each with a key of its own."""
    key = f"{run}:{step.id}" if target is step else f"{run}:{step.id}:fallback"
    return Call(step.id, target.kind, target.name, arguments, key, is_streamed and target.kind == "model")


def _inputs(call: Call) -> list[Any]:
    inputs = call.arguments.get("inputs")
    if not isinstance(inputs, list) or set(call.arguments) != {"inputs"}:
        raise UnprocessableEntityError(
            f"arguments: got {sorted(call.arguments)}; a task takes `inputs`, a list, and nothing else", param="inputs"
        )
    return inputs


def _request(call: Call) -> dict[str, Any]:
    """A chat request of `messages` or `prompt`, and what else there is."""
    request = dict(call.arguments)
    if ("prompt" in request) == ("messages" in request):
        raise UnprocessableEntityError(
            f"arguments: got {sorted(request)}; a model takes one of `prompt` and `messages`", param="messages"
        )
    if "prompt" in request:
        request["messages"] = [{"role": "user", "content": request.pop("prompt")}]
    return request


def _content(call: Call, completion: dict[str, Any]) -> str:
    match completion:
        case {"choices": [{"message": {"content": str(content)}}, *_]}:
            return content
    raise UpstreamError(f"{call} answered without a text")

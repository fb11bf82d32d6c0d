"""The other side of an isolated tool: the process that describes the tools of a target, or runs one call.

One JSON object comes on the standard input, one goes to the standard output; no pickle, which would run what it reads.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

from autoglm.errors import APIStatusError, AutoGLMError, ConfigError, UnprocessableEntityError, UpstreamError
from autoglm.function_tool import FunctionTool
from deployments.tools.isolation.config import IsolationConfig
from deployments.tools.isolation.confinement import confine
from deployments.tools.sources.failure import RAISED, told
from deployments.tools.sources.functions import function_tools


def main(request: dict[str, Any]) -> None:
    """Answer one request, as `deployments.tools.isolation.process` sends it. The host ends the process then."""
    with os.fdopen(own_output(), "w", encoding="utf-8") as answer:
        answer.write(text_of(request))


def text_of(request: dict[str, Any]) -> str:
    """The answer to a request, which is an error where anything goes wrong."""
    try:
        confine(IsolationConfig.model_validate(request["limits"]))
        return json.dumps(respond(request), allow_nan=False)
    except AutoGLMError as error:
        return json.dumps(fault(error))
    except OSError as error:
        return json.dumps(fault(ConfigError(f"isolated: this system does not let a process be confined: {error}")))
    except (ValueError, RecursionError) as error:
        return json.dumps(fault(UpstreamError(f"the result is no JSON: {error}")))


def own_output() -> int:
    """The standard output for the answer alone; what the tool prints goes nowhere."""
    answer = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    return answer


def respond(request: dict[str, Any]) -> dict[str, Any]:
    """`{"tools": [...]}`, the cards of the target, or `{"result": ...}` of the call that is asked for."""
    tools = {tool.name: tool for tool in function_tools(request["target"])}
    if request["tool"] is None:
        return {"tools": [tool.card.model_dump() for tool in tools.values()], "timeouts": timeouts(tools)}
    if request["tool"] not in tools:
        raise UpstreamError(f"{request['tool']} is no longer in {request['target']}")
    return {"result": called(tools[request["tool"]], request["arguments"], request["key"])}


def timeouts(tools: dict[str, FunctionTool]) -> dict[str, float]:
    """The tools' own, where they have one."""
    return {name: tool.mark.timeout_s for name, tool in tools.items() if tool.mark.timeout_s is not None}


def called(tool: FunctionTool, arguments: dict[str, Any], key: str) -> Any:
    """The result as a JSON value."""
    try:
        result = tool.function(**tool.bind(arguments, key))
        return tool.value(asyncio.run(result) if tool.is_async else result)
    except RAISED as error:
        raise told(tool.name, error) from None


def fault(error: AutoGLMError) -> dict[str, Any]:
    """The error as it goes back."""
    code = error.code if isinstance(error, APIStatusError) else "config"
    param = error.param if isinstance(error, UnprocessableEntityError) else None
    return {"error": {"code": code, "message": error.message, "param": param}}

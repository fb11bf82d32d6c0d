"""The adapter to ray.serve.llm: the only file that knows its internals. Importing it imports vLLM (10-15 s)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pydantic import ValidationError
from ray.llm._internal.common.callbacks.base import CallbackBase
from ray.llm._internal.serve.core.configs.openai_api_models import (
    ChatCompletionRequest,
    CompletionRequest,
    ErrorResponse,
)
from ray.serve.llm import LLMConfig, ModelLoadingConfig
from ray.serve.llm.deployment import LLMServer
from vllm.entrypoints.serve.exception_handling.error_response import create_error_response
from vllm.exceptions import VLLMClientError

from autoglm.errors import APIStatusError, error_class
from deployments.boundary import wrong_field
from deployments.llm.config import LLMVersion

REQUESTS = {"chat": ChatCompletionRequest, "completions": CompletionRequest}


class LocalModel(CallbackBase):
    """The source is a local folder or a hub id that the engine fetches itself: no download task is started."""

    async def on_before_node_init(self) -> None:
        self.ctx.run_init_node = False


class Server(LLMServer):
    """LLMServer with plain dicts in and out, so that no caller imports vLLM."""

    async def _start_engine(self) -> None:
        """Without the base's telemetry actor: nothing is reported, and it would be one more process with vLLM in it."""
        await self.engine.start()

    async def answer(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        """A whole answer of `chat` or `completions`.

        Raises:
            APIStatusError: what the engine refuses, with the engine's status and words.
        """
        async for response in self._responses(method, request):
            return response.model_dump(mode="json")
        raise error_class(502)(f"the engine ended {method} without an answer")

    async def stream(self, method: str, request: dict[str, Any]) -> AsyncIterator[bytes]:
        """Server-sent events as the engine writes them, the last one `data: [DONE]`."""
        async for event in self._responses(method, request):
            yield event.encode()

    async def _responses(self, method: str, request: dict[str, Any]) -> AsyncIterator[Any]:
        try:
            async for response in getattr(self.engine, method)(REQUESTS[method](**request)):
                if isinstance(response, ErrorResponse):
                    raise refusal(response)
                yield response
        except VLLMClientError as fault:
            raise refusal(create_error_response(fault)) from None
        except ValidationError as fault:  # the router checks the fields; what is in them is the engine's to know
            raise wrong_field(fault) from None


def refusal(response: Any) -> APIStatusError:
    """An ErrorResponse, of which the engine has one class and the server another, as an error of the tree."""
    fault = response.error
    return error_class(int(fault.code))(fault.message, param=fault.param)


def llm_config(version: LLMVersion, source: str) -> Any:
    """The LLMConfig of a version whose source is resolved to a folder or a hub id."""
    hardware: dict[str, Any] = {}
    if version.device == "cpu":
        hardware = {"accelerator_config": {"kind": "cpu"}}
    return LLMConfig(
        model_loading_config=ModelLoadingConfig(model_id=version.name, model_source=source),
        engine_kwargs=version.engine_kwargs(),
        callback_config={"callback_class": LocalModel},
        log_engine_metrics=False,
        **hardware,
    )


async def start(version: LLMVersion, source: str) -> Server:
    """A server whose engine is up."""
    server: Server = Server.sync_init(llm_config(version, source))
    await server.start()
    return server

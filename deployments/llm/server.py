"""The adapter to ray.serve.llm: the only file that knows its internals. Importing it imports vLLM (10-15 s)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
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
from vllm.entrypoints.serve.utils.api_utils import get_max_tokens
from vllm.exceptions import VLLMClientError
from vllm.v1.engine import EngineCoreRequest
from vllm.v1.engine.detokenizer import IncrementalDetokenizer

from autoglm.errors import UpstreamError
from deployments.boundary import wrong_field
from deployments.llm.config import LLMVersion
from deployments.llm.continuation import Continuation, Detokenizer, is_continuable
from deployments.llm.transcript import failure, passed_on, transcribed
from deployments.stream import Event, Progress

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
        async with aclosing(self._responses(method, request)) as responses:
            async for response in responses:
                return response.model_dump(mode="json")
        raise UpstreamError(f"the engine ended {method} without an answer")

    def stream(self, method: str, request: dict[str, Any], progress: Progress | None = None) -> AsyncGenerator[Event]:
        """The events of an answer, or with `progress` those that its caller does not have.

        The first event of an answer that can be continued carries its opening.

        Raises:
            APIStatusError: what the engine refuses, or its failure while it writes.
            BadRequestError: the progress is not that of this request on this version.
        """
        if progress is not None:
            return self._continuation(method, request, progress).events(
                lambda rest: self._responses("completions", rest)
            )
        if is_continuable(method, request) and self._writes_text_alone():
            lines = self._responses(method, request | {"return_token_ids": True})
            return transcribed(lines, shows_token_ids=bool(request.get("return_token_ids")))
        return passed_on(self._responses(method, request))

    def _writes_text_alone(self) -> bool:
        """False for a model that writes its reasoning apart (a reasoning parser, or gpt-oss's channels)."""
        chat = self.engine._oai_serving_chat
        reasons = getattr(chat.parser_cls, "reasoning_parser_cls", None) is not None
        return not reasons and chat.model_config.hf_config.model_type != "gpt_oss"

    def _continuation(self, method: str, request: dict[str, Any], progress: Progress) -> Continuation:
        prompt = list(progress.opening.prompt_token_ids)
        limit = self._limit(method, request, len(prompt))
        return Continuation(method, request, progress, self._detokenizer(method, request, prompt, limit), limit)

    def _limit(self, method: str, request: dict[str, Any], prompt_tokens: int) -> int:
        """The most tokens of the answer, reckoned as vLLM does it where the request is new."""
        serving = self.engine._oai_serving_completion
        limit = request.get("max_tokens")
        if method == "chat":
            limit = request.get("max_completion_tokens") or limit
        elif limit is None:
            limit = CompletionRequest.model_fields["max_tokens"].default
        limit = get_max_tokens(
            serving.model_config.max_model_len,
            limit,
            prompt_tokens,
            serving.default_sampling_params,
            serving.override_max_tokens,
        )
        return int(limit)

    def _detokenizer(self, method: str, request: dict[str, Any], prompt: list[int], limit: int) -> Detokenizer:
        core_request = EngineCoreRequest(
            request_id="continuation",
            prompt_token_ids=prompt,
            mm_features=None,
            sampling_params=REQUESTS[method](**request).to_sampling_params(limit, {}),
            pooling_params=None,
            arrival_time=0.0,
            lora_request=None,
            cache_salt=None,
            data_parallel_rank=None,
        )
        detokenizer: Detokenizer = IncrementalDetokenizer.from_new_request(
            self.engine._oai_serving_completion.renderer.tokenizer, core_request
        )
        return detokenizer

    async def _responses(self, method: str, request: dict[str, Any]) -> AsyncGenerator[Any]:
        try:
            async with aclosing(getattr(self.engine, method)(REQUESTS[method](**request))) as responses:
                async for response in responses:
                    if isinstance(response, ErrorResponse):
                        raise failure(response.error.model_dump())
                    yield response
        except VLLMClientError as fault:
            raise failure(create_error_response(fault).error.model_dump()) from None
        except ValidationError as fault:  # the router checks the fields; what is in them is the engine's to know
            raise wrong_field(fault) from None


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

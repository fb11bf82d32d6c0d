"""The calls of the API: what each sends and how its answer is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from pydantic import ValidationError

from autoglm.client.exchange import Call
from autoglm.client.failure import unreadable
from autoglm.client.inputs import Message, wire_inputs, wire_messages
from autoglm.client.vectors import vectors
from autoglm.contract.base import ResponseModel
from autoglm.contract.chat import ChatCompletion
from autoglm.contract.embedding import EmbeddingResponse
from autoglm.contract.health import Health
from autoglm.contract.model_list import ModelList
from autoglm.contract.predict import PredictResponse
from autoglm.contract.route import RouteDecision, RouteKind

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

S = TypeVar("S")
M = TypeVar("M", bound=ResponseModel)

CHAT_PATH = "/v1/chat/completions"


def chat(messages: str | Iterable[Message], model: str, options: Mapping[str, Any]) -> Call[ChatCompletion]:
    """A whole answer."""
    payload = {"model": model, "messages": wire_messages(messages), **options}
    return Call("POST", CHAT_PATH, reads(ChatCompletion), payload)


def chat_stream(
    messages: str | Iterable[Message],
    model: str,
    options: Mapping[str, Any],
    open_stream: Callable[[httpx.Response], S],
) -> Call[S]:
    """An answer in chunks, read by the stream that `open_stream` makes of the response."""
    payload = {"model": model, "messages": wire_messages(messages), "stream": True, **options}
    return Call("POST", CHAT_PATH, open_stream, payload, streamed=True)


def predict(task: str, inputs: Any) -> Call[PredictResponse]:
    """A declared task over one input or a list."""
    payload = {"task": task, "inputs": wire_inputs(inputs)}
    return Call("POST", "/v1/predict", reads(PredictResponse), payload, idempotent=True)


def embed(texts: str | Iterable[str], model: str) -> Call[npt.NDArray[np.float32]]:
    """Vectors of texts; asked for in base64, a third of the bytes of decimal numbers and exact."""
    texts = texts if isinstance(texts, str) else list(texts)
    payload = {"model": model, "input": texts, "encoding_format": "base64"}
    return Call("POST", "/v1/embeddings", _read_vectors, payload, idempotent=True)


def route(text: str, kind: RouteKind | None) -> Call[RouteDecision]:
    """Where a text would go."""
    payload = {"input": text, **({"kind": kind} if kind else {})}
    return Call("POST", "/v1/route", reads(RouteDecision), payload, idempotent=True)


def models() -> Call[ModelList]:
    """What the cluster serves."""
    return Call("GET", "/v1/models", reads(ModelList), idempotent=True)


def health() -> Call[Health]:
    """Whether the server lives; needs no key."""
    return Call("GET", "/health", reads(Health), idempotent=True)


def reads(model: type[M]) -> Callable[[httpx.Response], M]:
    """How an answer's JSON is read; a body of another form becomes an APIConnectionError that says so."""

    def read(response: httpx.Response) -> M:
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            place = ".".join(map(str, problem["loc"])) or "body"
            raise unreadable(response, f"a body that is no {model.__name__} ({place}: {problem['msg']})") from error

    return read


def _read_vectors(response: httpx.Response) -> npt.NDArray[np.float32]:
    answer = reads(EmbeddingResponse)(response)
    try:
        return vectors(answer)
    except ValueError as error:
        raise unreadable(response, f"vectors that cannot be read ({error})") from error

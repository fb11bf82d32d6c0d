"""`POST /v1/embeddings`, in OpenAI's shape."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from autoglm.contract.base import RequestModel, ResponseModel
from autoglm.contract.field import NotEmpty, Positive, Text
from autoglm.contract.usage import Usage


class EmbeddingRequest(RequestModel):
    """One text or a list of texts; `base64` is little-endian float32, as OpenAI's."""

    model: str = Field(min_length=1)
    input: Text | Annotated[list[Text], NotEmpty]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Positive | None = None
    user: str | None = None


class Embedding(ResponseModel):
    """One text's vector."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingResponse(ResponseModel):
    """The vectors, in the order of the texts."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: Usage = Usage()

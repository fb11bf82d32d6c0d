"""The two bases of everything that crosses a wire."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class RequestModel(BaseModel):
    """What a caller sends: frozen, and an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class ResponseModel(BaseModel):
    """What a server answers: frozen; fields of a newer server are kept, not refused."""

    model_config = ConfigDict(frozen=True, extra="allow", protected_namespaces=())

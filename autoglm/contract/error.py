"""The error body: `{"error": {...}}`, OpenAI's shape with the request id and the retry hint."""

from __future__ import annotations

from autoglm.contract.base import ResponseModel


class ErrorDetail(ResponseModel):
    """One error; `message` names the field, what it got and what would do."""

    message: str
    type: str = "internal"
    code: str | None = None
    param: str | None = None
    request_id: str | None = None
    retryable: bool = False


class ErrorBody(ResponseModel):
    """The whole body of an error response."""

    error: ErrorDetail

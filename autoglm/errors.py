"""The error tree: one set of exceptions for the SDK and the server.

AutoGLMError
├── ConfigError                      a file or dict that declares something is wrong (also a ValueError)
├── ModelError                       a model cannot be prepared, loaded or used as declared
├── APIConnectionError               no connection to the server, or it broke
│   └── APITimeoutError              no answer within the client's time-out
├── BatchError                       predict_many: a batch failed, after so many results
└── APIStatusError                   an HTTP status of the documented table
    ├── BadRequestError              400  invalid_request
    ├── AuthenticationError          401  unauthenticated
    ├── PermissionDeniedError        403  permission_denied
    ├── NotFoundError                404  not_found
    ├── ConflictError                409  conflict
    ├── PayloadTooLargeError         413  payload_too_large
    ├── UnsupportedMediaTypeError    415  unsupported_media_type
    ├── UnprocessableEntityError     422  unprocessable
    ├── RateLimitError               429  rate_limited
    │   └── QuotaExceededError       429  quota_exceeded
    ├── InternalServerError          500  internal
    ├── UpstreamError                502  upstream_error
    ├── UnavailableError             503  unavailable
    │   └── CircuitOpenError         503  circuit_open
    └── DeadlineExceededError        504  deadline_exceeded

The names are OpenAI's where it has one. The server raises the same classes and
turns them into responses in one place; the client turns responses back into them.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from autoglm.contract.error import ErrorBody, ErrorDetail


class AutoGLMError(Exception):
    """The root: catching it catches everything that this package raises on purpose."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConfigError(AutoGLMError, ValueError):
    """A declaration (YAML file or dict) is wrong; the message names the field and the place."""


class ModelError(AutoGLMError):
    """A model cannot be prepared, loaded or used as declared; the message says what would do."""


class APIConnectionError(AutoGLMError):
    """The server could not be reached, or the connection broke before a whole answer came."""


class APITimeoutError(APIConnectionError):
    """No answer came within the client's time-out."""


class BatchError(AutoGLMError):
    """A batch of `predict_many` failed; `__cause__` is its error.

    `done` results were yielded before it, and `indices` are those of its inputs, counted over all of them.
    """

    def __init__(self, message: str, *, done: int, indices: range) -> None:
        super().__init__(message)
        self.done = done
        self.indices = indices

    def __reduce__(self) -> tuple[Any, ...]:
        return (partial(type(self), self.message, done=self.done, indices=self.indices), ())


class APIStatusError(AutoGLMError):
    """An answer with an error status.

    `param` names the offending field, `retry_after` is in seconds where the server gave it,
    `request_id` finds the request in the server's logs.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.param = param
        self.request_id = request_id
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        # BaseException's own would call the class with the message alone and lose the rest
        # on the way from a replica to the router.
        return (type(self), (self.message,), self.__dict__)

    def body(self) -> ErrorBody:
        """The error as it crosses the wire."""
        return ErrorBody(
            error=ErrorDetail(
                message=self.message,
                type=self.code,
                code=self.code,
                param=self.param,
                request_id=self.request_id,
                retryable=self.retryable,
            )
        )


class BadRequestError(APIStatusError):
    """400: the request does not have the documented form."""

    status, code = 400, "invalid_request"


class AuthenticationError(APIStatusError):
    """401: no credentials, or wrong ones."""

    status, code = 401, "unauthenticated"


class PermissionDeniedError(APIStatusError):
    """403: the caller is known and may not do this."""

    status, code = 403, "permission_denied"


class NotFoundError(APIStatusError):
    """404: no such path, model, task or object."""

    status, code = 404, "not_found"


class ConflictError(APIStatusError):
    """409: the object is in a state that does not allow this."""

    status, code = 409, "conflict"


class PayloadTooLargeError(APIStatusError):
    """413: the body is larger than the server takes."""

    status, code = 413, "payload_too_large"


class UnsupportedMediaTypeError(APIStatusError):
    """415: the content type is not one that the path takes."""

    status, code = 415, "unsupported_media_type"


class UnprocessableEntityError(APIStatusError):
    """422: well formed, but the content of an input cannot be used (`param` says which).

    In-process prediction raises it too, so that code moves to a cluster unchanged.
    """

    status, code = 422, "unprocessable"


class RateLimitError(APIStatusError):
    """429: too many requests; `retry_after` says when the next may come."""

    status, code, retryable = 429, "rate_limited", True


class QuotaExceededError(RateLimitError):
    """429: the caller's quota or budget is used up."""

    code = "quota_exceeded"


class InternalServerError(APIStatusError):
    """500: a fault of the server; idempotent calls may be retried."""

    status, code, retryable = 500, "internal", True


class UpstreamError(APIStatusError):
    """502: a model replica failed while it served the request."""

    status, code, retryable = 502, "upstream_error", True


class UnavailableError(APIStatusError):
    """503: no healthy target at the moment."""

    status, code, retryable = 503, "unavailable", True


class CircuitOpenError(UnavailableError):
    """503: the target's circuit breaker is open."""

    code = "circuit_open"


class DeadlineExceededError(APIStatusError):
    """504: the request's deadline passed before the answer was ready."""

    status, code, retryable = 504, "deadline_exceeded", True


STATUS_ERRORS: tuple[type[APIStatusError], ...] = (
    BadRequestError,
    AuthenticationError,
    PermissionDeniedError,
    NotFoundError,
    ConflictError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
    UnprocessableEntityError,
    RateLimitError,
    QuotaExceededError,
    InternalServerError,
    UpstreamError,
    UnavailableError,
    CircuitOpenError,
    DeadlineExceededError,
)

_BY_CODE = {cls.code: cls for cls in STATUS_ERRORS}
_BY_STATUS = {cls.status: cls for cls in reversed(STATUS_ERRORS)}


def error_class(status: int, code: str | None = None) -> type[APIStatusError]:
    """The class for a response: by its code, else by its status, else by the status's hundred."""
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return BadRequestError if status < 500 else InternalServerError

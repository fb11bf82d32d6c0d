"""Open-AutoGLM's Python SDK: a client of a running cluster, and tasks that also run in this process."""

from autoglm.client import AsyncAutoClient, AutoClient
from autoglm.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    AutoGLMError,
    BadRequestError,
    BatchError,
    CircuitOpenError,
    ConfigError,
    ConflictError,
    DeadlineExceededError,
    InternalServerError,
    ModelError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    UnavailableError,
    UnprocessableEntityError,
    UnsupportedMediaTypeError,
    UpstreamError,
)
from autoglm.tasks import AutoTask
from autoglm.tool import tool

__version__ = "0.1.0"

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncAutoClient",
    "AuthenticationError",
    "AutoClient",
    "AutoGLMError",
    "AutoTask",
    "BadRequestError",
    "BatchError",
    "CircuitOpenError",
    "ConfigError",
    "ConflictError",
    "DeadlineExceededError",
    "InternalServerError",
    "ModelError",
    "NotFoundError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "QuotaExceededError",
    "RateLimitError",
    "UnavailableError",
    "UnprocessableEntityError",
    "UnsupportedMediaTypeError",
    "UpstreamError",
    "__version__",
    "tool",
]

"""What crosses a wire: small frozen pydantic models, a file for each noun."""

from autoglm.contract.base import RequestModel, ResponseModel
from autoglm.contract.chat import (
    AnswerMessage,
    ChatChoice,
    ChatChunk,
    ChatCompletion,
    ChatMessage,
    ChatRequest,
    ChunkChoice,
    Delta,
)
from autoglm.contract.completion import CompletionRequest
from autoglm.contract.embedding import Embedding, EmbeddingRequest, EmbeddingResponse
from autoglm.contract.error import ErrorBody, ErrorDetail
from autoglm.contract.generation import GenerationRequest, StreamOptions
from autoglm.contract.health import Health
from autoglm.contract.model_list import ModelCard, ModelList
from autoglm.contract.predict import Prediction, PredictRequest, PredictResponse
from autoglm.contract.task import BatchingConfig, DataConfig, TaskConfig, TaskType
from autoglm.contract.usage import Usage

__all__ = [
    "AnswerMessage",
    "BatchingConfig",
    "ChatChoice",
    "ChatChunk",
    "ChatCompletion",
    "ChatMessage",
    "ChatRequest",
    "ChunkChoice",
    "CompletionRequest",
    "DataConfig",
    "Delta",
    "Embedding",
    "EmbeddingRequest",
    "EmbeddingResponse",
    "ErrorBody",
    "ErrorDetail",
    "GenerationRequest",
    "Health",
    "ModelCard",
    "ModelList",
    "PredictRequest",
    "PredictResponse",
    "Prediction",
    "RequestModel",
    "ResponseModel",
    "StreamOptions",
    "TaskConfig",
    "TaskType",
    "Usage",
]

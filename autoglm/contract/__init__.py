"""What crosses a wire: small frozen pydantic models, a file for each noun."""

from autoglm.contract.audit import AuditEntry, AuditPage
from autoglm.contract.base import RequestModel, ResponseModel
from autoglm.contract.breaker import BreakerCard, BreakerHold, BreakerList, BreakerRequest
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
from autoglm.contract.completion import Completion, CompletionChoice, CompletionRequest
from autoglm.contract.embedding import Embedding, EmbeddingRequest, EmbeddingResponse
from autoglm.contract.error import ErrorBody, ErrorDetail
from autoglm.contract.generation import GenerationRequest, StreamOptions
from autoglm.contract.grant import Grant, GrantCard, GrantList
from autoglm.contract.health import Health
from autoglm.contract.key import KeyCard, KeyCreated, KeyList, KeyRequest
from autoglm.contract.model_list import ModelCard, ModelList
from autoglm.contract.plan import Condition, Fallback, Plan, Step
from autoglm.contract.predict import Prediction, PredictRequest, PredictResponse
from autoglm.contract.quota import QuotaCard, QuotaList, QuotaRequest
from autoglm.contract.registration import RegistrationCard, RegistrationList
from autoglm.contract.route import NearestExample, RouteCandidate, RouteDecision, RouteRequest
from autoglm.contract.scope import Scope
from autoglm.contract.task import BatchingConfig, DataConfig, DeclaredTask, FitConfig, TaskConfig, TaskType
from autoglm.contract.task_run import ApprovalRequest, RunEvent, StepRun, TaskRequest, TaskRun, TaskRunList
from autoglm.contract.tool import ToolCallRequest, ToolCard, ToolList, ToolResult
from autoglm.contract.tool_call import ToolCallPage, ToolCallRecord
from autoglm.contract.tool_registration import ToolRegistration, ToolRegistrationList
from autoglm.contract.usage import Usage
from autoglm.contract.usage_report import UsageReport, UsageRow
from autoglm.contract.user import UserCard, UserList, UserRequest

__all__ = [
    "AnswerMessage",
    "ApprovalRequest",
    "AuditEntry",
    "AuditPage",
    "BatchingConfig",
    "BreakerCard",
    "BreakerHold",
    "BreakerList",
    "BreakerRequest",
    "ChatChoice",
    "ChatChunk",
    "ChatCompletion",
    "ChatMessage",
    "ChatRequest",
    "ChunkChoice",
    "Completion",
    "CompletionChoice",
    "CompletionRequest",
    "Condition",
    "DataConfig",
    "DeclaredTask",
    "Delta",
    "Embedding",
    "EmbeddingRequest",
    "EmbeddingResponse",
    "ErrorBody",
    "ErrorDetail",
    "Fallback",
    "FitConfig",
    "GenerationRequest",
    "Grant",
    "GrantCard",
    "GrantList",
    "Health",
    "KeyCard",
    "KeyCreated",
    "KeyList",
    "KeyRequest",
    "ModelCard",
    "ModelList",
    "NearestExample",
    "Plan",
    "PredictRequest",
    "PredictResponse",
    "Prediction",
    "QuotaCard",
    "QuotaList",
    "QuotaRequest",
    "RegistrationCard",
    "RegistrationList",
    "RequestModel",
    "ResponseModel",
    "RouteCandidate",
    "RouteDecision",
    "RouteRequest",
    "RunEvent",
    "Scope",
    "Step",
    "StepRun",
    "StreamOptions",
    "TaskConfig",
    "TaskRequest",
    "TaskRun",
    "TaskRunList",
    "TaskType",
    "ToolCallPage",
    "ToolCallRecord",
    "ToolCallRequest",
    "ToolCard",
    "ToolList",
    "ToolRegistration",
    "ToolRegistrationList",
    "ToolResult",
    "Usage",
    "UsageReport",
    "UsageRow",
    "UserCard",
    "UserList",
    "UserRequest",
]

"""The client of a running cluster, synchronous and asynchronous."""

from autoglm.client.admin import Admin, AsyncAdmin
from autoglm.client.async_client import AsyncAutoClient
from autoglm.client.auth import ApiKey, Basic
from autoglm.client.chat_stream import AsyncChatStream, ChatStream
from autoglm.client.clock import Clock
from autoglm.client.config import Settings
from autoglm.client.hooks import ErrorDetails, Hooks, RequestDetails, ResponseDetails, RetryDetails
from autoglm.client.jwt import JWT
from autoglm.client.retry import RetryPolicy
from autoglm.client.run_stream import AsyncRunStream, RunStream
from autoglm.client.sync_client import AutoClient
from autoglm.client.task_calls import RunOptions
from autoglm.client.tasks import AsyncTasks, Tasks
from autoglm.client.timeouts import Timeouts
from autoglm.client.tools import AsyncTools, Tools

__all__ = [
    "Admin",
    "ApiKey",
    "AsyncAdmin",
    "AsyncAutoClient",
    "AsyncChatStream",
    "AsyncRunStream",
    "AsyncTasks",
    "AsyncTools",
    "AutoClient",
    "Basic",
    "ChatStream",
    "Clock",
    "ErrorDetails",
    "Hooks",
    "JWT",
    "RequestDetails",
    "ResponseDetails",
    "RetryDetails",
    "RetryPolicy",
    "RunOptions",
    "RunStream",
    "Settings",
    "Tasks",
    "Timeouts",
    "Tools",
]

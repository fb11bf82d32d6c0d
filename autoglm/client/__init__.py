"""The client of a running cluster, synchronous and asynchronous."""

from autoglm.client.async_client import AsyncAutoClient
from autoglm.client.auth import ApiKey
from autoglm.client.chat_stream import AsyncChatStream, ChatStream
from autoglm.client.sync_client import AutoClient

__all__ = ["ApiKey", "AsyncAutoClient", "AsyncChatStream", "AutoClient", "ChatStream"]

"""`GET /admin/v1/tool-calls`: which tools were called by whom, and how that ended."""

from __future__ import annotations

from autoglm.contract.base import ResponseModel
from autoglm.contract.field import Moment


class ToolCallRecord(ResponseModel):
    """One call, made or refused. `outcome` is `ok`, `cancelled`, or the code of its error.

    `digest` is the SHA-256 of the arguments' JSON, and `preview` its beginning without secrets. `key` is the
    idempotency key: of a step of a run it begins with the run's id.
    """

    id: int
    at: Moment
    caller: str
    tenant: str
    tool: str
    key: str = ""
    digest: str
    preview: str = ""
    outcome: str
    seconds: float


class ToolCallPage(ResponseModel):
    """Calls, the newest first; with `has_more`, the next page is asked for with `before` = the last id."""

    data: tuple[ToolCallRecord, ...]
    has_more: bool = False

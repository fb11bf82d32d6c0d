"""`/admin/v1/grants`: which tools a key or a tenant may use, with which arguments, how often, and who must consent."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from autoglm.contract.base import RequestModel, ResponseModel
from autoglm.contract.field import Moment, Slug, Whole

GrantKind = Literal["key", "tenant"]
# A tool's name, or the beginning of names and a `*`.
ToolPattern = Annotated[str, StringConstraints(pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\*?)$")]
# A regular expression of RE2's syntax, which the whole of an argument's text must match.
ArgumentPattern = Annotated[str, StringConstraints(min_length=1, max_length=500)]
ArgumentName = Annotated[str, StringConstraints(min_length=1, max_length=128)]
CallsPerMinute = Annotated[int, Field(ge=1, le=10**6), Whole]


class Grant(RequestModel):
    """What `subject`, a key's id or a tenant's name, may do; without any grant it may use no tool at all.

    `arguments` are patterns by the argument's name: one that is named must be there and match. `calls_per_minute`
    counts on each replica for itself. With `needs_approval` a person must approve each call.
    """

    kind: GrantKind
    subject: Slug
    tool: ToolPattern
    arguments: dict[ArgumentName, ArgumentPattern] = Field(default_factory=dict, max_length=50)
    calls_per_minute: CallsPerMinute | None = None
    needs_approval: bool = False


class GrantCard(ResponseModel):
    """A grant as it is listed."""

    id: str
    grant: Grant
    created: Moment


class GrantList(ResponseModel):
    """Grants, the newest first; `has_more` says that there are others after the last."""

    data: tuple[GrantCard, ...]
    has_more: bool = False

"""The caller, once known."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from autoglm.contract.scope import Scope


class Principal(BaseModel):
    """Who calls, who pays, and what both may use; `models: None` is all models.

    `expires` is when a token ends, in seconds since 1970; of others the control plane knows it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["key", "user", "token", "local"]
    id: str
    tenant: str
    scopes: tuple[Scope, ...]
    models: tuple[str, ...] | None = None
    expires: float | None = None

    @property
    def permissions(self) -> str:
        """All that the caller may use, in one form: answers are shared by those for whom it is the same."""
        models = "*" if self.models is None else "\0".join(sorted(self.models))
        return "\0".join((*sorted([scope.root for scope in self.scopes]), "", models))

    def allows(self, wanted: Scope) -> bool:
        """Whether one of the scopes covers `wanted`."""
        return any(scope.covers(wanted) for scope in self.scopes)

    def may_use(self, model: str) -> bool:
        """Whether the model is among the allowed ones."""
        return self.models is None or model in self.models

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

"""Who asks for a tool, and what is left to ask for."""

from __future__ import annotations

from dataclasses import dataclass

from autoglm.contract.scope import Scope
from deployments.caller import Caller


@dataclass(frozen=True, slots=True)
class Asking:
    """A caller with its scopes as they are now. `tools` are those that the request leaves; None is all."""

    caller: Caller
    scopes: tuple[Scope, ...]
    tools: frozenset[str] | None = None

    def has_scope(self, tool: str) -> bool:
        """Whether the credential's scopes cover the tool."""
        # As Scope.covers has it, in plain text: a listing asks for hundreds of tools.
        return any(scope.root in ("tools:*", f"tools:{tool}") for scope in self.scopes)

    def leaves(self, tool: str) -> bool:
        """Whether the request leaves the tool."""
        return self.tools is None or tool in self.tools

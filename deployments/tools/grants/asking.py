"""Who asks for a tool, and what is left to ask for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

from autoglm.contract.scope import Scope
from deployments.caller import Caller


@dataclass(frozen=True, slots=True)
class Asking:
    """A caller with its scopes as they are now. `tools` are those that request, plan and step leave; None is all."""

    caller: Caller
    scopes: tuple[Scope, ...]
    tools: frozenset[str] | None = None

    def narrowed(self, names: Iterable[str] | None) -> Self:
        """The same with no other tools than these; None narrows nothing, and nothing widens."""
        if names is None:
            return self
        return replace(self, tools=frozenset(names) if self.tools is None else self.tools.intersection(names))

    def has_scope(self, tool: str) -> bool:
        """Whether the credential's scopes cover the tool."""
        # As Scope.covers has it, in plain text: a listing asks for hundreds of tools.
        return any(scope.root in ("tools:*", f"tools:{tool}") for scope in self.scopes)

    def leaves(self, tool: str) -> bool:
        """Whether the narrowing leaves the tool."""
        return self.tools is None or tool in self.tools

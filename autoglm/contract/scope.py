"""What a credential may do: `chat`, `predict`, `embed`, `tasks`, `admin`, and `tools:NAME` for each tool."""

from __future__ import annotations

from pydantic import ConfigDict, Field, RootModel

KNOWN = ("chat", "predict", "embed", "tasks", "admin", "tools:NAME", "tools:*")  # PATTERN, as messages show it
PATTERN = r"^(chat|predict|embed|tasks|admin|tools:(\*|[A-Za-z0-9][A-Za-z0-9_.-]{0,63}))$"


class Scope(RootModel[str]):
    """One permission; on the wire a plain string. `tools:*` covers every tool, and nothing else covers another."""

    model_config = ConfigDict(frozen=True)

    root: str = Field(pattern=PATTERN)

    def covers(self, wanted: Scope) -> bool:
        """Whether a holder of this scope may do what needs `wanted`."""
        return self == wanted or (self.root == "tools:*" and wanted.root.startswith("tools:"))

    def __str__(self) -> str:
        return self.root


CHAT, PREDICT, EMBED, TASKS, ADMIN = map(Scope, ("chat", "predict", "embed", "tasks", "admin"))

"""What a credential may do: `chat`, `predict`, `embed`, `tasks`, `approve`, `admin`, and `tools:NAME` for each tool."""

from __future__ import annotations

from pydantic import ConfigDict, Field, RootModel

# PATTERN, as messages show it.
KNOWN = ("chat", "predict", "embed", "tasks", "approve", "admin", "tools:NAME", "tools:*")
PATTERN = r"^(chat|predict|embed|tasks|approve|admin|tools:(\*|[A-Za-z0-9][A-Za-z0-9_.-]{0,63}))$"


class Scope(RootModel[str]):
    """One permission; on the wire a plain string. `tools:*` covers every tool, and nothing else covers another."""

    model_config = ConfigDict(frozen=True)

    root: str = Field(pattern=PATTERN)

    def covers(self, wanted: Scope) -> bool:
        """Whether a holder of this scope may do what needs `wanted`."""
        return self.root == wanted.root or (self.root == "tools:*" and wanted.root.startswith("tools:"))

    def __str__(self) -> str:
        return self.root


CHAT, PREDICT, EMBED = Scope("chat"), Scope("predict"), Scope("embed")
TASKS, APPROVE, ADMIN = Scope("tasks"), Scope("approve"), Scope("admin")

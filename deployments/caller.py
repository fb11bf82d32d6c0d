"""Who wants something done, as it travels between processes and lies in the database: a name, and no permission."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Caller(BaseModel):
    """A credential by its name. What it may do is asked for when it is done: it may have been revoked since.

    Of a token nobody but its issuer knows that: `scopes` and `models` are what it said when it was shown, and `expires`
    when it ends, in seconds since 1970.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["key", "user", "token", "local"]
    id: str
    tenant: str
    scopes: tuple[str, ...] = ()
    models: tuple[str, ...] | None = None
    expires: float | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

"""Who has a quota."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Whose quota it is: a key's id, or a tenant's name."""

    kind: Literal["key", "tenant"]
    id: str

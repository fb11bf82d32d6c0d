"""What was decided about a call."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a call may be made, and whether a person must approve it; `reason` says what is missing where not."""

    allowed: bool
    needs_approval: bool = False
    reason: str = ""

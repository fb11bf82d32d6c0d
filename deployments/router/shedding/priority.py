"""The classes of requests that a target tells apart."""

from __future__ import annotations

from enum import StrEnum


class Priority(StrEnum):
    """Whether somebody waits for the answer (`interactive`) or it may come at any time (`batch`)."""

    INTERACTIVE = "interactive"
    BATCH = "batch"

"""Who reads results before a model does: scanners for texts that were written to steer it."""

from __future__ import annotations

from typing import Any, Literal, Protocol


class Scan(Protocol):
    """Tells results with texts that were written to steer a model from others."""

    async def __call__(self, value: Any) -> str | None:
        """Why a JSON value may not be shown to a model, as a verb's phrase after its name; None where it may.

        Raises:
            APIStatusError: it cannot be told.
        """
        ...


def load_scan(name: Literal["nanoguard"] | None) -> Scan | None:
    """The scanner of this name, None without one; reads its weights, so call it off the event loop.

    Raises:
        ConfigError: its package is not installed.
    """
    if name is None:
        return None
    from deployments.planner.nanoguard import NanoGuardScan, open_nanoguard

    return NanoGuardScan(open_nanoguard())

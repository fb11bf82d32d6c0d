"""The tools of `hosted_cluster`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path


def process() -> int:
    return os.getpid()


def record(file: str, text: str) -> None:
    Path(file).write_text(text)


async def wait(file: str) -> None:
    record(file, "waiting")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        record(file, "cancelled")
        raise

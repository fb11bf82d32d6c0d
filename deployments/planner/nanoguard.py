"""NanoGuard, a classifier of 17 million parameters for prompt injections in English; the package metatronnanoguard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from autoglm.errors import ConfigError

# It was fitted on prompts. Of JSON it takes most for an injection, `{"days": 43}` with 99 %, and of words without a
# sentence some, so that it is given a result's texts of some length. It reads 512 tokens and no more, and one sentence
# among many is diluted: of five injections it finds four alone, three in the midst of 400 characters, two of 1,200.
MIN_CHARS = 20
WINDOW = 400
OVERLAP = 100
MAX_WINDOWS = 64  # of one result, about 19,000 characters
AT_ONCE = 8


class Verdict(Protocol):
    """What NanoGuard makes of a text."""

    @property
    def is_injection(self) -> bool: ...


class Guard(Protocol):
    """The part of nanoguard.NanoGuard that is used."""

    def scan_batch(self, texts: list[str]) -> Sequence[Verdict]: ...


class NanoGuardScan:
    """Scans one result after the other, in a thread."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._scanning = asyncio.Lock()

    async def __call__(self, value: Any) -> str | None:
        """As `deployments.planner.scanning.Scan`; a result that is too long to be scanned may not be shown either."""
        windows = [window for text in texts(value) for window in cut(text)]
        if len(windows) > MAX_WINDOWS:
            return f"is too long to be scanned ({len(windows)} passages, at most {MAX_WINDOWS} are)"
        async with self._scanning:
            is_found = await asyncio.to_thread(self._has_injection, windows)
        return "reads like instructions to a model" if is_found else None

    def _has_injection(self, windows: list[str]) -> bool:
        batches = (windows[at : at + AT_ONCE] for at in range(0, len(windows), AT_ONCE))
        return any(verdict.is_injection for batch in batches for verdict in self._guard.scan_batch(batch))


def texts(value: Any) -> Iterator[str]:
    """The texts of a JSON value that are long enough to say something, names of fields among them."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if len(one) >= MIN_CHARS:
                yield one
        elif isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list | tuple):
            waiting += one


def cut(text: str) -> Iterator[str]:
    """Passages of a text that overlap, so that no sentence is cut in each."""
    for begins in range(0, max(len(text) - OVERLAP, 1), WINDOW - OVERLAP):
        yield text[begins : begins + WINDOW]


def open_nanoguard() -> Guard:
    """The installed package's scanner; takes a few seconds.

    Raises:
        ConfigError: the package is not installed.
    """
    try:
        from nanoguard import NanoGuard
    except ImportError:
        raise ConfigError(
            "planner.planning.scanner: 'nanoguard' needs the package metatronnanoguard; `pip install metatronnanoguard`"
        ) from None
    guard: Guard = NanoGuard(device="cpu")
    return guard

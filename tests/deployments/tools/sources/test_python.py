"""Python functions in the host's process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autoglm.errors import (
    ConfigError,
    DeadlineExceededError,
    UnavailableError,
    UnprocessableEntityError,
    UpstreamError,
)
from deployments.tools.sources.python import PythonSource
from tests.deployments.tools.sources import sample_tools

MODULE = sample_tools.__name__


@pytest.fixture(autouse=True)
def let_go() -> Iterator[None]:
    """No thread outlives its test for long."""
    sample_tools.GO.clear()
    yield
    sample_tools.GO.set()


async def opened(target: str = MODULE, threads: int = 2) -> PythonSource:
    source = PythonSource("t", target, threads)
    await source.open(lambda: None)
    return source


async def call(source: PythonSource, tool: str, arguments: dict[str, Any] | None = None, timeout_s: float = 10) -> Any:
    return await source.call(tool, arguments or {}, key="k", timeout_s=timeout_s)


async def test_a_function_bears_the_entrys_name() -> None:
    """Marked or not; it is called with the types that it wants, and with the key."""
    assert await call(await opened(f"{MODULE}:unmarked"), "t") == 1
    source = await opened(f"{MODULE}:day_after")
    [card] = source.tools()
    assert (card.name, card.source, card.idempotent) == ("t", "python", True)
    assert await call(source, "t", {"day": "2024-02-28"}) == {"day": "2024-02-29", "key": "k"}


async def test_a_modules_marked_functions_are_its_tools() -> None:
    """Under the entry's name and their own, and no others."""
    names = [card.name for card in (await opened()).tools()]
    assert names[:2] == ["t.day_after", "t.asynchronous"]
    assert "t.unmarked" not in names


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("no_such_module_anywhere", "cannot be imported: ModuleNotFoundError"),
        (f"{MODULE}:day_aftr", "did you mean 'day_after'"),
        ("json", "no function that is marked"),
        ("leaving", "cannot be imported: SystemExit"),
    ],
)
async def test_what_cannot_be_loaded_is_told(
    target: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module that ends the process it is imported by is only a fault of its entry."""
    (tmp_path / "leaving.py").write_text("raise SystemExit(1)")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=told):
        await opened(target)


async def test_a_coroutine_function_is_awaited() -> None:
    """And ended when its own time is over, before a longer one of its caller."""
    source = await opened()
    assert await call(source, "t.asynchronous") == 1
    with pytest.raises(DeadlineExceededError):
        await call(source, "t.slow", timeout_s=10_000)


@pytest.mark.parametrize("tool", ["fails", "exits", "stops_iterating"])
async def test_whatever_a_function_raises_is_its_failure(tool: str) -> None:
    """SystemExit would end the host, and StopIteration would never arrive."""
    with pytest.raises(
        UpstreamError, match=f"{tool} failed: (LookupError: nothing there|SystemExit: 3|StopIteration)$"
    ):
        await call(await opened(), f"t.{tool}")


async def test_a_function_may_refuse_its_arguments() -> None:
    """By the error that the caller hears then."""
    with pytest.raises(UnprocessableEntityError) as refused:
        await call(await opened(), "t.refuses")
    assert refused.value.param == "this"


async def test_a_function_that_runs_past_its_time_keeps_its_thread(caplog: pytest.LogCaptureFixture) -> None:
    """It is said, and while all are kept so, calls are refused instead of waiting for ever."""
    source = await opened(f"{MODULE}:waits", threads=1)
    with pytest.raises(DeadlineExceededError):
        await call(source, "t", timeout_s=0.01)
    assert await asyncio.to_thread(sample_tools.WAITING.acquire, timeout=10)
    assert "holds its thread" in caplog.text
    with pytest.raises(UnavailableError, match="past their time"):
        await call(source, "t")
    sample_tools.GO.set()
    await asyncio.wait_for(answered(source), 10)


async def answered(source: PythonSource) -> None:
    """Until a thread is free again."""
    while True:
        try:
            assert await call(source, "t") == "done"
            return
        except UnavailableError:
            await asyncio.sleep(0)
